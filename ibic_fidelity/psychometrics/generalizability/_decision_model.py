"""Error of a mean at any number of conditions, and draws of it: what decision studies compute from.

Every effect's component is divided by the number of conditions that a mean is over.  Draws come from the variances of
the observed means of each effect, which in a balanced design are independent mean squares up to a constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers, read_only
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents

#: Points of the Latin hypercube: limits move by less than .002 when it is drawn anew.
DRAWS = 8192
#: Of its degrees of freedom: with a hundredth of one, χ² itself is 0 to the last bit.
_LEAST_CHI_SQUARE = 1e-12
#: Draws times grid points at once.
_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class DecisionModel:
    """Components, draws of them, and in which figure each counts.

    Attributes
    ----------
    facets : tuple of str
        All but the object of measurement.
    names : tuple of str, length E
        The effects.
    values : array (E,)
        Components used, NaN where one is not known.
    draws : array (S, E)
        NaN in all where no distribution is known.
    divided : array (E, F)
        1 where the component is divided by the number of conditions of the facet.
    universe, relative, absolute : bool array (E,)
        What is universe score, relative error, and absolute error.
    distance, distance_draws : float, array (S,)
        Squared distance of the mean from the cut, NaN without a cut.
    outer : dict of int to tuple of int
        For a facet whose number is over all that it is nested in, the places of these, outer ones first.
    most : array (F,)
        Conditions that the outer ones do not exceed.
    split : tuple of (int, int, tuple of int)
        A facet that is split among the conditions of another, that other one, and what counts the conditions of the
        first.
    """

    facets: tuple[str, ...]
    names: tuple[str, ...]
    values: Floats
    draws: Floats
    divided: Floats
    universe: Booleans
    relative: Booleans
    absolute: Booleans
    distance: float
    distance_draws: Floats
    outer: dict[int, tuple[int, ...]]
    most: Floats
    split: tuple[tuple[int, int, tuple[int, ...]], ...]

    def impossible(self, n: Floats) -> Booleans:
        """Return where (G,) there are fewer conditions than those that they are split among."""
        made = np.zeros(len(n), dtype=np.bool_)
        for _, among, counted in self.split:
            made |= n[:, counted].prod(axis=1) < n[:, among] * (1.0 - 1e-9)
        return made

    def weights(self, n: Floats) -> Floats:
        """Return what each component is multiplied by (G, E) at numbers of conditions (G, F)."""
        return np.asarray(np.exp(-np.log(n) @ self.divided.T))

    def figures(self, n: Floats) -> dict[str, Floats]:
        """Return every figure (G,) at numbers of conditions (G, F)."""
        return {name: figure[0] for name, figure in self._made(n, self.values[np.newaxis], self.distance).items()}

    def limits(self, n: Floats, level: float) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Return the lower and upper limits (G,) of every figure."""
        low: dict[str, list[Floats]] = {}
        high: dict[str, list[Floats]] = {}
        if np.isnan(self.draws).all():
            unknown = {name: np.full(len(n), math.nan) for name in self.figures(n[:1])}
            return unknown, dict(unknown)
        step = max(1, _BLOCK // len(self.draws))
        at = [0.5 - level / 2.0, 0.5 + level / 2.0]
        for start in range(0, len(n), step):
            some = n[start : start + step]
            estimates = self.figures(some)
            for name, drawn in self._made(some, self.draws, self.distance_draws[:, np.newaxis]).items():
                # a draw without true variance and error has a coefficient of 0 where the estimate has one
                limits = np.quantile(np.where(np.isnan(drawn) & ~np.isnan(estimates[name]), 0.0, drawn), at, axis=0)
                low.setdefault(name, []).append(limits[0])
                high.setdefault(name, []).append(limits[1])
        joined = ({name: np.concatenate(parts) for name, parts in side.items()} for side in (low, high))
        return next(joined), next(joined)

    def _made(self, n: Floats, components: Floats, distance: float | Floats) -> dict[str, Floats]:
        """Return figures (S, G) of components (S, E)."""
        weights = self.weights(n)
        universe, relative, absolute = (
            np.maximum(_summed(components, weights, mask), 0.0)
            for mask in (self.universe, self.relative, self.absolute)
        )
        return {
            "universe_score": universe,
            "relative_error": relative,
            "absolute_error": absolute,
            "erho2": _share(universe, relative),
            "phi": _share(universe, absolute),
            "phi_lambda": _share(universe + distance, absolute),
            "relative_sem": np.sqrt(relative),
            "absolute_sem": np.sqrt(absolute),
        }

    def needed(self, facet: str, n: Floats, coefficient: str, target: float) -> tuple[float, Floats, float]:
        """Return how many conditions reach the target, that of each draw, and the coefficient that is approached.

        The error is a constant plus a constant over the number, so that the number is found in closed form.
        """
        mask = self.relative if coefficient == "erho2" else self.absolute
        at = self.facets.index(facet)
        distance = self.distance if coefficient == "phi_lambda" else 0.0
        drawn = self.distance_draws if coefficient == "phi_lambda" else np.zeros(len(self.draws))
        made = []
        for components, added in ((self.values[np.newaxis], np.array([distance])), (self.draws, drawn)):
            found = np.full(len(components), np.inf)
            for step in self._steps(at, n):
                weights = self.weights(step.n)
                has = self.divided[:, step.facet] > 0.0
                true = np.maximum(_summed(components, weights, self.universe)[:, 0], 0.0) + added
                stays = _summed(components, weights, mask & ~has)[:, 0]
                falls = _summed(components, weights, mask & has)[:, 0]
                least = np.maximum(_least(true, stays, falls, target), math.ceil(step.least - 1e-9))
                found = np.where((found == np.inf) & ~(least > step.most), least, found)
            made.append((found, _share(true, np.maximum(stays, 0.0))))
        return float(made[0][0][0]), made[1][0], float(made[0][1][0])

    def _steps(self, at: int, n: Floats) -> list[_Step]:
        """Return how the number of a facet grows: the facets around it first where it is a total, then itself."""
        least, steps = 1.0, []
        path = (*self.outer.get(at, ()), at)
        for place, facet in enumerate(path):
            row = n.copy()
            row[:, list(path[:place])] = self.most[list(path[:place])]
            row[:, list(path[place:])] = 1.0
            row[:, facet] = 1.0 / least
            most = math.inf if facet == at else least * float(self.most[facet])
            steps.append(_Step(facet, row, max(least, self._among(at, n)), most))
            least = most
        return steps

    def _among(self, at: int, n: Floats) -> float:
        """Return the conditions that a facet is split among, the least that it must have."""
        return max(
            (float(n[0, among]) for inner, among, _ in self.split if inner == at and at in self.outer), default=1.0
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A range of the number of conditions in which one facet grows: from `least` to `most`, at `n` (1, F) for one."""

    facet: int
    n: Floats
    least: float
    most: float


def _summed(components: Floats, weights: Floats, mask: Booleans) -> Floats:
    """Return the sums (S, G) of the components that a mask picks, whatever the others are."""
    return np.asarray(components[:, mask] @ weights[:, mask].T)


def _share(true: Floats, error: Floats) -> Floats:
    """Return true over true and error, NaN where both are 0."""
    total = true + error
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(total != 0.0, true / total, np.nan))


def _least(true: Floats, stays: Floats, falls: Floats, target: float) -> Floats:
    """Return the least whole n with true/(true + stays + falls/n) ≥ target, infinite where none has."""
    room = true * (1.0 - target) / target - stays
    with np.errstate(divide="ignore", invalid="ignore"):
        # 1e-9: a ratio that is whole but for rounding needs no condition more
        least = np.maximum(np.ceil(falls / room - 1e-9), 1.0)
    reached = (room > 0.0) | ((room >= falls) & (true > 0.0))
    made = np.where(room >= falls, 1.0, least)
    return np.where(np.isnan(room + falls), np.nan, np.where(reached, made, np.inf))


def draw_components(
    g: VarianceComponents, values: Floats, estimated: Booleans
) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Return draws (S, E) of components, and a function from weights (E,) to the normal part of a mean's error.

    Draws are of the variances of observed means M = Tσ: M·df/χ²(df), with the degrees of freedom of Satterthwaite,
    at most those of the design, and with the correlations that the components' covariance gives them.
    """
    draws, last = _drawn(g, values.tobytes(), estimated.tobytes())

    def error_of_mean(weights: Floats) -> Floats:
        known = np.where(np.isnan(draws), 0.0, draws) @ weights
        return np.asarray(np.sqrt(np.maximum(known, 0.0)) * last)

    return draws, error_of_mean


@lru_cache(maxsize=8)
def _drawn(g: VarianceComponents, values_used: bytes, which: bytes) -> tuple[Floats, Floats]:
    """Return the draws (S, E) and a normal column of their own (S,): studies of the same components ask again."""
    values, estimated = np.frombuffer(values_used), np.frombuffer(which, dtype=np.bool_)
    at = np.flatnonzero(estimated)
    normal = _hypercube(len(at) + 1)
    draws = np.tile(values, (DRAWS, 1))
    if not len(at):
        return read_only(draws), normal[:, -1]
    to_means = means_of(g)[np.ix_(at, at)]
    means = to_means @ np.where(estimated, g.untruncated, 0.0)[at]
    spread = to_means @ g.covariance[np.ix_(at, at)] @ to_means.T
    df = degrees_of_freedom(g, at, means, np.diagonal(spread))
    if not np.all(df > 0.0):
        return read_only(np.full_like(draws, np.nan)), normal[:, -1]
    mix = _correlating(spread)
    if np.array_equal(mix, np.eye(len(at))):
        chi_square = np.column_stack([_chi_square(float(of), len(at) + 1, i) for i, of in enumerate(df)])
    else:
        chi_square = 2.0 * gammaincinv(df / 2.0, np.clip(ndtr(normal[:, :-1] @ mix), 1e-12, 1.0 - 1e-12))
    chi_square = np.maximum(chi_square, _LEAST_CHI_SQUARE * df)
    draws[:, at] = np.linalg.solve(to_means, (means * df / chi_square).T).T
    return read_only(draws), normal[:, -1]


@cache
def _hypercube(columns: int) -> Floats:
    """Return a Latin hypercube of normal values (S, columns), always the same."""
    rng = stream(0, "psychometrics/decision_study")
    grid = np.array([rng.permutation(DRAWS) for _ in range(columns)]).T
    return read_only(np.asarray(ndtri((grid + 0.5) / DRAWS), dtype=np.float64))


@lru_cache(maxsize=64)
def _chi_square(df: float, columns: int, column: int) -> Floats:
    """Return a column of the hypercube as chi-square values (S,): designs in use ask for the same ones again."""
    return read_only(np.asarray(2.0 * gammaincinv(df / 2.0, ndtr(_hypercube(columns)[:, column])), dtype=np.float64))


def means_of(g: VarianceComponents) -> Floats:
    """Return T (E, E): how components add up to the variance of the observed means of each effect's levels."""
    count = {facet: observed(g, facet) for facet in g.design.facets}
    made = np.zeros((len(g.effects), len(g.effects)))
    for i, one in enumerate(g.effects):
        for j, other in enumerate(g.effects):
            if one.indices <= other.indices:
                made[i, j] = 1.0 / math.prod(count[facet] for facet in other.indices - one.indices)
    return made


def degrees_of_freedom(g: VarianceComponents, at: Integers, means: Floats, variances: Floats) -> Floats:
    """Return Satterthwaite's degrees of freedom of each variance of means, at most those of the design."""
    count = {facet: _mean_count(g, facet) for facet in g.design.facets}
    effects = [g.effects[int(i)] for i in at]
    most = np.array(
        [math.prod(count[f] - 1.0 for f in one.facets) * math.prod(count[f] for f in one.within) for one in effects]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        made = 2.0 * means**2 / variances
    unknown = ~np.isfinite(made) | (made <= 0.0)
    return np.where(unknown, most, np.where(most > 0.0, np.minimum(made, most), made))


def _mean_count(g: VarianceComponents, facet: str) -> float:
    """Return the mean number of conditions a nest, whatever they were observed with: of linked raters all count."""
    around = set(g.design.nested_in.get(facet, ()))
    innermost = around - {outer for one in around for outer in g.design.nested_in.get(one, ())}
    return g.levels[facet] / math.prod(g.levels[one] for one in innermost)


def unequal_facets(g: VarianceComponents) -> tuple[str, ...]:
    """Return the nested facets whose numbers of conditions are so unequal that intervals may be too wide."""
    nested = [facet for facet in g.design.facets if g.design.nested_in.get(facet)]
    return tuple(facet for facet in nested if g.mean_levels[facet] < 0.75 * _mean_count(g, facet))


def observed(g: VarianceComponents, facet: str) -> float:
    """Return how many conditions of a facet were observed, within one of what it is nested in."""
    if facet in g.fixed and not g.design.nested_in.get(facet):
        return float(g.levels[facet])
    return float(g.mean_levels[facet])


def _correlating(spread: Floats) -> Floats:
    """Return the matrix that gives independent normal columns the correlations of a covariance matrix."""
    deviation = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    known = np.isfinite(deviation) & (deviation > 0.0)
    k = len(spread)
    correlation = np.eye(k)
    both = np.ix_(known, known)
    correlation[both] = spread[both] / np.outer(deviation[known], deviation[known])
    np.fill_diagonal(correlation, 1.0)
    correlation[np.abs(correlation) < 1e-9] = 0.0
    if not np.isfinite(correlation).all():
        return np.eye(k)
    roots, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.maximum(roots, 0.0))) @ vectors.T
    scale = np.sqrt(np.maximum((root**2).sum(axis=0), np.finfo(float).tiny))
    return np.asarray(root / scale)
