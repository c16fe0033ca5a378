"""Intraclass correlations of targets that the same raters rate: McGraw and Wong's six forms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy.special import fdtrc, fdtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    Matrix,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    end_share,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.intraclass import PILED_UP

if TYPE_CHECKING:
    import pandas as pd

#: What counts as error between raters: level and order, order only, or everything (raters not identified).
IccDefinition = Literal["agreement", "consistency", "one-way"]
#: What the coefficient is the reliability of: one rating, or the mean of all raters.
IccUnit = Literal["single", "average"]

EXACT = "exact F"
SATTERTHWAITE = "F, Satterthwaite df (McGraw & Wong)"
#: Raters' over residual mean square from which Satterthwaite's interval of agreement may cover far too little.
RATERS_DIFFER = 10.0
_LETTERS = {"agreement": "A,", "consistency": "C,", "one-way": ""}


@dataclass(frozen=True, slots=True, eq=False)
class IntraclassCorrelation:
    """One of the six intraclass correlations, as `intraclass_correlation` returns it.

    Attributes
    ----------
    estimate : float
        The coefficient, not cut at zero.
    ci : ConfidenceInterval
        McGraw and Wong's interval, not rounded.
    n, n_raters : int
        Targets used, counted after the missing-data rule, and raters.
    n_dropped : int
        Targets left out by ``missing="listwise"``.
    definition, unit : str
        As asked for.
    form : str
        McGraw and Wong's name, such as "ICC(A,1)"; one-way ones are "ICC(1)" and "ICC(k)".
    f_value, p_value : float
        F test of the hypothesis that targets do not differ (that the coefficient is 0).
    df1, df2 : int
        Its degrees of freedom.
    mean_square_targets, mean_square_raters, mean_square_residual, mean_square_within : float
        Of the two-way analysis of variance; within targets is raters and residual together.
    raters : tuple of str
        The raters' labels.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the coefficient is not defined.
    flags : tuple of Message
        Whether the interval is not reliable with these ratings.
    """

    estimate: float
    ci: ConfidenceInterval
    n: int
    n_raters: int
    n_dropped: int
    definition: str
    unit: str
    form: str
    f_value: float
    p_value: float
    df1: int
    df2: int
    mean_square_targets: float
    mean_square_raters: float
    mean_square_residual: float
    mean_square_within: float
    raters: tuple[str, ...]
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return the coefficient on one line.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_raters.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return table(
            {
                "statistic": [self.form],
                "n": [self.n],
                "estimate": [self.estimate],
                "ci_low": [self.ci.low],
                "ci_high": [self.ci.high],
                "ci_level": [self.ci.confidence_level],
                "method": [self.ci.method],
                "reason": [" ".join(message.text("en") for message in said)],
                "n_raters": [self.n_raters],
            },
            extra=("n_raters",),
        )

    def summary(self) -> str:
        """Return one line in English, and one a flag."""
        if self.reason is not None:
            return f"{self.form} is not defined: {self.reason.text('en')}"
        level = percent(self.ci.confidence_level, "en")
        limits = interval(self.ci.low, self.ci.high, "apa", digits=2)
        used = f"{self.n} targets, {self.n_raters} raters, {self.n_dropped} targets left out for missing ratings"
        line = f"{self.form} {coefficient(self.estimate, 'en')}, {level} interval {limits} ({self.ci.method}), {used}."
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])


def intraclass_correlation(
    x: object,
    *,
    definition: IccDefinition = "agreement",
    unit: IccUnit = "single",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> IntraclassCorrelation:
    r"""Return an intraclass correlation of ratings with its interval and F test.

    "agreement" counts raters' different levels as error, "consistency" does not (only the order and the
    distances of targets matter), and "one-way" is for ratings whose raters are not the same for all targets,
    so that columns mean nothing.  "single" is the reliability of one rating, "average" that of the mean of
    all raters.  A negative coefficient is reported as it is.

    There is no mixed model for tables with holes: a target with a missing rating stops the call or is left
    out whole, which loses targets, and bias results where holes depend on the ratings.

    Parameters
    ----------
    x : array-like of shape (targets, raters)
        Ratings as numbers, at least two raters; NaN is missing.
    definition : {"agreement", "consistency", "one-way"}
        What counts as error.
    unit : {"single", "average"}
        What the coefficient is the reliability of.
    missing : {"raise", "listwise"}
        Raise where a rating is missing, or leave out targets with any missing rating.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    IntraclassCorrelation
        Estimate, interval, F test, mean squares, and the targets and raters used.

    Raises
    ------
    UsageError
        Fewer than two raters, missing ratings under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two targets are left, all ratings are equal, no rater tells the targets apart (two-way
        forms), or the targets' means are so alike that the denominator is not positive: NaN.

    Notes
    -----
    With n targets, k raters and the mean squares of targets R, raters C, residual E and within targets W
    [1]_ [2]_,

    .. math:: ICC(1) = \frac{MS_R - MS_W}{MS_R + (k-1)MS_W}, \quad
              ICC(C,1) = \frac{MS_R - MS_E}{MS_R + (k-1)MS_E}, \quad
              ICC(A,1) = \frac{MS_R - MS_E}{MS_R + (k-1)MS_E + \frac{k}{n}(MS_C - MS_E)},

    .. math:: ICC(k) = \frac{MS_R - MS_W}{MS_R}, \quad ICC(C,k) = \frac{MS_R - MS_E}{MS_R}, \quad
              ICC(A,k) = \frac{MS_R - MS_E}{MS_R + \frac{1}{n}(MS_C - MS_E)}.

    In the names of Shrout and Fleiss these are (1,1), (3,1), (2,1), (1,k), (3,k), (2,k).  ICC(C,k) is
    Cronbach's alpha, and ICC(1), ICC(k) are those of `group_mean_reliability` for groups of equal size.  Raters taken
    as fixed or random have the same formulas [1]_.

    *Interval.*  Each limit is the formula with :math:`MS_R` divided by a quantile of F with n − 1 and
    :math:`\nu` degrees of freedom.  :math:`\nu` is n(k − 1) for the one-way and (n − 1)(k − 1) for the
    consistency forms, exact for normal ratings; for agreement it is Satterthwaite's

    .. math:: \nu = \frac{(a\,MS_C + b\,MS_E)^2}{\frac{(a\,MS_C)^2}{k-1} + \frac{(b\,MS_E)^2}{(n-1)(k-1)}},
              \quad a = \frac{k\,\rho}{n(1-\rho)}, \quad b = 1 + (n-1)a, \quad \rho = ICC(A,1),

    for both units: then the limits of ICC(A,k) are those of ICC(A,1) stepped up, as in Shrout and Fleiss [2]_ and
    R's `psych`.  R's `irr` puts ICC(A,k) in the place of ρ there, and has other limits of ICC(A,k).

    *Coverage.*  With normal ratings the one-way and consistency intervals are exact.  That of agreement covers
    .93–.97 as long as raters differ little in level, and far too little where they differ much: few raters
    say little about how raters differ, however many the targets.  2,000 studies a cell of 2 to 8 raters, 10
    to 300 targets, rater variance 0 to 2 times the residual's and ICC(A,1) .30 to .85: below .92 in 82 of 288
    cells, at worst .68 (two raters, 300 targets), .77 (three), .85 (five), .89 (eight).  Where the raters'
    mean square is 10 times the residual's or more the flag ``agreement_interval_few_raters`` says so; among the
    cells that it mostly spares the worst covers .89.  Piled-up ratings (30 % of them the lowest or the highest
    one) get ``icc_interval_not_reliable``, whose limit was calibrated on the one-way form.

    References
    ----------
    .. [1] McGraw, K. O., & Wong, S. P. (1996). Forming inferences about some intraclass correlation
       coefficients. Psychological Methods, 1, 30–46 (correction 1, 390).
    .. [2] Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations: uses in assessing rater
       reliability. Psychological Bulletin, 86, 420–428.

    Examples
    --------
    The six targets and four judges of Shrout and Fleiss (1979): their ICC(2,1) .29 and ICC(3,1) .71.

    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = intraclass_correlation(x)
    >>> print(f"{result.form} {result.estimate:.5f}, {result.ci.low:.5f} to {result.ci.high:.5f}")
    ICC(A,1) 0.28976, 0.01879 to 0.76108
    >>> print(f"{intraclass_correlation(x, definition='consistency').estimate:.5f}")
    0.71484
    """
    check_choice("definition", definition, get_args(IccDefinition))
    check_choice("unit", unit, get_args(IccUnit))
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    matrix = ratings(x)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    values = matrix.cells[complete]
    squares = MeanSquares.of(values)
    estimate, reason = _estimate(values, squares, definition, unit)
    if reason is not None:
        warn_undefined(reason)
    f_value, p_value = squares.test(definition)
    low, high = (math.nan, math.nan) if reason else squares.limits(definition, unit, confidence_level)
    method = SATTERTHWAITE if definition == "agreement" else EXACT
    return IntraclassCorrelation(
        estimate=estimate,
        ci=ConfidenceInterval(float(low), float(high), confidence_level, method),
        n=squares.n,
        n_raters=squares.k,
        n_dropped=int((~complete).sum()),
        definition=definition,
        unit=unit,
        form=f"ICC({_LETTERS[definition]}{'1' if unit == 'single' else 'k'})",
        f_value=float(f_value),
        p_value=float(p_value),
        df1=max(squares.n - 1, 0),
        df2=squares.df_error(definition),
        mean_square_targets=float(squares.targets),
        mean_square_raters=float(squares.raters),
        mean_square_residual=float(squares.residual),
        mean_square_within=float(squares.within),
        raters=matrix.labels,
        missing=missing,
        reason=reason,
        flags=() if reason else _flags(values, squares, definition),
    )


def ratings(x: object) -> Matrix:
    """Return a table of ratings, or raise where there are fewer than two raters."""
    matrix = as_matrix(x, least_columns=0)
    if len(matrix.labels) < 2:
        raise UsageError("psychometrics.one_rater_column", argument="x", n=len(matrix.labels))
    return matrix


@dataclass(frozen=True, slots=True, eq=False)
class MeanSquares:
    """The two-way analysis of variance of complete tables (…, n, k); NaN where there are no degrees of freedom."""

    n: int
    k: int
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
            return cls(n, k, undefined, undefined, undefined, undefined)
        centred = values - values.mean(axis=(-2, -1), keepdims=True)
        rows, columns = centred.mean(axis=-1, keepdims=True), centred.mean(axis=-2, keepdims=True)
        rest = centred - rows - columns
        rounding = n * k * np.square(4.0 * np.finfo(np.float64).eps * np.abs(values).max(axis=(-2, -1)))
        sums = [times * np.square(part).sum(axis=(-2, -1)) for times, part in ((k, rows), (n, columns), (1, rest))]
        of_targets, of_raters, of_rest = (np.where(part > rounding, part, 0.0) for part in sums)
        return cls(
            n=n,
            k=k,
            targets=of_targets / (n - 1),
            raters=of_raters / (k - 1),
            residual=of_rest / ((n - 1) * (k - 1)),
            within=(of_raters + of_rest) / (n * (k - 1)),
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
        level = (self.raters - self.residual) / self.n if definition == "agreement" and self.n else 0.0
        targets = factor * self.targets
        if unit == "average":
            return np.asarray(targets - error), np.asarray(targets + level)
        return np.asarray(targets - error), np.asarray(targets + (self.k - 1) * error + self.k * level)

    def limits(self, definition: str, unit: str, confidence_level: float) -> tuple[Floats, Floats]:
        """Return McGraw and Wong's limits; −∞ where the denominator of an average one is not positive."""
        tail = (1.0 - confidence_level) / 2.0
        df1 = self.n - 1
        df2 = self._satterthwaite() if definition == "agreement" else np.float64(self.df_error(definition))
        with np.errstate(divide="ignore", invalid="ignore"):
            # 1/F of the upper and of the lower tail
            factors = fdtri(df2, df1, tail), 1.0 / fdtri(df1, df2, tail)
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


def _estimate(values: Floats, squares: MeanSquares, definition: str, unit: str) -> tuple[float, Message | None]:
    """Return the coefficient of a complete table (n, k), or NaN and the reason."""
    n = squares.n
    if n < 2:
        return math.nan, Message("psychometrics.too_few_targets", {"n": n})
    if without_spread(values.reshape(-1, 1))[0]:
        return math.nan, Message("psychometrics.no_variation", {"n": values.size})
    if definition != "one-way" and bool(without_spread(values).all()):
        return math.nan, Message("psychometrics.targets_alike", {"n": n})
    above, below = (float(part) for part in squares.icc(definition, unit))
    # as small as rounding makes it beside what it is the difference of
    if below <= 1e-12 * (float(squares.targets) + float(squares.within)):
        return math.nan, Message("psychometrics.target_means_equal", {"n": n})
    return above / below, None


def _flags(values: Floats, squares: MeanSquares, definition: str) -> tuple[Message, ...]:
    """Return whether the interval is not reliable with these ratings (n, k)."""
    flags = []
    piled_up = float(end_share(values.reshape(-1, 1))[0])
    if piled_up >= PILED_UP:
        flags.append(Message("psychometrics.icc_interval_not_reliable", {"share": f"{piled_up:.0%}"}))
    of_raters, of_rest = float(squares.raters), float(squares.residual)
    if definition == "agreement" and of_raters > 0.0 and of_raters >= RATERS_DIFFER * of_rest:
        ratio = f"{of_raters / of_rest:.0f}" if of_rest > 0.0 else "∞"
        flags.append(Message("psychometrics.agreement_interval_few_raters", {"ratio": ratio, "k": squares.k}))
    return tuple(flags)
