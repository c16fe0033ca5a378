"""Intervals of variance components: Satterthwaite's, from the profile of the criterion, and of mean squares."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import chdtri

from ibic_fidelity.psychometrics._arguments import Floats

SATTERTHWAITE = "Satterthwaite chi-square"
PROFILE = "profile likelihood"
BOOTSTRAP = "percentiles of a parametric bootstrap"
SQUARES = "modified large sample"
#: Of the root of the rise of the criterion, in standard errors about: where the search for a limit ends.
_CLOSE = 5e-5
#: Doublings in which a limit is looked for.
_DOUBLINGS = 60
#: Of a guess of a limit, in units of the variances: what is beyond is not begun with.
_FAR = 1e4


def degrees_of_freedom(value: float, std_error: float) -> float:
    """Return the degrees of freedom of a χ² with the relative error of an estimate."""
    return 2.0 * (value / std_error) ** 2 if std_error > 0.0 else math.nan


def satterthwaite_limits(value: float, std_error: float, level: float) -> tuple[float, float]:
    """Return the limits df·v/χ² with df = 2(v/SE)²."""
    df, tail = degrees_of_freedom(value, std_error), (1.0 - level) / 2.0
    with np.errstate(divide="ignore", over="ignore"):
        low, high = (float(np.float64(df * value) / chdtri(df, share)) for share in (tail, 1.0 - tail))
    return low, high


def profile_limits(
    criterion: Callable[[float], float],
    value: float,
    least: float,
    guess: tuple[float, float],
    level: float,
    unit: float,
) -> tuple[float, float]:
    """Return where the criterion with a component held is above its least one by the quantile of χ² with 1 df.

    Parameters
    ----------
    criterion : callable
        Of the held component.
    value, least : float
        The estimate, and the criterion there.
    guess : (float, float)
        Limits to begin with.
    level : float
        Of confidence.
    unit : float
        A variance of the size of what is looked for, where the estimate is 0.
    """
    edge = math.sqrt(float(chdtri(1.0, 1.0 - level)))

    def away(root: float) -> float:
        return math.sqrt(max(criterion(root * root) - least, 0.0)) - edge

    top = math.sqrt(value)
    # a χ² of few degrees of freedom has limits far beyond where the likelihood can be computed
    far = _FAR * max(value, unit)
    low, high = (math.sqrt(one) if 0.0 < one < far else math.nan for one in guess)
    low = _lower(away, top, low, edge) if value > 0.0 else 0.0
    if not high > top:
        high = max(1.5 * top, 0.1 * math.sqrt(unit))
    high = _upper(away, top, high, edge)
    return low**2, high**2


def _lower(away: Callable[[float], float], top: float, guess: float, edge: float) -> float:
    """Return the lower limit of the square root, 0 where the criterion there is within the limit."""
    if not 0.0 < guess < top:
        guess = 0.5 * top
    known = {top: -edge}
    at = guess
    for _ in range(_DOUBLINGS):
        known[at] = away(at)
        if known[at] >= 0.0:
            break
        nearer = top - 1.15 * (top - at) * edge / max(known[at] + edge, 1e-12)
        at = min(max(nearer, 0.0), at * 0.9)
        if at < 1e-3 * top:
            known[0.0] = away(0.0)
            if known[0.0] <= 0.0:
                return 0.0
            break
    return _between(away, known)


def _upper(away: Callable[[float], float], top: float, guess: float, edge: float) -> float:
    known = {top: -edge}
    at = guess
    for _ in range(_DOUBLINGS):
        known[at] = away(at)
        if known[at] >= 0.0:
            return _between(away, known)
        nearer = top + 1.15 * (at - top) * edge / max(known[at] + edge, 1e-12)
        at = min(max(nearer, 1.05 * at), 2.0 * at + 1e-300)
    return math.inf


def _between(away: Callable[[float], float], known: dict[float, float]) -> float:
    """Return the root between the nearest known points of unequal sign; what is known is not computed again."""
    below = [at for at, value in known.items() if value < 0.0]
    above = [at for at, value in known.items() if value >= 0.0]
    one, other = min(((a, b) for a in below for b in above), key=lambda pair: abs(pair[0] - pair[1]))
    for turn in range(_DOUBLINGS):
        nearest = min(known, key=lambda at: abs(known[at]))
        if abs(known[nearest]) < _CLOSE or abs(one - other) < 1e-9 * max(one, other):
            return nearest
        at = _inverse(known)
        least, most = min(one, other), max(one, other)
        if not least < at < most or min(at - least, most - at) < 1e-4 * (most - least):
            at = one + (other - one) * (known[one] / (known[one] - known[other]))
        if turn > 6:  # an end that does not move
            at = 0.5 * (one + other)
        known[at] = away(at)
        one, other = (at, other) if known[at] < 0.0 else (one, at)
    return 0.5 * (one + other)


def _inverse(known: dict[float, float]) -> float:
    """Return where the parabola of the three points nearest to the root, as a function of the values, has it."""
    points = sorted(known.items(), key=lambda point: abs(point[1]))[:3]
    found = 0.0
    for i, (at, value) in enumerate(points):
        others = [other for j, (_, other) in enumerate(points) if j != i]
        if any(other == value for other in others):
            return math.nan
        found += at * math.prod(other / (other - value) for other in others)
    return found


def squares_limits(weights: Floats, squares: Floats, df: Floats, level: float) -> tuple[float, float]:
    """Return limits of a combination of mean squares, not below 0.

    Graybill & Wang (1980), Journal of the American Statistical Association 75, 869-873, and Ting et al. (1990),
    Journal of Statistical Computation and Simulation 35, 135-143, without the terms of two mean squares.
    """
    tail = (1.0 - level) / 2.0
    down, up = 1.0 - df / chdtri(df, tail), df / chdtri(df, 1.0 - tail) - 1.0
    parts = weights * squares
    value = float(parts.sum())
    less = np.where(parts > 0.0, down, up) * parts
    more = np.where(parts > 0.0, up, down) * parts
    low, high = value - math.sqrt(float(less @ less)), value + math.sqrt(float(more @ more))
    return max(low, 0.0), max(high, 0.0)
