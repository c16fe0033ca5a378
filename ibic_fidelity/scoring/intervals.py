"""Intervals for the way of working: pooled spread, clusters, raters, and the score interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What one source says of one target in every group, enough for any interval.

    Attributes
    ----------
    estimate : ndarray, shape (G,)
        The target's mean over this source's items, 0–1; NaN where the group has no answer.
    units, clusters : ndarray, shape (G,)
        Units and clusters in the group.
    cluster_squares : ndarray, shape (G,)
        Σ n_c² over the clusters.
    within, between : ndarray, shape (G,)
        Sums of squares of the units' influence values within and between clusters. The influence value
        of a unit is n times its contribution to the estimate, so that their mean is the error.
    """

    estimate: Floats
    units: Floats
    clusters: Floats
    cluster_squares: Floats
    within: Floats
    between: Floats


@dataclass(frozen=True, slots=True)
class RaterSpread:
    """Variance of rater severity in units of θ(1 − θ), its degrees of freedom, and where it is from."""

    variance: float
    df: float
    origin: str


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of one target in units of θ(1 − θ): units within clusters, clusters, raters.

    `pooled` is false where one group had to supply its own spread; `truncated` tells that the variance
    between clusters was estimated below 0; `bounded` that the data show no spread at all, so that the widest
    spread of a value between 0 and 1 was taken, θ(1 − θ) itself.
    """

    within: float
    between: float
    df_within: float
    df_between: float
    raters: RaterSpread
    pooled: bool
    truncated: bool
    bounded: bool = False


def pooled_spread(sums: Sums, rater_share: Floats, raters: RaterSpread) -> Spread:
    """Estimate the spread of a target from all groups together.

    The variance of a unit is taken as φ θ_g(1 − θ_g) with one φ within clusters and one between them for
    all groups, estimated by the ratio of the summed squares to their expectation under that form (the
    analysis-of-variance estimator, standardised). A group at the ceiling then borrows its error from the
    others, where its own would be 0. θ(1 − θ) is estimated by m(1 − m)/(1 − κ), since E[m(1 − m)] =
    θ(1 − θ) − Var(m) and Var(m) = κ θ(1 − θ).

    Source: the pooled spread c of bounded means (Σs²/Σ m(1 − m)n/(n − 1)) extended to clusters by the
    one-way analysis of variance for unequal group sizes (Searle, Casella & McCulloch, 1992, ch. 3.6).
    """
    use = np.isfinite(sums.estimate) & (sums.units > 1)
    n, c = sums.units[use], sums.clusters[use]
    nested = n - sums.cluster_squares[use] / n
    product = sums.estimate[use] * (1 - sums.estimate[use])
    within, between = sums.within[use], sums.between[use]
    phi_w = phi_b = 0.0
    truncated = False
    kappa = 1 / n
    for _ in range(20):
        h = product / np.maximum(1 - kappa, 0.2)
        free = float((h * (n - c)).sum())
        if free > 0:
            phi_w = float(within.sum()) / free
            room = float((h * nested).sum())
            phi_b = (float(between.sum()) - phi_w * float((h * (c - 1)).sum())) / room if room > 0 else 0.0
        else:
            spread = float((h * (n - 1)).sum())
            phi_w, phi_b = (float((within + between).sum()) / spread if spread > 0 else np.nan), 0.0
        truncated = phi_b < 0
        phi_b = max(phi_b, 0.0)
        updated = phi_w / n + phi_b * sums.cluster_squares[use] / n**2 + raters.variance * rater_share[use]
        if np.allclose(updated, kappa, rtol=1e-12, atol=0):
            break
        kappa = updated
    df_within = float((n - c).sum()) or float((n - 1).sum())
    bounded = not phi_w + phi_b > 0  # also where nothing can be estimated
    return Spread(
        within=1.0 if bounded else phi_w,
        between=phi_b if not bounded else 0.0,
        df_within=np.inf if bounded else df_within,
        df_between=float((c - 1).sum()),
        raters=raters,
        pooled=int(use.sum()) > 1,
        truncated=truncated,
        bounded=bounded,
    )


def error_share(sums: Sums, rater_share: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """Return κ = Var(m)/θ(1 − θ) of every group, and its degrees of freedom by Satterthwaite (1946)."""
    n = np.where(sums.units > 0, sums.units, np.nan)
    parts = [
        (spread.within / n, spread.df_within),
        (spread.between * sums.cluster_squares / n**2, spread.df_between),
        (spread.raters.variance * rater_share, spread.raters.df),
    ]
    kappa = np.sum([part for part, _ in parts], axis=0)
    weight = np.sum([part**2 / max(df, 1.0) for part, df in parts], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(weight > 0, kappa**2 / weight, np.inf)
    return kappa, df


def score_interval(estimate: Floats, kappa: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Return the limits θ where (m − θ)² = t² κ θ(1 − θ), inside 0–1.

    With κ = 1/n and a normal quantile this is Wilson's (1927) interval of a proportion; any bounded mean
    has it with the effective number of units 1/κ.

    Examples
    --------
    >>> low, high = score_interval(np.array([0.8]), np.array([1 / 10]), np.array([1.959964]))
    >>> low.round(2), high.round(2)
    (array([0.49]), array([0.94]))
    """
    q = quantile**2 * kappa
    with np.errstate(invalid="ignore"):
        centre = (estimate + q / 2) / (1 + q)
        half = np.sqrt(q * (estimate * (1 - estimate) + q / 4)) / (1 + q)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def centre_and_variance(estimate: Floats, kappa: Floats, quantile: Floats) -> tuple[Floats, Floats]:
    """Return the centre of the score interval, and the variance of the estimate there.

    At a bound m(1 − m) is 0 and the error is not; at the centre of the interval both are sensible.
    """
    q = quantile**2 * kappa
    centre = (estimate + q / 2) / (1 + q)
    return centre, kappa * centre * (1 - centre)


def probability_below(estimate: Floats, kappa: Floats, df: Floats, cut: float) -> Floats:
    """Return P(θ < cut) as the confidence distribution behind `score_interval` gives it."""
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        z = (cut - estimate) / np.sqrt(kappa * cut * (1 - cut))
    return np.asarray(stdtr(np.minimum(df, 1e9), z), dtype=np.float64)


def t_quantile(df: Floats, confidence_level: float) -> Floats:
    """Return the two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.minimum(df, 1e9), (1 + confidence_level) / 2), dtype=np.float64)
