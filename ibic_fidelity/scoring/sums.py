"""One pass over a source: estimates, influence values and their sums of squares, for every target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.grouping import Nesting
from ibic_fidelity.scoring.intervals import Sums
from ibic_fidelity.scoring.measures import MeasureValues, measure_values
from ibic_fidelity.scoring.raters import Pairs

Floats = NDArray[np.float64]
Target = tuple[str, str]  # level (measure, component, total), id


@dataclass(frozen=True, slots=True, eq=False)
class SourceSums:
    """What one source says, by target; arrays run over the groups of its nesting.

    `answered` counts the units with an answer to each measure, `difference` holds for each target the
    first minus the second rating of every pair of ratings of the same unit.
    """

    nest: Nesting
    targets: Mapping[Target, Sums]
    answered: Mapping[str, Floats]
    difference: Mapping[Target, Floats] = field(default_factory=dict)


@dataclass(slots=True)
class _Composite:
    """A weighted mean of items under way: its estimate, influence values, and rating differences."""

    weights: Mapping[str, float]
    total: float
    estimate: Floats
    influence: Floats
    difference: Floats
    compared: Floats

    def add(self, item: str, mean: Floats, influence: Floats) -> None:
        share = self.weights[item] / self.total
        self.estimate += share * mean
        self.influence += share * influence

    def compare(self, item: str, difference: Floats, both: Floats) -> None:
        self.difference += self.weights[item] * difference
        self.compared += self.weights[item] * both


def composite_weights(instrument: Instrument) -> dict[Target, dict[str, float]]:
    """Return, for every component and total, the weight of each item; the weights of a target sum to 1."""
    weights: dict[Target, dict[str, float]] = {}
    for component in instrument.components:
        items = instrument.items_of(component.id)
        whole = sum(item.weight for item in items)
        weights["component", component.id] = {item.id: item.weight / whole for item in items}
    for total in instrument.totals:
        parts = [part for part in instrument.components_of(total) if instrument.items_of(part.id)]
        whole = sum(part.weight for part in parts)
        weights["total", total.id] = {
            item: part.weight / whole * share for part in parts for item, share in weights["component", part.id].items()
        }
    return weights


def source_sums(
    nest: Nesting, instrument: Instrument, weights: Mapping[Target, Mapping[str, float]], pairs: Pairs
) -> SourceSums:
    """Pass once over a source's measures.

    The estimate of a measure is the (weighted) mean of its units' values, each unit the mean of its
    ratings. A composite is the weighted mean of its items' estimates, so that an item with few
    applicable files counts as much as another. The influence value of unit u on measure j is
    n/N_j · w_u (y_uj − m_j) where it has an answer, else 0 (linearised ratio, Woodruff 1971).
    """
    primary = {item.id for item, measure in instrument.measures_of(nest.table.source) if measure.role == "primary"}
    frame = _Frame.of(nest)
    composites = {
        target: _composite({i: w for i, w in items.items() if i in primary}, frame, len(pairs.first))
        for target, items in weights.items()
        if primary & set(items)
    }
    targets: dict[Target, Sums] = {}
    answered: dict[str, Floats] = {}
    difference: dict[Target, Floats] = {}
    for values in measure_values(nest.table, instrument):
        mean, influence, count = frame.influence(values)
        item = values.item.id
        name = ("measure", item)
        targets[name] = frame.sums(mean, influence)
        answered[item] = count
        gap, both = _gaps(values, pairs)
        difference[name] = np.where(both > 0, gap, np.nan)
        if values.measure.role != "primary":
            continue
        for composite in composites.values():
            if item in composite.weights:
                composite.add(item, mean, influence)
                composite.compare(item, gap, both)
    for target, composite in composites.items():
        targets[target] = frame.sums(composite.estimate, composite.influence)
        with np.errstate(invalid="ignore", divide="ignore"):
            difference[target] = composite.difference / composite.compared
    return SourceSums(nest, targets, answered, difference)


def _composite(items: Mapping[str, float], frame: _Frame, n_pairs: int) -> _Composite:
    return _Composite(
        weights=items,
        total=sum(items.values()),
        estimate=np.zeros(len(frame.units)),
        influence=np.zeros(len(frame.nest.unit_rows)),
        difference=np.zeros(n_pairs),
        compared=np.zeros(n_pairs),
    )


def _gaps(values: MeasureValues, pairs: Pairs) -> tuple[Floats, Floats]:
    both = values.answered[pairs.first] * values.answered[pairs.second]
    return (values.value[pairs.first] - values.value[pairs.second]) * both, both


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """The parts of a nesting that every measure needs, made once."""

    nest: Nesting
    units: Floats
    clusters: Floats
    cluster_sizes: Floats
    squares: Floats
    repeats: NDArray[np.intp]
    weight: Floats | None

    @classmethod
    def of(cls, nest: Nesting) -> _Frame:
        units = nest.units_of_groups()
        sizes = np.diff(np.append(nest.cluster_units, len(nest.unit_rows))).astype(np.float64)
        clusters = np.diff(np.append(nest.group_clusters, len(sizes)))
        weight = nest.table.weight[nest.unit_rows]
        return cls(
            nest=nest,
            units=units.astype(np.float64),
            clusters=clusters.astype(np.float64),
            cluster_sizes=sizes,
            squares=np.add.reduceat(sizes**2, nest.group_clusters) if len(sizes) else np.zeros(0),
            repeats=units,
            weight=None if (weight == 1).all() else weight,
        )

    def influence(self, values: MeasureValues) -> tuple[Floats, Floats, Floats]:
        """Return mean (g,), influence (units,), and the number of units with an answer (g,)."""
        nest = self.nest
        value, answered = values.value, values.answered
        if nest.collapsed:
            value = np.add.reduceat(value, nest.unit_rows)
            answered = np.add.reduceat(answered, nest.unit_rows)
            value = np.divide(value, answered, out=np.zeros_like(value), where=answered > 0)
            answered = np.minimum(answered, 1.0)
        count = np.add.reduceat(answered, nest.group_units)
        if self.weight is not None:
            value, answered = value * self.weight, answered * self.weight
        base = np.add.reduceat(answered, nest.group_units) if self.weight is not None else count
        summed = np.add.reduceat(value, nest.group_units)
        mean = np.divide(summed, base, out=np.full_like(summed, np.nan), where=base > 0)
        factor = np.divide(self.units, base, out=np.zeros_like(base), where=base > 0)
        centre = np.repeat(np.where(base > 0, mean, 0.0) * factor, self.repeats)
        influence = value * np.repeat(factor, self.repeats)
        influence -= answered * centre
        return mean, influence, count

    def sums(self, estimate: Floats, influence: Floats) -> Sums:
        """Return the sums of squares of influence values within and between clusters."""
        nest = self.nest
        of_clusters = np.add.reduceat(influence, nest.cluster_units)
        between = np.add.reduceat(of_clusters**2 / self.cluster_sizes, nest.group_clusters)
        whole = np.add.reduceat(influence * influence, nest.group_units)
        return Sums(
            estimate=estimate,
            units=self.units,
            clusters=self.clusters,
            cluster_squares=self.squares,
            within=np.maximum(whole - between, 0.0),
            between=between,
        )


def rater_shares(nest: Nesting) -> Floats:
    """Return Σ q² of every group, q being the share of its ratings that each rater made; shape (g,)."""
    rows = np.diff(np.append(nest.group_rows, nest.table.n))
    group = np.repeat(np.arange(len(rows)), rows)
    k = len(nest.table.rater.labels)
    counts = np.bincount(group * k + nest.table.rater.codes, minlength=len(rows) * k).reshape(len(rows), k)
    shares: Floats = ((counts / rows[:, None]) ** 2).sum(axis=1)
    return shares


def missing_counts(nest: Nesting, columns: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Return, for each answer column, rows with an answer, blank, don't know, not applicable, not asked."""
    counts = {}
    for j, column in enumerate(columns):
        code = nest.table.codes[:, j]
        kinds = [(code >= 0) | (np.isfinite(nest.table.values[:, j]) if nest.table.values.size else False)]
        kinds += [code == kind for kind in (-1, -2, -3, -4)]
        if nest.table.values.size:
            kinds[4] = ~kinds[0]
        counts[column] = np.stack([np.add.reduceat(kind.astype(np.int64), nest.group_rows) for kind in kinds])
    return counts
