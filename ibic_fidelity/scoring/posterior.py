"""The joint posterior of all sites: draws, and what they say of bands, ranks and the top quarter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.scoring.shrinkage import error_factors, restricted_likelihood, tau_grid

Floats = NDArray[np.float64]
NEGLIGIBLE = 1e-7  # of the largest probability of a value of τ²


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """What draws say of ranks, 1 the highest; arrays of shape (k,).

    Attributes
    ----------
    expected : ndarray
        Mean rank.
    low, high : ndarray
        Limits for one site looked at by itself.
    low_all, high_all : ndarray
        Limits that hold for all sites at once.
    top_quarter : ndarray
        Probability of being among the ⌈k/4⌉ highest.
    """

    expected: Floats
    low: Floats
    high: Floats
    low_all: Floats
    high_all: Floats
    top_quarter: Floats


def posterior_draws(y: Floats, variance: Floats, *, df: float, draws: int, rng: np.random.Generator) -> Floats:
    """Draw all sites together from their joint posterior.

    Parameters
    ----------
    y, variance : ndarray, shape (k,)
        On the working scale, k ≥ 4.
    df : float
        Degrees of freedom of the error variances together.
    draws : int
        How many.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    ndarray, shape (draws, k)
        θ on the working scale. The model is y ~ N(θ, f v), θ ~ N(μ, τ²), flat in μ and τ² (Morris & Tang
        2011), f = df/χ² for all sites together; (τ², f) is drawn from a grid, then μ, then θ.
    """
    factors = error_factors(df)
    tau2, step = tau_grid(variance)
    likelihood = restricted_likelihood(tau2, y, variance, factors)
    log = likelihood.log + np.log(step)
    weight = np.exp(log - log.max()).ravel()
    weight[weight < NEGLIGIBLE] = 0.0
    cell = np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(draws) + rng.random()) / draws, side="right")
    row, column = np.divmod(np.minimum(cell, weight.size - 1), len(tau2))
    mean, precision = likelihood.mean[row, column], likelihood.precision[row, column]
    mean = mean + rng.standard_normal(draws) / np.sqrt(precision)
    between, error = tau2[column][:, None], factors[row][:, None] * variance
    kept = between / (between + error)
    theta: Floats = mean[:, None] + kept * (y - mean[:, None])
    theta += np.sqrt(kept * error) * rng.standard_normal((draws, len(y)))
    return theta


def ranks_of(draws: Floats, confidence_level: float) -> Ranks:
    """Return what draws of shape (D, k) say of ranks.

    The simultaneous limits are expected rank ± c standard deviations, outwards to whole ranks, c so that a share
    `confidence_level` of the draws has all its ranks inside.
    """
    size = draws.shape[1]
    rank = _ranked(draws)
    tail = (1 - confidence_level) / 2
    low, high = np.quantile(rank, [tail, 1 - tail], axis=0, method="inverted_cdf")
    expected = rank.mean(axis=0)
    spread = np.maximum(rank.std(axis=0), 0.5 / size)
    furthest = (np.abs(rank - expected) / spread).max(axis=1)
    reach = np.quantile(furthest, confidence_level, method="higher") * spread
    return Ranks(
        expected=expected,
        low=low.astype(np.float64),
        high=high.astype(np.float64),
        low_all=np.clip(np.floor(expected - reach), 1, size),
        high_all=np.clip(np.ceil(expected + reach), 1, size),
        top_quarter=(rank <= quarter_of(size)).mean(axis=0),
    )


def quarter_of(size: int) -> int:
    """Return how many sites the top quarter has, ⌈k/4⌉."""
    return -(-size // 4)


def _ranked(draws: Floats) -> NDArray[np.int32]:
    """Return the rank of every site in every draw, 1 the highest."""
    order = np.argsort(-draws, axis=1)
    rank = np.empty(draws.shape, dtype=np.int32)
    np.put_along_axis(rank, order, np.arange(1, draws.shape[1] + 1, dtype=np.int32)[None, :], axis=1)
    return rank
