"""Limits of agreement of two raters, methods or occasions, and proportional bias."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import nctdtrit, stdtr, stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_vector,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.intraclass._error_variance import normality_unseen
from ibic_fidelity.psychometrics.intraclass._scale_units import check_level, lines, shown, two_sided

if TYPE_CHECKING:
    import pandas as pd

STUDENT = "t"
NONCENTRAL = "exact, noncentral t (Carkeet)"
#: Distribution-free over normal-theory standard error of a limit, from which its interval is too narrow.
TOO_NARROW = 1.20


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
    flags : tuple of Message
        Whether the differences are too far from normal for the intervals.
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
    flags: tuple[Message, ...]

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
        return lines(rows, self.n, (self.reason, *self.flags), p_value=[math.nan] * 3 + [self.slope_p_value])

    def summary(self) -> str:
        """Return one line in English, and one on proportional bias."""
        if math.isnan(self.estimate) and self.reason is not None:
            return f"Limits of agreement are not defined: {self.reason.text('en')}"
        share = percent(self.limits_level, "en")
        line = (
            f"Bias {shown(self.estimate, self.ci)}; {share} limits of agreement {shown(self.lower, self.lower_ci)}"
            f" and {shown(self.upper, self.upper_ci)}; {self.n} pairs, {self.n_dropped} left out for missing values."
        )
        if self.reason is not None:
            return "\n".join([line, *(message.text("en") for message in (self.reason, *self.flags))])
        test = f"p {number(self.slope_p_value, 'apa', digits=3)}"
        line = f"{line}\nProportional bias: slope {shown(self.slope, self.slope_ci)}, {test}."
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])


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

    *Coverage* (calibration/intraclass_coverage.csv).  .94–.96 for normal differences.  With heavy tails (t with 5
    degrees of freedom, Laplace) the intervals of the limits cover .88–.90 of 10 pairs and .83–.85 of 100, with
    exponential ones .67; that of the bias holds.  Where the third and fourth moments of the differences say that a
    limit spreads 1.2 times as much as with normal ones, the flag ``limits_interval_too_narrow`` says so: in 70–100 %
    of such samples of 100, but in half of those of 30 only, and in 7–20 % of normal samples.  Few pairs do not show
    their tails: fewer than 50 all get the flag ``normality_unseen``.

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
    limits_level = check_level("limits_level", limits_level)
    pairs, n_dropped = _pairs(a, b, missing)
    n = pairs.shape[0]
    bias, spread, edges = _limits(pairs, two_sided(limits_level), confidence_level)
    slope = _slope(pairs, confidence_level)
    reason = None
    if n < 2:
        reason = Message("psychometrics.too_few_pairs", {"n": n})
    elif math.isnan(slope.slope):
        reason = Message("psychometrics.means_constant", {"n": n})
    if reason is not None:
        warn_undefined(reason)
    away = two_sided(limits_level) * spread
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
        flags=_flags(pairs, two_sided(limits_level)),
    )


def _flags(pairs: Floats, z: float) -> tuple[Message, ...]:
    ratio = float(spread_of_limits(pairs[:, 0] - pairs[:, 1], z)) if len(pairs) > 2 else 0.0
    if ratio <= TOO_NARROW:
        return normality_unseen(len(pairs)) if len(pairs) > 1 else ()
    return (Message("psychometrics.limits_interval_too_narrow", {"ratio": float(ratio)}),)


def spread_of_limits(differences: Floats, z: float) -> Floats:
    r"""Return the distribution-free over the normal-theory standard error of mean ± z·SD, the larger one, of (…, n).

    From the third and fourth moments: the variance of a limit is about
    :math:`\sigma^2(1 \pm z\gamma_1 + z^2(2 + \gamma_2)/4)/n`.
    """
    away = differences - differences.mean(axis=-1, keepdims=True)
    variance = np.square(away).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = (away**3).mean(axis=-1) / variance**1.5
        tails = (away**4).mean(axis=-1) / variance**2 - 3.0
    ratio = np.sqrt((1.0 + z * np.abs(skew) + z**2 * (2.0 + tails) / 4.0) / (1.0 + z**2 / 2.0))
    return np.where(variance > 0.0, ratio, 0.0)


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
    inner, outer = exact_edges(n, z, confidence_level)
    return bias, spread, (inner * spread, outer * spread)


def exact_edges(n: int, z: float, confidence_level: float) -> tuple[float, float]:
    """Return how many standard deviations from the bias the exact limits of bias + z·SD lie."""
    tail = (1.0 - confidence_level) / 2.0
    inner, outer = (float(nctdtrit(n - 1, z * math.sqrt(n), p)) for p in (tail, 1.0 - tail))
    return inner / math.sqrt(n), outer / math.sqrt(n)
