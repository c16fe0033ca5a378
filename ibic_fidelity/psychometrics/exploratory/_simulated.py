"""Correlation matrices of answers that have nothing in common, many at once, for parallel analysis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.correlation._polychoric import matrices_of
from ibic_fidelity.psychometrics.correlation._tables import count_pairs, read_answers
from ibic_fidelity.psychometrics.exploratory._extraction import NEAR, extract
from ibic_fidelity.psychometrics.exploratory._matrix import correlation_matrix

#: Numbers of a block of replicates, which bounds the memory.
_BLOCK = 4_000_000


def reduced_eigenvalues(matrices: Floats) -> Floats:
    """Return eigenvalues (B, k), falling, of matrices with the communalities of one minres factor in the diagonal."""
    left = extract(matrices, 1, "minres", tolerance=NEAR)
    communalities = np.square(left.loadings[:, :, 0])
    reduced = matrices.copy()
    at = np.arange(matrices.shape[-1])
    reduced[:, at, at] = communalities
    return np.asarray(np.linalg.eigvalsh(reduced)[:, ::-1])


def replicates(
    values: Floats | None, n: int, k: int, correlation: str, method: str, count: int, rng: np.random.Generator
) -> Iterator[Floats]:
    """Yield blocks (B, k, k) of correlation matrices of `count` tables of n respondents without common factors."""
    if correlation == "polychoric" and values is not None:
        yield from _polychoric(values, method, count, rng)
        return
    step = max(1, _BLOCK // (n * k))
    for start in range(0, count, step):
        size = min(step, count - start)
        if method == "normal" or values is None:
            yield correlation_matrix(rng.standard_normal((size, n, k)))
        else:
            yield correlation_matrix(np.stack([rng.permuted(values, axis=0) for _ in range(size)]))


def _polychoric(values: Floats, method: str, count: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield polychoric matrices of permuted answers, or of normal values cut to the shares of the answers."""
    answers = read_answers(values, "raise")
    codes, size = answers.codes, max(int(answers.sizes.max()), 2)
    n, k = codes.shape
    shares = [np.cumsum(np.bincount(column, minlength=size))[:-1] / n for column in codes.T]
    pairs = k * (k - 1) // 2
    step = max(1, _BLOCK // (pairs * size * size * 2))
    for start in range(0, count, step):
        tables, margins = [], []
        for _ in range(min(step, count - start)):
            if method == "normal":
                uniform = rng.random((n, k))
                drawn = np.stack([np.searchsorted(shares[j], uniform[:, j]) for j in range(k)], axis=1).astype(np.int8)
            else:
                drawn = rng.permuted(codes, axis=0)
            counted = count_pairs(drawn, size)
            tables.append(counted.tables)
            margins.append(counted.margins)
        yield matrices_of(np.stack(tables), np.stack(margins))
