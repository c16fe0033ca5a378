"""The answers of one source to the measures that are scored, row by row, as agreement statistics take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item
from ibic_fidelity.responses.model import SourceTable
from ibic_fidelity.scoring.measures import measure_values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PrimaryAnswers:
    """The answers to one primary measure.

    `value` (rows,) is 0–1 as scored, NaN where there is none; `answers` has the codes of each column (rows,), several
    where the measure is a checklist; `categories` are all codes of the scale, increasing.
    """

    item: Item
    value: Floats
    answers: tuple[NDArray[np.int8], ...]
    categories: tuple[float, ...]

    @property
    def codes(self) -> tuple[Floats, ...]:
        """Return the codes of each column (rows,), NaN for every kind of missing answer."""
        return tuple(np.where(code >= 0, code, np.nan) for code in self.answers)


def primary_answers(table: SourceTable, instrument: Instrument) -> Iterator[PrimaryAnswers]:
    """Yield the answers to every primary measure of a source, in the instrument's order."""
    for values in measure_values(table, instrument):
        measure = values.measure
        if measure.role != "primary":
            continue
        scale = instrument.by_scale[measure.scale]
        columns = [part.id for part in measure.parts] if scale.type == "checklist" else [measure.id]
        yield PrimaryAnswers(
            item=values.item,
            value=np.where(values.answered > 0, values.value, np.nan),
            answers=tuple(table.column(column) for column in columns),
            categories=tuple(float(level.code) for level in scale.levels),
        )
