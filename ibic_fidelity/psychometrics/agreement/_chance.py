"""Kernels of chance-corrected agreement: expected agreement, influence of a unit, bootstrap over units.

A replicate is how often each unit counts, t (replicates, n); the sample itself is one replicate of ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.agreement._ratings import Ratings

#: Of the ratings, their weights (q, q) and replicates (B, n): agreement expected by chance (B,).
Expected = Callable[[Ratings, Floats, Floats], Floats]
#: Of the ratings and their weights (q, q): n times the influence of each unit on expected agreement (n,).
Influence = Callable[[Ratings, Floats], Floats]

LINEARISED = "linearised variance over units, t"
#: Below this 1 − expected agreement is nought but rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Chance:
    """What a coefficient takes as agreement by chance."""

    expected: Expected
    influence: Influence


def unit_agreement(ratings: Ratings, weights: Floats) -> Floats:
    """Return the share of agreeing pairs of ratings of each unit (n,), 0 for units with fewer than two."""
    n_ratings = ratings.n_ratings
    agreeing = (ratings.counts * (ratings.counts @ weights - 1.0)).sum(axis=1)
    return np.asarray(np.where(n_ratings >= 2, agreeing / np.maximum(n_ratings * (n_ratings - 1.0), 1.0), 0.0))


def observed_agreement(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    """Return the mean agreement of the units with two ratings or more (B,), NaN where there are none."""
    overlapping = replicates @ ratings.overlapping.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(replicates @ unit_agreement(ratings, weights) / overlapping)


def corrected(observed: Floats, expected: Floats) -> Floats:
    """Return (observed − expected)/(1 − expected), NaN where chance leaves no room."""
    room = 1.0 - expected
    return np.asarray((observed - expected) / np.where(room > _ROUNDING, room, np.nan))


def standard_error(ratings: Ratings, weights: Floats, estimate: float, chance: Chance | None) -> float:
    """Return Gwet's linearised standard error of a coefficient, or without chance of percent agreement.

    The number of units with two ratings is taken as fixed, as Gwet does.
    """
    n, overlapping = ratings.counts.shape[0], ratings.overlapping
    if n < 2 or math.isnan(estimate):
        return math.nan
    own = unit_agreement(ratings, weights)
    scale = n / overlapping.sum()
    if chance is None:
        linear = scale * own
    else:
        expected = float(chance.expected(ratings, weights, np.ones((1, n)))[0])
        corrected_unit = scale * overlapping * (own - expected)
        linear = (corrected_unit - (1.0 - estimate) * chance.influence(ratings, weights)) / (1.0 - expected)
    return of_linear(linear - estimate)


def of_linear(deviations: Floats) -> float:
    """Return the standard error of a mean of deviations (n,)."""
    n = deviations.shape[0]
    error = math.sqrt(float(np.square(deviations).sum()) / (n * (n - 1)))
    return error if error > _ROUNDING else 0.0


def t_interval(estimate: float, std_error: float, n: int, level: float) -> ConfidenceInterval:
    """Return estimate ± t·SE with n − 1 degrees of freedom, at most 1."""
    if math.isnan(std_error):
        return ConfidenceInterval(math.nan, math.nan, level, LINEARISED)
    reach = float(stdtrit(n - 1, 0.5 + level / 2.0)) * std_error
    return ConfidenceInterval(estimate - reach, min(1.0, estimate + reach), level, LINEARISED)


def quadratic_form(shares: Floats, weights: Floats) -> Floats:
    """Return Σ w_kl p_k p_l of shares (…, q)."""
    return np.asarray((shares @ weights * shares).sum(axis=-1))


def _prevalence(ratings: Ratings, replicates: Floats) -> Floats:
    """Return the mean shares of the categories (B, q), every unit counting alike."""
    return np.asarray(replicates @ ratings.shares / replicates.sum(axis=1, keepdims=True))


def _own_prevalence(ratings: Ratings) -> Floats:
    return np.asarray(ratings.shares.mean(axis=0))


def _fleiss_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    return quadratic_form(_prevalence(ratings, replicates), weights)


def _fleiss_influence(ratings: Ratings, weights: Floats) -> Floats:
    prevalence = _own_prevalence(ratings)
    return np.asarray(2.0 * (ratings.shares - prevalence) @ weights @ prevalence)


def _ac_factor(weights: Floats) -> float:
    """Return T/(q(q − 1)) of Gwet's AC, NaN for one category."""
    q = weights.shape[0]
    return float(weights.sum()) / (q * (q - 1)) if q > 1 else math.nan


def _ac_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    prevalence = _prevalence(ratings, replicates)
    return np.asarray(_ac_factor(weights) * (prevalence * (1.0 - prevalence)).sum(axis=1))


def _ac_influence(ratings: Ratings, weights: Floats) -> Floats:
    prevalence = _own_prevalence(ratings)
    return np.asarray(-2.0 * _ac_factor(weights) * (ratings.shares - prevalence) @ prevalence)


def _uniform_expected(_ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    return np.full(replicates.shape[0], weights.mean() if weights.size else math.nan)


def _uniform_influence(ratings: Ratings, _weights: Floats) -> Floats:
    return np.zeros(ratings.counts.shape[0])


def _rater_shares(ratings: Ratings, replicates: Floats) -> tuple[Floats, Floats]:
    """Return each rater's shares of the categories (B, r, q), 0 for none, and ratings (B, r)."""
    n, r = ratings.codes.shape
    q = ratings.values.shape[0]
    one_hot = (ratings.codes[:, :, np.newaxis] == np.arange(q)).astype(np.float64).reshape(n, r * q)
    sums = (replicates @ one_hot).reshape(-1, r, q)
    given = sums.sum(axis=-1)
    return np.asarray(sums / np.maximum(given, 1.0)[..., np.newaxis]), given


def _pairs_of_raters(given: Floats) -> Floats:
    """Return k(k − 1) for the k raters with any rating, NaN for fewer than two."""
    raters = (given > 0).sum(axis=-1)
    return np.asarray(np.where(raters > 1, raters * (raters - 1.0), np.nan))


def _conger_expected(ratings: Ratings, weights: Floats, replicates: Floats) -> Floats:
    shares, given = _rater_shares(ratings, replicates)
    different = quadratic_form(shares.sum(axis=1), weights) - quadratic_form(shares, weights).sum(axis=1)
    return np.asarray(different / _pairs_of_raters(given))


def _conger_influence(ratings: Ratings, weights: Floats) -> Floats:
    n, r = ratings.codes.shape
    shares, given = (part[0] for part in _rater_shares(ratings, np.ones((1, n))))
    others = (shares.sum(axis=0) - shares) @ weights
    own = (shares * others).sum(axis=1)
    reached = others[np.arange(r), ratings.codes] - own
    per_rater = np.where(ratings.codes >= 0, reached * n / np.maximum(given, 1.0), 0.0)
    return np.asarray(2.0 * per_rater.sum(axis=1) / _pairs_of_raters(given))


#: One distribution for all raters: Scott and Fleiss.
COMMON = Chance(_fleiss_expected, _fleiss_influence)
#: Each rater's own distribution: Cohen and Conger.
OWN = Chance(_conger_expected, _conger_influence)
#: All categories alike: Brennan and Prediger.
UNIFORM = Chance(_uniform_expected, _uniform_influence)
#: Only units that are hard to rate: Gwet.
HARD_UNITS = Chance(_ac_expected, _ac_influence)
