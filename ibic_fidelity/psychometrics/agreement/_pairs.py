"""Kernel of agreement of one rater with a standard, or with the mean of other raters: Cohen's kappa of shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Floats, Integers
from ibic_fidelity.psychometrics.agreement._chance import corrected
from ibic_fidelity.psychometrics.agreement._linearised import (
    OVER_CLUSTERS,
    OVER_UNITS,
    of_linear,
    renumbered,
    t_interval,
    unreliable,
)

#: Why a kappa, or its interval, is not there.
NO_UNITS, BY_CHANCE, ONE_UNIT, ONE_CLUSTER = "no_overlap", "by_chance_full", "one_unit", "one_cluster"


@dataclass(frozen=True, slots=True, eq=False)
class PairKappa:
    """Kappa of one rater with another view of the same units, with what is said of it.

    `apart` are the linearised deviations (n,), empty where kappa is not defined.
    """

    estimate: float
    std_error: float
    ci: ConfidenceInterval
    observed: float
    expected: float
    apart: Floats
    clusters: Integers | None
    n: int
    n_clusters: int | None
    why: str
    unreliable: bool


def pair_kappa(own: Integers, others: Floats, weights: Floats, clusters: Integers | None, level: float) -> PairKappa:
    """Return kappa of codes (n,) with shares of the categories (n, q), weighted, linearised over units or clusters."""
    n = own.shape[0]
    of_units = renumbered(clusters, np.ones(n, dtype=bool))
    n_clusters = None if of_units is None else int(np.unique(of_units).size)
    nothing = ConfidenceInterval(math.nan, math.nan, level, OVER_UNITS if clusters is None else OVER_CLUSTERS)

    def made(estimate: float, apart: Floats, why: str, error: float = math.nan) -> PairKappa:
        given = not math.isnan(error)
        ci = t_interval(estimate, error, 1.0 - expected, n, of_units, level) if given else nothing
        weak = given and bool(unreliable(apart, of_units))
        return PairKappa(estimate, error, ci, observed, expected, apart, of_units, n, n_clusters, why, weak)

    observed = expected = math.nan
    if n == 0:
        return made(math.nan, np.zeros(0), NO_UNITS)
    shares = np.bincount(own, minlength=weights.shape[0]) / n
    agreeing = (weights[own] * others).sum(axis=1)
    by_own, by_other = (weights @ others.mean(axis=0))[own], others @ (weights @ shares)
    observed, expected = float(agreeing.mean()), float(by_own.mean())
    estimate = float(corrected(np.asarray(observed), np.asarray(expected)))
    if math.isnan(estimate):
        return made(math.nan, np.zeros(0), BY_CHANCE)
    moved = (1.0 - estimate) * (by_own + by_other - 2.0 * expected)
    apart = (agreeing - observed - moved) / (1.0 - expected)
    error = float(of_linear(apart, of_units))
    why = "" if not math.isnan(error) else ONE_UNIT if n < 2 else ONE_CLUSTER
    return made(estimate, apart, why, error)
