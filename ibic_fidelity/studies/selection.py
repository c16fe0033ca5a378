"""Who and what is left in a study, where that depends on what would have been found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Key, SourceTable
from ibic_fidelity.scoring.measures import measure_values

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
    """Return the mean value 0–1 of each row's answers, high meaning as intended; the middle where there are none."""
    total, answered = np.zeros(table.n), np.zeros(table.n)
    for values in measure_values(table, instrument):
        total += values.value
        answered += values.answered
    return np.asarray(np.divide(total, answered, out=np.full(table.n, 0.5), where=answered > 0))
