"""Differences of scores with their intervals and p-values, by recovered variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.scoring.comparison.figures import Figures
from ibic_fidelity.scoring.intervals import t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """Differences on the scale of the scores; all of shape (m,)."""

    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    df: Floats
    p_value: Floats


def differences(first: Figures, second: Figures, correlation: Floats | float = 0.0) -> Differences:
    """Return first − second, row by row.

    The distance from the difference to a limit is made of the distances of both scores to theirs, so that a score
    near a bound keeps its skewness: with binomial shares and normal quantiles this is Newcombe's (1998) method 10.
    Errors in common, such as the severity of the same raters, have a `correlation` (Zou 2007).

    The p-value is that of the interval: below 1 − level where 0 is outside. The spread is pooled over sites, so
    that the errors of two standard errors go together; degrees of freedom are combined as such:
    (v₁ + v₂)²/(v₁/√df₁ + v₂/√df₂)².

    Source: Newcombe (1998), Statistics in Medicine 17, 873–890; Zou (2007), Psychological Methods 12, 399–413.
    """
    one, other = first.std_error, second.std_error

    def squared(a: Floats, b: Floats) -> Floats:
        return np.asarray(a**2 + b**2 - 2 * correlation * a * b)

    return _finished(
        first.estimate - second.estimate,
        squared(one, other),
        squared(first.estimate - first.low, second.high - second.estimate),
        squared(first.high - first.estimate, second.estimate - second.low),
        [(one**2, first.df), (other**2, second.df)],
        first.level,
    )


def contrasts(weight: Floats, figures: Figures, correlation: Floats | None = None) -> Differences:
    """Return weighted sums of scores, such as a site minus the mean of its peers.

    Parameters
    ----------
    weight : ndarray, shape (m, n)
        One row a contrast, one column a score.
    figures : Figures
        The n scores.
    correlation : ndarray, shape (n, n), optional
        Of their errors; none by default.
    """
    shared = np.eye(len(figures.site)) if correlation is None else correlation

    def squared(distance: Floats) -> Floats:
        parts = weight * distance
        return np.asarray(((parts @ shared) * parts).sum(axis=1))

    to_low, to_high = figures.estimate - figures.low, figures.high - figures.estimate
    df = np.broadcast_to(figures.df, weight.shape)
    variances = weight**2 * figures.std_error**2
    return _finished(
        weight @ figures.estimate,
        squared(np.broadcast_to(figures.std_error, weight.shape)),
        squared(np.where(weight > 0, to_low, to_high)),
        squared(np.where(weight > 0, to_high, to_low)),
        [(variances[:, j], df[:, j]) for j in range(weight.shape[1])],
        figures.level,
    )


def _finished(
    estimate: Floats, variance: Floats, below: Floats, above: Floats, parts: list[tuple[Floats, Floats]], level: float
) -> Differences:
    from scipy.special import stdtr

    below, above = (np.sqrt(np.maximum(square, 0.0)) for square in (below, above))
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.sum([v for v, _ in parts], axis=0)
        df = known**2 / np.sum([v / np.sqrt(df) for v, df in parts], axis=0) ** 2
        df = np.where(np.isnan(df) & np.isfinite(known), np.inf, df)
        towards = np.where(estimate > 0, below, above)
        t = np.abs(estimate) * t_quantile(df, level) / towards
    p_value = np.minimum(2 * stdtr(np.minimum(df, 1e9), -t), 1.0)
    p_value = np.where(np.isfinite(estimate) & (estimate == 0), 1.0, p_value)
    return Differences(
        estimate=estimate,
        std_error=np.sqrt(np.maximum(variance, 0.0)),
        low=estimate - below,
        high=estimate + above,
        df=df,
        p_value=p_value,
    )
