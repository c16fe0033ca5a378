"""Rows in clusters, such as respondents in sites: jackknife and bootstrap over clusters, and when they are too few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers, as_groups, known_groups_rows, read_only
from ibic_fidelity.psychometrics.resampling import BLOCK

#: Fewer clusters than this do not tell how much an estimate varies.
LEAST_CLUSTERS = 8
#: Variance over clusters beside that of independent rows, from which so many clusters have to carry it.
ALIKE, LEAST_CARRYING = 2.5, 10.0

Kernel = Callable[[Floats], Floats]


def carrying(deviations: Floats) -> Floats:
    """Return how many of the deviations (…, n) carry their sum of squares (…): (Σd²)²/Σd⁴; NaN where all are 0."""
    squares = np.square(deviations)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = squares / squares.max(axis=-1, keepdims=True)
        return np.asarray(np.square(scaled.sum(axis=-1)) / np.square(scaled).sum(axis=-1))


def widening(deviations: Floats, level: float) -> Floats:
    """Return (t/z)² (…) for a variance made of these squared deviations (…, n).

    A sum of squares d² has a relative variance of about Σd⁴/(Σd²)², like a χ² with 2(Σd²)²/Σd⁴ degrees of freedom:
    few for skewed values, whose variance few of them decide.
    """
    quantile = 0.5 + level / 2.0
    return np.asarray(np.square(stdtrit(2.0 * carrying(deviations), quantile) / ndtri(quantile)))


def too_alike(ratio: Floats | float, carry: Floats | float, n: int) -> Booleans:
    """Return where (…) intervals over n clusters cover too little; ratio of variances, and clusters that carry it."""
    few = (np.asarray(ratio) > ALIKE) & (np.asarray(carry) < LEAST_CARRYING)
    return np.asarray(few | (n < LEAST_CLUSTERS) | ~np.isfinite(ratio))


@dataclass(frozen=True, slots=True, eq=False)
class RowClusters:
    """The cluster of each row used, numbered 0, 1, …, and how many clusters there are."""

    codes: Integers
    n: int

    @classmethod
    def read(cls, clusters: object, used: Booleans, missing: str) -> RowClusters | None:
        """Return the clusters of the rows used, None where none are given; rows without one leave `used`."""
        if clusters is None:
            return None
        groups = as_groups(clusters, used.shape[0], argument="clusters")
        used &= known_groups_rows(groups, "listwise" if missing == "available" else missing, argument="clusters")
        present, codes = np.unique(groups.codes[used], return_inverse=True)
        return cls(read_only(codes.astype(np.int64)), int(present.size))

    def over(self, kernel: Kernel) -> Kernel:
        """Return a kernel that takes how often each cluster counts (B, clusters) instead of each row."""

        def of_clusters(counts: Floats) -> Floats:
            parts = np.array_split(counts, 1 + len(counts) * len(self.codes) // BLOCK)
            return np.concatenate([kernel(part[:, self.codes]) for part in parts])

        return of_clusters

    def spread(self, kernel: Kernel) -> Spread:
        """Return the jackknife variance of an estimate, one cluster left out at a time; NaN below two clusters."""
        if self.n < 2:
            return Spread(np.nan, np.empty(0), self.n)
        with np.errstate(divide="ignore", invalid="ignore"):
            made = self.over(kernel)(1.0 - np.eye(self.n))
            away = made - made.mean()
        return Spread(float((self.n - 1) / self.n * np.square(away).sum()), away, self.n)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A jackknife variance over n clusters, and the deviations (n,) that make it."""

    variance: float
    deviations: Floats
    n: int

    def widened(self, level: float) -> float:
        """Return the variance times (t/z)², so that normal quantiles stand for those of t."""
        if not np.isfinite(self.variance) or self.variance == 0.0:
            return self.variance
        return self.variance * float(widening(self.deviations, level))

    def flags(self, normal: float) -> tuple[Message, ...]:
        """Return that the interval is not reliable, by the variance that independent normal rows give."""
        if self.n < 2:
            return (Message("psychometrics.one_row_cluster"),)
        ratio = self.variance / normal if normal > 0 else np.nan
        carry = float(carrying(self.deviations)) if self.variance > 0 else float(self.n)
        if not too_alike(ratio, carry, self.n):
            return ()
        return (Message("psychometrics.few_row_clusters", {"n": self.n, "carry": carry, "ratio": float(ratio)}),)


def log_error(kernel: Kernel) -> Kernel:
    """Return a kernel of log(1 − estimate)."""

    def logarithm(counts: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(1.0 - kernel(counts)))

    return logarithm
