"""Cells that a correlation makes next to impossible: their probabilities, where differences of the distribution fail.

A single answer far from the line on which all others lie decides the estimate near ±1; its cell can have a
probability of e⁻¹⁰⁰ there.  For a cell below the line, ∫ φ(z) [Φ(u₁) − Φ(u₀)] dz over its side falls off from the
corner next to the line, u = (b − ρz)/√(1 − ρ²), and Gauss–Legendre from there gives its logarithm.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, logsumexp

from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE

#: Probability below which an answered cell is looked at by itself.
SMALL = 1e-7
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(48)
#: Widths of the fall, exponential and normal, after which nothing is left.
_FALLS, _WIDTHS = 40.0, 9.0


def small_cells(tables: Floats, p: Floats) -> Booleans:
    """Return which cells (M, C, D) are answered and have next to no probability."""
    return np.asarray((tables > 0) & (p < SMALL))


def tail_terms(at: Booleans, first: Floats, second: Floats, rho: Floats) -> tuple[Floats, Floats, Floats]:
    """Return log p and the first and second derivatives of p by ρ over p, of the cells picked (q,)."""
    table, row, column = np.nonzero(at)
    ends = [
        np.concatenate([np.full((len(cuts), 1), -INFINITE), cuts, np.full((len(cuts), 1), INFINITE)], axis=1)
        for cuts in (first, second)
    ]
    r = rho[table]
    a = np.stack([ends[0][table, row], ends[0][table, row + 1]])
    b = np.stack([ends[1][table, column], ends[1][table, column + 1]])
    turned = r < 0  # reflect y, so that the line rises
    b = np.where(turned, -b[::-1], b)
    size = np.abs(r)
    above = b[0] - size * a[1] > size * a[0] - b[1]  # reflect both, so that the cell lies below the line
    a, b = np.where(above, -a[::-1], a), np.where(above, -b[::-1], b)
    log_p = _log_probability(a, b, size)
    by_rho, by_rho_twice = np.zeros((2, len(r)))
    for i, j in np.ndindex(2, 2):
        unique = (1.0 - size) * (1.0 + size)
        product, squares = a[i] * b[j], np.square(a[i]) + np.square(b[j])
        height = (size * product - 0.5 * squares) / unique - np.log(2.0 * np.pi * np.sqrt(unique))
        slope = (size * unique + (1.0 + size * size) * product - size * squares) / np.square(unique)
        with np.errstate(over="ignore"):
            part = (-1.0) ** (i + j) * np.exp(height - log_p)
        by_rho += part
        by_rho_twice += part * slope
    return log_p, np.where(turned, -by_rho, by_rho), by_rho_twice


def _log_probability(a: Floats, b: Floats, rho: Floats) -> Floats:
    """Return the logarithms of the probabilities (q,) of cells below the line, ends a and b (2, q)."""
    root = np.sqrt((1.0 - rho) * (1.0 + rho))
    rate = np.maximum(a[0] - rho * b[1], 1e-3) / np.square(root)
    length = np.minimum(np.minimum(a[1] - a[0], _WIDTHS * root), _FALLS / rate)
    z = a[0] + 0.5 * length * (1.0 + _POINTS[:, None])
    upper, lower = (log_ndtr((end - rho * z) / root) for end in (b[1], b[0]))
    with np.errstate(divide="ignore"):
        inside = upper + np.log1p(-np.exp(np.minimum(lower - upper, 0.0)))
        weights = np.log(0.5 * length) + np.log(_WEIGHTS)[:, None]
    return np.asarray(logsumexp(weights + inside - 0.5 * np.square(z), axis=0) - 0.5 * np.log(2.0 * np.pi))
