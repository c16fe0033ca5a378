"""Measurement error in the unit of the scale: its standard error, the change it hides, limits of agreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy.special import chdtri, nctdtrit, ndtri, stdtr, stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_number,
    as_vector,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.rater_intraclass import MeanSquares, ratings

if TYPE_CHECKING:
    import pandas as pd

#: What counts as error: raters' levels and the rest, the rest only, or half the variance of differences.
ErrorDefinition = Literal["agreement", "consistency", "differences"]

CHI_SQUARE = "chi-square"
GRAYBILL_WANG = "modified large sample (Graybill & Wang)"
STUDENT = "t"
NONCENTRAL = "exact, noncentral t (Carkeet)"


@dataclass(frozen=True, slots=True, eq=False)
class StandardErrorOfMeasurement:
    """The standard error of measurement, as `standard_error_of_measurement` returns it.

    Attributes
    ----------
    estimate : float
        Standard deviation of the error of one rating, in the unit of the scale.
    ci : ConfidenceInterval
        Exact from the chi-square distribution for consistency and differences; Graybill and Wang's for agreement.
    n, n_raters : int
        Targets used, counted after the missing-data rule, and raters or occasions.
    n_dropped : int
        Targets left out by ``missing="listwise"``.
    definition : str
        As asked for.
    df : float
        Degrees of freedom of the error variance; Satterthwaite's for agreement (not used in its interval).
    variance_targets, variance_raters, variance_residual : float
        Components of variance by the analysis of variance, not cut at zero.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why it is not defined.
    """

    estimate: float
    ci: ConfidenceInterval
    n: int
    n_raters: int
    n_dropped: int
    definition: str
    df: float
    variance_targets: float
    variance_raters: float
    variance_residual: float
    missing: str
    reason: Message | None

    @property
    def table(self) -> pd.DataFrame:
        """Return the standard error on one line.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_raters.
        """
        rows = [(f"sem_{self.definition}", self.estimate, self.ci)]
        return _table(rows, self.n, self.reason, n_raters=self.n_raters)

    def summary(self) -> str:
        """Return one line in English."""
        if self.reason is not None:
            return f"The standard error of measurement is not defined: {self.reason.text('en')}"
        used = f"{self.n} targets, {self.n_raters} raters, {self.n_dropped} targets left out for missing ratings"
        return f"SEM ({self.definition}) {_shown(self.estimate, self.ci)}, {used}."


@dataclass(frozen=True, slots=True, eq=False)
class SmallestDetectableChange:
    """The smallest detectable change, as `smallest_detectable_change` returns it.

    Attributes
    ----------
    estimate : float
        For one target: how far two ratings must differ to lie outside what error alone makes.
    ci : ConfidenceInterval
        That of the standard error of measurement, multiplied.
    group : float
        For the mean of a group of `group_size` targets.
    group_ci : ConfidenceInterval
        Its interval.
    group_size : int
        Size of that group; the targets used, unless given.
    change_level : float
        Share of unchanged targets that stay below.
    measurement_error : StandardErrorOfMeasurement
        What it is made from, with definition, n and reason.
    """

    estimate: float
    ci: ConfidenceInterval
    group: float
    group_ci: ConfidenceInterval
    group_size: int
    change_level: float
    measurement_error: StandardErrorOfMeasurement

    @property
    def n(self) -> int:
        """Return the targets used."""
        return self.measurement_error.n

    @property
    def reason(self) -> Message | None:
        """Return why it is not defined."""
        return self.measurement_error.reason

    @property
    def table(self) -> pd.DataFrame:
        """Return the individual and the group level, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, group_size.
        """
        rows = [("sdc_individual", self.estimate, self.ci), ("sdc_group", self.group, self.group_ci)]
        return _table(rows, self.n, self.reason, group_size=[1, self.group_size])

    def summary(self) -> str:
        """Return one line in English."""
        if self.reason is not None:
            return f"The smallest detectable change is not defined: {self.reason.text('en')}"
        return (
            f"Smallest detectable change ({self.measurement_error.definition}) {_shown(self.estimate, self.ci)} for"
            f" one, {number(self.group, 'en', digits=2)} for the mean of {self.group_size}; {self.n} targets."
        )


@dataclass(frozen=True, slots=True, eq=False)
class LimitsOfAgreement:
    """Bland and Altman's limits of agreement, as `limits_of_agreement` returns them.

    Attributes
    ----------
    estimate : float
        Mean of the differences a − b (bias).
    ci : ConfidenceInterval
        By Student's t.
    standard_deviation : float
        Of the differences.
    lower, upper : float
        The limits.
    lower_ci, upper_ci : ConfidenceInterval
        Exact interval of each limit by itself.
    limits_level : float
        Share of differences that the limits are to hold.
    n, n_dropped : int
        Pairs used, and left out by ``missing="listwise"``.
    slope, intercept : float
        Regression of the difference on the mean of a pair: proportional bias.
    slope_ci : ConfidenceInterval
        By Student's t.
    slope_t, slope_p_value : float
        Test that the slope is 0, with n − 2 degrees of freedom.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    """

    estimate: float
    ci: ConfidenceInterval
    standard_deviation: float
    lower: float
    lower_ci: ConfidenceInterval
    upper: float
    upper_ci: ConfidenceInterval
    limits_level: float
    n: int
    n_dropped: int
    slope: float
    slope_ci: ConfidenceInterval
    intercept: float
    slope_t: float
    slope_p_value: float
    missing: str
    reason: Message | None

    @property
    def table(self) -> pd.DataFrame:
        """Return bias, both limits and the slope, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, p_value.
        """
        rows = [
            ("bias", self.estimate, self.ci),
            ("lower_limit", self.lower, self.lower_ci),
            ("upper_limit", self.upper, self.upper_ci),
            ("proportional_bias", self.slope, self.slope_ci),
        ]
        return _table(rows, self.n, self.reason, p_value=[math.nan] * 3 + [self.slope_p_value])

    def summary(self) -> str:
        """Return one line in English, and one on proportional bias."""
        if math.isnan(self.estimate) and self.reason is not None:
            return f"Limits of agreement are not defined: {self.reason.text('en')}"
        share = percent(self.limits_level, "en")
        line = (
            f"Bias {_shown(self.estimate, self.ci)}; {share} limits of agreement {_shown(self.lower, self.lower_ci)}"
            f" and {_shown(self.upper, self.upper_ci)}; {self.n} pairs, {self.n_dropped} left out for missing values."
        )
        if self.reason is not None:
            return f"{line}\n{self.reason.text('en')}"
        test = f"p {number(self.slope_p_value, 'apa', digits=3)}"
        return f"{line}\nProportional bias: slope {_shown(self.slope, self.slope_ci)}, {test}."


def standard_error_of_measurement(
    x: object,
    *,
    definition: ErrorDefinition = "agreement",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> StandardErrorOfMeasurement:
    r"""Return the standard error of measurement of one rating, in the unit of the scale.

    "agreement" counts raters' (or occasions') different levels as error, "consistency" does not, and
    "differences" is the standard deviation of the differences between two occasions over √2, which for two
    columns is the same number as "consistency".

    There is no mixed model for tables with holes: a target with a missing rating stops the call or is left
    out whole.

    Parameters
    ----------
    x : array-like of shape (targets, raters)
        Ratings, or one column an occasion; at least two columns; NaN is missing.
    definition : {"agreement", "consistency", "differences"}
        What counts as error.
    missing : {"raise", "listwise"}
        Raise where a rating is missing, or leave out targets with any missing rating.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    StandardErrorOfMeasurement
        Estimate, interval, components of variance, and the targets and raters used.

    Raises
    ------
    UsageError
        Fewer than two columns, not two columns for "differences", missing ratings under "raise", infinite
        values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two targets are left, or all ratings are equal: NaN.

    Notes
    -----
    With n targets, k raters and the mean squares of raters C and residual E [1]_,

    .. math:: SEM_{agreement} = \sqrt{\sigma_C^2 + \sigma_E^2} = \sqrt{\frac{MS_C + (n-1)\,MS_E}{n}}, \quad
              SEM_{consistency} = \sqrt{MS_E}, \quad SEM_{differences} = SD_d/\sqrt2.

    That is :math:`\sqrt{\sigma_T^2 + \sigma_C^2 + \sigma_E^2}\sqrt{1 - ICC(A,1)}` and
    :math:`\sqrt{\sigma_T^2 + \sigma_E^2}\sqrt{1 - ICC(C,1)}`.  Components are not cut at zero.

    *Interval.*  :math:`SEM\sqrt{\nu/\chi^2_\nu}`, exact for normal errors with (n − 1)(k − 1) degrees of
    freedom.  For agreement, a sum of mean squares :math:`c_i MS_i`, it is the modified large-sample interval [2]_

    .. math:: \sum c_i MS_i - \sqrt{\sum (1 - \nu_i/\chi^2_{\nu_i,1-p/2})^2 c_i^2 MS_i^2}, \qquad
              \sum c_i MS_i + \sqrt{\sum (\nu_i/\chi^2_{\nu_i,p/2} - 1)^2 c_i^2 MS_i^2},

    of which the root is taken; Satterthwaite's covers .67–.89 where raters differ much, this one
    .943–.972 (96 cells of 2 to 8 raters, 10 to 300 targets, rater variance 0 to 2 times the residual's; 5,000
    studies each).  Few raters who differ much make it very wide upwards.

    References
    ----------
    .. [1] de Vet, H. C. W., Terwee, C. B., Knol, D. L., & Bouter, L. M. (2006). When to use agreement versus
       reliability measures. Journal of Clinical Epidemiology, 59, 1033–1039.
    .. [2] Graybill, F. A., & Wang, C.-M. (1980). Confidence intervals on nonnegative linear combinations of
       variances. Journal of the American Statistical Association, 75, 869–873.

    Examples
    --------
    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> print(standard_error_of_measurement(x).summary())
    SEM (agreement) 2.50 (95% interval 1.60–8.73), 6 targets, 4 raters, 0 targets left out for missing ratings.
    """
    confidence_level = check_confidence_level(confidence_level)
    made = _measurement_error(x, definition, missing, confidence_level)
    if made.reason is not None:
        warn_undefined(made.reason)
    return made


def smallest_detectable_change(
    x: object,
    *,
    definition: ErrorDefinition = "agreement",
    group_size: int | None = None,
    change_level: float = 0.95,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> SmallestDetectableChange:
    r"""Return the smallest change that is more than measurement error, for one target and for a group's mean.

    There is no mixed model for tables with holes: a target with a missing rating stops the call or is left
    out whole.

    Parameters
    ----------
    x : array-like of shape (targets, raters)
        Ratings of unchanged targets, one column a rater or occasion; NaN is missing.
    definition : {"agreement", "consistency", "differences"}
        What counts as error; see `standard_error_of_measurement`.
    group_size : int, optional
        Size of the group whose mean is compared; the targets used, if not given.
    change_level : float
        Share of unchanged targets that stay below; .95 gives the factor 1.96.
    missing : {"raise", "listwise"}
        Raise where a rating is missing, or leave out targets with any missing rating.
    confidence_level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    SmallestDetectableChange
        Individual and group level with intervals, and the standard error behind them.

    Raises
    ------
    UsageError
        As `standard_error_of_measurement`; a group size below 1, a change level outside 0 to 1.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two targets are left, or all ratings are equal: NaN.

    Notes
    -----
    A change is the difference of two ratings, each with its error [1]_:

    .. math:: SDC = z\,\sqrt2\,SEM, \qquad SDC_{group} = SDC/\sqrt{m},

    with z the normal quantile of the change level (1.959964 for .95) and m the group's size.  The group
    level takes the errors of its members as independent: with "agreement" the shift of a rater who rates
    all of them is not averaged out, and the group level is then too small.

    References
    ----------
    .. [1] de Vet, H. C. W., Terwee, C. B., Ostelo, R. W., Beckerman, H., Knol, D. L., & Bouter, L. M. (2006).
       Minimal changes in health status questionnaires: distinction between minimally detectable change and
       minimally important change. Health and Quality of Life Outcomes, 4, 54.

    Examples
    --------
    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = smallest_detectable_change(x, definition="consistency")
    >>> print(f"{result.estimate:.3f} for one, {result.group:.3f} for the mean of {result.group_size}")
    2.799 for one, 1.143 for the mean of 6
    """
    confidence_level = check_confidence_level(confidence_level)
    change_level = _check_level("change_level", change_level)
    members = None if group_size is None else as_number(group_size)
    if group_size is not None and (members is None or members < 1 or not float(members).is_integer()):
        raise UsageError("psychometrics.group_size", value=repr(group_size))
    error = _measurement_error(x, definition, missing, confidence_level)
    if error.reason is not None:
        warn_undefined(error.reason)
    size = error.n if members is None else int(members)
    factor = _two_sided(change_level) * math.sqrt(2.0)
    of_group = factor / math.sqrt(size) if size else math.nan
    return SmallestDetectableChange(
        estimate=factor * error.estimate,
        ci=_times(error.ci, factor),
        group=of_group * error.estimate,
        group_ci=_times(error.ci, of_group),
        group_size=size,
        change_level=change_level,
        measurement_error=error,
    )


def limits_of_agreement(
    a: object,
    b: object,
    *,
    limits_level: float = 0.95,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> LimitsOfAgreement:
    r"""Return Bland and Altman's limits of agreement of two raters, methods or occasions.

    The limits hold a share of the differences a − b if these are about normal with the same mean and spread
    over the scale; proportional bias (a slope) says that the mean does not stay the same.

    Parameters
    ----------
    a, b : array-like of shape (targets,)
        One value of each a target; NaN is missing.
    limits_level : float
        Share of differences that the limits are to hold; .95 gives the factor 1.96.
    missing : {"raise", "listwise"}
        Raise where a value is missing, or leave out such pairs.
    confidence_level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    LimitsOfAgreement
        Bias, limits and slope with intervals, and the pairs used.

    Raises
    ------
    UsageError
        Unequal lengths, missing values under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two pairs are left: NaN.  Fewer than three, or means or differences that do not vary:
        the slope and its test are NaN.

    Notes
    -----
    With the mean :math:`\bar d` and the standard deviation s of n differences the limits are
    :math:`\bar d \pm z s` [1]_.  Since :math:`\sqrt n(\mu + z\sigma - \bar d)/s` follows the noncentral t
    distribution with n − 1 degrees of freedom and noncentrality :math:`z\sqrt n`, the interval

    .. math:: \bar d + t'_{p/2}\,s/\sqrt n \quad\text{to}\quad \bar d + t'_{1-p/2}\,s/\sqrt n

    of the upper limit, and its mirror image for the lower one, are exact for normal differences [2]_
    (each limit by itself; not both at once).  Bland and Altman's own approximation
    :math:`\pm t\,s\sqrt{3/n}` is symmetric and too short on the outer side.

    *Proportional bias* is the least-squares slope of a − b on (a + b)/2, with the t test.  Its numerator is
    half of var(a) − var(b): a slope comes of unequal spreads whatever makes them, unequal error too [1]_.

    References
    ----------
    .. [1] Bland, J. M., & Altman, D. G. (1999). Measuring agreement in method comparison studies. Statistical
       Methods in Medical Research, 8, 135–160.
    .. [2] Carkeet, A. (2015). Exact parametric confidence intervals for Bland–Altman limits of agreement.
       Optometry and Vision Science, 92, e71–e80.

    Examples
    --------
    Peak flow of 17 persons by two meters, Bland and Altman (1986): mean −2.1, standard deviation 38.8.

    >>> large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    >>> mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    >>> result = limits_of_agreement(large, mini)
    >>> print(f"{result.estimate:.1f} {result.standard_deviation:.1f} {result.lower:.1f} {result.upper:.1f}")
    -2.1 38.8 -78.1 73.9
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    limits_level = _check_level("limits_level", limits_level)
    pairs, n_dropped = _pairs(a, b, missing)
    n = pairs.shape[0]
    bias, spread, edges = _limits(pairs, _two_sided(limits_level), confidence_level)
    slope = _slope(pairs, confidence_level)
    reason = None
    if n < 2:
        reason = Message("psychometrics.too_few_pairs", {"n": n})
    elif math.isnan(slope.slope):
        reason = Message("psychometrics.means_constant", {"n": n})
    if reason is not None:
        warn_undefined(reason)
    away = _two_sided(limits_level) * spread
    half = float(stdtrit(n - 1, 0.5 + confidence_level / 2.0)) * spread / math.sqrt(n) if n > 1 else math.nan
    return LimitsOfAgreement(
        estimate=bias,
        ci=ConfidenceInterval(bias - half, bias + half, confidence_level, STUDENT),
        standard_deviation=spread,
        lower=bias - away,
        lower_ci=ConfidenceInterval(bias - edges[1], bias - edges[0], confidence_level, NONCENTRAL),
        upper=bias + away,
        upper_ci=ConfidenceInterval(bias + edges[0], bias + edges[1], confidence_level, NONCENTRAL),
        limits_level=limits_level,
        n=n,
        n_dropped=n_dropped,
        slope=slope.slope,
        slope_ci=slope.ci,
        intercept=slope.intercept,
        slope_t=slope.t,
        slope_p_value=slope.p_value,
        missing=missing,
        reason=reason,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Slope:
    """The regression of the difference on the mean; NaN where it is not defined."""

    slope: float
    ci: ConfidenceInterval
    intercept: float
    t: float
    p_value: float


def _slope(pairs: Floats, confidence_level: float) -> _Slope:
    """Return the regression of a − b on (a + b)/2 of pairs (n, 2)."""
    n = pairs.shape[0]
    difference, mean = pairs[:, 0] - pairs[:, 1], pairs.mean(axis=1)
    if n < 3 or without_spread(np.column_stack([difference, mean])).any():
        undefined = ConfidenceInterval(math.nan, math.nan, confidence_level, STUDENT)
        return _Slope(math.nan, undefined, math.nan, math.nan, math.nan)
    away, d = mean - mean.mean(), difference - difference.mean()
    scale = float(away @ away)
    slope = float(away @ d) / scale
    error = math.sqrt(float(np.square(d - slope * away).sum()) / (n - 2) / scale)
    t = slope / error if error > 0 else math.copysign(math.inf, slope)
    half = float(stdtrit(n - 2, 0.5 + confidence_level / 2.0)) * error
    return _Slope(
        slope=slope,
        ci=ConfidenceInterval(slope - half, slope + half, confidence_level, STUDENT),
        intercept=float(difference.mean() - slope * mean.mean()),
        t=t,
        p_value=2.0 * float(stdtr(n - 2, -abs(t))) if math.isfinite(t) else 0.0,
    )


def _pairs(a: object, b: object, missing: str) -> tuple[Floats, int]:
    """Return the complete pairs (n, 2) and how many were left out."""
    first, second = as_vector(a, argument="a"), as_vector(b, argument="b")
    if len(first) != len(second):
        raise UsageError("psychometrics.pairs_unequal", n=len(first), m=len(second))
    both = np.column_stack([first, second])
    complete = complete_rows(both, ("a", "b"), missing, argument="a, b")
    return both[complete], int((~complete).sum())


def _limits(pairs: Floats, z: float, confidence_level: float) -> tuple[float, float, tuple[float, float]]:
    """Return bias, standard deviation and how far from the bias the exact limits of bias + z·sd lie."""
    n = pairs.shape[0]
    if n < 2:
        return math.nan, math.nan, (math.nan, math.nan)
    difference = pairs[:, 0] - pairs[:, 1]
    bias = float(difference.mean())
    spread = 0.0 if without_spread(difference[:, np.newaxis])[0] else float(difference.std(ddof=1))
    tail = (1.0 - confidence_level) / 2.0
    inner, outer = (float(nctdtrit(n - 1, z * math.sqrt(n), p)) for p in (tail, 1.0 - tail))
    unit = spread / math.sqrt(n)
    return bias, spread, (inner * unit, outer * unit)


def _measurement_error(
    x: object, definition: ErrorDefinition, missing: CompleteTable, confidence_level: float
) -> StandardErrorOfMeasurement:
    """Return the standard error of measurement, without a warning where it is not defined."""
    check_choice("definition", definition, get_args(ErrorDefinition))
    check_choice("missing", missing, COMPLETE_TABLE)
    matrix = ratings(x)
    if definition == "differences" and len(matrix.labels) != 2:
        raise UsageError("psychometrics.two_occasions", n=len(matrix.labels))
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    values = matrix.cells[complete]
    squares = MeanSquares.of(values)
    n, reason = squares.n, None
    if n < 2:
        reason = Message("psychometrics.too_few_targets", {"n": n})
    elif without_spread(values.reshape(-1, 1))[0]:
        reason = Message("psychometrics.no_variation", {"n": values.size})
    variance, df, limits = math.nan, math.nan, (math.nan, math.nan)
    if reason is None:
        variance, df = _error_variance(squares, definition)
        low, high = error_limits(squares, definition, confidence_level)
        limits = float(low), float(high)
    residual, k = float(squares.residual), squares.k
    return StandardErrorOfMeasurement(
        estimate=math.sqrt(variance),
        ci=ConfidenceInterval(*limits, confidence_level, GRAYBILL_WANG if definition == "agreement" else CHI_SQUARE),
        n=n,
        n_raters=k,
        n_dropped=int((~complete).sum()),
        definition=definition,
        df=df,
        variance_targets=(float(squares.targets) - residual) / k,
        variance_raters=(float(squares.raters) - residual) / n if n else math.nan,
        variance_residual=residual,
        missing=missing,
        reason=reason,
    )


def _error_variance(squares: MeanSquares, definition: str) -> tuple[float, float]:
    """Return the error variance and its degrees of freedom; at least two targets and raters."""
    n, df = squares.n, squares.df_error("consistency")
    residual = float(squares.residual)
    if definition != "agreement":
        return residual, float(df)
    of_raters, of_rest = float(squares.raters) / n, (n - 1) * residual / n
    variance = of_raters + of_rest
    if variance == 0.0:
        return 0.0, float(df)
    share = of_raters / variance
    return variance, 1.0 / (share**2 / (squares.k - 1) + (1.0 - share) ** 2 / df)


def error_limits(squares: MeanSquares, definition: str, confidence_level: float) -> tuple[Floats, Floats]:
    """Return the limits of the standard error of measurement, for mean squares of any shape."""
    n, df = squares.n, squares.df_error("consistency")
    parts = [((n - 1) / n * squares.residual, df), (squares.raters / n, squares.k - 1)]
    if definition != "agreement":
        parts = [(squares.residual, df)]
    tail = (1.0 - confidence_level) / 2.0
    total = np.sum([part for part, _ in parts], axis=0)
    below = np.sum([np.square((1.0 - nu / chdtri(nu, tail)) * part) for part, nu in parts], axis=0)
    above = np.sum([np.square((nu / chdtri(nu, 1.0 - tail) - 1.0) * part) for part, nu in parts], axis=0)
    return np.sqrt(np.maximum(total - np.sqrt(below), 0.0)), np.sqrt(total + np.sqrt(above))


def _check_level(argument: str, value: object) -> float:
    level = as_number(value)
    if level is None or not 0.0 < level < 1.0:
        raise UsageError("psychometrics.level_between", argument=argument, value=repr(value))
    return level


def _two_sided(level: float) -> float:
    """Return the normal quantile that a share of values stays within, on both sides."""
    return float(ndtri(0.5 + level / 2.0))


def _times(ci: ConfidenceInterval, factor: float) -> ConfidenceInterval:
    return ConfidenceInterval(factor * ci.low, factor * ci.high, ci.confidence_level, ci.method)


def _shown(value: float, ci: ConfidenceInterval) -> str:
    """Return an estimate with its interval in English."""
    limits = interval(ci.low, ci.high, "en", digits=2)
    return f"{number(value, 'en', digits=2)} ({percent(ci.confidence_level, 'en')} interval {limits})"


def _table(
    rows: list[tuple[str, float, ConfidenceInterval]], n: int, reason: Message | None, **extra: object
) -> pd.DataFrame:
    """Return lines of statistic, estimate and interval with the declared columns, and one column more."""
    (name, column), *_ = extra.items()
    made: dict[str, Sequence[Any]] = {
        "statistic": [statistic for statistic, _, _ in rows],
        "n": [n] * len(rows),
        "estimate": [estimate for _, estimate, _ in rows],
        "ci_low": [ci.low for _, _, ci in rows],
        "ci_high": [ci.high for _, _, ci in rows],
        "ci_level": [ci.confidence_level for _, _, ci in rows],
        "method": [ci.method for _, _, ci in rows],
        "reason": [reason.text("en") if reason else ""] * len(rows),
        name: column if isinstance(column, list) else [column] * len(rows),
    }
    return table(made, extra=(name,))
