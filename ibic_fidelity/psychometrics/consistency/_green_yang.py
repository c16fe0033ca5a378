"""Categorical omega: the one-factor model of a polychoric matrix and the covariances of scores that it implies.

Symbols as in Green & Yang (2009), Psychometrika 74: two answers cut at thresholds τ from normal values that
correlate ρ have the covariance Σ Σ δ_c δ_c' [Φ(τ_c, τ_c'; ρ) − Φ(τ_c)Φ(τ_c')], δ_c the step of the score from
category c to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers
from ibic_fidelity.psychometrics.correlation._binormal import density, distribution
from ibic_fidelity.psychometrics.correlation._tables import pair_index

_STEPS, _HALVINGS = 200, 10
#: Largest gradient, over the largest weight, at which a fit has converged.
_EXACT = 1e-11


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """One-factor fits: loadings (B, k), and which converged to loadings below 1 in absolute value."""

    loadings: Floats
    proper: Booleans


def fit_least_squares(matrices: Floats, weights: Floats) -> LeastSquares:
    """Return the fits of correlation matrices (B, k, k) with the weights of their elements (k, k) or (B, k, k).

    Levenberg–Marquardt from the first principal component; the diagonal does not count.
    """
    size, k = matrices.shape[:2]
    off = ~np.eye(k, dtype=bool)
    w = np.where(off, np.broadcast_to(weights / weights[..., off].max(), matrices.shape), 0.0)
    known = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    r = np.where(known[:, None, None], matrices, np.eye(k))
    values, vectors = np.linalg.eigh(r)
    x = vectors[..., -1] * np.sqrt(np.clip(values[..., -1:] - 0.5, 0.1, None))
    damping = np.full(size, 1e-3)
    loss = _loss(r, w, x)
    converged = np.zeros(size, dtype=bool)
    diagonal = np.arange(k)
    for _ in range(_STEPS):
        residual = w * (r - x[:, :, None] * x[:, None, :])
        gradient = (residual @ x[..., None])[..., 0]
        converged = np.abs(gradient).max(axis=1) < _EXACT * k
        if converged.all():
            break
        system = w * x[:, :, None] * x[:, None, :]
        own = (w @ np.square(x)[..., None])[..., 0]
        system[:, diagonal, diagonal] += own + damping[:, None] * (own + 1e-12)
        moved = x + np.linalg.solve(system, gradient[..., None])[..., 0]
        there = _loss(r, w, moved)
        better = there <= loss * (1.0 + 1e-14)
        x = np.where(better[:, None], moved, x)
        loss = np.where(better, there, loss)
        damping = np.clip(np.where(better, damping * 0.1, damping * 10.0), 1e-12, 1e8)
    x = x * np.where(x.sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    proper = known & converged & (np.abs(x) < 1.0).all(axis=1)
    return LeastSquares(np.where(known[:, None], x, np.nan), proper)


def _loss(r: Floats, w: Floats, x: Floats) -> Floats:
    return np.asarray((w * np.square(r - x[:, :, None] * x[:, None, :])).sum(axis=(1, 2)))


def loading_gradient(matrix: Floats, weights: Floats, loadings: Floats, *, observed: bool = True) -> Floats:
    """Return how loadings move with the correlations of pairs (k, P); without the residuals where not observed."""
    k = len(loadings)
    w = np.where(np.eye(k, dtype=bool), 0.0, weights)
    product = np.outer(loadings, loadings)
    system = w * (2.0 * product - matrix) if observed else w * product
    system[np.arange(k), np.arange(k)] = w @ np.square(loadings)
    first, second = pair_index(k)
    by_pair = np.zeros((k, first.size))
    by_pair[first, np.arange(first.size)] = w[first, second] * loadings[second]
    by_pair[second, np.arange(first.size)] = w[first, second] * loadings[first]
    return np.asarray(np.linalg.solve(system, by_pair))


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Thresholds (B, k, C − 1) of items and the steps of their scores (k, C − 1), nought where there is no category."""

    thresholds: Floats
    steps: Floats

    def covariances(self, first: Integers, second: Integers, rho: Floats) -> Floats:
        """Return the covariances (B, M) of items whose normal values correlate ρ (B, M)."""
        a, b, u, v = self._flat(first, second)
        excess = distribution(a, b, rho.ravel()) - ndtr(a)[:, :, None] * ndtr(b)[:, None, :]
        return np.asarray(np.einsum("mij,mi,mj->m", excess, u, v).reshape(rho.shape))

    def variances(self) -> Floats:
        """Return the variances (B, k) of the items."""
        below = ndtr(self.thresholds)
        same = np.minimum(below[..., :, None], below[..., None, :])
        square = np.einsum("bkij,ki,kj->bk", same, self.steps, self.steps)
        return np.asarray(square - np.square((below * self.steps).sum(axis=-1)))

    def by_correlation(self, first: Integers, second: Integers, rho: Floats) -> Floats:
        """Return the derivative of `covariances` by ρ (B, M)."""
        a, b, u, v = self._flat(first, second)
        value, _ = density(a, b, rho.ravel())
        return np.asarray(np.einsum("mij,mi,mj->m", value, u, v).reshape(rho.shape))

    def by_threshold(self, first: Integers, second: Integers, rho: Floats) -> Floats:
        """Return the derivative of `covariances` by the thresholds of the first item (B, M, C − 1)."""
        a, b, u, v = self._flat(first, second)
        r = rho.ravel()[:, None, None]
        given = ndtr((b[:, None, :] - r * a[..., None]) / np.sqrt((1.0 - r) * (1.0 + r))) - ndtr(b)[:, None, :]
        height = np.exp(-0.5 * np.square(a)) / np.sqrt(2.0 * np.pi)
        return np.asarray((u * height * (given @ v[..., None])[..., 0]).reshape(*rho.shape, -1))

    def variance_by_threshold(self) -> Floats:
        """Return the derivative of `variances` by the item's own thresholds (B, k, C − 1)."""
        height = np.exp(-0.5 * np.square(self.thresholds)) / np.sqrt(2.0 * np.pi)
        above = self.steps.sum(axis=-1, keepdims=True) - np.cumsum(self.steps, axis=-1)
        mean = (ndtr(self.thresholds) * self.steps).sum(axis=-1, keepdims=True)
        return np.asarray(height * self.steps * (self.steps + 2.0 * above - 2.0 * mean))

    def _flat(self, first: Integers, second: Integers) -> tuple[Floats, Floats, Floats, Floats]:
        """Return thresholds and steps of both items of every pair, replicates and pairs as one axis."""
        size, width = len(self.thresholds), self.steps.shape[1]
        a, b = (self.thresholds[:, at].reshape(-1, width) for at in (first, second))
        u, v = (np.tile(self.steps[at], (size, 1)) for at in (first, second))
        return a, b, u, v


@dataclass(frozen=True, slots=True, eq=False)
class SumReliability:
    """Omega of the sum of scores (B,), with the correlations found or those of the model in the denominator."""

    found: Floats
    implied: Floats


def sum_reliability(scores: Scores, matrices: Floats, fit: LeastSquares) -> SumReliability:
    """Return categorical omega (B,) of matrices (B, k, k) and fits, NaN where the fit is not proper."""
    true, variances, found, implied = _parts(scores, matrices, fit)
    with np.errstate(invalid="ignore", divide="ignore"):
        omegas = [np.where(fit.proper, true / (variances + 2.0 * part), np.nan) for part in (found, implied)]
    return SumReliability(omegas[0], omegas[1])


def _parts(scores: Scores, matrices: Floats, fit: LeastSquares) -> tuple[Floats, Floats, Floats, Floats]:
    """Return true variance, sum of item variances, and sums of covariances found and implied, each (B,)."""
    k = matrices.shape[-1]
    own, (first, second) = np.arange(k, dtype=np.int64), pair_index(k)
    x = np.where(fit.proper[:, None], fit.loadings, 0.0)
    inside = np.clip(np.nan_to_num(matrices[:, first, second]), -1.0 + 1e-12, 1.0 - 1e-12)
    implied = scores.covariances(first, second, x[:, first] * x[:, second]).sum(axis=1)
    true = scores.covariances(own, own, np.square(x)).sum(axis=1) + 2.0 * implied
    found = scores.covariances(first, second, inside).sum(axis=1)
    return true, scores.variances().sum(axis=1), found, implied


def omega_gradient(scores: Scores, matrix: Floats, weights: Floats, loadings: Floats) -> tuple[Floats, Floats]:
    """Return how omega of one table, correlations found, moves with thresholds (k, C − 1) and with pairs (P,)."""
    k = len(loadings)
    own, (first, second) = np.arange(k, dtype=np.int64), pair_index(k)
    fit = LeastSquares(loadings[None], np.array([True]))
    true, variances, found, _ = (float(part[0]) for part in _parts(scores, matrix[None], fit))
    total = variances + 2.0 * found
    product = (loadings[first] * loadings[second])[None]
    rho = matrix[first, second][None]
    by_pair = scores.by_correlation(first, second, product)[0]
    by_loading = 2.0 * loadings * scores.by_correlation(own, own, np.square(loadings)[None])[0]
    np.add.at(by_loading, first, 2.0 * loadings[second] * by_pair)
    np.add.at(by_loading, second, 2.0 * loadings[first] * by_pair)
    of_pairs = by_loading @ loading_gradient(matrix, weights, loadings) / total
    of_pairs -= 2.0 * true / total**2 * scores.by_correlation(first, second, rho)[0]
    of_cuts = 2.0 * scores.by_threshold(own, own, np.square(loadings)[None])[0] / total
    of_cuts -= true / total**2 * scores.variance_by_threshold()[0]
    for one, other in ((first, second), (second, first)):
        change = 2.0 * scores.by_threshold(one, other, product)[0] / total
        change -= 2.0 * true / total**2 * scores.by_threshold(one, other, rho)[0]
        np.add.at(of_cuts, one, change)
    return of_cuts, of_pairs
