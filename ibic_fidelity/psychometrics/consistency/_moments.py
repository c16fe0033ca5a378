"""Covariances of complete tables and of their bootstrap replicates, and the limits that reliabilities share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics._clusters import Kernel, RowClusters
from ibic_fidelity.psychometrics.resampling import (
    PERCENTILE,
    as_generator,
    bootstrap_estimates,
    check_replicates,
    percentile_interval,
)

PERCENTILE_CLUSTERS = "percentile bootstrap of clusters"
#: Respondents, or clusters of them, below which percentile intervals of reliabilities cover too little.
LEAST = 200
#: A variance below this share of the whole sample's is rounding: the replicate does not vary.
_ROUNDING = 1e-12
#: The smallest eigenvalue of a correlation matrix that is not singular.
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """What a bootstrap gave: an interval a statistic, replicates drawn, how many each left undefined, and n."""

    intervals: tuple[ConfidenceInterval, ...]
    replicates: int
    undefined: tuple[int, ...]
    n: int
    clusters: int | None = None

    @property
    def first(self) -> ConfidenceInterval | None:
        """Return the first interval, None where no bootstrap was asked for."""
        return self.intervals[0] if self.intervals else None

    @property
    def flags(self) -> tuple[Message, ...]:
        """Return that respondents are few, and that replicates were left out; none where all of them were."""
        worst, flags = max(self.undefined, default=0), []
        some = self.replicates and worst < self.replicates
        if some and self.clusters is not None and self.clusters < LEAST:
            flags.append(Message("psychometrics.bootstrap_few_clusters", {"n": self.clusters, "least": LEAST}))
        elif some and self.clusters is None and self.n < LEAST:
            flags.append(Message("psychometrics.bootstrap_few_respondents", {"n": self.n, "least": LEAST}))
        if 0 < worst < self.replicates:
            params = {"n": worst, "of": self.replicates}
            flags.append(Message("psychometrics.agreement_replicates_undefined", params))
        return tuple(flags)


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """A bootstrap asked for, its options checked; without generator none was asked for."""

    replicates: int
    rng: np.random.Generator | None

    @classmethod
    def checked(cls, bootstrap: object, rng: object, name: str) -> Bootstrap:
        """Return the options, or raise."""
        replicates = check_replicates(bootstrap)
        return cls(replicates, as_generator(rng, name) if replicates else None)

    def run(
        self,
        kernel: Kernel | None,
        n: int,
        confidence_level: float,
        statistics: int = 1,
        clusters: RowClusters | None = None,
    ) -> Resampled:
        """Return percentile intervals of a kernel that takes counts (B, n) and gives (B,) or (B, statistics).

        No kernel means that the statistic is not defined: every replicate counts as undefined.
        """
        if self.rng is None:
            return Resampled((), 0, (0,) * statistics, n)
        drawn, method = np.full((self.replicates, statistics), math.nan), PERCENTILE
        n_drawn, n_clusters = n, None
        if clusters is not None:
            n_drawn = n_clusters = clusters.n
            method = PERCENTILE_CLUSTERS
            kernel = None if kernel is None else clusters.over(kernel)
        if kernel is not None:
            drawn = bootstrap_estimates(kernel, n_drawn, self.replicates, self.rng).reshape(-1, statistics)
        made = [percentile_interval(column, confidence_level, method) for column in drawn.T]
        undefined = tuple(lost for _, lost in made)
        return Resampled(tuple(ci for ci, _ in made), self.replicates, undefined, n, n_clusters)


def covariances(values: Floats) -> Floats:
    """Return covariance matrices (…, k, k) of complete tables (…, n, k), divisor n − 1."""
    centred = values - values.mean(axis=-2, keepdims=True)
    return np.asarray(centred.swapaxes(-1, -2) @ centred / (values.shape[-2] - 1))


def covariance_kernel(values: Floats) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to covariance matrices (B, k, k) of a table (n, k).

    One product of the counts with the k(k + 1)/2 products of items serves all replicates.  Variances that
    are rounding only are exactly 0.
    """
    n, k = values.shape
    centred = values - values.mean(axis=0)
    upper = np.triu_indices(k)
    moments = np.concatenate([centred[:, upper[0]] * centred[:, upper[1]], centred], axis=1)
    floor = _ROUNDING * np.square(centred).sum(axis=0) / (n - 1)
    diagonal = np.arange(k)

    def kernel(counts: Floats) -> Floats:
        sums = counts @ moments
        size = counts.sum(axis=1)[:, None]
        means = sums[:, -k:] / size
        made = np.empty((len(counts), k, k))
        made[:, upper[0], upper[1]] = made[:, upper[1], upper[0]] = sums[:, :-k]
        size = size[..., None]
        made = (made - size * means[:, :, None] * means[:, None, :]) / (size - 1)
        variances = made[:, diagonal, diagonal]
        made[:, diagonal, diagonal] = np.where(variances > floor, variances, 0.0)
        return np.asarray(made)

    return kernel


def correlations(covariance: Floats) -> tuple[Floats, Floats, Booleans]:
    """Return correlations (…, k, k), standard deviations (…, k), and which matrices are not singular.

    The identity stands for a singular matrix, so that what is computed from it does no harm.
    """
    k = covariance.shape[-1]
    sd = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0))
    varies = np.asarray((sd > 0).all(axis=-1))
    scale = np.where(sd > 0, sd, 1.0)
    unit = covariance / (scale[..., :, None] * scale[..., None, :])
    unit = np.where(varies[..., None, None], unit, np.eye(k))
    regular = varies & _regular(unit)
    return np.where(regular[..., None, None], unit, np.eye(k)), sd, np.asarray(regular)


def _regular(unit: Floats) -> Booleans:
    """Return which correlation matrices are not singular: what each item has beyond those before it."""
    try:
        roots = np.diagonal(np.linalg.cholesky(unit), axis1=-2, axis2=-1)
    except np.linalg.LinAlgError:  # one of them is not positive definite, and which is not told
        return np.asarray(np.linalg.eigvalsh(unit)[..., 0] > _SINGULAR)
    return np.asarray((np.square(roots) > _SINGULAR).all(axis=-1))


def influences(values: Floats) -> tuple[Floats, Floats]:
    """Return each respondent's influence (…, n) on Cronbach's alpha, and 1 − alpha (…), of tables (…, n, k).

    It is that on the item variances' sum T and on the sum's variance S.
    """
    k = values.shape[-1]
    centred = values - values.mean(axis=-2, keepdims=True)
    items, total = np.square(centred).sum(axis=-1), np.square(centred.sum(axis=-1))
    t, s = items.mean(axis=-1, keepdims=True), total.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        influence = k / (k - 1) * (t * total / s**2 - items / s)
        error = 1.0 - k / (k - 1) * (1.0 - t / s)[..., 0]
    return np.asarray(influence), np.asarray(error)


def ratio_variances(values: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return two variances of log(1 − r), r = 1 − tr(QS)/(1'S1), of tables (…, n, k) and Q (k, k).

    The first holds for normal answers, 2/(n − 1) tr(ΓSΓS) with Γ = Q/tr(QS) − 11'/(1'S1); the second is
    distribution-free, from the spread of x'Γx over respondents.
    """
    n = values.shape[-2]
    centred = values - values.mean(axis=-2, keepdims=True)
    covariance = centred.swapaxes(-1, -2) @ centred / (n - 1)
    total = covariance.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (error * covariance).sum(axis=(-2, -1))
        gamma = error / part[..., None, None] - 1.0 / total[..., None, None]
        product = gamma @ covariance
        normal = 2.0 / (n - 1) * (product * product.swapaxes(-1, -2)).sum(axis=(-2, -1))
        influence = ((centred @ gamma) * centred).sum(axis=-1)
        free = np.square(influence - influence.mean(axis=-1, keepdims=True)).sum(axis=-1) / (n * (n - 1))
    return np.asarray(normal), np.asarray(free)
