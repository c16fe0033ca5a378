"""Responses as data: codes and keys, read-only, in canonical order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message

if TYPE_CHECKING:
    import pandas as pd

BLANK, DONT_KNOW, NOT_APPLICABLE, NOT_ASKED = -1, -2, -3, -4
TEXT_KEYS = ("site", "service_area", "wave", "unit", "cluster", "rater")


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A text key of every row, stored once for each value: ``labels[codes]``; labels are sorted."""

    codes: NDArray[np.int32]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str] | NDArray[Any]) -> Key:
        """Return the key of plain text values."""
        texts = [str(value) for value in values]
        labels = tuple(sorted(set(texts)))
        place = {label: code for code, label in enumerate(labels)}
        return cls(_still(np.fromiter(map(place.__getitem__, texts), np.int32, len(texts))), labels)

    @property
    def text(self) -> NDArray[np.object_]:
        """Return the value of every row."""
        return np.asarray(self.labels, dtype=object)[self.codes]

    def take(self, order: NDArray[np.intp]) -> Key:
        """Return the key of the rows in another order, or of some of them."""
        return Key(_still(self.codes[order]), self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class SourceTable:
    """All answers of one source.

    Attributes
    ----------
    source : str
        The source's id in the instrument.
    columns : tuple of str, length k
        The answer columns: measures, or parts of checklist measures, in the instrument's order.
    codes : ndarray of int8, shape (n, k), column-major
        The answer as the scale's code; -1 blank, -2 don't know, -3 not applicable, -4 not asked.
        For register measures all codes are -4 and `values` carries the answer.
    values, counts : ndarray of float64, shape (n, k)
        The values of register measures and the number of units each rests on; NaN elsewhere. For other
        sources both have shape (0, 0).
    site, service_area, wave, unit, cluster, rater : Key
        The keys of every row. `unit` is the respondent, case file or document; `cluster` what it is
        nested in (the assessor of a file); `rater` who rated it. Absent keys are empty text.
    weight : ndarray of float64, shape (n,)
        Sampling or non-response weight, 1 where none is given.
    has_ids : bool
        Whether the data named their units; if not, units are numbered in the order of the file, and
        statistics that need to know who is who refuse them.

    Rows are in canonical order (site, wave, service_area, cluster, unit, rater, then the answers), so
    that the order of the input changes nothing, to the bit. Make one with `source_table`.
    """

    source: str
    columns: tuple[str, ...]
    codes: NDArray[np.int8]
    site: Key
    service_area: Key
    wave: Key
    unit: Key
    cluster: Key
    rater: Key
    weight: NDArray[np.float64]
    values: NDArray[np.float64]
    counts: NDArray[np.float64]
    has_ids: bool = True

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.weight)

    def column(self, name: str) -> NDArray[np.int8]:
        """Return the codes of a column, shape (n,)."""
        return self.codes[:, self.columns.index(name)]

    def take(self, rows: NDArray[np.intp]) -> SourceTable:
        """Return the rows in another order, or some of them."""
        return replace(
            self,
            codes=_still(np.asfortranarray(self.codes[rows])),
            weight=_still(self.weight[rows]),
            values=_still(self.values[rows]) if self.values.size else self.values,
            counts=_still(self.counts[rows]) if self.counts.size else self.counts,
            **{name: getattr(self, name).take(rows) for name in TEXT_KEYS},
        )


def source_table(
    source: str,
    columns: Sequence[str],
    codes: NDArray[Any],
    keys: Mapping[str, Sequence[str] | NDArray[Any]],
    *,
    weight: NDArray[Any] | None = None,
    values: NDArray[Any] | None = None,
    counts: NDArray[Any] | None = None,
    has_ids: bool = True,
) -> SourceTable:
    """Return a `SourceTable` in canonical order from plain arrays.

    Parameters
    ----------
    source, columns : str, sequence of str
        As in `SourceTable`.
    codes : array, shape (n, k)
        Codes as in `SourceTable`.
    keys : mapping
        At least ``site``; any other of `TEXT_KEYS`, each with n texts. Units are numbered if absent.
    weight, values, counts : array, optional
        As in `SourceTable`.
    has_ids : bool
        Whether ``unit`` names units.
    """
    n = len(codes)
    texts = {name: keys[name] if name in keys else [""] * n for name in TEXT_KEYS}
    has_ids = has_ids and "unit" in keys
    made = {name: Key.of(value) for name, value in texts.items()}
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    answers = np.asarray(codes, dtype=np.int8)
    reals = np.empty((0, 0)) if values is None else np.asarray(values, dtype=np.float64)
    bases = np.empty((0, 0)) if counts is None else np.asarray(counts, dtype=np.float64)
    order = _canonical_order(made, answers, weights, has_ids=has_ids)
    made = {name: key.take(order) for name, key in made.items()}
    if not has_ids:  # numbered after ordering, so that the order of the file gives nobody a number
        made["unit"] = Key(_still(np.arange(n, dtype=np.int32)), tuple(f"{row + 1:06d}" for row in range(n)))
    return SourceTable(
        source=source,
        columns=tuple(columns),
        codes=_still(np.asfortranarray(answers[order])),
        weight=_still(weights[order]),
        values=_still(reals[order] if reals.size else reals),
        counts=_still(bases[order] if bases.size else bases),
        has_ids=has_ids,
        **made,
    )


def _canonical_order(
    keys: Mapping[str, Key], codes: NDArray[np.int8], weight: NDArray[np.float64], *, has_ids: bool
) -> NDArray[np.intp]:
    named = [keys[name].codes for name in ("site", "wave", "service_area", "cluster", "unit", "rater")]
    answers: list[NDArray[Any]] = [] if has_ids else [weight, *(codes[:, j] for j in range(codes.shape[1]))]
    return np.lexsort([*answers[::-1], *named[::-1]])


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """How many units there were to take, and how many were asked, by site, area, wave and source."""

    eligible: Mapping[tuple[str, str, str, str], int] = field(default_factory=dict)
    invited: Mapping[tuple[str, str, str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "eligible", MappingProxyType(dict(self.eligible)))
        object.__setattr__(self, "invited", MappingProxyType(dict(self.invited)))


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Everything that was answered, coded by one version of one instrument.

    Attributes
    ----------
    tables : mapping of str to SourceTable
        One table for each source that has rows.
    frame : Frame
        Eligible and invited units, where the register source gives them.
    instrument_id, instrument_version, instrument_sha256 : str
        The instrument that coded the answers; a verb given another one refuses.
    data_sha256 : str
        SHA-256 of the files read, or of the arrays where there was no file.
    synthetic : bool
        Whether the data say that they are synthetic.
    notes : tuple of Message
        Everything that was recognised, set aside or generated while reading.
    """

    tables: Mapping[str, SourceTable]
    frame: Frame
    instrument_id: str
    instrument_version: str
    instrument_sha256: str
    data_sha256: str
    synthetic: bool = False
    notes: tuple[Message, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))

    @property
    def sites(self) -> tuple[str, ...]:
        """Return the sites with at least one row, sorted."""
        return tuple(sorted({label for table in self.tables.values() for label in _used(table.site)}))

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a source and site: source, site, n (rows), units."""
        import pandas as pd

        rows = []
        for name, table in self.tables.items():
            for code in np.unique(table.site.codes):
                inside = table.site.codes == code
                keys = np.stack([table.service_area.codes, table.wave.codes, table.unit.codes])
                units = np.unique(keys[:, inside], axis=1).shape[1]
                rows.append((name, table.site.labels[code], int(inside.sum()), units))
        return pd.DataFrame(rows, columns=["source", "site", "n", "units"])

    def answers(self, source: str) -> pd.DataFrame:
        """Return a source's answers with their keys; every kind of missing answer is NaN."""
        import pandas as pd

        table = self.tables[source]
        data: dict[str, Any] = {name: getattr(table, name).text for name in TEXT_KEYS}
        data["weight"] = table.weight
        reals = table.values if table.values.size else None  # noqa: PD011 — a field of ours, no frame
        for j, column in enumerate(table.columns):
            code = table.codes[:, j]
            plain = np.where(code >= 0, code, np.nan)
            data[column] = plain if reals is None else reals[:, j]
        return pd.DataFrame(data)

    def summary(self) -> str:
        """Return in a few lines what there is."""
        lines = [f"Responses to {self.instrument_id} {self.instrument_version} from {len(self.sites)} sites"]
        for name, table in self.tables.items():
            lines.append(f"  {name}: {table.n} rows, {len(_used(table.site))} sites")
        if self.synthetic:
            lines.append("  SYNTHETIC data")
        lines += [f"  note: {note.text('en')}" for note in self.notes]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()


def _used(key: Key) -> set[str]:
    return {key.labels[code] for code in np.unique(key.codes)}


def _still(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array
