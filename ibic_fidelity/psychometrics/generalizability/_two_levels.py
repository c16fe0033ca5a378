"""Covariances of items within and between groups, alpha of each, and how it varies: kernels on leading axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Mean squares and products of items (…, k, k) within and between J groups of N members.

    The covariance between groups is (between − within) / effective.
    """

    within: Floats
    between: Floats
    sizes: Integers

    @property
    def n(self) -> int:
        """Return the number of members."""
        return int(self.sizes.sum())

    @property
    def n_groups(self) -> int:
        """Return the number of groups."""
        return len(self.sizes)

    @property
    def effective(self) -> float:
        """Return the size that groups have in the expectation of the mean squares between them."""
        n = self.n
        return (n - float(np.square(self.sizes).sum()) / n) / (self.n_groups - 1) if self.n_groups > 1 else math.nan

    @property
    def df_between(self) -> float:
        """Return the degrees of freedom between groups, fewer than J − 1 where sizes are unequal."""
        if self.n_groups < 2:
            return math.nan
        once, twice = self._size_sums()
        return once**2 / twice

    def _size_sums(self) -> tuple[float, float]:
        """Return what multiplies the covariance between groups, and its square, in the variance of products."""
        n, squares, cubes = (float(np.power(self.sizes.astype(np.float64), power).sum()) for power in (1, 2, 3))
        return n - squares / n, squares - 2.0 * cubes / n + squares**2 / n**2

    @property
    def covariance(self) -> Floats:
        """Return the covariance of items between groups, the sampling of members taken away."""
        return np.asarray((self.between - self.within) / self.effective)

    def alpha_within(self) -> tuple[Floats, Floats]:
        """Return alpha within groups and the variance of log(1 − alpha), each (…,)."""
        contrast, estimate = _contrast(self.within)
        inside = contrast @ self.within
        spread = 2.0 * _trace(inside, inside) / (self.n - self.n_groups)
        return estimate, _of_log(estimate, spread)

    def alpha_between(self) -> tuple[Floats, Floats]:
        """Return alpha between groups and the variance of log(1 − alpha), each (…,)."""
        contrast, estimate = _contrast(self.covariance)
        once, twice = self._size_sums()
        ours, inside = contrast @ self.covariance, contrast @ self.within
        df = self.n_groups - 1
        spread = (twice * _trace(ours, ours) + 2.0 * once * _trace(ours, inside)) / df**2
        spread = spread + _trace(inside, inside) * (1.0 / df + 1.0 / (self.n - self.n_groups))
        return estimate, _of_log(estimate, 2.0 * spread / self.effective**2)


def _contrast(covariance: Floats) -> tuple[Floats, Floats]:
    """Return the derivative of alpha by the covariance (…, k, k), and alpha, NaN where the sum has no variance."""
    k = covariance.shape[-1]
    trace = np.trace(covariance, axis1=-2, axis2=-1)
    total = covariance.sum(axis=(-2, -1))
    total = np.where(total > 0.0, total, np.nan)
    ratio = trace / total
    scale = k / (k - 1) / total
    contrast = scale[..., None, None] * (ratio[..., None, None] * np.ones((k, k)) - np.eye(k))
    return contrast, np.asarray(k / (k - 1) * (1.0 - ratio))


def _trace(a: Floats, b: Floats) -> Floats:
    """Return tr(AB)."""
    return np.asarray(np.einsum("...ij,...ji->...", a, b))


def _of_log(estimate: Floats, spread: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(spread / np.square(1.0 - estimate))


def log_limits(estimate: Floats, variance: Floats, df: float, level: float) -> tuple[Floats, Floats]:
    """Return limits (…,) symmetric on the scale of log(1 − estimate), by t; NaN where that is not defined."""
    error = np.where((estimate < 1.0) & (df >= 1.0), 1.0 - estimate, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        factor = np.exp(float(stdtrit(max(df, 1.0), 0.5 + level / 2.0)) * np.sqrt(variance))
        return 1.0 - error * factor, 1.0 - error / factor


def levels_of(values: Floats, sizes: Integers) -> Levels:
    """Return mean squares and products of tables (…, N, k) whose rows are sorted by group, of sizes (J,)."""
    n, n_groups, k = int(sizes.sum()), len(sizes), values.shape[-1]
    if n_groups < 2 or n == n_groups:
        unknown = np.full((*values.shape[:-2], k, k), math.nan)
        return Levels(unknown, unknown, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    centred = values - values.mean(axis=-2, keepdims=True)
    means = np.add.reduceat(centred, starts, axis=-2) / sizes[:, np.newaxis]
    rest = centred - np.repeat(means, sizes, axis=-2)
    within = np.swapaxes(rest, -1, -2) @ rest
    between = np.swapaxes(means * sizes[:, np.newaxis], -1, -2) @ means
    return Levels(
        within=np.where(_rounding(within, between), 0.0, within / (n - n_groups)),
        between=between / (n_groups - 1),
        sizes=sizes,
    )


def _rounding(within: Floats, between: Floats) -> Booleans:
    """Return whether products within groups (…, 1, 1) are only what rounding of the means leaves."""
    inside, around = (np.trace(part, axis1=-2, axis2=-1) for part in (within, between))
    return np.asarray(inside <= 1e-24 * around)[..., np.newaxis, np.newaxis]


def two_level_kernel(values: Floats, sizes: Integers) -> Callable[[Floats], Floats]:
    """Return a function from counts of groups (B, J) to alpha within and between (B, 2).

    Rows are sorted by group.  Only traces and sums of the matrices are needed, so that a block of replicates is one
    product with seven and k numbers a group.  Groups drawn twice are two groups; mean squares between are multiplied
    by J/(J − 1), as drawing with replacement makes them that much too small.
    """
    k, n_groups = values.shape[-1], len(sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    centred = values - values.mean(axis=0)
    means = np.add.reduceat(centred, starts, axis=0) / sizes[:, np.newaxis]
    rest = centred - np.repeat(means, sizes, axis=0)
    count = sizes.astype(np.float64)
    moments = np.column_stack(
        [
            count,
            count**2,
            np.add.reduceat(np.square(rest).sum(axis=1), starts),
            np.add.reduceat(np.square(rest.sum(axis=1)), starts),
            count * np.square(means).sum(axis=1),
            count * np.square(means.sum(axis=1)),
            count[:, np.newaxis] * means,
        ]
    )

    def kernel(counts: Floats) -> Floats:
        drawn = counts @ moments
        n, squares, inside, inside_sum, around, around_sum = drawn[:, :6].T
        centre = drawn[:, 6:]
        effective = (n - squares / n) / (n_groups - 1)
        factor = n_groups / (n_groups - 1) / (n_groups - 1)
        trace_between = factor * (around - np.square(centre).sum(axis=1) / n)
        sum_between = factor * (around_sum - np.square(centre.sum(axis=1)) / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            trace_within, sum_within = inside / (n - n_groups), inside_sum / (n - n_groups)
            pairs = (
                (trace_within, sum_within),
                ((trace_between - trace_within) / effective, (sum_between - sum_within) / effective),
            )
            made = [k / (k - 1) * (1.0 - trace / np.where(total > 0.0, total, np.nan)) for trace, total in pairs]
        return np.column_stack(made)

    return kernel
