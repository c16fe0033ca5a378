"""How each respondent moves thresholds and correlations: standard errors and the full covariance.

Two-step estimates solve Σ s(x) = 0; with A the cross-products of scores, block by block, the influence of a
respondent is A⁻¹ s(x), and the asymptotic covariance the sum of their squares A⁻¹ B A⁻ᵀ (Muthén, 1984).  The
influence on a correlation depends on the two answers of its pair only, so that standard errors come from the
tables; only covariances of different pairs need the respondents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from ibic_fidelity.psychometrics._arguments import Floats, Integers
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE, density
from ibic_fidelity.psychometrics.correlation._polychoric import cell_probabilities, corner_sums
from ibic_fidelity.psychometrics.correlation._tables import Codes, PairTables
from ibic_fidelity.psychometrics.correlation._tails import small_cells, tail_terms

#: Cells of a block of respondents' influences.
_CELLS = 4_000_000
#: Probability below which an expected cell is nothing but rounding.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Influences:
    """Influence on each threshold (k, C − 1, C + 1) and correlation (P, C + 1, C + 1) by code, missing last."""

    thresholds: Floats
    correlations: Floats

    def variances(self, counted: PairTables) -> tuple[Floats, Floats]:
        """Return the variances of thresholds (k, C − 1) and of correlations (P,), from the tables alone."""
        margins, tables = counted.margins, counted.tables
        of_items = (np.square(self.thresholds[..., :-1]) * margins[:, None, :]).sum(axis=-1)
        alone = np.maximum(margins[counted.first] - tables.sum(axis=2), 0.0)
        other = np.maximum(margins[counted.second] - tables.sum(axis=1), 0.0)
        squares = np.square(self.correlations)
        of_pairs = (squares[:, :-1, :-1] * tables).sum(axis=(1, 2))
        of_pairs += (squares[:, :-1, -1] * alone).sum(axis=1) + (squares[:, -1, :-1] * other).sum(axis=1)
        return of_items, of_pairs


def influences(counted: PairTables, thresholds: Floats, rho: Floats) -> Influences:
    """Return the influences at the estimates: thresholds (k, C − 1), correlations (P,), NaN where not estimated."""
    margins, tables = counted.margins, counted.tables
    k, size = margins.shape
    total = np.maximum(margins.sum(axis=1), 1.0)[:, None, None]
    finite = np.abs(thresholds) < INFINITE
    with np.errstate(divide="ignore", invalid="ignore"):
        height = np.exp(-0.5 * np.square(thresholds)) / np.sqrt(2.0 * np.pi)
        below = (np.arange(size) <= np.arange(size - 1)[:, None]) - ndtr(thresholds)[..., None]
        of_items = np.where(finite[..., None], below / (total * height[..., None]), 0.0)
    of_items = np.concatenate([of_items, np.zeros((k, size - 1, 1))], axis=2)

    first, second = thresholds[counted.first], thresholds[counted.second]
    inside = np.where(np.abs(rho) < 1.0, rho, 0.0)
    p = cell_probabilities(first, second, inside)
    value, _ = density(first, second, inside)
    small = small_cells(tables, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(p > 0, corner_sums(value) / np.maximum(p, 1e-300), 0.0)
        if small.any():
            log_p, score[small], _ = tail_terms(small, first, second, inside)
            p[small] = np.exp(log_p)
        weighted = np.where(tables > 0, tables / np.maximum(p, 1e-300), 0.0)
        information = (tables * np.square(score)).sum(axis=(1, 2))
    by_first = _crossed(weighted * score, first, second, inside)
    by_second = _crossed((weighted * score).swapaxes(1, 2), second, first, inside)
    carried = np.zeros((len(rho), size + 1, size + 1))
    carried[:, :-1, :-1] = score
    carried -= np.einsum("pt,ptc->pc", by_first, of_items[counted.first])[:, :, None]
    carried -= np.einsum("pt,ptc->pc", by_second, of_items[counted.second])[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        carried /= np.where(np.abs(rho) < 1.0, information, np.nan)[:, None, None]
    return Influences(of_items, carried)


def expected_influences(counted: PairTables, thresholds: Floats, rho: Floats) -> tuple[Influences, PairTables]:
    """Return the influences by the expected information, as if two normal values fitted, and the expected tables."""
    inside = np.where(np.abs(rho) < 1.0, rho, 0.0)
    p = cell_probabilities(thresholds[counted.first], thresholds[counted.second], inside)
    n = counted.tables.sum(axis=(1, 2))[:, None, None]
    model = replace(counted, tables=np.where(p > _LEAST, p, 0.0) * n)
    return influences(model, thresholds, rho), model


def expected_variances(counted: PairTables, thresholds: Floats, rho: Floats) -> Floats:
    """Return the variances (P,) of correlations by the expected information."""
    of, model = expected_influences(counted, thresholds, rho)
    return of.variances(model)[1]


def covariance(codes: Codes, of: Influences, counted: PairTables, sizes: Integers) -> Floats:
    """Return the covariance (T + P, T + P) of thresholds, item by item, and correlations, one pass in blocks."""
    from scipy.linalg.blas import dsyrk

    n, k = codes.shape
    size = of.thresholds.shape[2]
    known = np.asarray(np.isfinite(of.correlations).all(axis=(1, 2)))
    flat = np.where(known[:, None, None], of.correlations, 0.0).ravel()
    offsets = (np.arange(len(known)) * size * size)[:, None]
    items = [of.thresholds[i, : max(sizes[i] - 1, 0)] for i in range(k)]
    n_thresholds = sum(len(part) for part in items)
    width = n_thresholds + len(known)
    made = np.zeros((width, width), order="F")
    step = max(1, _CELLS // width)
    for start in range(0, n, step):
        block = np.ascontiguousarray(codes[start : start + step].T).astype(np.int32)
        block[block < 0] = size - 1
        rows = np.empty((width, block.shape[1]))
        np.concatenate(
            [part[:, codes_of] for part, codes_of in zip(items, block, strict=True)], out=rows[:n_thresholds]
        )
        np.take(flat, block[counted.first] * size + block[counted.second] + offsets, out=rows[n_thresholds:])
        made = dsyrk(1.0, rows.T, beta=1.0, c=made, trans=1, overwrite_c=1)
    made = np.triu(made) + np.triu(made, 1).T
    lost = n_thresholds + np.flatnonzero(~known)
    made[lost], made[:, lost] = np.nan, np.nan
    return np.asarray(made)


def _crossed(weighted: Floats, own: Floats, other: Floats, rho: Floats) -> Floats:
    """Return cross-products (M, C − 1) of the scores of ρ, weighted (M, C, D), and of the own thresholds."""
    root = np.sqrt((1.0 - rho) * (1.0 + rho))[:, None, None]
    u = np.full((len(rho), own.shape[1], other.shape[1] + 2), INFINITE)
    u[..., 0] = -INFINITE
    u[..., 1:-1] = (other[:, None, :] - rho[:, None, None] * own[..., None]) / root
    turned = np.where(u[..., :-1] > 0, -1.0, 1.0)  # differences of small tails, not of numbers near one
    given = turned * (ndtr(turned * u[..., 1:]) - ndtr(turned * u[..., :-1]))
    given *= (np.exp(-0.5 * np.square(own)) / np.sqrt(2.0 * np.pi))[..., None]
    return np.asarray((given * (weighted[:, :-1] - weighted[:, 1:])).sum(axis=2))
