"""Extraction of factors from correlation matrices, many at once: minres, maximum likelihood, principal axis.

Minres and maximum likelihood are functions of the uniquenesses alone once the loadings are at their best; both are
minimised by Newton's method from the eigenvalues θ and eigenvectors ω of S − Ψ (minres) or of Ψ^(−½) S Ψ^(−½) (maximum
likelihood): Harman & Jones (1966), Psychometrika, 31, 351–368; Jöreskog (1967), Psychometrika, 32, 443–482; second
derivatives by Clarke (1970), British Journal of Mathematical and Statistical Psychology, 23, 43–52.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ibic_fidelity.psychometrics._arguments import Booleans, Floats

Extraction = Literal["minres", "ml", "principal-axis"]
EXTRACTIONS: tuple[Extraction, ...] = get_args(Extraction)
#: Uniquenesses are kept above this share of an item's variance; one that lies there is a Heywood case.
LOWEST = 0.005
#: Largest free component of the gradient at which a fit has converged, and how far replicates go.
EXACT, NEAR = 1e-11, 1e-6
_STEPS, _HALVINGS = 100, 25
#: Of the principal axis: change of a communality at which it has converged, and rounds allowed.
_SETTLED, _ROUNDS = 1e-10, 20_000
_RIDGE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """Unrotated loadings (B, k, m) by falling variance, uniquenesses (B, k), and which converged (B,)."""

    loadings: Floats
    uniquenesses: Floats
    converged: Booleans


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    value: Floats
    gradient: Floats
    theta: Floats
    omega: Floats
    left: Floats


def extract(
    matrices: Floats,
    m: int,
    method: Extraction,
    *,
    start: Floats | None = None,
    tolerance: float = EXACT,
) -> Extracted:
    """Return m factors of correlation matrices (B, k, k); for maximum likelihood none may be singular.

    The start, uniquenesses that broadcast to (B, k), is by default half the variance that the other items leave.
    """
    psi = _first(matrices, m) if start is None else np.array(np.broadcast_to(start, matrices.shape[:2]))
    if method == "principal-axis":
        return _principal_axis(matrices, m, psi)
    psi, converged = _newton(matrices, m, np.clip(psi, LOWEST, 1.0), tolerance, ml=method == "ml")
    return Extracted(_loadings(matrices, m, psi, ml=method == "ml"), psi, converged)


def _first(matrices: Floats, m: int) -> Floats:
    """Return uniquenesses to start from, by the squared multiple correlations."""
    k = matrices.shape[-1]
    with np.errstate(all="ignore"):
        left = 1.0 / np.diagonal(np.linalg.pinv(matrices, hermitian=True), axis1=-2, axis2=-1)
    return np.asarray(np.clip(np.nan_to_num(left, nan=0.5), 0.05, 1.0) * (1.0 - 0.5 * m / k))


def _newton(matrices: Floats, m: int, psi: Floats, tolerance: float, *, ml: bool) -> tuple[Floats, Booleans]:
    """Return uniquenesses (B, k) between the bounds where the discrepancy is least, and which are there."""
    low, high = (np.log(LOWEST), 0.0) if ml else (LOWEST, 1.0)
    made, converged = psi.copy(), np.zeros(len(psi), dtype=bool)
    x, s, at = (np.log(psi) if ml else psi.copy()), matrices, np.arange(len(psi))
    here = _point(s, x, m, ml=ml)
    for _ in range(_STEPS):
        bound = ((x <= low) & (here.gradient > 0)) | ((x >= high) & (here.gradient < 0))
        free = np.where(bound, 0.0, here.gradient)
        done = np.abs(free).max(axis=1) < tolerance
        step = _step(here, free, bound, m, ml=ml)
        x_new, there, moved = _descend(s, x, here, step, (low, high), m, ml=ml)
        ends = done | ~moved
        if ends.any():
            made[at[ends]] = np.exp(x[ends]) if ml else x[ends]
            # where rounding ends the descent, the gradient is as small as it can be
            converged[at[ends]] = done[ends] | (np.abs(free[ends]).max(axis=1) < 1e4 * tolerance)
        go = ~ends
        at, s, x = at[go], s[go], x_new[go]
        here = _Point(there.value[go], there.gradient[go], there.theta[go], there.omega[go], there.left[go])
        if not at.size:
            break
    made[at] = np.exp(x) if ml else x
    return made, converged


def _point(s: Floats, x: Floats, m: int, *, ml: bool) -> _Point:
    """Return the discrepancy at uniquenesses (ml: their logarithms) with its gradient and what they are made of."""
    k = s.shape[-1]
    if ml:
        root = np.exp(-0.5 * x)
        inner = root[:, :, None] * s * root[:, None, :]
    else:
        inner = s - x[:, :, None] * np.eye(k)
    theta, omega = np.linalg.eigh(inner)
    left = np.ones_like(theta)
    left[:, k - m :] = theta[:, k - m :] <= (1.0 if ml else 0.0)  # no real factor
    if ml:
        safe = np.maximum(theta, 1e-300)
        value = (left * (theta - np.log(safe) - 1.0)).sum(axis=1)
        slope = left * (1.0 - theta)
    else:
        value, slope = 0.5 * (left * theta**2).sum(axis=1), -left * theta
    gradient = (np.square(omega) @ slope[:, :, None])[:, :, 0]
    return _Point(value, gradient, theta, omega, left)


def _step(at: _Point, free: Floats, bound: Booleans, m: int, *, ml: bool) -> Floats:
    """Return the Newton step of the free uniquenesses; where it would not descend, that of the convex part."""
    k = bound.shape[1]
    g = (at.omega * at.left[:, None, :]) @ at.omega.swapaxes(-1, -2)
    small, large = at.omega[:, :, : k - m], at.omega[:, :, k - m :]
    products = (small[:, :, :, None] * large[:, :, None, :]).reshape(len(g), k, -1)
    a, b = at.theta[:, : k - m, None], at.theta[:, None, k - m :]
    kept = 1.0 - at.left[:, None, k - m :]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (a - 1.0) * (a + b) / (a - b) if ml else 2.0 * a / (a - b)
    weight = np.where((kept > 0) & np.isfinite(weight), weight * kept, 0.0).reshape(len(g), 1, -1)
    convex = g * g
    first = g * ((at.omega * (at.left * at.theta)[:, None, :]) @ at.omega.swapaxes(-1, -2)) if ml else convex
    hessian = first + (products * weight) @ products.swapaxes(-1, -2)
    step = _solve(hessian, free, bound)
    worse = ~((step * free).sum(axis=1) < 0)
    if worse.any():
        step[worse] = _solve(convex[worse], free[worse], bound[worse])
    return step


def _solve(hessian: Floats, free: Floats, bound: Booleans) -> Floats:
    k = free.shape[1]
    system = np.where(bound[:, :, None] | bound[:, None, :], 0.0, hessian)
    system[:, np.arange(k), np.arange(k)] += np.where(bound, 1.0, _RIDGE)
    return np.asarray(-np.linalg.solve(system, free[:, :, None])[:, :, 0])


def _descend(
    s: Floats, x: Floats, here: _Point, step: Floats, bounds: tuple[float, float], m: int, *, ml: bool
) -> tuple[Floats, _Point, Booleans]:
    """Return the point after a step within the bounds, halved until the discrepancy falls, and who moved."""
    step = step / np.maximum(1.0, np.abs(step).max(axis=1, keepdims=True) / (2.0 if ml else 0.5))
    new = np.clip(x + step, *bounds)
    there = _point(s, new, m, ml=ml)
    slack = 1e-15 * (1.0 + np.abs(here.value))
    worse, length = ~(there.value <= here.value + slack), 1.0
    for _ in range(_HALVINGS):
        if not worse.any():
            break
        length *= 0.5
        new[worse] = np.clip(x[worse] + length * step[worse], *bounds)
        again = _point(s[worse], new[worse], m, ml=ml)
        for name in ("value", "gradient", "theta", "omega", "left"):
            getattr(there, name)[worse] = getattr(again, name)
        worse = ~(there.value <= here.value + slack)
    return new, there, np.asarray(~worse & (new != x).any(axis=1))


def _loadings(matrices: Floats, m: int, psi: Floats, *, ml: bool) -> Floats:
    """Return the loadings (B, k, m) that go with uniquenesses, largest variance first."""
    k = psi.shape[1]
    there = _point(matrices, np.log(psi) if ml else psi, m, ml=ml)
    theta, omega = there.theta[:, : k - m - 1 : -1], there.omega[:, :, : k - m - 1 : -1]
    length = np.sqrt(np.maximum(theta - 1.0 if ml else theta, 0.0))
    made = omega * length[:, None, :]
    return np.asarray(np.sqrt(psi)[:, :, None] * made if ml else made)


def _principal_axis(matrices: Floats, m: int, psi: Floats) -> Extracted:
    """Return the factors of the matrices with communalities in the diagonal, repeated until these stand still."""
    psi, converged, k = psi.copy(), np.zeros(len(psi), dtype=bool), psi.shape[1]
    loadings = _loadings(matrices, m, psi, ml=False)
    open_ones = np.arange(len(psi))
    for _ in range(_ROUNDS):
        theta, omega = np.linalg.eigh(matrices[open_ones] - psi[open_ones][:, :, None] * np.eye(k))
        made = omega[:, :, : k - m - 1 : -1] * np.sqrt(np.maximum(theta[:, None, : k - m - 1 : -1], 0.0))
        new = 1.0 - np.square(made).sum(axis=2)
        done = np.abs(new - psi[open_ones]).max(axis=1) < _SETTLED
        loadings[open_ones], psi[open_ones], converged[open_ones] = made, new, done
        open_ones = open_ones[~done]
        if not open_ones.size:
            break
    return Extracted(loadings, psi, converged)
