"""Two waves of the same responses: which units, ratings and sites are in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.primary_answers import primary_answers
from ibic_fidelity.errors import ResponseError, UsageError
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item
from ibic_fidelity.responses.model import Responses, SourceTable

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
_NUMBERS = re.compile(r"\d+")
YEAR_DIGITS = 4


@dataclass(frozen=True, slots=True, eq=False)
class PairedItem:
    """One item as the same rows answer it in both waves.

    Attributes
    ----------
    item : Item
        What was asked.
    value : ndarray, shape (pairs, 2)
        The value 0–1 as scored, NaN where there is none.
    codes : ndarray, shape (pairs × columns, 2)
        The codes answered, column after column where the item is a checklist; NaN for no answer.
    categories : tuple of float
        All codes of the scale, increasing.
    """

    item: Item
    value: Floats
    codes: Floats
    categories: tuple[float, ...]


def check_waves(responses: Responses, instrument: Instrument, first: str, second: str) -> None:
    """Raise unless both waves are there, are two, and stand in their order."""
    known = sorted({label for table in responses.tables.values() for label in _used(table) if label})
    if not known:
        raise ResponseError("dossier.no_waves", wave=_column(instrument, "wave"))
    for label in (first, second):
        if label not in known:
            raise UsageError("dossier.unknown_wave", wave=label, known=known)
    if first == second:
        raise UsageError("dossier.same_wave", wave=first)
    if _falls(first, second):
        raise UsageError("dossier.waves_fall", first=first, second=second)


def one_wave(responses: Responses, wave: str | None) -> Responses:
    """Return the answers of one wave; without a name there must be only one, or people would be counted twice."""
    known = sorted({label for table in responses.tables.values() for label in _used(table)})
    if wave is None:
        if len(known) > 1:
            raise UsageError("dossier.several_waves", known=known)
        return responses
    if wave not in known:
        raise UsageError("dossier.unknown_wave", wave=wave, known=known)
    tables = {name: of_wave(table, wave) for name, table in responses.tables.items()}
    return replace(responses, tables={name: table for name, table in tables.items() if table.n})


def check_ids(responses: Responses, instrument: Instrument) -> None:
    """Raise unless some source names its units."""
    tables = [table for name, table in responses.tables.items() if instrument.by_source[name].kind != "register"]
    if not any(table.has_ids for table in tables):
        raise ResponseError("dossier.no_ids", unit=_column(instrument, "unit"))


def _column(instrument: Instrument, key: str) -> str:
    """Return the column that holds a key in files of answers."""
    return instrument.keys.get(key, (key,))[0]


def _used(table: SourceTable) -> set[str]:
    return {table.wave.labels[code] for code in np.unique(table.wave.codes)}


def _falls(first: str, second: str) -> bool:
    """Return whether two labels that differ in their numbers only, largest unit first, stand in falling order."""
    if _NUMBERS.sub("#", first) != _NUMBERS.sub("#", second):
        return False
    numbers = [[int(part) for part in _NUMBERS.findall(label)] for label in (first, second)]
    year_first = len(numbers[0]) == 1 or all(
        len(_NUMBERS.findall(label)[0]) == YEAR_DIGITS for label in (first, second)
    )
    return year_first and numbers[0] > numbers[1]


def of_wave(table: SourceTable, wave: str) -> SourceTable:
    """Return the rows of one wave."""
    return table.take(np.flatnonzero(table.wave.text == wave))


def row_keys(table: SourceTable, *names: str) -> list[tuple[str, ...]]:
    """Return what names each row: site, service area, unit, and other keys by name."""
    return list(zip(*(getattr(table, name).text for name in ("site", "service_area", "unit", *names)), strict=True))


def pairs(first: list[tuple[str, ...]], second: list[tuple[str, ...]]) -> tuple[Rows, Rows]:
    """Return the rows of both that have the same keys."""
    place = {key: row for row, key in enumerate(first)}
    found = [(place[key], row) for row, key in enumerate(second) if key in place]
    rows = np.array(found, dtype=np.intp).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def paired_items(
    first: SourceTable, second: SourceTable, rows: tuple[Rows, Rows], instrument: Instrument
) -> Iterator[PairedItem]:
    """Yield the primary measures of a source as the same rows answer them in both waves."""
    for pair in zip(primary_answers(first, instrument), primary_answers(second, instrument), strict=True):
        codes = [np.concatenate([code[at] for code in one.codes]) for one, at in zip(pair, rows, strict=True)]
        yield PairedItem(
            item=pair[0].item,
            value=np.stack([one.value[at] for one, at in zip(pair, rows, strict=True)], axis=1),
            codes=np.stack(codes, axis=1),
            categories=pair[0].categories,
        )


def mean_of_common(items: list[PairedItem]) -> Floats:
    """Return the mean value (pairs, 2) over the items that a pair has a value for in both waves, NaN without."""
    values = np.stack([one.value for one in items], axis=-1)
    use = np.isfinite(values).all(axis=1, keepdims=True)
    n = use.sum(axis=2)
    total = np.where(use, values, 0.0).sum(axis=2)
    mean: Floats = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
    return mean


def of_fidelity(items: list[PairedItem], instrument: Instrument) -> list[PairedItem]:
    """Return the items of fidelity; all, where the instrument has none."""
    mine = [one for one in items if instrument.by_component[one.item.component].dimension in FIDELITY]
    return mine or items


def fresh_only(responses: Responses, instrument: Instrument, first: str, second: str) -> tuple[Responses, set[str]]:
    """Return both waves without the units that were audited in both, in the second, and the sites audited afresh."""
    tables, sites = {}, None
    for name, table in responses.tables.items():
        source = instrument.by_source[name]
        kept = np.isin(table.wave.text.astype(str), [first, second])
        if source.kind == "audit" and not source.single:
            keys = row_keys(table)
            before = {key for key, wave in zip(keys, table.wave.text, strict=True) if wave == first}
            again = np.array([key in before for key in keys], dtype=bool) & (table.wave.text == second)
            kept &= ~again
            audited = [set(table.site.text[kept & (table.wave.text == wave)].tolist()) for wave in (first, second)]
            both = audited[0] & audited[1] if table.has_ids else set()
            sites = both if sites is None else sites | both
        tables[name] = table.take(np.flatnonzero(kept))
    left = {name: table for name, table in tables.items() if table.n}
    return replace(responses, tables=left), sites or set()
