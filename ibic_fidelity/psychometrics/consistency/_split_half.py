"""The best split of k items into halves: all of them where that can be done, a search where it cannot."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import Floats

#: Items up to which every split is tried (24,310 of them).
EXHAUSTIVE = 18
#: Starts of the search, for a whole sample and for a replicate.
_STARTS, _REPLICATE_STARTS = 100, 4
#: Cells of the products of splits and matrices held at once.
_CELLS = 8_000_000


def best_split(covariance: Floats, near: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the largest λ4 (B,) of covariance matrices (B, k, k) and its halves as signs (B, k).

    Halves differ by at most one item.  λ4 is 1 − t'St / 1'S1 for signs t, so that the best split is the one
    with the smallest t'St.  `near` are signs (k,) from which the search of replicates starts.
    """
    k = covariance.shape[-1]
    total = covariance.sum(axis=(-2, -1))
    smallest, signs = _all(covariance) if k <= EXHAUSTIVE else _searched(covariance, near)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1.0 - smallest / total, signs


@lru_cache(maxsize=2)
def _splits(k: int) -> tuple[Floats, Floats]:
    """Return all splits as signs (m, k), the first item positive for even k, and their pairs' products."""
    half = k // 2
    chosen = [c for c in combinations(range(k), half) if k % 2 or c[0] == 0]
    signs = np.full((len(chosen), k), -1.0)
    signs[np.arange(len(chosen))[:, None], np.array(chosen).reshape(len(chosen), half)] = 1.0
    rows, columns = np.triu_indices(k, 1)
    return signs, signs[:, rows] * signs[:, columns]


def _all(covariance: Floats) -> tuple[Floats, Floats]:
    size, k = covariance.shape[:2]
    signs, products = _splits(k)
    rows, columns = np.triu_indices(k, 1)
    pairs, trace = covariance[:, rows, columns], np.trace(covariance, axis1=-2, axis2=-1)
    smallest, best = np.empty(size), np.empty((size, k))
    step = max(1, _CELLS // len(signs))
    for start in range(0, size, step):
        block = slice(start, start + step)
        sums = pairs[block] @ products.T
        at = sums.argmin(axis=1)
        smallest[block] = trace[block] + 2.0 * np.take_along_axis(sums, at[:, None], axis=1)[:, 0]
        best[block] = signs[at]
    return smallest, best


def _searched(covariance: Floats, near: Floats | None) -> tuple[Floats, Floats]:
    size, k = covariance.shape[:2]
    rng = stream(0, "psychometrics/guttman/starts", k)
    start = np.where(np.arange(k) < k // 2, 1.0, -1.0)
    starts = [rng.permutation(start) for _ in range(_STARTS if near is None else _REPLICATE_STARTS)]
    starts += [] if near is None else [near]
    smallest, best = np.full(size, np.inf), np.ones((size, k))
    for begin in starts:
        found, signs = _swapped(covariance, np.broadcast_to(begin, (size, k)).copy())
        better = found < smallest
        smallest[better], best[better] = found[better], signs[better]
    return smallest, best


def _swapped(covariance: Floats, signs: Floats) -> tuple[Floats, Floats]:
    """Return t'St and signs after the best exchanges of one item for another, until none helps."""
    diagonal = np.diagonal(covariance, axis1=-2, axis2=-1)
    together = 2.0 * covariance
    rows = np.arange(len(covariance))
    k = covariance.shape[-1]
    scale = np.abs(covariance).sum(axis=(-2, -1))
    for _ in range(4 * k):
        pull = (covariance @ signs[..., None])[..., 0]
        change = (diagonal - pull)[:, :, None] + (diagonal + pull)[:, None, :] - together
        change[~((signs[:, :, None] > 0) & (signs[:, None, :] < 0))] = np.inf
        at = change.reshape(len(rows), -1).argmin(axis=1)
        falls = change.reshape(len(rows), -1)[rows, at] < -1e-12 * scale
        if not falls.any():
            break
        signs[rows[falls], at[falls] // k] = -1.0
        signs[rows[falls], at[falls] % k] = 1.0
    return np.asarray(((covariance @ signs[..., None])[..., 0] * signs).sum(axis=-1)), signs
