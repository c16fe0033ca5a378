"""From codes to values: one column of values 0–1 for each measure, high meaning more of it done as intended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, Measure, Scale
from ibic_fidelity.responses.model import BLANK, DONT_KNOW, SourceTable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeasureValues:
    """The values of one measure, in the order of its source's rows.

    `value` is 0–1, reversed where the item is, and 0 where there is no answer; `answered` is 1.0 or 0.0.
    `base` is the number of units behind each value of a register, ``None`` where a row is a unit.
    """

    item: Item
    measure: Measure
    value: Floats
    answered: Floats
    base: Floats | None


def measure_values(table: SourceTable, instrument: Instrument) -> Iterator[MeasureValues]:
    """Yield the values of every measure of a source, one at a time, so that memory stays small."""
    position = {column: j for j, column in enumerate(table.columns)}
    for item, measure in instrument.measures_of(table.source):
        scale = instrument.by_scale[measure.scale]
        base = None
        if scale.type == "checklist":
            value, answered = _checklist(table, [position[part.id] for part in measure.parts])
        elif scale.type == "register":
            value, answered, base = _register(table, position[measure.id], scale)
        else:
            value, answered = _levels(table.codes[:, position[measure.id]], scale)
        if item.reverse:
            value = answered - value
        yield MeasureValues(item, measure, value, answered, base)


def level_lookup(scale: Scale) -> tuple[Floats, Floats]:
    """Return value and answered for each int8 code seen as uint8, shape (256,)."""
    value, answered = np.zeros(256), np.zeros(256)
    for level in scale.levels:
        value[level.code] = (level.code - scale.lowest) / (scale.highest - scale.lowest)
        answered[level.code] = 1.0
    return value, answered


def _levels(codes: NDArray[np.int8], scale: Scale) -> tuple[Floats, Floats]:
    value, answered = level_lookup(scale)
    index = codes.view(np.uint8)
    return value[index], answered[index]


def _checklist(table: SourceTable, columns: list[int]) -> tuple[Floats, Floats]:
    """Return the share of yes among the applicable parts; a file with an unanswered part has no value.

    Leaving a blank part out would reward whoever leaves blank what is hard to find.
    """
    parts = table.codes[:, columns]
    yes = (parts == 1).sum(axis=1)
    applicable = yes + (parts == 0).sum(axis=1)
    answered = (applicable > 0) & ~np.isin(parts, (BLANK, DONT_KNOW)).any(axis=1)
    value = np.where(answered, yes / np.maximum(applicable, 1), 0.0)
    return value, answered.astype(np.float64)


def _register(table: SourceTable, column: int, scale: Scale) -> tuple[Floats, Floats, Floats]:
    raw, base = table.values[:, column], table.counts[:, column]
    answered = np.isfinite(raw) & np.isfinite(base)
    value = np.where(answered, (raw - scale.lowest) / (scale.highest - scale.lowest), 0.0)
    return value, answered.astype(np.float64), np.where(answered, base, 0.0)
