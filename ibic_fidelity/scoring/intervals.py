"""Intervals for the way of working: pooled spread, clusters, raters, and the score interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CLUSTERED = 0.5  # effective units beyond effective clusters, from which a group counts as clustered
SETTLED = 1e-12  # change of κ at which it has settled
ROUNDING = 1e-14  # a spread below this is the rounding of means, not a difference between answers
SINGULAR = 1e-9  # below this, squares over units and over clusters tell the same


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What one source says of one target in every group, enough for any interval; all of shape (G,).

    The error of the estimate is Σ_u q_u (y_u − θ). With Q_c the sum of q over a cluster:

    Attributes
    ----------
    estimate : ndarray
        The target's mean over this source's items, 0–1; NaN where the group lacks one.
    units : ndarray
        Units in the group.
    within_weight, between_weight : ndarray
        A = Σ q_u² and B = Σ Q_c²: Var(estimate) = θ(1 − θ)(φ_w A + φ_b B).
    unit_squares, cluster_squares : ndarray
        Σ_u of the squared parts of the error at the estimate, and Σ_c of the squared sums of parts.
    unit_from_within, unit_from_between, cluster_from_within, cluster_from_between : ndarray
        What φ_w and φ_b contribute to the expectation of the two, in units of θ(1 − θ).
    """

    estimate: Floats
    units: Floats
    within_weight: Floats
    between_weight: Floats
    unit_squares: Floats
    cluster_squares: Floats
    unit_from_within: Floats
    unit_from_between: Floats
    cluster_from_within: Floats
    cluster_from_between: Floats


@dataclass(frozen=True, slots=True)
class RaterSpread:
    """A variance that all units of a site share, in units of θ(1 − θ): of rater severity, or between occasions.

    With its degrees of freedom, and where it is from.
    """

    variance: float
    df: float
    origin: str


#: A variance that nothing shows; it counts as 0, and the result says so.
UNKNOWN = RaterSpread(0.0, np.inf, "unknown")


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of one target in units of θ(1 − θ): units within clusters, clusters, raters.

    Attributes
    ----------
    within, between : float
        φ_w and φ_b.
    df_within, df_between : float
        Degrees of freedom of units within clusters and of clusters, over all groups.
    mixing : float
        How much of φ_w the squares between clusters hold for each φ_b: 1/n_c with clusters of n_c units.
    raters : RaterSpread
        Rater severity.
    occasions : RaterSpread
        Occasions, of which a site's estimate has one.
    n_groups : int
        Groups that the spread was estimated from.
    truncated : bool
        φ_b was estimated below 0 and set to 0.
    nested : bool
        Some cluster has more than one unit.
    bounded : bool
        The data show no spread at all; that of independent yes and no, θ(1 − θ), was taken.
    calibrated : bool
        φ_w and φ_b are those of the instrument's calibration.
    """

    within: float
    between: float
    df_within: float
    df_between: float
    mixing: float
    raters: RaterSpread
    n_groups: int
    truncated: bool = False
    nested: bool = False
    bounded: bool = False
    calibrated: bool = False
    occasions: RaterSpread = UNKNOWN


def pooled_spread(
    sums: Sums,
    rater_share: Floats,
    raters: RaterSpread,
    occasions: RaterSpread = UNKNOWN,
    *,
    left: Floats | None = None,
) -> Spread:
    """Estimate the spread of a target from all groups together.

    The variance of a unit is taken as φ θ_g(1 − θ_g) with one φ within clusters and one between them for
    all groups. The sums of squares over units and over clusters are linear in the two φ in expectation,
    whatever weights and holes the data have, and are solved for them (analysis of variance; with equal
    clusters and no holes, the mean squares of the nested table). A group at the ceiling then borrows its
    error from the others, where its own would be 0. θ(1 − θ) is estimated by m(1 − m)/(1 − κ), since
    E[m(1 − m)] = θ(1 − θ) − Var(m) and Var(m) = κ θ(1 − θ). Of a finite population only the part `left` of the
    variance within stands in the error of m.

    Degrees of freedom are those of the squares as they are summed: where one group has most of them, its
    own (Satterthwaite 1946); with groups alike, the sum of all groups'.

    Source: the pooled spread c of bounded means (Σs²/Σ m(1 − m)n/(n − 1)), extended to clusters by
    equating squares to expectations (Searle, Casella & McCulloch, 1992, ch. 5).
    """
    use = np.isfinite(sums.estimate) & (sums.units > 1)
    a, b, scale = sums.within_weight[use], sums.between_weight[use], sums.units[use] ** 2
    product = sums.estimate[use] * (1 - sums.estimate[use])
    unit, cluster = ((scale * part[use]).sum() for part in (sums.unit_squares, sums.cluster_squares))
    nested = bool((1 / a - 1 / b > CLUSTERED).any()) if len(a) else False
    expected = np.stack(
        [sums.unit_from_within, sums.unit_from_between, sums.cluster_from_within, sums.cluster_from_between], axis=1
    )[use]
    shared_part = raters.variance * rater_share[use] + occasions.variance
    seen = a if left is None else a * left[use]
    phi_w, phi_b, mixing, truncated, kappa = np.nan, 0.0, 0.0, False, seen
    for _ in range(30):
        h = product / np.maximum(1 - kappa, 0.2) * scale
        uw, ub, cw, cb = (h @ expected).tolist()
        if uw <= 0:
            break
        phi_w, phi_b = unit / uw, 0.0
        determinant = uw * cb - ub * cw
        if nested and determinant > SINGULAR * uw * cb:
            mixing = cw / cb
            phi_b = (uw * cluster - cw * unit) / determinant
            truncated = phi_b < 0
            phi_b = max(phi_b, 0.0)
            phi_w = max((unit - phi_b * ub) / uw, 0.0)
        updated = phi_w * seen + phi_b * b + shared_part
        settled = np.abs(updated - kappa).max() <= SETTLED
        kappa = updated
        if settled:
            break
    bounded = not phi_w + phi_b > ROUNDING  # also where nothing can be estimated
    of_units, of_clusters = (product * scale * part[use] for part in (sums.unit_from_within, sums.cluster_from_within))
    df_between = _pooled_df(np.maximum(1 / b - 1, 0), of_clusters if nested else of_units)
    df_within = _pooled_df(np.maximum(1 / a - 1 / b, 0), of_units) if nested else df_between
    return Spread(
        within=1.0 if bounded else phi_w,
        between=0.0 if bounded else phi_b,
        df_within=np.inf if bounded else df_within,
        df_between=df_between,
        mixing=mixing,
        raters=raters,
        occasions=occasions,
        n_groups=int(use.sum()),
        truncated=truncated,
        nested=nested,
        bounded=bounded,
    )


def _pooled_df(df: Floats, squares: Floats) -> float:
    """Return the degrees of freedom of a sum of squares with these degrees of freedom and expectations."""
    spread = float((squares[df > 0] ** 2 / df[df > 0]).sum())
    return float(squares[df > 0].sum()) ** 2 / spread if spread > 0 else float(df.sum())


def error_share(sums: Sums, rater_share: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """Return κ = Var(m)/θ(1 − θ) of every group, and its degrees of freedom by Satterthwaite (1946).

    φ_b is a difference of squares: what is independent are the squares between clusters, which estimate
    φ_b + mixing · φ_w, and those within, which estimate φ_w.
    """
    a, b = sums.within_weight, sums.between_weight
    raters = spread.raters.variance * rater_share
    occasions = np.full(len(a), spread.occasions.variance)
    kappa = spread.within * a + spread.between * b + raters + occasions
    if spread.between > 0:
        between = b * (spread.between + spread.mixing * spread.within)
        within = spread.within * (a - spread.mixing * b)
        parts = [(between, spread.df_between), (within, spread.df_within)]
    else:
        df = spread.df_within + (spread.df_between if spread.nested else 0.0)
        parts = [(spread.within * a, df)]
    parts += [(raters, spread.raters.df), (occasions, spread.occasions.df)]
    weight = np.sum([part**2 / max(df, 1.0) for part, df in parts], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        df_all = np.where(weight > 0, kappa**2 / weight, np.inf)
    return kappa, df_all


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


def error_variance(estimate: Floats, kappa: Floats) -> Floats:
    """Return the variance of an estimate, κ θ(1 − θ), with θ drawn towards 1/2 as by two standard errors.

    At a bound m(1 − m) is 0 and the error is not. The draw is that of the interval at two standard errors
    (Agresti & Coull 1998), whatever confidence level was asked for, so that the standard error is one.
    """
    q = 4 * kappa
    centre = (estimate + q / 2) / (1 + q)
    variance: Floats = kappa * centre * (1 - centre)
    return variance


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
