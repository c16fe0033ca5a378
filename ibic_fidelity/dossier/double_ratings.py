"""Units that two raters or more have rated, as agreement statistics take them: units by raters, with holes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.dossier.primary_answers import primary_answers
from ibic_fidelity.dossier.unit_values import numbered_units
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item
from ibic_fidelity.responses.model import NOT_APPLICABLE, SourceTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ItemRatings:
    """The ratings of one item.

    Attributes
    ----------
    item : Item
        What was rated.
    codes : ndarray, shape (units × parts, raters)
        What each rater answered, part by part where the item is a checklist; NaN for no answer and for
        "not applicable".
    file : ndarray of int, shape (units × parts,)
        The unit of each row.
    categories : tuple of float
        All codes of the scale, increasing.
    value : ndarray, shape (units, raters)
        The item's value 0–1 as scored, reversed where the item is; NaN where there is none.
    applies : ndarray, shape (units × parts, raters)
        1 where the rater gave an answer, 0 where "not applicable", NaN where neither.
    """

    item: Item
    codes: Floats
    file: NDArray[np.intp]
    categories: tuple[float, ...]
    value: Floats
    applies: Floats


@dataclass(frozen=True, slots=True, eq=False)
class DoubleRatings:
    """What the raters of one source made of the same units.

    Attributes
    ----------
    source : str
        The source's id.
    raters : tuple of str
        The raters of any unit that another one has rated too.
    site : ndarray of object, shape (units,)
        The site of each unit.
    items : tuple of ItemRatings
        One an item.
    n_units : int
        All units of the source, rated once or more.
    """

    source: str
    raters: tuple[str, ...]
    site: NDArray[np.object_]
    items: tuple[ItemRatings, ...]
    n_units: int

    def score(self, items: tuple[ItemRatings, ...]) -> Floats:
        """Return the mean value (units, raters) over the items that all raters of the unit have a value for.

        Where raters disagree on what applies, a mean over different items would compare unlike with unlike.
        """
        values: Floats = np.stack([one.value for one in items], axis=-1)
        known = np.isfinite(values)
        rated = np.asarray(known.any(axis=2))
        common = np.asarray((known | ~rated[..., np.newaxis]).all(axis=1) & known.any(axis=1))
        use = common[:, np.newaxis, :] & known
        total, n = np.where(use, values, 0.0).sum(axis=2), use.sum(axis=2)
        mean: Floats = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
        return mean


def double_ratings(table: SourceTable, instrument: Instrument) -> DoubleRatings | None:
    """Return the units of a source with two raters or more, or ``None`` where there are none."""
    unit_of, first = numbered_units(table)
    rater = table.rater.codes.astype(np.int64)
    if table.rater.labels == ("",) or not table.has_ids:
        return None
    pairs = np.unique(np.stack([unit_of, rater], axis=1), axis=0)
    twice = np.flatnonzero(np.bincount(pairs[:, 0], minlength=len(first)) >= 2)
    if not len(twice):
        return None
    rows = np.flatnonzero(np.isin(unit_of, twice))
    raters, column = np.unique(rater[rows], return_inverse=True)
    place = _Place(rows, np.searchsorted(twice, unit_of[rows]), column, (len(twice), len(raters)))
    return DoubleRatings(
        source=table.source,
        raters=tuple(table.rater.labels[code] for code in raters),
        site=table.site.text[first[twice]],
        items=tuple(_items(table, instrument, place)),
        n_units=len(first),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where each row of a source stands in a table of units by raters."""

    rows: NDArray[np.intp]
    unit: NDArray[np.intp]
    rater: NDArray[np.intp]
    shape: tuple[int, int]

    def spread(self, column: NDArray[np.float64]) -> Floats:
        """Return a column of the source as units by raters, NaN where the rater did not rate the unit."""
        made = np.full(self.shape, np.nan)
        made[self.unit, self.rater] = column[self.rows]
        return made


def _items(table: SourceTable, instrument: Instrument, place: _Place) -> Iterator[ItemRatings]:
    for one in primary_answers(table, instrument):
        applies = [np.where(code >= 0, 1.0, np.where(code == NOT_APPLICABLE, 0.0, np.nan)) for code in one.answers]
        yield ItemRatings(
            item=one.item,
            codes=np.concatenate([place.spread(code) for code in one.codes]),
            file=np.tile(np.arange(place.shape[0]), len(one.answers)),
            categories=one.categories,
            value=place.spread(one.value),
            applies=np.concatenate([place.spread(each) for each in applies]),
        )
