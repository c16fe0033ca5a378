"""How much more a ratio of mean squares varies than with normal targets and errors, and intervals that allow for it.

The influence of a target, or group, on the logarithm of F is its share of the one mean square less its share of the
other.  Their squares give a distribution-free variance, to be compared with 2/df1 + 2/df2 of normal theory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers
from ibic_fidelity.psychometrics._clusters import Kernel, RowClusters, widening
from ibic_fidelity.psychometrics.intraclass._mean_squares import MeanSquares
from ibic_fidelity.psychometrics.intraclass._one_way import middle_ratio

#: Distribution-free over normal-theory standard error of log F, from which intervals of normal theory are too narrow.
NOT_NORMAL = 1.25


@dataclass(frozen=True, slots=True, eq=False)
class Inflation:
    """By how much standard errors are larger than with normal targets (…), and what divides the degrees of freedom."""

    ratio: Floats
    factor: Floats

    @classmethod
    def of(cls, deviations: Floats, normal: float, level: float) -> Inflation:
        """Return them from influences (…, n) on log F, whose mean has the normal-theory variance `normal`.

        (n + 1)/(n − 2) makes the expected ratio of variances 1 for normal targets measured without error.
        """
        n = deviations.shape[-1]
        if n < 3:
            ones = np.ones(deviations.shape[:-1])
            return cls(ones, ones)
        variance = np.square(deviations).sum(axis=-1) / (n * (n - 1)) * (n + 1) / (n - 2)
        return cls._made(variance / normal, widening(deviations, level))

    @classmethod
    def over(
        cls, clusters: RowClusters, kernel: Kernel, normal: float, level: float
    ) -> tuple[Inflation, tuple[Message, ...]]:
        """Return them by a jackknife of log F over clusters, and whether these are too few."""
        spread = clusters.spread(kernel)
        ratio = np.asarray(spread.variance / normal)
        made = cls._made(ratio, np.asarray(spread.widened(level) / spread.variance if spread.variance > 0 else 1.0))
        if not np.isfinite(spread.variance):
            made = cls(np.array(np.nan), np.array(np.nan))
        return made, spread.flags(normal)

    @classmethod
    def _made(cls, ratio: Floats, widened: Floats) -> Inflation:
        factor = ratio * widened
        known = np.isfinite(factor)
        ratio = np.sqrt(np.where(known, ratio, 1.0))
        return cls(np.asarray(ratio), np.asarray(np.where(known, np.maximum(factor, 1.0), 1.0)))

    @property
    def narrow(self) -> Booleans:
        """Return where (…) intervals of normal theory are too narrow."""
        return np.asarray(self.ratio > NOT_NORMAL)

    def flags(self, code: str) -> tuple[Message, ...]:
        """Return that the interval is too narrow, if it is."""
        return (Message(code, {"ratio": float(self.ratio)}),) if self.narrow else ()


def of_tables(values: Floats, definition: str, level: float) -> Inflation:
    """Return the inflation (…) of complete tables (…, n, k)."""
    n, k = values.shape[-2:]
    if n < 3:
        return Inflation.of(np.zeros(values.shape[:-1]), 1.0, level)
    means = values.mean(axis=-1, keepdims=True)
    rest = values - means
    if definition != "one-way":
        rest = rest - rest.mean(axis=-2, keepdims=True)
    between = np.square(means[..., 0] - means[..., 0].mean(axis=-1, keepdims=True))
    within = np.square(rest).sum(axis=-1)
    df_within = n * (k - 1) if definition == "one-way" else (n - 1) * (k - 1)
    return Inflation.of(_shares(between) - _shares(within), 2.0 / (n - 1) + 2.0 / df_within, level)


def of_groups(sizes: Integers, means: Floats, within: Floats, level: float) -> Inflation:
    """Return the inflation (…) of groups with sizes (J,), means (…, J) and sums of squares within (…, J).

    Between groups it is that of Wald's weighted sum of squares, at the ratio of variances where F is 1.
    """
    n, n_groups = int(sizes.sum()), len(sizes)
    theta = np.maximum(middle_ratio(sizes, means, within.sum(axis=-1)), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = sizes / (1.0 + sizes * theta[..., np.newaxis])
        centre = (weights * means).sum(axis=-1, keepdims=True) / weights.sum(axis=-1, keepdims=True)
        between = _shares(weights * np.square(means - centre))
    expected = n_groups * (sizes - 1) / (n - n_groups) - 1.0
    deviations = between - _shares(within) + expected
    return Inflation.of(deviations, 2.0 / (n_groups - 1) + 2.0 / (n - n_groups), level)


def complete_log_f(values: Floats, definition: str) -> Kernel:
    """Return a kernel from counts (replicates, n) to log F of a complete table (n, k)."""

    def kernel(counts: Floats) -> Floats:
        squares = MeanSquares.resampled(values, counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                np.log(squares.targets / (squares.within if definition == "one-way" else squares.residual))
            )

    return kernel


def _shares(parts: Floats) -> Floats:
    """Return parts (…, n) over their mean, less 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(parts / parts.mean(axis=-1, keepdims=True) - 1.0)
