"""Measurement error in the unit of the scale: its standard error, and the change that it hides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    as_number,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.intraclass._error_variance import error_flags, error_limits, error_variance
from ibic_fidelity.psychometrics.intraclass._mean_squares import MeanSquares
from ibic_fidelity.psychometrics.intraclass._scale_units import check_level, lines, shown, two_sided
from ibic_fidelity.psychometrics.intraclass.raters import ratings

if TYPE_CHECKING:
    import pandas as pd

#: What counts as error: raters' levels and the rest, the rest only, or half the variance of differences.
ErrorDefinition = Literal["agreement", "consistency", "differences"]

CHI_SQUARE = "chi-square"
GRAYBILL_WANG = "modified large sample (Graybill & Wang)"


@dataclass(frozen=True, slots=True, eq=False)
class StandardErrorOfMeasurement:
    r"""The standard error of measurement, as `standard_error_of_measurement` returns it.

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
    intraclass_correlation, standard_deviation : float
        ICC(A,1) for agreement, ICC(C,1) else, and the standard deviation of a rating with the same components: the
        estimate is :math:`SD\sqrt{1 - ICC}`, whichever way it is come by.
    df : float
        Degrees of freedom of the error variance; Satterthwaite's for agreement (not used in its interval).
    variance_targets, variance_raters, variance_residual : float
        Components of variance by the analysis of variance, not cut at zero.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why it is not defined.
    flags : tuple of Message
        Whether the interval is not reliable with these ratings.
    """

    estimate: float
    ci: ConfidenceInterval
    n: int
    n_raters: int
    n_dropped: int
    definition: str
    intraclass_correlation: float
    standard_deviation: float
    df: float
    variance_targets: float
    variance_raters: float
    variance_residual: float
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return the standard error on one line.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_raters.
        """
        rows = [(f"sem_{self.definition}", self.estimate, self.ci)]
        return lines(rows, self.n, (self.reason, *self.flags), n_raters=self.n_raters)

    def summary(self) -> str:
        """Return one line in English."""
        if self.reason is not None:
            return f"The standard error of measurement is not defined: {self.reason.text('en')}"
        used = f"{self.n} targets, {self.n_raters} raters, {self.n_dropped} targets left out for missing ratings"
        line = f"SEM ({self.definition}) {shown(self.estimate, self.ci)}, {used}."
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])


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
    def flags(self) -> tuple[Message, ...]:
        """Return whether the intervals are not reliable."""
        return self.measurement_error.flags

    @property
    def table(self) -> pd.DataFrame:
        """Return the individual and the group level, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, group_size.
        """
        rows = [("sdc_individual", self.estimate, self.ci), ("sdc_group", self.group, self.group_ci)]
        return lines(rows, self.n, (self.reason, *self.flags), group_size=[1, self.group_size])

    def summary(self) -> str:
        """Return one line in English."""
        if self.reason is not None:
            return f"The smallest detectable change is not defined: {self.reason.text('en')}"
        line = (
            f"Smallest detectable change ({self.measurement_error.definition}) {shown(self.estimate, self.ci)} for"
            f" one, {number(self.group, 'en', digits=2)} for the mean of {self.group_size}; {self.n} targets."
        )
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])


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

    A target with a missing rating stops the call or is left out whole; components of a table with holes are in
    ``intraclass_correlation(x, missing="available")``.

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
    :math:`\sqrt{\sigma_T^2 + \sigma_E^2}\sqrt{1 - ICC(C,1)}` (`standard_deviation`, `intraclass_correlation`).
    Components are not cut at zero.

    *Interval.*  :math:`SEM\sqrt{\nu/\chi^2_\nu}`, exact for normal errors with (n − 1)(k − 1) degrees of
    freedom.  For agreement, a sum of mean squares :math:`c_i MS_i`, it is the modified large-sample interval [2]_

    .. math:: \sum c_i MS_i - \sqrt{\sum (1 - \nu_i/\chi^2_{\nu_i,1-p/2})^2 c_i^2 MS_i^2}, \qquad
              \sum c_i MS_i + \sqrt{\sum (\nu_i/\chi^2_{\nu_i,p/2} - 1)^2 c_i^2 MS_i^2},

    of which the root is taken; few raters who differ much make it very wide upwards.

    *Coverage* (calibration/intraclass_coverage.csv).  With normal errors .943–.977, rater variance 0 to 1 times the
    residual's; Satterthwaite's interval of agreement covers .67–.89 where raters differ much.  Heavy tails (t with 5
    degrees of freedom, Laplace) give .78–.89 for consistency, ratings at the ceiling (60 %) .77.  Where the squared
    residuals of targets say that the variance spreads 1.2 times as much as with normal errors, or where 30 % of the
    ratings are the lowest or the highest one, a flag says so: always at the ceiling, and with heavy tails in
    50–90 % of samples of 100 targets, but in 15–60 % of smaller ones.  Fewer than 50 targets cannot show whether
    errors are normal, and all get the flag ``normality_unseen``.

    References
    ----------
    .. [1] de Vet, H. C. W., Terwee, C. B., Knol, D. L., & Bouter, L. M. (2006). When to use agreement versus
       reliability measures. Journal of Clinical Epidemiology, 59, 1033–1039.
    .. [2] Graybill, F. A., & Wang, C.-M. (1980). Confidence intervals on nonnegative linear combinations of
       variances. Journal of the American Statistical Association, 75, 869–873.

    Examples
    --------
    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> print(standard_error_of_measurement(x).summary().splitlines()[0])
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

    A target with a missing rating stops the call or is left out whole; components of a table with holes are in
    ``intraclass_correlation(x, missing="available")``.

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
    change_level = check_level("change_level", change_level)
    members = None if group_size is None else as_number(group_size)
    if group_size is not None and (members is None or members < 1 or not float(members).is_integer()):
        raise UsageError("psychometrics.group_size", value=repr(group_size))
    error = _measurement_error(x, definition, missing, confidence_level)
    if error.reason is not None:
        warn_undefined(error.reason)
    size = error.n if members is None else int(members)
    factor = two_sided(change_level) * math.sqrt(2.0)
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
    of_targets = (float(squares.targets) - float(squares.residual)) / squares.k
    if n < 2:
        reason = Message("psychometrics.too_few_targets", {"n": n})
    elif without_spread(values.reshape(-1, 1))[0]:
        reason = Message("psychometrics.no_variation", {"n": values.size})
    variance, df, limits = math.nan, math.nan, (math.nan, math.nan)
    if reason is None:
        variance, df = error_variance(squares, definition)
        low, high = error_limits(squares, definition, confidence_level)
        limits = float(low), float(high)
    residual = float(squares.residual)
    total = of_targets + variance
    return StandardErrorOfMeasurement(
        estimate=math.sqrt(variance),
        ci=ConfidenceInterval(*limits, confidence_level, GRAYBILL_WANG if definition == "agreement" else CHI_SQUARE),
        n=n,
        n_raters=squares.k,
        n_dropped=int((~complete).sum()),
        definition=definition,
        intraclass_correlation=of_targets / total if total > 0.0 else math.nan,
        standard_deviation=math.sqrt(total) if total > 0.0 else math.nan,
        df=df,
        variance_targets=of_targets,
        variance_raters=(float(squares.raters) - residual) / n if n else math.nan,
        variance_residual=residual,
        missing=missing,
        reason=reason,
        flags=() if reason else error_flags(values),
    )


def _times(ci: ConfidenceInterval, factor: float) -> ConfidenceInterval:
    return ConfidenceInterval(factor * ci.low, factor * ci.high, ci.confidence_level, ci.method)
