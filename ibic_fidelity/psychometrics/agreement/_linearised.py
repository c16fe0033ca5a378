"""Variance of a mean of linearised deviations over units or clusters of units, and the interval made from it."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers

OVER_UNITS = "linearised variance over units, t of log(1 − estimate)"
OVER_CLUSTERS = "linearised variance over clusters, t of log(1 − estimate)"
#: Fewer units, or clusters, than this carry the error: the interval is not reliable.
LEAST_EFFECTIVE_UNITS = 8.0
LEAST_EFFECTIVE_CLUSTERS = 2.0
#: With fewer clusters than this some intervals cover too little, whatever carries the error.
LEAST_CLUSTERS = 12
#: Percentile intervals cover too little where fewer units carry the error, or of fewer units or clusters in all.
LEAST_EFFECTIVE_PERCENTILE = 20.0
LEAST_PERCENTILE = 40
#: Below this a standard error is nought but rounding.
_ROUNDING = 1e-12


def of_linear(deviations: Floats, clusters: Integers | None = None) -> Floats:
    """Return the standard errors (…) of means of deviations (…, n), which sum to nought; NaN for one unit or cluster.

    With clusters c of n_c units it is CR2 of a mean, √(Σ S_c²/(1 − n_c/n))/n with the sums S_c: for clusters of
    one unit each the ordinary one.
    """
    n = deviations.shape[-1]
    room = 1.0 - (np.ones(n) if clusters is None else np.bincount(clusters)) / max(n, 1)
    if n < 2 or np.any(room <= 0):
        return np.full(deviations.shape[:-1], math.nan)
    error = np.sqrt((np.square(_sums(deviations, clusters)) / room).sum(axis=-1)) / n
    return np.asarray(np.where(error <= _ROUNDING, 0.0, error))


def effective_number(deviations: Floats, clusters: Integers | None = None) -> Floats:
    """Return how many units, or clusters, carry the error (…): (Σ S²)²/Σ S⁴, 0 where there is no error."""
    squares = np.square(_sums(deviations, clusters))
    fourth = np.square(squares).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(fourth > _ROUNDING**4, np.square(squares.sum(axis=-1)) / fourth, 0.0))


def _sums(deviations: Floats, clusters: Integers | None) -> Floats:
    """Return the sums of deviations over clusters (…, C), or those of the units."""
    if clusters is None or not clusters.size:
        return deviations
    starts = np.concatenate([[0], np.cumsum(np.bincount(clusters))[:-1]])
    return np.asarray(np.add.reduceat(deviations[..., np.argsort(clusters, kind="stable")], starts, axis=-1))


def degrees_of_freedom(n: int, clusters: Integers | None) -> float:
    """Return n − 1, or with clusters Bell and McCaffrey's: the number of clusters less one where they are equal."""
    if clusters is None:
        return n - 1.0
    shares = np.bincount(clusters) / n
    if shares.shape[0] < 2:
        return 0.0
    apart = np.square(shares) / (1.0 - shares)
    return float(1.0 / (np.square(shares).sum() + np.square(apart.sum()) - np.square(apart).sum()))


def limits(estimate: Floats, std_error: Floats, df: float, level: float, least: float = -1.0) -> tuple[Floats, Floats]:
    """Return 1 − (1 − estimate)·exp(±t·SE/(1 − estimate)) (…), at least `least`; NaN where the error is NaN."""
    apart = 1.0 - estimate
    full = apart <= _ROUNDING
    quantile = float(stdtrit(df, 0.5 + level / 2.0)) if df > 0 else math.nan
    with np.errstate(over="ignore"):
        factor = np.exp(np.where(full, 0.0, quantile * std_error / np.where(full, 1.0, apart)))
    factor = np.where(np.isnan(std_error), math.nan, factor)
    return np.maximum(1.0 - apart * factor, least), np.asarray(1.0 - apart / factor)


def unreliable(deviations: Floats, clusters: Integers | None) -> Booleans:
    """Return where (…) so few units, or clusters, carry the error that the interval is not reliable."""
    few = effective_number(deviations) < LEAST_EFFECTIVE_UNITS
    if clusters is None:
        return np.asarray(few)
    few_clusters = effective_number(deviations, clusters) < LEAST_EFFECTIVE_CLUSTERS
    return np.asarray(few | few_clusters | (int(clusters.max()) + 1 < LEAST_CLUSTERS))


def unreliable_percentiles(deviations: Floats, clusters: Integers | None) -> Booleans:
    """Return where (…) a percentile bootstrap interval is not reliable."""
    few = effective_number(deviations) < LEAST_EFFECTIVE_PERCENTILE
    drawn_from = deviations.shape[-1] if clusters is None else int(clusters.max()) + 1
    return np.asarray(few | unreliable(deviations, clusters) | (drawn_from < LEAST_PERCENTILE))


def t_interval(
    estimate: float, std_error: float, n: int, clusters: Integers | None, level: float, least: float = -1.0
) -> ConfidenceInterval:
    """Return the interval of one coefficient."""
    df = degrees_of_freedom(n, clusters)
    low, high = limits(np.asarray(estimate), np.asarray(std_error), df, level, least)
    method = OVER_UNITS if clusters is None else OVER_CLUSTERS
    return ConfidenceInterval(float(low), float(high), level, method)
