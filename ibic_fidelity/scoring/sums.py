"""One pass over a source: for every target its estimate, the parts of its error, and their squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.grouping import Nesting
from ibic_fidelity.scoring.intervals import Sums
from ibic_fidelity.scoring.measures import MeasureValues, measure_values
from ibic_fidelity.scoring.raters import Pairs
from ibic_fidelity.scoring.weighting import unit_weights

Floats = NDArray[np.float64]
ROUNDING = 1e-12
Target = tuple[str, str]  # level (measure, component, total), id


@dataclass(frozen=True, slots=True, eq=False)
class SourceSums:
    """What one source says, by target; arrays run over the groups of its nesting.

    `answered` counts the units with an answer, for a composite to any of its items; `difference` holds for
    each target the first minus the second rating of every pair of ratings of the same unit.
    """

    nest: Nesting
    targets: Mapping[Target, Sums]
    answered: Mapping[Target, Floats]
    difference: Mapping[Target, Floats] = field(default_factory=dict)


@dataclass(slots=True)
class _Composite:
    """A weighted mean of items under way; `shares` are the items' weights in it and sum to 1."""

    shares: Mapping[str, float]
    estimate: Floats
    error: Floats
    coefficient: Floats
    specific: Floats
    specific_squares: float
    difference: Floats
    compared: Floats

    def add(self, item: str, part: _Part) -> None:
        share = self.shares[item]
        self.estimate += share * part.sums.estimate
        self.specific += share**2 * part.sums.within_weight
        self.specific_squares += share**2 * part.squares

    def add_units(self, share: float, error: Floats, coefficient: Floats, scratch: Floats) -> None:
        """Add the parts of an item or component by unit, through `scratch`, which spares a new array each time."""
        self.error += np.multiply(error, share, out=scratch)
        self.coefficient += np.multiply(coefficient, share, out=scratch)

    def compare(self, item: str, difference: Floats, both: Floats) -> None:
        self.difference += self.shares[item] * difference
        self.compared += self.shares[item] * both

    def sums(self, frame: _Frame) -> Sums:
        """Return the composite's sums.

        Where items have answers from different units, the composite's variance lies between that of
        items that have nothing in common and of items that are one and the same. How far between is told
        by the squares that its items have of their own.
        """
        plain = frame.sums(self.estimate, self.error, self.coefficient)
        own = sum(share**2 for share in self.shares.values())
        if own > 1 - ROUNDING:
            return plain.sums
        specific = min(self.specific_squares / plain.squares, 1.0) if plain.squares > 0 else 1.0
        apart, together = self.specific / own, (plain.sums.within_weight - self.specific) / (1 - own)
        return replace(plain.sums, within_weight=specific * apart + (1 - specific) * together)


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
    applicable files counts as much as another. With q_u = w_u/Σw over the units that have an answer, and 0
    for the others, the error of a measure is Σ_u q_u (y_u − θ) (linearised ratio, Woodruff 1971); what is
    summed are its parts with θ at its estimate.
    """
    primary = instrument.primary_items(nest.table.source)
    frame = _Frame.of(nest)
    composites = {
        target: _composite({i: w for i, w in items.items() if i in primary}, frame, len(pairs.first))
        for target, items in weights.items()
        if primary & set(items)
    }
    targets: dict[Target, Sums] = {}
    answered: dict[Target, Floats] = {}
    difference: dict[Target, Floats] = {}
    for values in measure_values(nest.table, instrument):
        part = frame.part(values)
        item = values.item.id
        name = ("measure", item)
        targets[name] = part.sums
        answered[name] = part.answered
        gap, both = _gaps(values, pairs)
        difference[name] = np.where(both > 0, gap, np.nan)
        if values.measure.role != "primary":
            continue
        for composite in composites.values():
            if item in composite.shares:
                composite.add(item, part)
                composite.compare(item, gap, both)
        of_component = composites.get(("component", values.item.component))
        if of_component is not None:
            of_component.add_units(of_component.shares[item], part.error, part.coefficient, frame.scratch)
    _add_components(composites, frame)
    for target, composite in composites.items():
        targets[target] = composite.sums(frame)
        answered[target] = np.add.reduceat((composite.coefficient > 0).astype(np.float64), nest.group_units)
        with np.errstate(invalid="ignore", divide="ignore"):
            difference[target] = composite.difference / composite.compared
    return SourceSums(nest, targets, answered, difference)


def _add_components(composites: Mapping[Target, _Composite], frame: _Frame) -> None:
    """Add up the totals by unit from their components, whose items have the same proportions in both."""
    parts = [one for target, one in composites.items() if target[0] == "component"]
    for target, composite in composites.items():
        if target[0] != "component":
            for part in parts:
                share = sum(composite.shares.get(item, 0.0) for item in part.shares)
                if share > 0:
                    composite.add_units(share, part.error, part.coefficient, frame.scratch)


def _composite(items: Mapping[str, float], frame: _Frame, n_pairs: int) -> _Composite:
    whole, units = sum(items.values()), len(frame.nest.unit_rows)
    return _Composite(
        shares={item: weight / whole for item, weight in items.items()},
        estimate=np.zeros(len(frame.units)),
        error=np.zeros(units),
        coefficient=np.zeros(units),
        specific=np.zeros(len(frame.units)),
        specific_squares=0.0,
        difference=np.zeros(n_pairs),
        compared=np.zeros(n_pairs),
    )


def _gaps(values: MeasureValues, pairs: Pairs) -> tuple[Floats, Floats]:
    both = values.answered[pairs.first] * values.answered[pairs.second]
    return (values.value[pairs.first] - values.value[pairs.second]) * both, both


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One target of one source: its sums, and by unit the parts of its error and their coefficients.

    The two last are the frame's own arrays, good until its next part.
    `answered` counts units with an answer, shape (g,); `squares` is Σ over groups of n² Σ_u error².
    """

    sums: Sums
    error: Floats
    coefficient: Floats
    squares: float
    answered: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """The parts of a nesting that every measure needs, made once."""

    nest: Nesting
    units: Floats
    repeats: NDArray[np.intp]
    weight: Floats | None
    error: Floats
    coefficient: Floats
    scratch: Floats

    @classmethod
    def of(cls, nest: Nesting) -> _Frame:
        units = nest.units_of_groups()
        weight = unit_weights(nest)
        room = np.empty((3, len(nest.unit_rows)))
        return cls(nest, units.astype(np.float64), units, None if (weight == 1).all() else weight, *room)

    def part(self, values: MeasureValues) -> _Part:
        """Return one measure's sums and errors."""
        nest = self.nest
        value, answered = unit_means(values, nest)
        count = np.add.reduceat(answered, nest.group_units)
        if self.weight is not None:
            value, answered = value * self.weight, answered * self.weight
        base = np.add.reduceat(answered, nest.group_units) if self.weight is not None else count
        has = base > 0
        mean = np.divide(np.add.reduceat(value, nest.group_units), base, out=np.full(len(base), np.nan), where=has)
        inverse = np.divide(1.0, base, out=np.zeros(len(base)), where=has)
        by_unit = np.repeat(inverse, self.repeats)
        coefficient = np.multiply(answered, by_unit, out=self.coefficient)
        error = np.multiply(value, by_unit, out=self.error)
        centre = np.repeat(np.where(has, mean, 0.0), self.repeats)
        error -= np.multiply(coefficient, centre, out=centre)
        return replace(self.sums(mean, error, coefficient), answered=count)

    def sums(self, estimate: Floats, error: Floats, coefficient: Floats) -> _Part:
        """Return the sums over units and clusters that `Sums` describes."""
        nest = self.nest

        def over_groups(values: Floats) -> Floats:
            return np.add.reduceat(values, nest.group_clusters)

        squares = np.multiply(coefficient, coefficient, out=self.scratch)
        cluster_q, cluster_q2 = (np.add.reduceat(part, nest.cluster_units) for part in (coefficient, squares))
        units_q3 = np.add.reduceat(np.multiply(squares, coefficient, out=squares), nest.group_units)
        a, b = over_groups(cluster_q2), over_groups(cluster_q * cluster_q)
        mixed = over_groups(cluster_q * cluster_q2)
        of_clusters = np.add.reduceat(error, nest.cluster_units)
        whole = np.add.reduceat(np.multiply(error, error, out=self.scratch), nest.group_units)
        sums = Sums(
            estimate=estimate,
            units=self.units,
            within_weight=a,
            between_weight=b,
            unit_squares=whole,
            cluster_squares=over_groups(of_clusters * of_clusters),
            unit_from_within=a - 2 * units_q3 + a * a,
            unit_from_between=a * (1 + b) - 2 * mixed,
            cluster_from_within=a - 2 * mixed + a * b,
            cluster_from_between=b - 2 * over_groups(cluster_q**3) + b * b,
        )
        weighed = float((self.units**2 * np.where(np.isfinite(estimate), whole, 0.0)).sum())
        return _Part(sums, error, coefficient, weighed, self.units)


def unit_means(values: MeasureValues, nest: Nesting) -> tuple[Floats, Floats]:
    """Return the value of every unit, the mean of its ratings and 0 without one, and 1.0 where it has an answer."""
    if not nest.collapsed:
        return values.value, values.answered
    answered = np.add.reduceat(values.answered, nest.unit_rows)
    value = np.add.reduceat(values.value, nest.unit_rows)
    value = np.divide(value, answered, out=np.zeros_like(value), where=answered > 0)
    return value, np.minimum(answered, 1.0)


def rater_shares(nest: Nesting) -> Floats:
    """Return Σ q² of every group, q being each rater's share of the group's mean; shape (g,)."""
    shares: Floats = (rater_parts(nest) ** 2).sum(axis=1)
    return shares


def rater_parts(nest: Nesting) -> Floats:
    """Return each rater's share of the mean of each group, shape (g, raters).

    A unit that two raters rated is the mean of the two, so each has half of it.
    """
    rows = np.diff(np.append(nest.group_rows, nest.table.n))
    group = np.repeat(np.arange(len(rows)), rows)
    ratings = nest.ratings_of_units()
    weight = np.repeat(unit_weights(nest) / ratings, ratings)
    k = len(nest.table.rater.labels)
    place = group * k + nest.table.rater.codes
    held = np.bincount(place, weights=weight, minlength=len(rows) * k).reshape(len(rows), k)
    parts: Floats = held / held.sum(axis=1, keepdims=True)
    return parts


def missing_counts(nest: Nesting, columns: Sequence[str]) -> dict[str, NDArray[np.int64]]:
    """Return, for each answer column, rows with an answer, blank, don't know, not applicable, not asked."""
    counts = {}
    for j, column in enumerate(columns):
        code = nest.table.codes[:, j]
        if nest.table.values.size:  # a register's value is there or blank
            there, nothing = np.isfinite(nest.table.values[:, j]), np.zeros(nest.table.n, dtype=bool)
            kinds = [there, ~there, nothing, nothing, nothing]
        else:
            kinds = [code >= 0, *(code == kind for kind in (-1, -2, -3, -4))]
        counts[column] = np.stack([np.add.reduceat(kind.astype(np.int64), nest.group_rows) for kind in kinds])
    return counts
