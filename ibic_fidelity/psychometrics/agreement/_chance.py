"""Kernels of chance-corrected agreement: expected agreement, influence of a unit, bootstrap over units.

A replicate is how often each unit counts, t (B, n); the sample itself is one replicate of ones.  Whole studies may
lead every array (…, n).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.agreement._ratings import Ratings

#: Of the ratings, their weights (q, q) and replicates (B, n): agreement expected by chance (…, B).
Expected = Callable[[Ratings, Floats, Floats], Floats]
#: Of the ratings and their weights (q, q): n times the influence of each unit on expected agreement (…, n).
Influence = Callable[[Ratings, Floats], Floats]

#: Below this 1 − expected agreement is nought but rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Chance:
    """What a coefficient takes as agreement by chance."""

    expected: Expected
    influence: Influence


def over_units(replicates: Floats, of_units: Floats) -> Floats:
    """Return sums over the units of each replicate (…, B)."""
    return np.asarray(of_units @ replicates.T)


def unit_agreement(ratings: Ratings, weights: Floats) -> Floats:
    """Return the share of agreeing pairs of ratings of each unit (…, n), 0 for units with fewer than two."""
    n_ratings = ratings.n_ratings
    agreeing = (ratings.counts * (ratings.counts @ weights - 1.0)).sum(axis=-1)
    return np.asarray(np.where(n_ratings >= 2, agreeing / np.maximum(n_ratings * (n_ratings - 1.0), 1.0), 0.0))


def observed_agreement(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    """Return the mean agreement of the units with two ratings or more (…, B), NaN where there are none."""
    overlapping = over_units(replicates, ratings.overlapping.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(over_units(replicates, unit_agreement(ratings, weights)) / overlapping)


def corrected(observed: Floats, expected: Floats) -> Floats:
    """Return (observed − expected)/(1 − expected), NaN where chance leaves no room."""
    room = 1.0 - expected
    return np.asarray((observed - expected) / np.where(room > _ROUNDING, room, np.nan))


def estimates(ratings: Ratings, weights: Floats, chance: Chance | None, replicates: Floats) -> Floats:
    """Return a coefficient, or without chance percent agreement, of each replicate (…, B)."""
    observed = observed_agreement(ratings, weights, replicates)
    return observed if chance is None else corrected(observed, chance.expected(ratings, weights, replicates))


def deviations(
    ratings: Ratings, weights: Floats, estimate: Floats, chance: Chance | None, *, as_gwet: bool = False
) -> Floats:
    """Return the linearised deviations of the units (…, n), whose mean is the error of the estimates (…).

    Observed agreement is a ratio over the units with two ratings or more; Gwet takes their number as fixed, which
    makes no difference where all units have two.
    """
    n, overlapping = ratings.counts.shape[-2], ratings.overlapping
    own, once = unit_agreement(ratings, weights), np.ones((1, n))
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = (n / overlapping.sum(axis=-1))[..., np.newaxis] * overlapping
        observed = observed_agreement(ratings, weights, once)
        made, room = scale * (own - observed), np.ones(1)
        if chance is not None:
            expected = chance.expected(ratings, weights, once)
            made = made - (1.0 - estimate[..., np.newaxis]) * chance.influence(ratings, weights)
            room = 1.0 - expected
            observed = observed - expected
        if as_gwet:
            made = made + (scale - 1.0) * observed
        return np.asarray(made / room)


def quadratic_form(shares: Floats, weights: Floats) -> Floats:
    """Return Σ w_kl p_k p_l of shares (…, q)."""
    return np.asarray((shares @ weights * shares).sum(axis=-1))


def _prevalence(ratings: Ratings, replicates: Floats) -> Floats:
    """Return the mean shares of the categories (…, B, q), every unit counting alike."""
    return np.asarray(replicates @ ratings.shares / replicates.sum(axis=1, keepdims=True))


def _own_prevalence(ratings: Ratings) -> Floats:
    """Return the mean shares of the categories (…, 1, q)."""
    return np.asarray(ratings.shares.mean(axis=-2, keepdims=True))


def _fleiss_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    return quadratic_form(_prevalence(ratings, replicates), weights)


def _fleiss_influence(ratings: Ratings, weights: Floats) -> Floats:
    prevalence = _own_prevalence(ratings)
    return np.asarray(2.0 * ((ratings.shares - prevalence) * (prevalence @ weights)).sum(axis=-1))


def _ac_factor(weights: Floats) -> float:
    """Return T/(q(q − 1)) of Gwet's AC, NaN for one category."""
    q = weights.shape[0]
    return float(weights.sum()) / (q * (q - 1)) if q > 1 else math.nan


def _ac_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    prevalence = _prevalence(ratings, replicates)
    return np.asarray(_ac_factor(weights) * (prevalence * (1.0 - prevalence)).sum(axis=-1))


def _ac_influence(ratings: Ratings, weights: Floats) -> Floats:
    prevalence = _own_prevalence(ratings)
    return np.asarray(-2.0 * _ac_factor(weights) * ((ratings.shares - prevalence) * prevalence).sum(axis=-1))


def _uniform_expected(_ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    return np.full(replicates.shape[0], weights.mean() if weights.size else math.nan)


def _uniform_influence(ratings: Ratings, _weights: Floats) -> Floats:
    return np.zeros(ratings.counts.shape[:-1])


def _rater_shares(ratings: Ratings, replicates: Floats) -> tuple[Floats, Floats]:
    """Return each rater's shares of the categories (…, B, r, q), 0 for none, and ratings (…, B, r)."""
    *lead, n, r = ratings.codes.shape
    q = ratings.values.shape[0]
    one_hot = (ratings.codes[..., np.newaxis] == np.arange(q)).astype(np.float64).reshape(*lead, n, r * q)
    sums = (replicates @ one_hot).reshape(*lead, -1, r, q)
    given = sums.sum(axis=-1)
    return np.asarray(sums / np.maximum(given, 1.0)[..., np.newaxis]), given


def _pairs_of_raters(given: Floats) -> Floats:
    """Return k(k − 1) for the k raters with any rating, NaN for fewer than two."""
    raters = (given > 0).sum(axis=-1)
    return np.asarray(np.where(raters > 1, raters * (raters - 1.0), np.nan))


def _conger_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    shares, given = _rater_shares(ratings, replicates)
    different = quadratic_form(shares.sum(axis=-2), weights) - quadratic_form(shares, weights).sum(axis=-1)
    return np.asarray(different / _pairs_of_raters(given))


def _conger_influence(ratings: Ratings, weights: Floats) -> Floats:
    n, q = ratings.counts.shape[-2:]
    shares, given = _rater_shares(ratings, np.ones((1, n)))
    others = (shares.sum(axis=-2, keepdims=True) - shares) @ weights
    reached = others - (shares * others).sum(axis=-1, keepdims=True)
    per_rating = reached * n / np.maximum(given, 1.0)[..., np.newaxis]
    one_hot = ratings.codes[..., np.newaxis] == np.arange(q)
    return np.asarray(2.0 * (per_rating * one_hot).sum(axis=(-1, -2)) / _pairs_of_raters(given))


#: One distribution for all raters: Scott and Fleiss.
COMMON = Chance(_fleiss_expected, _fleiss_influence)
#: Each rater's own distribution: Cohen and Conger.
OWN = Chance(_conger_expected, _conger_influence)
#: All categories alike: Brennan and Prediger.
UNIFORM = Chance(_uniform_expected, _uniform_influence)
#: Only units that are hard to rate: Gwet.
HARD_UNITS = Chance(_ac_expected, _ac_influence)
