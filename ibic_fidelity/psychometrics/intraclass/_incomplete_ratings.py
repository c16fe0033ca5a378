"""Ratings with holes: sums by targets with equally many ratings, from which every likelihood follows.

Targets are eliminated in closed form, so that one evaluation costs a system of the size of the raters.  All
arrays have replicates or studies as leading axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ibic_fidelity.psychometrics._arguments import Booleans, Floats, Integers
from ibic_fidelity.psychometrics.intraclass._mean_squares import ExpectedSquares

#: Bounds of the logarithm of a variance ratio; at the lower one it is compared with 0.
_LEAST, _MOST = -16.0, 16.0
_STEP = 1e-3
_ITERATIONS = 80
#: Halvings that take a bracket of a variance ratio to the spacing of float64.
_HALVINGS = 100


@dataclass(frozen=True, slots=True, eq=False)
class RatingSums:
    """What the likelihood of ratings with holes depends on, by the number s of ratings of a target.

    Attributes
    ----------
    sizes : array (S,)
        The numbers of ratings that targets have, without 0.
    targets : array (…, S)
        Targets of each size.
    rater_counts : array (…, k)
        Ratings of each rater.
    pairs : array (…, S, k, k)
        Targets of each size that two raters share.
    rater_sums : array (…, k)
        Sum of the ratings of each rater.
    shared_sums : array (…, S, k)
        Sum over a rater's targets of the targets' sums.
    squares : array (…)
        Sum of squared ratings.
    target_squares : array (…, S)
        Sum of squared sums of targets.
    """

    sizes: Integers
    targets: Floats
    rater_counts: Floats
    pairs: Floats
    rater_sums: Floats
    shared_sums: Floats
    squares: Floats
    target_squares: Floats

    @classmethod
    def of(cls, cells: Floats, counts: Floats | None = None) -> RatingSums:
        """Return the sums of cells (…, n, k), each target counted `counts` (…, n) times, NaN for a hole."""
        known = ~np.isnan(cells)
        k = cells.shape[-1]
        number = known.sum(axis=-1)
        mean = np.nanmean(cells, axis=(-2, -1), keepdims=True)
        mask, values = known.astype(np.float64), np.where(known, cells - mean, 0.0)
        sums = values.sum(axis=-1, keepdims=True)
        outer = (mask[..., :, np.newaxis] * mask[..., np.newaxis, :]).reshape(*cells.shape[:-1], k * k)
        parts = (mask, values, np.square(values).sum(axis=-1, keepdims=True), outer, mask * sums, np.square(sums))
        features = np.concatenate([*parts, np.ones_like(sums)], axis=-1)
        edges = np.cumsum([0, k, k, 1, k * k, k, 1, 1])
        times = np.ones(number.shape) if counts is None else counts
        sizes = np.array([size for size in np.unique(number) if size > 0])
        if cells.ndim == 2:
            of_size = [times[..., number == s] @ features[number == s] for s in sizes]
        else:
            of_size = [np.matmul((times * (number == s))[..., np.newaxis, :], features)[..., 0, :] for s in sizes]
        added = np.stack(of_size, axis=-2)
        cut = [added[..., low:high] for low, high in pairwise(edges)]
        return cls(
            sizes=sizes,
            targets=cut[6][..., 0],
            rater_counts=cut[0].sum(axis=-2),
            pairs=cut[3].reshape(*added.shape[:-1], k, k),
            rater_sums=cut[1].sum(axis=-2),
            shared_sums=cut[4],
            squares=cut[2][..., 0].sum(axis=-1),
            target_squares=cut[5][..., 0],
        )

    @property
    def n(self) -> Floats:
        """Return the targets (…,)."""
        return np.asarray(self.targets.sum(axis=-1))

    @property
    def n_ratings(self) -> Floats:
        """Return the ratings (…,)."""
        return np.asarray(self.targets @ self.sizes)

    @property
    def n_raters(self) -> Floats:
        """Return the raters with a rating (…,)."""
        return np.asarray((self.rater_counts > 0).sum(axis=-1).astype(np.float64))

    @property
    def ratings_per_target(self) -> Floats:
        """Return the harmonic mean of the ratings a target (…,)."""
        return np.asarray(self.n / (self.targets / self.sizes).sum(axis=-1))

    def some(self, at: Booleans) -> RatingSums:
        """Return some of the replicates (…,)."""
        of_each = (
            self.targets, self.rater_counts, self.pairs, self.rater_sums, self.shared_sums, self.squares,
            self.target_squares,
        )  # fmt: skip
        return RatingSums(self.sizes, *(part[at] for part in of_each))

    def weighed(self, ratio: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return A (…, k, k), b (…, k), c and log|V| (…): the quadratic forms in the inverse of V.

        V = I + θZZ' has blocks of the targets, for targets' over residual variance θ (…,).
        """
        theta = np.asarray(ratio)[..., np.newaxis]
        with np.errstate(invalid="ignore"):
            taken = np.where(np.isinf(theta), 1.0 / self.sizes, theta / (1.0 + self.sizes * theta))
        matrix = -np.einsum("...s,...sij->...ij", taken, self.pairs)
        index = np.arange(matrix.shape[-1])
        matrix[..., index, index] += self.rater_counts
        vector = self.rater_sums - np.einsum("...s,...si->...i", taken, self.shared_sums)
        constant = self.squares - (taken * self.target_squares).sum(axis=-1)
        with np.errstate(invalid="ignore"):
            log_size = (self.targets * np.log1p(self.sizes * theta)).sum(axis=-1)
        return matrix, vector, constant, log_size

    def residual_squares(self, ratio: Floats, *, raters: bool) -> Floats:
        """Return the weighted sum of squares (…,) left by fixed raters, or by a common mean."""
        matrix, vector, constant, _ = self.weighed(ratio)
        if raters:
            index = np.arange(matrix.shape[-1])
            if np.isinf(ratio).any():
                fitted = np.asarray(np.linalg.pinv(matrix, hermitian=True) @ vector[..., np.newaxis])
            else:
                matrix[..., index, index] += self.rater_counts == 0.0  # a rater without a rating in a replicate
                fitted = np.asarray(np.linalg.solve(matrix, vector[..., np.newaxis]))
            return np.asarray(constant - (vector * fitted[..., 0]).sum(axis=-1))
        return np.asarray(constant - np.square(vector.sum(axis=-1)) / matrix.sum(axis=(-2, -1)))

    def within_targets(self) -> Floats:
        """Return the sum of squares within targets (…,)."""
        return np.asarray(self.squares - (self.target_squares / self.sizes).sum(axis=-1))

    def criterion(self, ratio: Floats, of_raters: Floats) -> Floats:
        """Return −2 times the restricted log-likelihood (…,), but for the constant, with σ² profiled out."""
        return self._fitted(ratio, of_raters)[0]

    def _fitted(self, ratio: Floats, of_raters: Floats) -> tuple[Floats, Floats]:
        """Return the criterion and the residual variance (…,) at variance ratios of targets and raters (…,)."""
        matrix, vector, constant, log_size = self.weighed(ratio)
        share = np.asarray(of_raters)[..., np.newaxis, np.newaxis]
        row = matrix.sum(axis=-1)
        system = np.eye(matrix.shape[-1]) + share * matrix
        solved = np.linalg.solve(system, np.stack([row, vector], axis=-1))
        with_row = share[..., 0] * (row[..., np.newaxis] * solved).sum(axis=-2)
        xx, xy = row.sum(axis=-1) - with_row[..., 0], vector.sum(axis=-1) - with_row[..., 1]
        yy = constant - share[..., 0, 0] * (vector * solved[..., 1]).sum(axis=-1)
        df = self.n_ratings - 1.0
        variance = (yy - np.square(xy) / xx) / df
        with np.errstate(divide="ignore", invalid="ignore"):
            value = df * np.log(variance) + log_size + np.linalg.slogdet(system)[1] + np.log(xx)
        return value + df * (1.0 + math.log(2.0 * math.pi)), variance


def reml(sums: RatingSums, *, raters: bool) -> tuple[Floats, Floats, Floats]:
    """Return the variances (…,) of targets, raters (0 without them) and residual by REML.

    Newton's method in the logarithms of the variance ratios with a damping of its own for each replicate;
    at the lower end a ratio is put to 0 where the criterion does not rise by it.
    """
    shape = sums.squares.shape
    free = 2 if raters else 1
    at = np.full((*shape, 2), -1.0)
    damping = np.full(shape, 1e-2)
    open_ = np.ones(shape, dtype=bool)
    for _ in range(_ITERATIONS):
        some = sums.some(open_)
        here, held = at[open_], damping[open_]
        value, slope, bend = _derivatives(some, here, free)
        step = _newton(slope, bend, held)
        there = here.copy()
        there[..., :free] = np.clip(here[..., :free] + step, _LEAST, _MOST)
        better = _at(some, there, free) <= value
        damping[open_] = np.where(better, np.maximum(held / 10.0, 1e-8), held * 10.0)
        at[open_] = np.where(better[..., np.newaxis], there, here)
        moved = np.abs(there - here).max(axis=-1)
        open_[open_] = ~((better & (moved < 1e-7)) | (held > 1e10))
        if not open_.any():
            break
    return _components(sums, at, free)


def _at(sums: RatingSums, logs: Floats, free: int) -> Floats:
    ratios = np.exp(logs)
    return sums.criterion(ratios[..., 0], ratios[..., 1] if free > 1 else np.zeros(logs.shape[:-1]))


def _derivatives(sums: RatingSums, at: Floats, free: int) -> tuple[Floats, Floats, Floats]:
    """Return the criterion, its slope (…, free) and its matrix of second derivatives by differences."""
    value = _at(sums, at, free)
    slope, bend = np.empty((*value.shape, free)), np.empty((*value.shape, free, free))
    for i in range(free):
        away = np.zeros(2)
        away[i] = _STEP
        up, down = _at(sums, at + away, free), _at(sums, at - away, free)
        slope[..., i] = (up - down) / (2.0 * _STEP)
        bend[..., i, i] = (up - 2.0 * value + down) / _STEP**2
    if free > 1:
        both, one = np.array([_STEP, _STEP]), np.array([_STEP, -_STEP])
        corners = _at(sums, at + both, 2) - _at(sums, at + one, 2) - _at(sums, at - one, 2) + _at(sums, at - both, 2)
        bend[..., 0, 1] = bend[..., 1, 0] = corners / (4.0 * _STEP**2)
    return value, slope, bend


def _newton(slope: Floats, bend: Floats, damping: Floats) -> Floats:
    """Return a damped step (…, free) downhill, of two units at most."""
    values, vectors = np.linalg.eigh(bend)
    values = np.abs(values) + damping[..., np.newaxis] * np.abs(values).max(axis=-1, keepdims=True) + 1e-12
    turned = np.einsum("...ij,...i->...j", vectors, slope)
    return np.asarray(np.clip(-np.einsum("...ij,...j->...i", vectors, turned / values), -2.0, 2.0))


def _components(sums: RatingSums, logs: Floats, free: int) -> tuple[Floats, Floats, Floats]:
    ratios = np.exp(logs)
    if free < 2:
        ratios[..., 1] = 0.0
    best = sums.criterion(ratios[..., 0], ratios[..., 1])
    for i in range(free):
        without = ratios.copy()
        without[..., i] = 0.0
        value = sums.criterion(without[..., 0], without[..., 1])
        zero = (value <= best + 1e-9) & (logs[..., i] < math.log(1e-3))
        ratios = np.where(zero[..., np.newaxis], without, ratios)
        best = np.where(zero, value, best)
    residual = sums._fitted(ratios[..., 0], ratios[..., 1])[1]
    return ratios[..., 0] * residual, ratios[..., 1] * residual, residual


def parts_of(known: Booleans) -> int:
    """Return into how many parts the ratings (n, k) fall that have neither a target nor a rater in common."""
    left = np.flatnonzero(known.any(axis=0)).tolist()
    parts = 0
    while left:
        reached = np.zeros(known.shape[1], dtype=bool)
        reached[left[0]] = True
        before = 0
        while reached.sum() > before:
            before = int(reached.sum())
            reached |= known[known[:, reached].any(axis=1)].any(axis=0)
        left = [rater for rater in left if not reached[rater]]
        parts += 1
    return parts


def exact_ratio_limits(
    sums: RatingSums, parts: int, tail: float, *, raters: bool, inflation: Floats | float = 1.0
) -> tuple[Floats, Floats]:
    """Return Wald's exact limits (…,) of targets' over residual variance, raters fixed or left out.

    The weighted residual sum of squares at a ratio θ less that of fixed targets, over the mean square of the
    residual, has the F distribution at the true θ.  Its degrees of freedom are divided by an inflation.
    """
    from scipy.special import fdtri

    df_targets, df_residual = degrees_of_freedom(sums, parts, raters=raters)
    rest = sums.residual_squares(np.full(sums.squares.shape, np.inf), raters=True) if raters else sums.within_targets()
    unit = df_targets * rest / df_residual
    df1, df2 = df_targets / inflation, df_residual / inflation
    return (
        _solve(sums, rest + unit / fdtri(df2, df1, tail), raters=raters),
        _solve(sums, rest + unit * fdtri(df1, df2, tail), raters=raters),
    )


def degrees_of_freedom(sums: RatingSums, parts: int, *, raters: bool) -> tuple[Floats, Floats]:
    """Return the degrees of freedom (…,) of targets, adjusted for raters, and of the residual."""
    if not raters:
        return sums.n - 1.0, sums.n_ratings - sums.n
    return sums.n - parts, sums.n_ratings - sums.n - sums.n_raters + parts


def _solve(sums: RatingSums, target: Floats, *, raters: bool) -> Floats:
    """Return θ where the weighted sum of squares, which falls with θ, meets the target (…,).

    The bracket is of sθ, s the largest number of ratings: from −1 on, halved, or by its geometric mean where wide.
    """
    largest = float(sums.sizes.max())
    low, high = np.full(target.shape, -1.0 + 1e-9), np.full(target.shape, 1e9)
    for _ in range(_HALVINGS):
        wide = high > 10.0 * np.maximum(low, 1.0)
        middle = np.where(wide, np.sqrt(np.maximum(low, 0.1) * np.maximum(high, 0.0)), 0.5 * (low + high))
        above = sums.residual_squares(middle / largest, raters=raters) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        if np.all(high - low <= 1e-13 * (1.0 + np.abs(low))):
            break
    return np.asarray(0.5 * (low + high) / largest)


def adjusted_squares(sums: RatingSums, parts: int) -> ExpectedSquares:
    """Return the mean squares of targets adjusted for raters, raters adjusted for targets, and residual.

    With what the design gives them to be expected; those of the analysis of variance where nothing is missing.
    """
    df_targets, df_residual = degrees_of_freedom(sums, parts, raters=True)
    df_raters = sums.n_raters - parts
    alone = np.zeros(sums.squares.shape)
    rest = sums.residual_squares(np.full(sums.squares.shape, np.inf), raters=True)
    return ExpectedSquares(
        targets=np.maximum(sums.residual_squares(alone, raters=True) - rest, 0.0) / df_targets,
        raters=np.maximum(sums.within_targets() - rest, 0.0) / df_raters,
        residual=rest / df_residual,
        df=(df_targets, df_raters, df_residual),
        per_target=(sums.n_ratings - sums.n_raters) / df_targets,
        per_rater=(sums.n_ratings - sums.n) / df_raters,
    )
