"""The one-factor model by normal-theory maximum likelihood, many matrices at once.

Symbols as in Lawley & Maxwell (1971), Factor analysis as a statistical method: Σ = λλ' + Ψ, W = Σ⁻¹.  With
u = Ψ⁻¹λ and g = λ'u the Sherman–Morrison formula gives W = Ψ⁻¹ − uu'/(1 + g), so that nothing but one vector
product with S is needed for discrepancy and gradient.  The expected information of λ inverts in closed form;
what is left for Ψ is the element-wise square of Ψ⁻¹ − uu'/g.  Uniquenesses may become negative (Heywood).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ibic_fidelity.psychometrics._arguments import Booleans, Floats

#: Fisher steps allowed, and halvings of one step.
_STEPS, _HALVINGS = 200, 12
#: Predicted decrease of the discrepancy at which a fit has converged: parameters are right to about 1e-9.
EXACT = 1e-19
#: Lets a singular system be solved; it bends the path and not where it ends.
_RIDGE = 1e-11
#: Steps with the Hessian of the whole sample, before a replicate is fitted by itself.
_CHORDS = 12
#: Fisher steps allowed to a replicate that is fitted by itself.
_REPLICATE_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class OneFactor:
    """Fits: loadings and uniquenesses (B, k), discrepancy F (B,) without log|S| + k, and which converged."""

    loadings: Floats
    uniquenesses: Floats
    discrepancy: Floats
    converged: Booleans


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    u: Floats
    g: Floats
    s: Floats
    quad: Floats
    value: Floats


def fit_one_factor(
    matrices: Floats,
    start: tuple[Floats, Floats] | None = None,
    *,
    tolerance: float = EXACT,
    steps: int = _STEPS,
) -> OneFactor:
    """Return the fits of correlation matrices (B, k, k) that are not singular, by Fisher scoring.

    The start, loadings and uniquenesses that broadcast to (B, k), is by default the principal factor of each
    matrix.  A step is halved until the discrepancy falls.
    """
    size, k = matrices.shape[:2]
    begin = _principal_factor(matrices) if start is None else start
    loadings, uniquenesses = (np.array(np.broadcast_to(part, (size, k)), dtype=np.float64) for part in begin)
    value, converged = np.empty(size), np.zeros(size, dtype=bool)
    at = np.arange(size)
    s, x, y = matrices, loadings.copy(), uniquenesses.copy()
    with np.errstate(all="ignore"):
        here = _point(s, x, y)
        for _ in range(steps):
            dx, dy, decrease = _step(here, x, y)
            x, y, here, moved = _descend(s, x, y, here, dx, dy)
            done = (np.abs(decrease) < tolerance) & np.isfinite(here.value)
            done |= ~moved & (np.abs(decrease) < 1e3 * tolerance)
            ends = done | ~moved
            if ends.any():
                loadings[at], uniquenesses[at], value[at] = x, y, here.value
                converged[at] |= done
                go = ~ends
                at, s, x, y = at[go], s[go], x[go], y[go]
                here = _Point(here.u[go], here.g[go], here.s[go], here.quad[go], here.value[go])
            if not at.size:
                break
        loadings[at], uniquenesses[at], value[at] = x, y, here.value
    return OneFactor(_oriented(loadings), uniquenesses, value, converged)


def refit_one_factor(matrices: Floats, centre: OneFactor, inverse: Floats, *, tolerance: float) -> OneFactor:
    """Return the fits of replicates (B, k, k) of a matrix whose fit and inverse Hessian (2k, 2k) are given.

    Newton steps with the Hessian of the whole sample, a product for all replicates at once; replicates that
    do not settle by them are fitted by themselves.
    """
    k = matrices.shape[-1]
    x, y = (np.repeat(part, len(matrices), axis=0) for part in (centre.loadings, centre.uniquenesses))
    with np.errstate(all="ignore"):
        for _ in range(_CHORDS):
            at = _point(matrices, x, y)
            by = np.concatenate(_gradient(at, x, y), axis=1)
            step = by @ inverse
            decrease = (by * step).sum(axis=1)
            if not (np.abs(decrease) >= tolerance).any():
                break
            x, y = x - step[:, :k], y - step[:, k:]
        good = (decrease >= 0) & (decrease < tolerance) & np.isfinite(at.value)
    value, converged = at.value.copy(), good.copy()
    rest = np.flatnonzero(~good)
    if rest.size:
        again = fit_one_factor(matrices[rest], tolerance=tolerance, steps=_REPLICATE_STEPS)
        x[rest], y[rest] = again.loadings, again.uniquenesses
        value[rest], converged[rest] = again.discrepancy, again.converged
    return OneFactor(_oriented(x), y, value, converged)


def observed_information(loadings: Floats, uniquenesses: Floats, matrices: Floats) -> Floats:
    """Return the Hessian of F (B, 2k, 2k), loadings first."""
    k = loadings.shape[-1]
    w = inverse_times(loadings, uniquenesses, np.broadcast_to(np.eye(k), (*loadings.shape[:-1], k, k)))
    e = w @ matrices @ w
    v, q = (w @ loadings[..., None])[..., 0], (e @ loadings[..., None])[..., 0]
    c, d = ((loadings * z).sum(axis=-1)[..., None, None] for z in (v, q))
    crossed = v[..., :, None] * q[..., None, :]
    outer = v[..., :, None] * v[..., None, :]
    made = np.empty((*loadings.shape[:-1], 2 * k, 2 * k))
    made[..., :k, :k] = 2.0 * ((d - c + 1.0) * w - outer + crossed + crossed.swapaxes(-1, -2) + (c - 1.0) * e)
    made[..., k:, k:] = w * (2.0 * e - w)
    mixed = 2.0 * (w * (q - v)[..., None, :] + e * v[..., None, :])
    made[..., :k, k:], made[..., k:, :k] = mixed, mixed.swapaxes(-1, -2)
    return made


def inverse_information(
    loadings: Floats, uniquenesses: Floats, by_loading: Floats, by_uniqueness: Floats
) -> tuple[Floats, Floats]:
    """Return the inverse expected information (of F) times a vector, in its two parts (B, k) each."""
    with np.errstate(all="ignore"):
        u, g = loadings / uniquenesses, (loadings**2 / uniquenesses).sum(axis=-1, keepdims=True)
        return _solve(loadings, uniquenesses, u, g, by_loading, by_uniqueness)


def inverse_times(loadings: Floats, uniquenesses: Floats, rows: Floats) -> Floats:
    """Return W x for rows x (B, n, k) of each fit (B, k)."""
    u = loadings / uniquenesses
    g = (loadings * u).sum(axis=-1)[..., None, None]
    return np.asarray(rows / uniquenesses[..., None, :] - (rows @ u[..., None]) * u[..., None, :] / (1.0 + g))


def _oriented(loadings: Floats) -> Floats:
    return np.asarray(loadings * np.where(loadings.sum(axis=1, keepdims=True) < 0, -1.0, 1.0))


def _principal_factor(matrices: Floats) -> tuple[Floats, Floats]:
    """Return loadings and uniquenesses from half the squared multiple correlations."""
    residual = 1.0 / np.diagonal(np.linalg.inv(matrices), axis1=-2, axis2=-1)
    uniquenesses = np.clip(residual, 0.05, 0.95) * (1.0 - 0.5 / matrices.shape[-1])
    root = np.sqrt(uniquenesses)
    values, vectors = np.linalg.eigh(matrices / (root[..., :, None] * root[..., None, :]))
    length = np.sqrt(np.maximum(values[..., -1:] - 1.0, 0.05))
    return root * vectors[..., -1] * length, uniquenesses


def _point(s: Floats, x: Floats, y: Floats) -> _Point:
    """Return the discrepancy log|Σ| + tr(SΣ⁻¹) and its parts; infinite where Σ is not positive definite."""
    u = x / y
    g = (x * u).sum(axis=-1)
    product = (s @ u[..., None])[..., 0]
    quad = (u * product).sum(axis=-1)
    sign = np.where((y < 0).any(axis=-1), -1.0, 1.0)
    inside = ((y < 0).sum(axis=-1) <= 1) & (sign * (1.0 + g) > 0)
    value = np.log(np.abs(y)).sum(axis=-1) + np.log(np.abs(1.0 + g)) + (1.0 / y).sum(axis=-1) - quad / (1.0 + g)
    return _Point(u, g, product, quad, np.where(inside & np.isfinite(value), value, np.inf))


def _step(at: _Point, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the Fisher step and the decrease that it predicts."""
    by_x, by_y = _gradient(at, x, y)
    dx, dy = _solve(x, y, at.u, at.g[:, None], -by_x, -by_y)
    return dx, dy, -(by_x * dx + by_y * dy).sum(axis=-1)


def _gradient(at: _Point, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the derivatives of F by loadings and uniquenesses, 2(W − WSW)λ and the diagonal of W − WSW."""
    a, quad = 1.0 / (1.0 + at.g)[:, None], at.quad[:, None]
    by_x = 2.0 * a * (at.u - at.s / y + a * at.u * quad)
    by_y = 1.0 / y - a * at.u**2 - 1.0 / y**2 + 2.0 * a * at.u * at.s / y - (a * at.u) ** 2 * quad
    return by_x, by_y


def _solve(x: Floats, y: Floats, u: Floats, g: Floats, by_x: Floats, by_y: Floats) -> tuple[Floats, Floats]:
    """Solve the expected information for (by_x, by_y), Ψ by elimination of λ."""
    a = 1.0 / (1.0 + g)
    v, c = a * u, g * a

    def of_loadings(z: Floats) -> Floats:
        inner = (x * z).sum(axis=-1, keepdims=True)
        return np.asarray(0.5 * (y * z / c + x * inner * (1.0 / c - 0.5 / c**2)))

    def inverse(z: Floats) -> Floats:
        return np.asarray(z / y - a * u * (u * z).sum(axis=-1, keepdims=True))

    left = by_y - 2.0 * v * inverse(of_loadings(by_x))
    k = x.shape[-1]
    # in units of the uniquenesses; a fit that has run away must not stop the others
    system = -(u / g)[..., :, None] * u[..., None, :]
    system[..., np.arange(k), np.arange(k)] += 1.0 / y
    system *= system
    system *= y[..., :, None] * y[..., None, :]
    system[..., np.arange(k), np.arange(k)] += _RIDGE
    right = y * left
    bad = ~(np.isfinite(system).all(axis=(-2, -1)) & np.isfinite(right).all(axis=-1))
    if bad.any():
        system[bad], right[bad] = np.eye(k), np.nan
    dy = y * np.linalg.solve(system, right[..., None])[..., 0]
    return of_loadings(by_x - 2.0 * inverse(v * dy)), dy


def _descend(
    s: Floats, x: Floats, y: Floats, here: _Point, dx: Floats, dy: Floats
) -> tuple[Floats, Floats, _Point, Booleans]:
    """Return the point after a step that is halved until the discrepancy falls, and who moved."""
    new_x, new_y = x + dx, y + dy
    there = _point(s, new_x, new_y)
    slack = 1e-13 * (1.0 + np.abs(here.value))
    worse = ~(there.value <= here.value + slack)
    length = 1.0
    for _ in range(_HALVINGS):
        if not worse.any():
            break
        length *= 0.5
        new_x[worse] = x[worse] + length * dx[worse]
        new_y[worse] = y[worse] + length * dy[worse]
        again = _point(s[worse], new_x[worse], new_y[worse])
        for name in ("u", "g", "s", "quad", "value"):
            getattr(there, name)[worse] = getattr(again, name)
        worse = ~(there.value <= here.value + slack)
    if worse.any():
        new_x[worse], new_y[worse] = x[worse], y[worse]
        for name in ("u", "g", "s", "quad", "value"):
            getattr(there, name)[worse] = getattr(here, name)[worse]
    return new_x, new_y, there, ~worse
