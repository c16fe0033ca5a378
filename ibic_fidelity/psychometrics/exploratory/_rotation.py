"""Rotation by gradient projection, many starts at once.

Jennrich (2001), Psychometrika, 66, 289–306 (orthogonal: L = AT); Jennrich (2002), Psychometrika, 67, 7–19 (oblique:
L = A(T')⁻¹ with columns of T of length one, Φ = T'T).  Criteria: quartimin (oblimin with γ = 0), Jennrich & Sampson
(1966), Psychometrika, 31, 313–323; varimax, Kaiser (1958), Psychometrika, 23, 187–200; geomin, Yates (1987),
Multivariate exploratory data analysis; bifactor (quartimin of all factors but the first), Jennrich & Bentler (2011),
Psychometrika, 76, 537–549, and its oblique form, biquartimin, Jennrich & Bentler (2012), Psychometrika, 77, 442–454.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ibic_fidelity.psychometrics._arguments import Booleans, Floats

Rotation = Literal["oblimin", "varimax", "promax", "geomin", "bifactor", "biquartimin"]
ROTATIONS: tuple[Rotation, ...] = get_args(Rotation)
OBLIQUE = frozenset({"oblimin", "promax", "geomin", "biquartimin"})
#: Rotations whose first factor is general and stays first.
GENERAL = frozenset({"bifactor", "biquartimin"})
#: Length of the projected gradient at which a rotation has converged.
EXACT, NEAR = 1e-7, 1e-4
_ROUNDS, _HALVINGS = 3000, 15
#: Tells apart factors that have become one.
_RIDGE = 1e-12
#: Starts whose criterion is this near the least one, relative to it, have reached it.
ALIKE = 1e-6
#: What geomin adds to each squared loading.
GEOMIN = 0.01

Criterion = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """Rotations (B, k, m), factor correlations (B, m, m), transformations T, the criterion and which converged."""

    loadings: Floats
    phi: Floats
    transformation: Floats
    value: Floats
    converged: Booleans


def rotate(
    loadings: Floats, rotation: Rotation, starts: Floats, *, tolerance: float = EXACT, rounds: int = _ROUNDS
) -> Rotated:
    """Return rotations of loadings (B or 1, k, m) from starts (B, m, m), one a start."""
    criterion, oblique = _CRITERIA[rotation], rotation in OBLIQUE
    whole = np.broadcast_to(loadings, (len(starts), *loadings.shape[1:]))
    a, weights = whole, None
    if rotation == "varimax":  # Kaiser's normalisation
        weights = np.sqrt(np.square(whole).sum(axis=2, keepdims=True))
        a = whole / np.where(weights > 0, weights, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # where factors have become one
        t, value, converged = _project(a, starts.copy(), criterion, tolerance, rounds, oblique=oblique)
    made = whole @ _inverse(t).swapaxes(-1, -2) if oblique else whole @ t
    phi = t.swapaxes(-1, -2) @ t if oblique else np.broadcast_to(np.eye(t.shape[-1]), t.shape)
    return Rotated(made, np.asarray(phi), t, value, converged)


def random_starts(m: int, n: int, rng: np.random.Generator) -> Floats:
    """Return n orthogonal matrices (n, m, m), the first one the identity, the others drawn evenly."""
    made = np.empty((n, m, m))
    made[0] = np.eye(m)
    if n > 1:
        q, r = np.linalg.qr(rng.standard_normal((n - 1, m, m)))
        made[1:] = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[:, None, :]
    return made


def best_of(made: Rotated) -> tuple[int, int]:
    """Return which start gave the least criterion among those that converged, and how many reached it."""
    value = np.where(made.converged, made.value, np.inf)
    if not made.converged.any():
        value = made.value
    best = int(np.argmin(value))
    return best, int((value <= value[best] + ALIKE * max(abs(float(value[best])), 1e-3)).sum())


def _project(
    a: Floats, t: Floats, criterion: Criterion, tolerance: float, rounds: int, *, oblique: bool
) -> tuple[Floats, Floats, Booleans]:
    """Return transformations, criteria and which converged, by gradient projection with halved steps."""
    made, values, converged = t.copy(), np.empty(len(t)), np.zeros(len(t), dtype=bool)
    at, length = np.arange(len(t)), np.ones(len(t))
    value, gradient = _slope(a, t, criterion, oblique=oblique)
    for _ in range(rounds):
        direction = _projected(t, gradient, oblique=oblique)
        size = np.sqrt(np.square(direction).sum(axis=(1, 2)))
        done = size < tolerance
        if done.any():
            made[at[done]], values[at[done]], converged[at[done]] = t[done], value[done], True
            go = ~done
            at, a, t, value, length = at[go], a[go], t[go], value[go], length[go]
            direction, size = direction[go], size[go]
            if not at.size:
                return made, values, converged
        length *= 2.0
        new = _back(t - length[:, None, None] * direction, oblique=oblique)
        new_value, gradient = _slope(a, new, criterion, oblique=oblique)
        for _halving in range(_HALVINGS):
            worse = ~(value - new_value > 0.5 * size**2 * length - 1e-15 * (1.0 + np.abs(value)))
            if not worse.any():
                break
            length[worse] *= 0.5
            new[worse] = _back(t[worse] - length[worse, None, None] * direction[worse], oblique=oblique)
            new_value[worse], gradient[worse] = _slope(a[worse], new[worse], criterion, oblique=oblique)
        t, value = new, new_value
    made[at], values[at] = t, value
    return made, values, converged


def _slope(a: Floats, t: Floats, criterion: Criterion, *, oblique: bool) -> tuple[Floats, Floats]:
    """Return the criterion (B,) and its derivatives by T (B, m, m)."""
    if not oblique:
        value, by = criterion(a @ t)
        return value, a.swapaxes(-1, -2) @ by
    inverse = _inverse(t)
    loadings = a @ inverse.swapaxes(-1, -2)
    value, by = criterion(loadings)
    return value, -(loadings.swapaxes(-1, -2) @ by @ inverse).swapaxes(-1, -2)


def _inverse(t: Floats) -> Floats:
    """Return the inverse (B, m, m); where factors have become one, loadings without bound, which no step keeps."""
    try:
        return np.asarray(np.linalg.inv(t))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.inv(t + _RIDGE * np.eye(t.shape[-1])))


def _projected(t: Floats, gradient: Floats, *, oblique: bool) -> Floats:
    if oblique:
        return np.asarray(gradient - t * (t * gradient).sum(axis=1, keepdims=True))
    inner = t.swapaxes(-1, -2) @ gradient
    return np.asarray(gradient - t @ (0.5 * (inner + inner.swapaxes(-1, -2))))


def _back(x: Floats, *, oblique: bool) -> Floats:
    """Return the transformation that is next to a matrix."""
    if oblique:
        x = x / np.abs(x).max(axis=1, keepdims=True)  # steps away from a singular place are as long as can be
        return np.asarray(x / np.sqrt(np.square(x).sum(axis=1, keepdims=True)))
    u, _, v = np.linalg.svd(x)
    return np.asarray(u @ v)


def _quartimin(loadings: Floats) -> tuple[Floats, Floats]:
    squares = np.square(loadings)
    others = squares.sum(axis=2, keepdims=True) - squares
    return 0.25 * (squares * others).sum(axis=(1, 2)), loadings * others


def _varimax(loadings: Floats) -> tuple[Floats, Floats]:
    squares = np.square(loadings)
    away = squares - squares.mean(axis=1, keepdims=True)
    return -0.25 * np.square(away).sum(axis=(1, 2)), -loadings * away


def _geomin(loadings: Floats) -> tuple[Floats, Floats]:
    squares = np.square(loadings) + GEOMIN
    product = np.exp(np.log(squares).mean(axis=2, keepdims=True))
    return product.sum(axis=(1, 2)), 2.0 / loadings.shape[2] * loadings / squares * product


def _of_group_factors(loadings: Floats) -> tuple[Floats, Floats]:
    value, by = _quartimin(loadings[:, :, 1:])
    return value, np.concatenate([np.zeros_like(loadings[:, :, :1]), by], axis=2)


_CRITERIA: dict[str, Criterion] = {
    "oblimin": _quartimin,
    "varimax": _varimax,
    "geomin": _geomin,
    "bifactor": _of_group_factors,
    "biquartimin": _of_group_factors,
}
