"""Variance of a mean of linearised deviations over units or clusters of units, and the interval made from it."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers

OVER_UNITS = "linearised variance over units, t of log(1 − estimate)"
OVER_CLUSTERS = "linearised variance over clusters, t of log(1 − estimate)"
ALL_AGREE = "no {of} of {n} disagrees: exact limit of a share"
#: Fewer units, or clusters, than this carry the error: the interval is not reliable.
LEAST_EFFECTIVE_UNITS = 8.0
LEAST_EFFECTIVE_CLUSTERS = 4.0
#: Fewer clusters than this often hold none of those few that are unlike the others, which nothing in them shows.
LEAST_CLUSTERS = 30
#: Percentile intervals cover too little where fewer units carry the error, or of fewer units or clusters in all.
LEAST_EFFECTIVE_PERCENTILE = 20.0
LEAST_PERCENTILE = 40
#: Below this a standard error is nought but rounding.
_ROUNDING = 1e-12


def of_linear(deviations: Floats, clusters: Integers | None = None, paired: Booleans | None = None) -> Floats:
    """Return the standard errors (…) of means of deviations (…, n), which sum to nought; NaN for one unit or cluster.

    With clusters c that hold the share h_c of the units it is CR2 of a mean, √(Σ S_c²/(1 − h_c))/n with the sums
    S_c: for clusters of one unit each the ordinary one.  Where only some units have pairs of ratings, `paired`
    (…, n), h_c is the share of those.
    """
    n = deviations.shape[-1]
    counted = np.ones(n) if paired is None else paired.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        room = 1.0 - cluster_sums(counted, clusters) / counted.sum(axis=-1, keepdims=True)
        sums = np.square(cluster_sums(deviations, clusters)) / np.where(room > _ROUNDING, room, math.nan)
    error = np.sqrt(sums.sum(axis=-1)) / max(n, 1)
    return np.asarray(np.where(error <= _ROUNDING, 0.0, error) if n > 1 else np.full(error.shape, math.nan))


def of_pairs(clusters: Integers | None, paired: Booleans) -> tuple[int, Integers | None]:
    """Return how many units (n,) have pairs of ratings, and their clusters, numbered without gaps."""
    return int(paired.sum()), renumbered(clusters, paired)


def renumbered(clusters: Integers | None, used: Booleans) -> Integers | None:
    """Return the clusters of the units used, numbered without gaps."""
    if clusters is None:
        return None
    return np.asarray(np.unique(clusters[used], return_inverse=True)[1].astype(np.int64))


def effective_number(deviations: Floats, clusters: Integers | None = None) -> Floats:
    """Return how many units, or clusters, carry the error (…): (Σ S²)²/Σ S⁴, 0 where there is no error."""
    squares = np.square(cluster_sums(deviations, clusters))
    fourth = np.square(squares).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(fourth > _ROUNDING**4, np.square(squares.sum(axis=-1)) / fourth, 0.0))


def cluster_sums(deviations: Floats, clusters: Integers | None) -> Floats:
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


def number_of(n: int, clusters: Integers | None) -> int:
    """Return how many units, or clusters, there are."""
    return n if clusters is None or not clusters.size else int(clusters.max()) + 1


def limits(
    estimate: Floats,
    std_error: Floats,
    room: Floats,
    n: int,
    clusters: Integers | None,
    level: float,
    least: float = -1.0,
) -> tuple[Floats, Floats]:
    """Return 1 − (1 − estimate)·exp(±t·SE/(1 − estimate)) (…), at least `least`; NaN where the error is NaN.

    An error of 0 gives no such interval.  Where all of the n units, or clusters, agree in full, the share that
    does is at least b = ((1 − level)/2)^(1/n) (Clopper and Pearson), and 1 − (1 − b)/room is the lower limit, with
    the `room` 1 − expected agreement; a share of 0 (`least` 0) has the upper limit 1 − b; any other is NaN.
    """
    apart, df = 1.0 - estimate, degrees_of_freedom(n, clusters)
    alike = np.asarray(std_error == 0.0)
    quantile = float(stdtrit(df, 0.5 + level / 2.0)) if df > 0 else math.nan
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        factor = np.exp(np.where(alike, math.nan, quantile * std_error / apart))
        low, high = np.maximum(1.0 - apart * factor, least), 1.0 - apart / factor
        unseen = (1.0 - (0.5 - level / 2.0) ** (1.0 / max(number_of(n, clusters), 1))) / room
    full, none = alike & (np.abs(apart) <= _ROUNDING), alike & (least == 0.0) & (np.abs(estimate) <= _ROUNDING)
    low = np.where(full, np.maximum(1.0 - unseen, least), np.where(none, 0.0, low))
    return low, np.asarray(np.where(full, 1.0, np.where(none, unseen, high)))


def unreliable(deviations: Floats, clusters: Integers | None, paired: Booleans | None = None) -> Booleans:
    """Return where (…) so few units, or clusters, carry the error that the interval is not reliable.

    Where only some units have pairs of ratings, `paired` (n,), only those and their clusters count.
    """
    few = carriers(deviations, None, paired) < LEAST_EFFECTIVE_UNITS
    if clusters is None:
        return np.asarray(few)
    few_clusters = carriers(deviations, clusters, paired) < LEAST_EFFECTIVE_CLUSTERS
    return np.asarray(few | few_clusters | (_drawn_from(deviations, clusters, paired) < LEAST_CLUSTERS))


def unreliable_percentiles(deviations: Floats, clusters: Integers | None, paired: Booleans | None = None) -> Booleans:
    """Return where (…) a percentile bootstrap interval is not reliable."""
    few = carriers(deviations, None, paired) < LEAST_EFFECTIVE_PERCENTILE
    drawn_from = _drawn_from(deviations, clusters, paired)
    return np.asarray(few | unreliable(deviations, clusters, paired) | (drawn_from < LEAST_PERCENTILE))


def carriers(deviations: Floats, clusters: Integers | None, paired: Booleans | None = None) -> Floats:
    """Return the effective number (…) of units or clusters, the smaller of that of all and of those with pairs."""
    every = effective_number(deviations, clusters)
    return every if paired is None else np.minimum(every, effective_number(deviations * paired, clusters))


def _drawn_from(deviations: Floats, clusters: Integers | None, paired: Booleans | None) -> int:
    """Return how many units, or clusters, with pairs of ratings there are."""
    return number_of(*of_pairs(clusters, np.ones(deviations.shape[-1], dtype=bool) if paired is None else paired))


def t_interval(
    estimate: float,
    std_error: float,
    room: float,
    n: int,
    clusters: Integers | None,
    level: float,
    least: float = -1.0,
) -> ConfidenceInterval:
    """Return the interval of one coefficient from n units with pairs of ratings, and their clusters."""
    low, high = limits(np.asarray(estimate), np.asarray(std_error), np.asarray(room), n, clusters, level, least)
    method = OVER_UNITS if clusters is None else OVER_CLUSTERS
    if std_error == 0.0 and not math.isnan(low):
        method = ALL_AGREE.format(of="unit" if clusters is None else "cluster", n=number_of(n, clusters))
    return ConfidenceInterval(float(low), float(high), level, method)
