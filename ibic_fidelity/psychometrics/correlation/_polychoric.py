"""Polychoric correlations of many tables at once, by maximum likelihood with the thresholds given (two-step).

The score of ρ is Σ n_ij d_ij/p_ij, with the probability p of a cell and its derivative d, the density at the
cell's four corners (Olsson, 1979).  Newton's step with the exact second derivative where the likelihood is
concave, Fisher's otherwise, inside a bracket that the sign of the score narrows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.correlation._binormal import density, distribution
from ibic_fidelity.psychometrics.correlation._tables import thresholds_of
from ibic_fidelity.psychometrics.correlation._tails import small_cells, tail_terms

#: |ρ| from which it is asked whether the likelihood has its maximum at ±1.
_LOOK = 0.9
#: Farthest that a step goes.
_FARTHEST = 1.0 - 1e-6
#: Probability below which a cell is nothing but rounding.
_LEAST = 1e-12
_STEPS = 60
#: Tables fitted at a time, which keeps a step inside a cache.
_BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class PairFit:
    """Correlations (M,), ±1 at the boundary and NaN where nothing can be told; which are so; which settled."""

    rho: Floats
    boundary: Booleans
    converged: Booleans


def fit_pairs(
    tables: Floats, first: Floats, second: Floats, *, start: Floats | None = None, tolerance: float = 1e-9
) -> PairFit:
    """Return the correlations of tables (M, C, D), counts or weights, with thresholds (M, C − 1) and (M, D − 1).

    Categories that an item does not have are empty last rows or columns with thresholds of 40 (`INFINITE`).  A
    table whose answers are all in one row or column has none (NaN).  Tolerance is that of a step of ρ.
    """
    rho = np.full(len(tables), np.nan)
    boundary, converged = np.zeros((2, len(tables)), dtype=bool)
    varies = ((tables.sum(axis=2) > 0).sum(axis=1) > 1) & ((tables.sum(axis=1) > 0).sum(axis=1) > 1)
    begin = _pearson(tables) if start is None else start
    kept = np.flatnonzero(varies)
    for at in np.array_split(kept, max(1, -(-kept.size // _BLOCK))):
        if at.size:
            rho[at], converged[at] = _fit_block(tables[at], first[at], second[at], begin[at], tolerance)
    extreme = np.flatnonzero(np.abs(rho) > _LOOK)
    if extreme.size:
        of = (tables[extreme], first[extreme], second[extreme])
        here = _log_likelihood(*of, rho[extreme])
        there = _log_likelihood(*of, np.sign(rho[extreme]) * _FARTHEST)
        boundary[extreme] = there >= here - 1e-9 * tables[extreme].sum(axis=(1, 2))
        converged |= boundary
    rho[boundary] = np.sign(rho[boundary])
    return PairFit(rho, boundary, converged)


def matrices_of(tables: Floats, margins: Floats, *, tolerance: float = 1e-7, start: Floats | None = None) -> Floats:
    """Return polychoric matrices (B, k, k) of pair tables (B, P, C, C) and margins (B, k, C).

    Pairs in the order of `numpy.triu_indices(k, 1)`, as `count_pairs` gives them; start is (P,) or (B, P).
    """
    size, k = margins.shape[:2]
    first, second = np.triu_indices(k, 1)
    thresholds = thresholds_of(margins)
    pairs = first.size
    begin = None if start is None else np.broadcast_to(start, (size, pairs)).ravel()
    fit = fit_pairs(
        tables.reshape(size * pairs, *tables.shape[2:]),
        thresholds[:, first].reshape(size * pairs, -1),
        thresholds[:, second].reshape(size * pairs, -1),
        start=begin,
        tolerance=tolerance,
    )
    return as_matrices(fit.rho.reshape(size, pairs), k)


def as_matrices(pairs: Floats, k: int, diagonal: float = 1.0) -> Floats:
    """Return symmetric matrices (…, k, k) of pairs (…, P)."""
    first, second = np.triu_indices(k, 1)
    made = np.full((*pairs.shape[:-1], k, k), diagonal)
    made[..., first, second] = pairs
    made[..., second, first] = pairs
    return made


def cell_probabilities(first: Floats, second: Floats, rho: Floats) -> Floats:
    """Return the probabilities (M, C, D) of the cells between thresholds."""
    grid = np.zeros((len(rho), first.shape[1] + 2, second.shape[1] + 2))
    grid[:, 1:-1, 1:-1] = distribution(first, second, rho)
    grid[:, 1:-1, -1], grid[:, -1, 1:-1], grid[:, -1, -1] = ndtr(first), ndtr(second), 1.0
    return between(grid)


def corner_sums(values: Floats) -> Floats:
    """Return values (M, r, c) at corners, nought outside, differenced to cells (M, r + 1, c + 1)."""
    grid = np.zeros((len(values), values.shape[1] + 2, values.shape[2] + 2))
    grid[:, 1:-1, 1:-1] = values
    return between(grid)


def between(grid: Floats) -> Floats:
    """Return differences of a grid (M, r, c) along both axes (M, r − 1, c − 1)."""
    along = grid[:, 1:] - grid[:, :-1]
    return np.asarray(along[:, :, 1:] - along[:, :, :-1])


def _fit_block(
    tables: Floats, first: Floats, second: Floats, start: Floats, tolerance: float
) -> tuple[Floats, Booleans]:
    """Return correlations (M,) and which settled."""
    found = np.clip(start, -0.9, 0.9)
    settled = np.zeros(len(found), dtype=bool)
    at = np.arange(len(found))
    rho = found.copy()
    low, high = np.full(rho.shape, -1.0), np.full(rho.shape, 1.0)
    for _ in range(_STEPS):
        score, step = _step(tables, first, second, rho)
        low, high = np.where(score > 0, rho, low), np.where(score > 0, high, rho)
        free = 1.0 - np.abs(rho)
        # towards ±1 no more than three quarters of what is left, at the end to the farthest point
        new = np.clip(rho + step, np.maximum(rho - 0.5, -1.0 + 0.25 * free), np.minimum(rho + 0.5, 1.0 - 0.25 * free))
        settling = np.abs(step) < tolerance * free
        outside = ~((new > low) & (new < high))
        new = np.where(outside & ~settling, 0.5 * (low + high), new)
        new = np.clip(new, -_FARTHEST, _FARTHEST)
        done = settling | (high - low < 1e-14)
        done |= (np.abs(rho) >= _FARTHEST) & (np.abs(new) >= _FARTHEST)
        found[at] = rho = new
        if done.any():
            settled[at[done]] = True
            go = ~done
            at, rho, low, high = at[go], rho[go], low[go], high[go]
            tables, first, second = tables[go], first[go], second[go]
        if not at.size:
            break
    return found, settled


def _log_likelihood(tables: Floats, first: Floats, second: Floats, rho: Floats) -> Floats:
    """Return the log-likelihood (M,)."""
    p = cell_probabilities(first, second, rho)
    small = small_cells(tables, p)
    log_p = np.log(np.maximum(p, 1e-300))
    if small.any():
        log_p[small] = tail_terms(small, first, second, rho)[0]
    return np.asarray((tables * log_p).sum(axis=(1, 2)))


def _step(tables: Floats, first: Floats, second: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Return the score (M,) of ρ and the step that it asks for."""
    p = cell_probabilities(first, second, rho)
    value, slope = density(first, second, rho)
    slope *= value
    d = corner_sums(value)
    answered, small = tables > 0, small_cells(tables, p)
    np.maximum(p, 1e-300, out=p)
    with np.errstate(all="ignore"):
        ratio, twice = d / p, corner_sums(slope) / p
        if small.any():
            _, ratio[small], twice[small] = tail_terms(small, first, second, rho)
        known = np.where(answered, ratio, 0.0)
        score = (tables * known).sum(axis=(1, 2))
        bend = (tables * np.where(answered, twice - known * known, 0.0)).sum(axis=(1, 2))
        information = tables.sum(axis=(1, 2)) * np.where(p > _LEAST, d * ratio, 0.0).sum(axis=(1, 2))
        step = np.where(bend < -0.1 * information, -score / bend, score / information)
    return score, np.where(np.isfinite(step), step, 2.0 * np.sign(score))


def _pearson(tables: Floats) -> Floats:
    """Return product-moment correlations (M,) of codes 0, 1, …, where fits begin."""
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    n = rows.sum(axis=1)
    x, y = np.arange(rows.shape[1], dtype=np.float64), np.arange(columns.shape[1], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my = rows @ x / n, columns @ y / n
        covariance = np.einsum("mij,i,j->m", tables, x, y) / n - mx * my
        made = covariance / np.sqrt((rows @ x**2 / n - mx**2) * (columns @ y**2 / n - my**2))
    return np.where(np.isfinite(made), made, 0.0)
