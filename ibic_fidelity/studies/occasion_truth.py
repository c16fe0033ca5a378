"""What two occasions should show, from planted parameters alone: test–retest reliability, and drift in points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item, Measure, Scale
from ibic_fidelity.studies.answers import SURVEY_SHARE, Floats, Ints
from ibic_fidelity.studies.truth import World, expected_value, part_offsets, thresholds

NODES = 80  # of the Gauss–Hermite rule: more move no digit that is tested


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """A column of answers: its cuts (groups, steps) on the latent scale, and its weight in the component's mean."""

    cuts: Floats
    weight: float


def expected_retest_icc(instrument: Instrument, world: World, correlation: float) -> dict[tuple[str, str], float]:
    """Return the expected ICC(A,1) of the mean answer to each component that a survey answers, by source.

    Over respondents of all groups, as many from each: nothing changes between the occasions, so that it is
    the covariance of the two means over their variance, within and between groups.  Exact but for
    quadrature; blanks and answers that do not apply are left out of account.
    """
    made = {}
    for source in instrument.sources:
        if source.kind != "survey":
            continue
        items = [(item, measure) for item, measure in instrument.measures_of(source.id) if measure.role == "primary"]
        for component in dict.fromkeys(item.component for item, _ in items):
            mine = [(item, measure) for item, measure in items if item.component == component]
            columns = [
                one for item, measure in mine for one in _columns(item, measure, instrument, world, 1 / len(mine))
            ]
            made[source.id, component] = _icc(columns, correlation)
    return made


def _columns(item: Item, measure: Measure, instrument: Instrument, world: World, weight: float) -> list[_Column]:
    scale = instrument.by_scale[measure.scale]
    level = world.latent[item.id][:, np.newaxis]
    if scale.type != "checklist":
        return [_Column(level - thresholds(scale), weight)]
    offsets = part_offsets(len(measure.parts))
    return [_Column(level + offset, weight / len(offsets)) for offset in offsets]


def _icc(columns: list[_Column], correlation: float) -> float:
    mean = sum(one.weight * _given(one, np.zeros(1), 0.0)[:, 0] for one in columns)
    together = apart = np.zeros_like(mean)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            shared = 1.0 if i == j else SURVEY_SHARE
            weight = one.weight * other.weight
            together = together + weight * _product(one, other, shared)
            apart = apart + weight * _product(one, other, correlation * shared)
    centre = np.square(np.mean(mean))
    return float((np.mean(apart) - centre) / (np.mean(together) - centre))


def _product(one: _Column, other: _Column, correlation: float) -> Floats:
    """Return the expected product (groups,) of two columns whose latent values correlate so."""
    if correlation >= 1:
        from scipy.special import ndtr

        least = np.minimum(one.cuts[:, :, np.newaxis], other.cuts[:, np.newaxis, :])
        return np.asarray(ndtr(least).mean(axis=(1, 2)))
    nodes, weights = _rule()
    product = _given(one, nodes, correlation) * _given(other, nodes, correlation)
    return np.asarray((product * weights).sum(axis=1))


@cache
def _rule() -> tuple[Floats, Floats]:
    """Return nodes and weights of the mean over a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def _given(one: _Column, z: Floats, correlation: float) -> Floats:
    """Return the expected value (groups, nodes) of a column given what its latent value shares with another."""
    from scipy.special import ndtr

    deviation = one.cuts[:, :, np.newaxis] - np.sqrt(correlation) * z
    return np.asarray(ndtr(deviation / np.sqrt(1 - correlation)).mean(axis=1))


def expected_drift(
    instrument: Instrument, source: str, world: World, group_rater: Ints, drift: Floats
) -> dict[int, float]:
    """Return by rater the expected change, in points of 100, of the mean value of a file's fidelity items.

    `group_rater` is the rater of each group, `drift` the latent change of each rater's severity.
    """
    items = [
        (item, instrument.by_scale[measure.scale])
        for item, measure in instrument.measures_of(source)
        if measure.role == "primary" and instrument.by_component[item.component].dimension in FIDELITY
    ]
    change = np.mean([_change(item, scale, world, drift[group_rater]) for item, scale in items], axis=0)
    return {int(rater): float(100 * change[group_rater == rater].mean()) for rater in np.unique(group_rater)}


def _change(item: Item, scale: Scale, world: World, drift: Floats) -> Floats:
    latent = world.latent[item.id]
    return expected_value(item, scale, latent - drift) - expected_value(item, scale, latent)
