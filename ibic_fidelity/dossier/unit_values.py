"""The answers of one component from one source, one row a unit, as statistics take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Component
from ibic_fidelity.responses.model import SourceTable
from ibic_fidelity.scoring.grouping import begins
from ibic_fidelity.scoring.measures import measure_values


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A table whose columns have names, of items or raters, so that what statistics say of it names them."""

    values: NDArray[np.float64]
    columns: tuple[str, ...]

    def to_numpy(self) -> NDArray[np.float64]:
        """Return the values, shape (rows, columns)."""
        return self.values


@dataclass(frozen=True, slots=True, eq=False)
class UnitValues:
    """The items of a component, as one source answers them.

    `x` is (units, items) on the scale's own range `low`–`high`, reversed where an item is, NaN where
    there is no answer; a unit rated twice is the mean of its ratings. `site` is one label a unit. Where
    items have different scales (and for checklists), the range is 0–1.
    """

    source: str
    component: Component
    items: tuple[str, ...]
    x: NDArray[np.float64]
    site: NDArray[np.object_]
    low: float
    high: float

    @property
    def mean(self) -> NDArray[np.float64]:
        """Return each unit's mean over its items with an answer, NaN where there is none; shape (units,)."""
        answered = np.isfinite(self.x).sum(axis=1)
        total = np.nansum(self.x, axis=1)
        mean: NDArray[np.float64] = np.divide(total, answered, out=np.full(len(total), np.nan), where=answered > 0)
        return mean


def unit_values(table: SourceTable, instrument: Instrument) -> tuple[UnitValues, ...]:
    """Return every component that a source answers with primary measures, in the instrument's order."""
    unit_of, first = numbered_units(table)
    by_component: dict[str, dict[str, NDArray[np.float64]]] = {}
    ranges: dict[str, set[tuple[float, float]]] = {}
    for values in measure_values(table, instrument):
        if values.measure.role != "primary":
            continue
        scale = instrument.by_scale[values.measure.scale]
        answered = np.bincount(unit_of, weights=values.answered)
        total = np.bincount(unit_of, weights=values.value)
        mean = np.divide(total, answered, out=np.full(len(total), np.nan), where=answered > 0)
        by_component.setdefault(values.item.component, {})[values.item.id] = mean
        own = (scale.lowest, scale.highest) if scale.type == "levels" else (0.0, 1.0)
        ranges.setdefault(values.item.component, set()).add(own)
    site = table.site.text[first]
    return tuple(
        _scaled(table.source, instrument.by_component[name], items, ranges[name], site)
        for name, items in by_component.items()
    )


def _scaled(
    source: str,
    component: Component,
    items: dict[str, NDArray[np.float64]],
    ranges: set[tuple[float, float]],
    site: NDArray[np.object_],
) -> UnitValues:
    low, high = next(iter(ranges)) if len(ranges) == 1 else (0.0, 1.0)
    x = low + np.stack(list(items.values()), axis=1) * (high - low)
    return UnitValues(source, component, tuple(items), x, site, low, high)


def numbered_units(table: SourceTable) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the unit of each row, numbered from 0, and the first row of each unit."""
    keys = (table.site, table.wave, table.service_area, table.cluster, table.unit)
    new = begins([key.codes for key in keys], table.n)
    return np.cumsum(new) - 1, np.flatnonzero(new)
