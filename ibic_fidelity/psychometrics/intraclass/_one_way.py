"""One-way random effects: mean squares, variance ratios by ANOVA and REML, and Wald's exact limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri

from ibic_fidelity.psychometrics._arguments import Floats, Integers

#: Halvings that take the variance ratio's bracket below the spacing of float64.
_HALVINGS = 120
#: Bounds of the logarithm of the variance ratio by REML; below the lower one it is 0.
_LEAST, _MOST = -18.0, 18.0


@dataclass(frozen=True, slots=True, eq=False)
class Anova:
    """What the coefficients are made from; NaN where a mean square has no degrees of freedom."""

    n: int
    mean_size: float
    effective: float
    kish: float
    between: float
    within: float

    @classmethod
    def of(cls, sizes: Integers, means: Floats, within: np.float64) -> Anova:
        """Return the analysis of variance of group sizes (J,), means (J,) and the sum of squares within."""
        n, n_groups = int(sizes.sum()), len(sizes)
        if n_groups == 0:
            return cls(0, *(math.nan,) * 5)
        kish = float(np.square(sizes).sum() / n)
        between = float((sizes * np.square(means - means @ sizes / n)).sum())
        return cls(
            n=n,
            mean_size=n / n_groups,
            effective=(n - kish) / (n_groups - 1) if n_groups > 1 else math.nan,
            kish=kish,
            between=between / (n_groups - 1) if n_groups > 1 else math.nan,
            within=float(within) / (n - n_groups) if n > n_groups else math.nan,
        )

    @property
    def ratio(self) -> float:
        """Return the ratio of the variances between and within groups, which may be negative."""
        if not self.within > 0.0:
            return math.inf if self.between > 0.0 else math.nan
        return (self.between - self.within) / (self.effective * self.within)

    def coefficients(self) -> tuple[float, float, float]:
        """Return ICC(1), ICC(2), and ICC(1) with the effective size."""
        signal = self.between - self.within
        icc1 = signal / (self.between + (self.mean_size - 1) * self.within)
        anova = signal / (self.between + (self.effective - 1) * self.within)
        flat = self.between <= 1e-24 * self.within
        return icc1, math.nan if flat else signal / self.between, anova


def variance_ratio_limits(
    sizes: Integers,
    means: Floats,
    within: Floats | np.float64,
    confidence_level: float,
    inflation: Floats | float = 1.0,
) -> tuple[Floats, Floats]:
    """Return the exact limits of between over within variance, for group means (…, J) and sums within (…).

    Sizes (J,) are shared; at least two groups and one group of two.  Infinite without variation within.  The
    quantiles are of F with the degrees of freedom divided by an inflation (…).
    """
    n, n_groups = int(sizes.sum()), len(sizes)
    df_between, df_within = n_groups - 1, n - n_groups
    tail = (1.0 - confidence_level) / 2.0
    fewer = df_between / np.asarray(inflation), df_within / np.asarray(inflation)
    upper_f, lower_f = 1.0 / fdtri(fewer[1], fewer[0], tail), fdtri(fewer[0], fewer[1], tail)
    target = np.asarray(within, dtype=np.float64) / df_within * df_between
    if sizes.min() == sizes.max():
        size = int(sizes[0])
        between = size * np.square(means - means.mean(axis=-1, keepdims=True)).sum(axis=-1)
        with np.errstate(divide="ignore"):
            ratio = between / target
        return (ratio / upper_f - 1.0) / size, (ratio / lower_f - 1.0) / size
    return _solve(sizes, means, target * upper_f), _solve(sizes, means, target * lower_f)


def middle_ratio(sizes: Integers, means: Floats, within: Floats | np.float64) -> Floats:
    """Return the ratio of variances (…,) at which the F of Wald's limits is 1."""
    df_between, df_within = len(sizes) - 1, int(sizes.sum()) - len(sizes)
    return _solve(sizes, means, np.asarray(within, dtype=np.float64) / df_within * df_between)


def _solve(sizes: Integers, means: Floats, target: Floats) -> Floats:
    """Return θ where Σ w (mean − weighted mean)² meets the target (…), by halving a bracket."""
    least = -1.0 / sizes.max()

    def weighted(theta: Floats) -> Floats:
        weights = sizes / (1.0 + sizes * theta[..., np.newaxis])
        centre = (weights * means).sum(axis=-1, keepdims=True) / weights.sum(axis=-1, keepdims=True)
        return np.asarray((weights * np.square(means - centre)).sum(axis=-1))

    spread = np.square(means - means.mean(axis=-1, keepdims=True)).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Σ w (mean − centre)² < spread/θ, so the root is below spread/target
        high = np.where(target > 0, spread / target, np.inf)
    finite = np.isfinite(high)
    high = np.where(finite, np.maximum(high, 0.0), 1.0)
    low = np.full(high.shape, least * (1.0 - 1e-12))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        above = weighted(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(finite, 0.5 * (low + high), np.inf)


def group_sums(values: Floats, codes: Integers) -> tuple[Integers, Floats, float]:
    """Return sizes (J,), means (J,) from the overall mean, and the sum of squares within groups."""
    sizes = np.bincount(codes)
    if not values.size:
        return sizes, np.empty(0), 0.0
    centred = values - values.mean()
    means = np.bincount(codes, weights=centred) / sizes
    rest = centred - means[codes]
    # means may be off by a rounding; correct them once
    means = means + np.bincount(codes, weights=rest) / sizes
    return sizes, means, float(np.square(centred - means[codes]).sum())


def reml_ratio(sizes: Integers, means: Floats, within: Floats | np.float64) -> tuple[Floats, Floats]:
    """Return the ratio of variances between and within (…,), 0 or more, and the variance within, by REML.

    For group means (…, J) and sums of squares within (…,).  The derivative of the restricted log-likelihood,
    the variance within profiled out, is solved by halving.
    """
    squares = np.asarray(within, dtype=np.float64)
    low, high = np.full(squares.shape, _LEAST), np.full(squares.shape, _MOST)
    at_zero = _slope(sizes, means, squares, np.zeros(squares.shape))[0] >= 0.0
    for _ in range(_HALVINGS // 2):
        middle = 0.5 * (low + high)
        rising = _slope(sizes, means, squares, np.exp(middle))[0] > 0.0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    ratio = np.where(at_zero, 0.0, np.exp(0.5 * (low + high)))
    variance = _slope(sizes, means, squares, ratio)[1]
    without = squares <= 0.0
    return np.where(without & ~at_zero, np.inf, ratio), np.where(without, 0.0, variance)


def _slope(sizes: Integers, means: Floats, within: Floats, ratio: Floats) -> tuple[Floats, Floats]:
    """Return the derivative of −2 log-likelihood in the ratio (…,), and the variance within there."""
    weights = sizes / (1.0 + sizes * ratio[..., np.newaxis])
    total = weights.sum(axis=-1)
    centre = (weights * means).sum(axis=-1) / total
    away = np.square(means - centre[..., np.newaxis])
    df = float(sizes.sum()) - 1.0
    variance = (within + (weights * away).sum(axis=-1)) / df
    with np.errstate(divide="ignore", invalid="ignore"):
        fall = np.where(variance > 0.0, (np.square(weights) * away).sum(axis=-1) / variance, 0.0)
    return total - np.square(weights).sum(axis=-1) / total - fall, variance


def reliability(ratio: Floats, size: Floats | float) -> Floats:
    """Return nθ/(1 + nθ), which is 1 for infinite θ."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isinf(ratio), 1.0, size * ratio / (1.0 + size * ratio))


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """What the estimator gives; NaN where nothing can be estimated."""

    icc1: float = math.nan
    icc2: float = math.nan
    icc1_anova: float = math.nan
    between: float = math.nan
    within: float = math.nan
    ratio: float = math.nan


def coefficients(anova: Anova, sizes: Integers, means: Floats, within: float, estimator: str) -> Coefficients:
    """Return the coefficients of an estimator, NaN for none."""
    if not estimator:
        return Coefficients()
    icc1, icc2, icc1_anova = anova.coefficients()
    if estimator == "ANOVA":
        between = (anova.between - anova.within) / anova.effective
        return Coefficients(icc1, icc2, icc1_anova, between, anova.within, anova.ratio)
    ratio, variance = (float(part) for part in reml_ratio(sizes, means, np.float64(within)))
    return Coefficients(
        icc1=float(reliability(np.array(ratio), 1.0)),
        icc2=float(reliability(np.array(ratio), anova.effective)),
        icc1_anova=icc1_anova,
        between=ratio * variance if math.isfinite(ratio) else anova.between / anova.effective,
        within=variance,
        ratio=ratio,
    )
