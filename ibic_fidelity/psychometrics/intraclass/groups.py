"""Intraclass correlations: how much of the variance lies between groups or targets."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    Integers,
    as_groups,
    as_vector,
    check_choice,
    check_confidence_level,
    complete_rows,
    end_share,
    known_groups_rows,
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.intraclass._not_normal import Inflation, of_groups
from ibic_fidelity.psychometrics.intraclass._one_way import (
    Anova,
    Coefficients,
    coefficients,
    group_sums,
    reliability,
    variance_ratio_limits,
)
from ibic_fidelity.psychometrics.intraclass.group_result import GroupMeanReliability

#: How the variances between and within groups are estimated.
GroupEstimator = Literal["ANOVA", "REML"]

BALANCED = "exact F (equal groups)"
UNBALANCED = "exact F (Wald 1940)"
#: Share of values at the lowest or the highest one from which the interval does not cover as it should.
PILED_UP = 0.30
#: Of a coefficient, by which it may lie outside its interval.
_ROUNDING = 1e-9


def group_mean_reliability(
    y: object,
    groups: object,
    *,
    estimator: GroupEstimator = "ANOVA",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> GroupMeanReliability:
    r"""Return ICC(1), the likeness of members, and ICC(2), the reliability of group means.

    Both come from a one-way random-effects model.  By the analysis of variance a negative ICC(1) (members of
    a group differ more than members of different groups) is reported as it is, not cut at zero; so is ICC(2).
    REML weighs groups of unequal sizes as the data ask for, and has 0 as its least value.

    Parameters
    ----------
    y : array-like of shape (members,)
        One number a member, such as a scale score; NaN is missing.
    groups : array-like of shape (members,)
        The member's group, all numbers or all text.
    estimator : {"ANOVA", "REML"}
        By mean squares, or by restricted maximum likelihood.
    missing : {"raise", "listwise"}
        Raise where a number or a group is missing, or leave those members out.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    GroupMeanReliability
        Both coefficients with intervals, the analysis of variance, sizes, design effect, and the mean of
        each group with standard error and reliability.

    Raises
    ------
    UsageError
        Unequal lengths, missing values under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text in `y`, or groups that mix numbers and text.

    Warns
    -----
    UndefinedStatisticWarning
        One group, only groups of one (as where the column of groups is the respondents' id), or no variation at
        all: everything is NaN.  Equal group means with variation inside: ICC(2) by ANOVA is NaN (its limit is −∞).

    Notes
    -----
    With N members, J groups, mean squares :math:`MS_B` and :math:`MS_W` and the mean size m = N/J [1]_ [2]_,

    .. math:: ICC(1) = \frac{MS_B - MS_W}{MS_B + (m - 1)\,MS_W}, \qquad
              ICC(2) = \frac{MS_B - MS_W}{MS_B}.

    This is the definition of R's `multilevel`.  For unequal groups :math:`n_0 < m` is the size for which
    the mean squares have the expectation that the formula assumes; `icc1_anova` uses it [3]_.  By REML,
    ICC(1) is :math:`\theta/(1+\theta)` and ICC(2) :math:`n_0\theta/(1+n_0\theta)`, the reliability of the mean of
    :math:`n_0` members; the reliability of the mean of each group as it is stands in `group_table`.

    *Design effect.*  :math:`1 + (\sum n_j^2/N - 1)\,ICC(1)`: how much the variance of the mean of all members is
    larger than with independent members; its limits are those of ICC(1) put there.

    *Interval.*  For the variance ratio :math:`\theta = \sigma_B^2/\sigma_W^2` and
    :math:`w_j = n_j/(1 + n_j\theta)`, the quantity
    :math:`\sum w_j(\bar y_j - \bar y_w)^2 / ((J-1)\,MS_W)` falls with θ and has exactly the F
    distribution with J − 1 and N − J degrees of freedom if groups and members are normal [4]_ [5]_.  Its
    quantiles are solved for θ; :math:`\theta/(1+\theta)` are the limits of ICC(1), and
    :math:`n_0\theta/(1+n_0\theta)` those of ICC(2).  For groups of equal size these are the F limits of
    Shrout and Fleiss [2]_; by REML they are cut at 0.  A limit below :math:`\theta = -1/\max n_j` does not
    exist and is put there.

    *Coverage* (calibration/psychometric_coverage.csv, required .93–.975).
    **Use the adjusted intervals first.**  .93–.96 for normal values and symmetric five-point ones, in groups of 20 and
    of 5 to 100; .91–.95 for skewed five-point values (40 % at the ceiling), .85–.94 with 60 % and .71–.94 with 80 % at
    the ceiling, the worse the higher ICC(1).  Where 30 % of the values or more are the lowest or the highest one, the
    flag ``icc_interval_not_reliable`` says so.  By REML, normal values in groups of 1 to 6, 20, and 5 to 100
    members cover .939–.963 (calibration/intraclass_coverage.csv); at a true 0 it is .974–.980, since an interval cut at
    0 cannot miss below.

    *Groups that are not normal.*  Sites seldom are, and normal theory then fails however many there are: with 12, 24
    and 50 groups, exponential groups .76–.90, t with 4 degrees of freedom .79–.91, lognormal ones .60–.89.  The
    adjusted intervals divide the degrees of freedom by how much the groups' own influence on log F varies beside
    normal theory, times (t/z)², t with twice as many degrees of freedom as there are groups that carry that variance.
    They cover .92–.97 for exponential, t and beta(.5, 3) groups, .86–.965 for lognormal ones, and .954–.980 for normal
    and symmetric values: a little wide with few groups, and better so than a warning in every small study.  A ratio of
    standard errors above 1.25 has the flag ``icc_groups_not_normal`` (5–14 % of normal samples, and no more than 20–70
    % of skewed ones: that it is absent proves nothing).

    *Very unequal groups.*  Mean squares weigh groups by size and Wald's interval by what they tell, so that an
    estimate may be outside its interval (one group of 200 and nine of 5: in a quarter of the samples).  The definition
    is kept, since others use it, and the flag ``icc_outside_interval`` says that the interval is to be reported.

    References
    ----------
    .. [1] Bliese, P. D. (2000). Within-group agreement, non-independence, and reliability. In K. J. Klein &
       S. W. J. Kozlowski (Eds.), Multilevel theory, research, and methods in organizations (pp. 349–381).
    .. [2] Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations: uses in assessing rater
       reliability. Psychological Bulletin, 86, 420–428.
    .. [3] Donner, A. (1986). A review of inference procedures for the intraclass correlation coefficient in
       the one-way random effects model. International Statistical Review, 54, 67–82.
    .. [4] Wald, A. (1940). A note on the analysis of variance with unequal class frequencies. Annals of
       Mathematical Statistics, 11, 96–100.
    .. [5] Burch, B. D. (2008). Comparing equal-tail probability and unbiased confidence intervals for the
       intraclass correlation coefficient. Communications in Statistics – Theory and Methods, 37, 3264–3275.

    Examples
    --------
    The six targets of Shrout and Fleiss (1979) as groups: their ICC(1,1) .17 and ICC(1,4) .44.

    >>> y = [9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7]
    >>> result = group_mean_reliability(y, [target for target in "abcdef" for _ in range(4)])
    >>> print(f"{result.icc1:.5f} {result.icc2:.5f}, {result.icc1_ci.low:.5f} to {result.icc1_ci.high:.5f}")
    0.16574 0.44280, -0.13293 to 0.72256
    """
    check_choice("estimator", estimator, get_args(GroupEstimator))
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    values = as_vector(y)
    membership = as_groups(groups, values.shape[0], data="y")
    used = complete_rows(values[:, None], ("1",), missing, argument="y")
    used &= known_groups_rows(membership, missing)
    present, codes = np.unique(membership.codes[used], return_inverse=True)
    sizes, means, within = group_sums(values[used], codes)
    anova = Anova.of(sizes, means, np.float64(within))
    reason = _undefined(values[used], codes, sizes)
    made = coefficients(anova, sizes, means, within, "" if reason else estimator)
    if reason is None and math.isnan(made.icc2):
        reason = Message("psychometrics.group_means_equal", {"n": len(sizes)})
    if reason is not None:
        warn_undefined(reason)
    limits = adjusted = np.full(2, math.nan)
    inflation = Inflation(np.array(1.0), np.array(1.0))
    if not math.isnan(made.icc1):
        inflation = of_groups(sizes, means, _within(values[used], codes), confidence_level)
        limits, adjusted = (
            np.array(variance_ratio_limits(sizes, means, np.float64(within), confidence_level, factor))
            for factor in (1.0, inflation.factor)
        )
    method = BALANCED if len(set(sizes.tolist())) < 2 else UNBALANCED
    if estimator == "REML":
        limits, adjusted, method = np.maximum(limits, 0.0), np.maximum(adjusted, 0.0), f"{method}, cut at 0"
    intervals: dict[str, Any] = {
        **_intervals(limits, made.icc2, anova, confidence_level, method, ""),
        **_intervals(adjusted, made.icc2, anova, confidence_level, f"{method}, adjusted", "_adjusted"),
    }
    return GroupMeanReliability(
        icc1=made.icc1,
        **intervals,
        icc2=made.icc2,
        icc1_anova=made.icc1_anova,
        n=anova.n,
        n_groups=len(sizes),
        n_single=int((sizes == 1).sum()),
        n_dropped=int((~used).sum()),
        mean_group_size=anova.mean_size,
        effective_group_size=anova.effective,
        mean_square_between=anova.between,
        mean_square_within=anova.within,
        df_between=len(sizes) - 1,
        df_within=anova.n - len(sizes),
        design_effect=1.0 + (anova.kish - 1.0) * made.icc1,
        design_effect_size=anova.kish,
        variance_between=made.between,
        variance_within=made.within,
        groups=tuple(membership.labels[code] for code in present),
        **_of_groups(values[used], codes, sizes, made, limits),
        estimator=estimator,
        missing=missing,
        reason=reason,
        flags=() if math.isnan(made.icc1) else _flags(values[used], inflation, made, intervals),
    )


def _of_groups(values: Floats, codes: Integers, sizes: Integers, made: Coefficients, limits: Floats) -> dict[str, Any]:
    """Return size, mean, standard error and reliability with its limits of each group's mean."""
    number = sizes.astype(np.float64)

    def of_mean(ratio: float) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = reliability(np.full(len(sizes), ratio), number)
        return read_only(np.where(1.0 + number * ratio > 0.0, share, np.nan))

    return {
        "group_sizes": read_only(sizes.copy()),
        "group_means": read_only(np.bincount(codes, weights=values, minlength=len(sizes)) / number),
        "group_std_errors": read_only(np.sqrt(made.within / number)),
        "group_reliabilities": of_mean(made.ratio),
        "group_reliability_low": of_mean(float(limits[0])),
        "group_reliability_high": of_mean(float(limits[1])),
    }


def _undefined(values: Floats, codes: Integers, sizes: Integers) -> Message | None:
    """Return why nothing can be estimated, or None."""
    n_groups = len(sizes)
    if n_groups < 2:
        return Message("psychometrics.too_few_groups", {"n": n_groups})
    if sizes.max() == 1:
        return Message("psychometrics.only_single_members", {"n": n_groups})
    if without_spread(values[:, None])[0]:
        return Message("psychometrics.no_variation", {"n": len(values)})
    return None


def _within(values: Floats, codes: Integers) -> Floats:
    """Return the sum of squares within each group (J,)."""
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=values - values.mean()) / sizes
    return np.asarray(np.bincount(codes, weights=np.square(values - values.mean() - means[codes])), dtype=np.float64)


def _flags(values: Floats, inflation: Inflation, made: Coefficients, intervals: dict[str, Any]) -> tuple[Message, ...]:
    """Return whether the intervals are not reliable with these values (n,), and whether they hold the estimates."""
    flags = list(inflation.flags("psychometrics.icc_groups_not_normal"))
    piled_up = float(end_share(values[:, np.newaxis])[0])
    if piled_up >= PILED_UP:
        flags.append(Message("psychometrics.icc_interval_not_reliable", {"share": float(piled_up)}))
    for value, ci in ((made.icc1, intervals["icc1_ci"]), (made.icc2, intervals["icc2_ci"])):
        if value < ci.low - _ROUNDING or value > ci.high + _ROUNDING:
            flags.append(Message("psychometrics.icc_outside_interval"))
            break
    return tuple(flags)


def _intervals(
    limits: Floats, icc2: float, anova: Anova, confidence_level: float, method: str, name: str
) -> dict[str, ConfidenceInterval]:
    """Return the intervals of ICC(1), ICC(2) and the design effect from limits (2,) of the ratio of variances."""
    of_means = limits if not math.isnan(icc2) else np.full(2, math.nan)
    icc1 = _interval(limits, 1.0, confidence_level, method)
    low, high = (1.0 + (anova.kish - 1.0) * limit for limit in (icc1.low, icc1.high))
    return {
        f"icc1_ci{name}": icc1,
        f"icc2_ci{name}": _interval(of_means, anova.effective, confidence_level, method),
        f"design_effect_ci{name}": ConfidenceInterval(low, high, confidence_level, method),
    }


def _interval(limits: Floats, size: float, confidence_level: float, method: str) -> ConfidenceInterval:
    """Return the interval of nθ/(1 + nθ) for a size n (1 for ICC(1)) and limits (2,) of θ."""
    low, high = reliability(limits, size)
    return ConfidenceInterval(float(low), float(high), confidence_level, method)
