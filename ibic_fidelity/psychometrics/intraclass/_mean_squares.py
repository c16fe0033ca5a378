"""The two-way analysis of variance of targets and raters, and the intervals made from its mean squares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtri, fdtrc, fdtri

from ibic_fidelity.psychometrics._arguments import Floats

#: Halvings that take a bracket of a correlation to the spacing of float64.
_HALVINGS = 60
_PAIRS = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, slots=True, eq=False)
class MeanSquares:
    """The two-way analysis of variance of complete tables (…, n, k); NaN where there are no degrees of freedom.

    `size` is how many targets each table counts: n, or in replicates of clusters what was drawn.
    """

    n: int
    k: int
    size: Floats | float
    targets: Floats
    raters: Floats
    residual: Floats
    within: Floats

    @classmethod
    def of(cls, values: Floats) -> MeanSquares:
        """Return the mean squares; sums of squares that are rounding only are 0."""
        n, k = values.shape[-2:]
        if n < 2:
            undefined = np.full(values.shape[:-2], np.nan)
            return cls(n, k, n, undefined, undefined, undefined, undefined)
        centred = values - values.mean(axis=(-2, -1), keepdims=True)
        rows, columns = centred.mean(axis=-1, keepdims=True), centred.mean(axis=-2, keepdims=True)
        rest = centred - rows - columns
        sums = [times * np.square(part).sum(axis=(-2, -1)) for times, part in ((k, rows), (n, columns), (1, rest))]
        unit = 4.0 * np.finfo(np.float64).eps * np.abs(values).max(axis=(-2, -1))
        return cls._of_sums(n, k, float(n), sums, n * k * np.square(unit))

    @classmethod
    def resampled(cls, values: Floats, counts: Floats) -> MeanSquares:
        """Return the mean squares (replicates,) of a table (n, k), each target `counts` (replicates, n) times."""
        n, k = values.shape
        centred = values - values.mean()
        rows = centred.sum(axis=1)
        parts = np.column_stack([centred, np.square(rows), np.square(centred).sum(axis=1)])
        added = counts @ parts
        of_raters, of_targets, of_all = added[:, :k], added[:, k], added[:, k + 1]
        size = counts.sum(axis=1)
        level = np.square(of_raters.sum(axis=1)) / (size * k)
        targets, raters = of_targets / k - level, np.square(of_raters).sum(axis=1) / size - level
        # differences of sums are exact to some units of the last digit of the sums
        rounding = 64.0 * np.finfo(np.float64).eps * of_all
        return cls._of_sums(n, k, size, [targets, raters, of_all - level - targets - raters], rounding)

    @classmethod
    def _of_sums(cls, n: int, k: int, size: Floats | float, sums: list[Floats], rounding: Floats) -> MeanSquares:
        """Return the mean squares of sums of squares, which are 0 where they are rounding only."""
        of_targets, of_raters, of_rest = (np.where(part > rounding, part, 0.0) for part in sums)
        return cls(
            n=n,
            k=k,
            size=size,
            targets=of_targets / (size - 1),
            raters=of_raters / (k - 1),
            residual=of_rest / ((size - 1) * (k - 1)),
            within=(of_raters + of_rest) / (size * (k - 1)),
        )

    def df_error(self, definition: str) -> int:
        """Return the degrees of freedom of the error in the F test."""
        return (self.n if definition == "one-way" else max(self.n - 1, 0)) * (self.k - 1)

    def test(self, definition: str) -> tuple[Floats, Floats]:
        """Return F and p of the hypothesis that targets do not differ; F is infinite without error."""
        error = self.within if definition == "one-way" else self.residual
        with np.errstate(divide="ignore", invalid="ignore"):
            f_value = np.asarray(self.targets / error)
        p_value = np.where(np.isinf(f_value), 0.0, fdtrc(self.n - 1, self.df_error(definition), f_value))
        return f_value, np.where(np.isnan(f_value), np.nan, p_value)

    def icc(self, definition: str, unit: str, factor: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """Return numerator and denominator of a coefficient, the targets' mean square times a factor."""
        error = self.within if definition == "one-way" else self.residual
        level = (self.raters - self.residual) / self.size if definition == "agreement" and self.n else 0.0
        targets = factor * self.targets
        if unit == "average":
            return np.asarray(targets - error), np.asarray(targets + level)
        return np.asarray(targets - error), np.asarray(targets + (self.k - 1) * error + self.k * level)

    def limits(
        self, definition: str, unit: str, confidence_level: float, inflation: Floats | float = 1.0
    ) -> tuple[Floats, Floats]:
        """Return McGraw and Wong's limits; −∞ where the denominator of an average one is not positive.

        Degrees of freedom are divided by an inflation.
        """
        tail = (1.0 - confidence_level) / 2.0
        df1 = (self.n - 1) / np.asarray(inflation)
        df2 = self._satterthwaite() if definition == "agreement" else np.float64(self.df_error(definition))
        df2 = df2 / np.asarray(inflation)
        with np.errstate(divide="ignore", invalid="ignore"):
            # 1/F of the upper and of the lower tail
            factors = [
                np.asarray(part, dtype=np.float64) for part in (fdtri(df2, df1, tail), 1.0 / fdtri(df1, df2, tail))
            ]
            made = []
            for factor in factors:
                above, below = self.icc(definition, unit, factor)
                limit = np.where(below > 0.0, above / below, -np.inf)
                made.append(np.where(np.isinf(factor), 1.0, limit))
        return made[0], made[1]

    def _satterthwaite(self) -> Floats:
        """Return the degrees of freedom of the agreement forms; those of the residual where all is 0."""
        above, below = self.icc("agreement", "single")
        df = self.df_error("agreement")
        # times n(1 − ICC) times the denominator of the ICC
        of_raters = self.k * above * self.raters
        of_rest = (self.n * (below - above) + (self.n - 1) * self.k * above) * self.residual
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.square(of_raters + of_rest) / (np.square(of_raters) / (self.k - 1) + np.square(of_rest) / df)
        return np.where(np.isfinite(found), found, df)


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedSquares:
    """Mean squares (…,) of targets, raters and residual with degrees of freedom and what they are expected to be.

    The targets' one is expected to be `per_target` times the targets' variance plus the residual's, the raters' one
    `per_rater` times the raters' variance plus the residual's; complete tables have k and n there.
    """

    targets: Floats
    raters: Floats
    residual: Floats
    df: tuple[Floats | float, Floats | float, Floats | float]
    per_target: Floats | float
    per_rater: Floats | float

    @classmethod
    def of(cls, squares: MeanSquares) -> ExpectedSquares:
        """Return those of a complete table."""
        n, k = squares.n, squares.k
        df: tuple[float, float, float] = (n - 1, k - 1, (n - 1) * (k - 1))
        return cls(squares.targets, squares.raters, squares.residual, df, k, n)

    def deflated(self, inflation: Floats | float) -> ExpectedSquares:
        """Return the same with the degrees of freedom of targets and residual, not raters, divided by an inflation."""
        of_targets, of_raters, of_residual = self.df
        return replace(self, df=(of_targets / inflation, of_raters, of_residual / inflation))

    def modified_limits(self, confidence_level: float) -> tuple[Floats, Floats]:
        """Return the modified large-sample limits of the agreement of single ratings (Cappelleri & Ting).

        A value of the coefficient is outside where the limit of Ting et al. for the sum of mean squares that is
        0 at that value excludes 0.
        """
        tail = (1.0 - confidence_level) / 2.0
        return self._root(tail, lower=True), self._root(tail, lower=False)

    def _root(self, tail: float, *, lower: bool) -> Floats:
        """Return the coefficient at which the limit of the sum is 0; the sum falls with the coefficient."""
        shape = np.broadcast_shapes(np.shape(self.targets), np.shape(self.raters), np.shape(self.residual))
        least = np.full(shape, -1.0 / np.maximum(np.asarray(self.per_target) - 1.0, 1.0))
        most = np.ones(shape)
        weights = _Weights.of(self.df, tail)
        for _ in range(_HALVINGS):
            middle = 0.5 * (least + most)
            above = self._limit_of_sum(middle, weights, lower=lower) > 0.0
            least, most = np.where(above, middle, least), np.where(above, most, middle)
        return 0.5 * (least + most)

    def _limit_of_sum(self, value: Floats, weights: _Weights, *, lower: bool) -> Floats:
        """Return the limit of the sum of mean squares whose expectation is 0 where the coefficient is `value`."""
        of_targets = (1.0 - value) / self.per_target
        of_raters = -value / self.per_rater
        parts = (of_targets * self.targets, of_raters * self.raters, -(of_targets + of_raters + value) * self.residual)
        sign = 1.0 if lower else -1.0
        squared = np.zeros_like(value)
        for i, part in enumerate(parts):
            squared = squared + np.square(part * np.where(sign * part > 0.0, weights.inward[i], weights.outward[i]))
        for i, j in _PAIRS:
            product = np.abs(parts[i] * parts[j])
            positive = sign * parts[i] > 0.0
            same = positive == (sign * parts[j] > 0.0)
            crossed = np.where(positive, weights.crossed[i, j], weights.crossed[j, i])
            together = np.where(positive, weights.together[i, j], 0.0)
            squared = squared + product * np.where(same, together, crossed)
        away = np.sqrt(np.maximum(squared, 0.0))
        return np.asarray(sum(parts) - sign * away)


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """What the squares and products of mean squares count in the limit of their sum, by degrees of freedom."""

    inward: tuple[Floats, ...]
    outward: tuple[Floats, ...]
    crossed: dict[tuple[int, int], Floats]
    together: dict[tuple[int, int], Floats]

    @classmethod
    def of(cls, df: tuple[Floats | float, ...], tail: float) -> _Weights:
        """Return the weights of three mean squares for one tail."""
        return cls(
            inward=tuple(_inward(one, tail) for one in df),
            outward=tuple(_outward(one, tail) for one in df),
            crossed={(i, j): _crossed(df[i], df[j], tail) for i in range(3) for j in range(3) if i != j},
            together={(i, j): _together(df[i], df[j], tail) for i, j in _PAIRS},
        )


def _inward(df: Floats | float, tail: float) -> Floats:
    return np.asarray(1.0 - df / chdtri(df, tail))


def _outward(df: Floats | float, tail: float) -> Floats:
    return np.asarray(df / chdtri(df, 1.0 - tail) - 1.0)


def _crossed(df: Floats | float, other: Floats | float, tail: float) -> Floats:
    """Return the coefficient of the product of a part that is added and another that is taken away."""
    ratio = 1.0 / fdtri(other, df, tail)
    return np.asarray(((ratio - 1.0) ** 2 - (_inward(df, tail) * ratio) ** 2 - _outward(other, tail) ** 2) / ratio)


def _together(df: Floats | float, other: Floats | float, tail: float) -> Floats:
    """Return the coefficient of the product of two parts of the same sign."""
    both = _inward(df + other, tail) ** 2 * (df + other) ** 2 / (df * other)
    return np.asarray(both - _inward(df, tail) ** 2 * df / other - _inward(other, tail) ** 2 * other / df)
