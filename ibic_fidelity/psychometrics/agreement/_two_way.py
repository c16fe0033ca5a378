"""Kernel of raters' severity: additive two-way least squares with holes, and its clustered (CR2) variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers

#: Eigenvalues below this share of the largest are nought.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """Raters' effects (r,), their covariance (r, r) and degrees of freedom (r,), and the test that all are equal."""

    effects: Floats
    covariance: Floats
    df: Floats
    f: float
    df1: float
    df2: float
    p_value: float


def two_way(cells: Floats, clusters: Integers | None) -> TwoWay:
    """Return raters' effects of a table (n, r) with holes, over units with two ratings or more."""
    known = ~np.isnan(cells)
    m = known.sum(axis=1, keepdims=True)
    centred = np.where(known, cells, 0.0)
    centred = np.where(known, centred - centred.sum(axis=1, keepdims=True) / m, 0.0)
    normal = _normal(known.astype(np.float64))
    values, vectors = np.linalg.eigh(normal)
    real = values > _ROUNDING * values.max()
    basis = vectors[:, real]
    root = (basis / np.sqrt(values[real])) @ basis.T
    effects = root @ root @ centred.sum(axis=0)
    fitted = np.where(known, effects - (known @ effects)[:, np.newaxis] / m, 0.0)
    tables, of_part, sums = _patterns(known, centred - fitted, clusters)
    weight = root @ tables @ root
    adjusted = _adjusted(weight)
    scores = ((sums @ root)[:, np.newaxis, :] @ adjusted[of_part])[:, 0]
    covariance = root @ (scores.T @ scores) @ root
    df = _degrees_of_freedom(weight, adjusted @ root, np.bincount(of_part))
    return TwoWay(effects, covariance, df, *_equality(effects, covariance, basis, df))


def connected_sets(known: Booleans) -> Integers:
    """Return to which set each rater (r,) belongs; raters of one set are linked by units that both rated."""
    linked = known.T.astype(np.float64) @ known > 0
    of_rater = np.arange(known.shape[1], dtype=np.int64)
    for _ in range(known.shape[1]):
        of_rater = np.minimum(np.where(linked, of_rater, known.shape[1]).min(axis=1), of_rater)
    return of_rater


def _normal(known: Floats) -> Floats:
    """Return the normal matrix of the raters, units taken out (r, r)."""
    return np.asarray(np.diag(known.sum(axis=0)) - (known / known.sum(axis=1, keepdims=True)).T @ known)


def _patterns(known: Booleans, left: Floats, clusters: Integers | None) -> tuple[Floats, Integers, Floats]:
    """Return normal matrices of the patterns of ratings (P, r, r), each cluster's pattern, and its residuals."""
    if clusters is None:
        patterns, of_part = np.unique(known, axis=0, return_inverse=True)
        return (
            np.stack([_normal(pattern[np.newaxis].astype(np.float64)) for pattern in patterns]),
            of_part.ravel(),
            left,
        )
    of_part = np.arange(int(clusters.max()) + 1)
    tables = np.stack([_normal(known[clusters == cluster].astype(np.float64)) for cluster in of_part])
    return tables, of_part, np.stack([left[clusters == cluster].sum(axis=0) for cluster in of_part])


def _adjusted(weight: Floats) -> Floats:
    """Return (I − K)^(−1/2) of CR2 (…, r, r), nought where a cluster alone holds raters together."""
    values, vectors = np.linalg.eigh(weight)
    room = 1.0 - values
    factor = np.where(room > _ROUNDING, 1.0 / np.sqrt(np.maximum(room, _ROUNDING)), 0.0)
    return np.asarray((vectors * factor[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2))


def _degrees_of_freedom(weight: Floats, adjusted: Floats, times: Integers) -> Floats:
    """Return Bell and McCaffrey's degrees of freedom of each rater's variance (r,)."""
    fitted = weight @ adjusted
    own, lost = (adjusted * fitted).sum(axis=1), np.square(fitted).sum(axis=1)
    by_rater = fitted.transpose(2, 1, 0)
    outer = (by_rater * times) @ by_rater.transpose(0, 2, 1)
    squares = times @ (np.square(own) - 2.0 * own * lost) + np.square(outer).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(squares > _ROUNDING**2, np.square(times @ (own - lost)) / squares, math.nan))


def _equality(effects: Floats, covariance: Floats, basis: Floats, df: Floats) -> tuple[float, float, float, float]:
    """Return F, its degrees of freedom and p of the hypothesis that raters do not differ (Hotelling's T²)."""
    q = basis.shape[1]
    inside = basis.T @ covariance @ basis
    spread = np.linalg.eigvalsh(inside)
    nu = float(np.nanmean(df)) if np.isfinite(df).any() else 0.0
    df2 = nu - q + 1.0
    if df2 <= _ROUNDING or spread.min() <= _ROUNDING * max(spread.max(), _ROUNDING):
        return math.nan, float(q), math.nan, math.nan
    wald = float(basis.T @ effects @ np.linalg.solve(inside, basis.T @ effects))
    f = wald * df2 / (q * nu)
    return f, float(q), df2, float(fdtrc(q, df2, f))
