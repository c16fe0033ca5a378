"""The bivariate normal distribution at grids of thresholds, for many correlations at once.

Plackett: the derivative of the distribution by the correlation is the density, so that with r = sin θ

    Φ(a, b; ρ) = Φ(a)Φ(b) + (1/2π) ∫ exp(−(a² + b² − 2ab sin θ)/(2 cos² θ)) dθ,  θ from 0 to arcsin ρ,

by Gauss–Legendre.  Near |ρ| = 1 the integral from ρ to 1 is taken instead, of exp(−d²/2x²) h(x) over
x = √(1 − r²), d = a − b; the first terms of h are integrated exactly and the smooth rest by Gauss–Legendre
(after Drezner & Wesolowsky, 1990, and Genz, 2004).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ibic_fidelity.psychometrics._arguments import Floats

#: Stands for an infinite threshold, whose normal probability is 0 or 1 in double precision.
INFINITE = 40.0
#: Up to which |ρ| how many nodes make the integral from nought right to 5e-12; beyond, that from one is taken.
_TIERS = ((0.25, 4), (0.4, 5), (0.6, 7), (0.75, 9), (0.9, 13))
_NEAR_ONE_NODES = 16
_RULES = {nodes: np.polynomial.legendre.leggauss(nodes) for nodes in (4, 5, 7, 9, 13, 16)}


def distribution(a: Floats, b: Floats, rho: Floats) -> Floats:
    """Return Φ(a_i, b_j; ρ) (M, r, c) at thresholds a (M, r) and b (M, c) for correlations ρ (M,), |ρ| < 1."""
    made = np.empty((*a.shape, b.shape[-1]))
    size = np.abs(rho)
    below = 0.0
    for limit, nodes in _TIERS:
        at = np.flatnonzero((size >= below) & (size < limit))
        below = limit
        if at.size:
            made[at] = _from_nought(a[at], b[at], rho[at], nodes)
    at = np.flatnonzero(size >= below)
    if at.size:
        positive = rho[at, None] > 0
        turned = np.where(positive, b[at], -b[at])
        upper = _near_one(a[at], turned, size[at])
        made[at] = np.where(positive[..., None], upper, ndtr(a[at])[:, :, None] - upper)
    return made


def density(a: Floats, b: Floats, rho: Floats) -> tuple[Floats, Floats]:
    """Return the density (M, r, c) at the grids of thresholds and its derivative by ρ, as a ratio to it."""
    first, second = a[:, :, None], b[:, None, :]
    r = rho[:, None, None]
    unique = 1.0 - r * r
    product, squares = first * second, np.square(first) + np.square(second)
    value = np.exp((r * product - 0.5 * squares) / unique) / (2.0 * np.pi * np.sqrt(unique))
    slope = (r * unique + (1.0 + r * r) * product - r * squares) / np.square(unique)
    return value, slope


def _from_nought(a: Floats, b: Floats, rho: Floats, nodes: int) -> Floats:
    """Return Φ by the integral from ρ = 0."""
    points, weights = _RULES[nodes]
    half = 0.5 * np.arcsin(rho)
    product = a[:, :, None] * b[:, None, :]
    squares = 0.5 * (np.square(a)[:, :, None] + np.square(b)[:, None, :])
    total = np.zeros_like(product)
    for point, weight in zip(points, weights, strict=True):
        sine = np.sin(half * (1.0 + point))
        unique = 1.0 - sine * sine
        part = product * (sine / unique)[:, None, None]
        part -= squares * (1.0 / unique)[:, None, None]
        np.exp(part, out=part)
        part *= weight
        total += part
    total *= (half / (2.0 * np.pi))[:, None, None]
    total += ndtr(a)[:, :, None] * ndtr(b)[:, None, :]
    return np.asarray(total)


def _near_one(a: Floats, b: Floats, rho: Floats) -> Floats:
    """Return Φ by the integral to ρ = 1, for positive ρ."""
    first, second = a[:, :, None], b[:, None, :]
    apart, c = np.abs(first - second), np.maximum(first * second, -200.0)
    end = np.sqrt((1.0 - rho) * (1.0 + rho))[:, None, None]
    squared = np.square(apart)
    # h(x)/h(0) = 1 + h2 x² + h4 x⁴ + …
    h2, h4 = 0.5 - c / 8.0, 0.375 - c / 8.0 + c * c / 128.0
    with np.errstate(under="ignore"):
        at_end = np.exp(-0.5 * squared / np.square(end) - 0.5 * c)
        m0 = end * at_end - apart * np.sqrt(2.0 * np.pi) * ndtr(-apart / end) * np.exp(-0.5 * c)
        m2 = (end**3 * at_end - squared * m0) / 3.0
        m4 = (end**5 * at_end - squared * m2) / 5.0
        total = m0 + h2 * m2 + h4 * m4
        points, weights = _RULES[_NEAR_ONE_NODES]
        for point, weight in zip(points, weights, strict=True):
            x = 0.5 * end * (1.0 + point)
            x2 = x * x
            root = np.sqrt(1.0 - x2)
            kept = np.exp(-0.5 * squared / x2 - c / (1.0 + root)) / root
            kept -= np.exp(-0.5 * squared / x2 - 0.5 * c) * (1.0 + h2 * x2 + h4 * x2 * x2)
            total += 0.5 * weight * end * kept
    return np.asarray(ndtr(np.minimum(first, second)) - total / (2.0 * np.pi))
