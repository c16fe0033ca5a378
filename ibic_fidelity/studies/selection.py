"""Who and what is left in a study, where that depends on what would have been found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import BLANK, DONT_KNOW, Key, SourceTable

Floats = NDArray[np.float64]


def chosen_files(table: SourceTable, instrument: Instrument, files: int) -> SourceTable:
    """Return the `files` files that score highest in each site and area, with all their ratings."""
    quality = row_means(table, instrument)
    group = table.site.codes.astype(np.int64) * len(table.service_area.labels) + table.service_area.codes
    units, of_row = np.unique(table.unit.codes, return_inverse=True)
    worth = np.bincount(of_row, quality) / np.bincount(of_row)
    home = np.zeros(len(units), dtype=np.int64)
    home[of_row] = group
    order = np.lexsort((-worth, home))
    place = np.arange(len(order)) - np.searchsorted(home[order], home[order])
    kept = np.zeros(len(units), dtype=bool)
    kept[order[place < files]] = True
    return table.take(np.flatnonzero(kept[of_row]))


def those_who_answer(
    table: SourceTable, instrument: Instrument, rate: float, silence: float, rng: np.random.Generator
) -> SourceTable:
    """Return the respondents who answer: log odds those of `rate`, plus `silence` times the standardised answer."""
    own = row_means(table, instrument)
    z = (own - own.mean()) / own.std()
    probability = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + silence * z)))
    return table.take(np.flatnonzero(rng.random(table.n) < probability))


def without_assessors(table: SourceTable) -> SourceTable:
    """Return a table that does not name whose files they are."""
    return replace(table, cluster=Key.of([""] * table.n))


def row_means(table: SourceTable, instrument: Instrument) -> Floats:
    """Return the mean value 0–1 of each row's answers, high meaning as intended; the middle where there are none.

    A checklist is the share of yes among the parts that apply, and none where a part is blank or unknown.
    """
    total, answered = np.zeros(table.n), np.zeros(table.n)
    for item, measure in instrument.measures_of(table.source):
        scale = instrument.by_scale[measure.scale]
        codes = np.stack([table.column(name) for name in [part.id for part in measure.parts] or [measure.id]])
        applies = codes >= 0
        if scale.type == "checklist":
            known = applies.any(axis=0) & ~np.isin(codes, (BLANK, DONT_KNOW)).any(axis=0)
            value = (codes == 1).sum(axis=0) / np.maximum(applies.sum(axis=0), 1)
        else:
            known, value = applies[0], (codes[0] - scale.lowest) / (scale.highest - scale.lowest)
        total += np.where(known, 1 - value if item.reverse else value, 0.0)
        answered += known
    return np.asarray(np.divide(total, answered, out=np.full(table.n, 0.5), where=answered > 0))
