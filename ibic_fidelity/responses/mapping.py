"""Answers that one version of an instrument coded, carried over to another: explicitly, or not at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.differences import Comparable, diff_instruments
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Frame, Responses, SourceTable
from ibic_fidelity.responses.origin import check_same_instrument

NOT_ASKED = -4


def map_responses(
    responses: Responses, old: Instrument, new: Instrument, *, same_meaning: Collection[str] = ()
) -> Responses:
    """Return answers to an old version of an instrument as answers to a new one.

    An answer is carried over where the question and its scale are the same. Where the words are others it is carried
    over only for the items that the caller names: that new words mean the same is a claim, which the result keeps as
    a note. All else is "not asked" in the new version.

    Parameters
    ----------
    responses : Responses
        Coded by `old`.
    old, new : Instrument
        Two versions with the same id.
    same_meaning : collection of str
        Reworded items whose old answers are to count as answers to the new words.

    Returns
    -------
    Responses
        With notes of what was carried over, what was not, and on whose word.

    Raises
    ------
    UsageError
        `old` did not code the responses, the two are not versions of one instrument, or `same_meaning` names an item
        that is not merely reworded.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> heavier = [item.model_copy(update={"weight": 2.0}) for item in study.instrument.items]
    >>> new = study.instrument.replaced(items=heavier, version="9.0.0")
    >>> map_responses(study.responses, study.instrument, new).instrument_version
    '9.0.0'
    """
    check_same_instrument(responses, old)
    diff = diff_instruments(old, new)
    wrong = sorted(item for item in same_meaning if diff.items.get(item) != "doubtful")
    if wrong:
        raise UsageError("responses.map_not_reworded", items=wrong, known=_those(diff.items, "doubtful"))
    carried = {item for item, word in diff.items.items() if word == "yes" or item in set(same_meaning)}
    tables = {
        name: _mapped(table, old, new, carried) for name, table in responses.tables.items() if name in new.by_source
    }
    notes = [Message("responses.note_mapped", {"old": diff.old, "new": diff.new, "n": len(carried)})]
    for code, items in (
        ("note_mapped_claim", sorted(same_meaning)),
        ("note_mapped_doubtful", [item for item in _those(diff.items, "doubtful") if item not in carried]),
        ("note_mapped_lost", _those(diff.items, "no")),
        ("note_mapped_sources", [name for name in responses.tables if name not in new.by_source]),
    ):
        if items:
            notes.append(Message(f"responses.{code}", {"names": items}))
    kept = {
        kind: {key: n for key, n in getattr(responses.frame, kind).items() if key[3] in new.by_source}
        for kind in ("eligible", "invited")
    }
    return replace(
        responses,
        tables=tables,
        frame=Frame(**kept),
        instrument_id=new.id,
        instrument_version=new.version,
        instrument_sha256=new.sha256,
        notes=(*responses.notes, *notes),
    )


def _those(items: dict[str, Comparable], word: Comparable) -> list[str]:
    return [item for item, comparable in items.items() if comparable == word]


def _mapped(table: SourceTable, old: Instrument, new: Instrument, carried: set[str]) -> SourceTable:
    """Return a table with the columns of the new version; columns of one item keep their order."""
    source, places = table.source, {column: place for place, column in enumerate(table.columns)}
    before = {item.id: [part.id for part in one.parts] or [one.id] for item, one in old.measures_of(source)}
    came: list[int] = []
    for item, measure in new.measures_of(source):
        names = [part.id for part in measure.parts] or [measure.id]
        own = before.get(item.id, []) if item.id in carried else []
        came += [places[name] for name in own] if len(own) == len(names) else [-1] * len(names)
    take = np.array(came, dtype=np.intp)
    codes = np.where(take < 0, np.int8(NOT_ASKED), table.codes[:, take]).astype(np.int8)
    return replace(
        table,
        columns=new.columns_of(source),
        codes=_still(np.asfortranarray(codes)),
        values=_moved(table.values, take),
        counts=_moved(table.counts, take),
    )


def _moved(reals: NDArray[np.float64], take: NDArray[np.intp]) -> NDArray[np.float64]:
    return _still(np.where(take < 0, np.nan, reals[:, take])) if reals.size else reals


def _still(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
