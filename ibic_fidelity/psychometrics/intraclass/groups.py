"""Intraclass correlations: how much of the variance lies between groups or targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
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
from ibic_fidelity.psychometrics.intraclass._one_way import (
    Anova,
    Coefficients,
    coefficients,
    group_sums,
    reliability,
    variance_ratio_limits,
)

if TYPE_CHECKING:
    import pandas as pd

#: How the variances between and within groups are estimated.
GroupEstimator = Literal["ANOVA", "REML"]

BALANCED = "exact F (equal groups)"
UNBALANCED = "exact F (Wald 1940)"
#: Share of values at the lowest or the highest one from which the interval does not cover as it should.
PILED_UP = 0.30


@dataclass(frozen=True, slots=True, eq=False)
class GroupMeanReliability:
    r"""ICC(1) and ICC(2), as `group_mean_reliability` returns them.

    Attributes
    ----------
    icc1 : float
        ICC(1): how alike two members of one group are; by ANOVA with the mean group size.
    icc1_ci : ConfidenceInterval
        Interval of the intraclass correlation.
    icc2 : float
        ICC(2): reliability of the mean of an average group.
    icc2_ci : ConfidenceInterval
        Interval of the reliability of the mean of `effective_group_size` members.
    icc1_anova : float
        ICC(1) with `effective_group_size` in place of the mean size: the ANOVA estimator.
    n, n_groups, n_single : int
        Members used, groups, and groups of one (which say nothing of the variance within).
    n_dropped : int
        Members left out by ``missing="listwise"``.
    mean_group_size, effective_group_size : float
        N/J, and :math:`n_0 = (N - \sum n_j^2 / N)/(J - 1)`; equal where groups are of equal size.
    mean_square_between, mean_square_within : float
        Of the one-way analysis of variance.
    df_between, df_within : int
        J − 1 and N − J.
    design_effect : float
        :math:`1 + (\sum n_j^2/N - 1)\,ICC(1)`: how much the clustering multiplies the variance of the mean
        of all members.
    design_effect_size : float
        :math:`\sum n_j^2/N`, the size that the design effect has: the mean size that a member sees, which is the
        group size where groups are equal and more than their mean where they are not.
    design_effect_ci : ConfidenceInterval
        Its interval, from that of ICC(1).
    variance_between, variance_within : float
        Components of variance; by ANOVA with `effective_group_size`, not cut at zero.
    groups : tuple
        The groups' labels, sorted.
    group_sizes, group_means, group_std_errors : array (J,)
        Members of each group, their mean, and its standard error :math:`\sigma_W/\sqrt{n_j}`.
    group_reliabilities : array (J,)
        Reliability of each group's mean, :math:`n_j\theta/(1 + n_j\theta)` with :math:`\theta = \sigma_B^2/\sigma_W^2`.
    group_reliability_low, group_reliability_high : array (J,)
        Its limits.
    estimator : str
        "ANOVA" or "REML".
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    flags : tuple of Message
        Whether the intervals are not reliable with these values.
    """

    icc1: float
    icc1_ci: ConfidenceInterval
    icc2: float
    icc2_ci: ConfidenceInterval
    icc1_anova: float
    n: int
    n_groups: int
    n_single: int
    n_dropped: int
    mean_group_size: float
    effective_group_size: float
    mean_square_between: float
    mean_square_within: float
    df_between: int
    df_within: int
    design_effect: float
    design_effect_size: float
    design_effect_ci: ConfidenceInterval
    variance_between: float
    variance_within: float
    groups: tuple[Any, ...]
    group_sizes: Integers
    group_means: Floats
    group_std_errors: Floats
    group_reliabilities: Floats
    group_reliability_low: Floats
    group_reliability_high: Floats
    estimator: str
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return ICC(1), ICC(2), ICC(1) of the ANOVA estimator, and the design effect, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_groups.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        reason = " ".join(message.text("en") for message in said)
        intervals = (self.icc1_ci, self.icc2_ci, self.icc1_ci, self.design_effect_ci)
        return table(
            {
                "statistic": ("icc1", "icc2", "icc1_anova", "design_effect"),
                "n": [self.n] * 4,
                "estimate": [self.icc1, self.icc2, self.icc1_anova, self.design_effect],
                "ci_low": [ci.low for ci in intervals],
                "ci_high": [ci.high for ci in intervals],
                "ci_level": [ci.confidence_level for ci in intervals],
                "method": [ci.method for ci in intervals],
                "reason": [reason] * 4,
                "n_groups": [self.n_groups] * 4,
            },
            extra=("n_groups",),
        )

    @property
    def group_table(self) -> pd.DataFrame:
        """Return the mean of each group, one line each.

        Columns: statistic, n, estimate, std_error, group, reliability, reliability_low, reliability_high.
        """
        return table(
            {
                "statistic": ["group_mean"] * self.n_groups,
                "n": self.group_sizes.tolist(),
                "estimate": self.group_means.tolist(),
                "std_error": self.group_std_errors.tolist(),
                "group": self.groups,
                "reliability": self.group_reliabilities.tolist(),
                "reliability_low": self.group_reliability_low.tolist(),
                "reliability_high": self.group_reliability_high.tolist(),
            },
            extra=("group", "reliability", "reliability_low", "reliability_high"),
        )

    def summary(self) -> str:
        """Return one line in English, and one a flag."""
        if math.isnan(self.icc1) and self.reason is not None:
            return f"ICC(1) and ICC(2) are not defined: {self.reason.text('en')}"
        level = percent(self.icc1_ci.confidence_level, "en")
        parts = [
            f"{name} {coefficient(value, 'en')} ({interval(ci.low, ci.high, 'apa', digits=2)})"
            for name, value, ci in (("ICC(1)", self.icc1, self.icc1_ci), ("ICC(2)", self.icc2, self.icc2_ci))
        ]
        used = f"{self.n} members of {self.n_groups} groups, {self.n_dropped} left out for missing answers"
        line = f"{', '.join(parts)}, {level} intervals by {self.icc1_ci.method}, {used}."
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return "\n".join([line, *(message.text("en") for message in said)])


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
    .93–.96 for normal values and symmetric five-point ones, in groups of 20 and of 5 to 100; .91–.95 for
    skewed five-point values (40 % at the ceiling), .85–.94 with 60 % and .71–.94 with 80 % at the ceiling,
    the worse the higher ICC(1).  Where 30 % of the values or more are the lowest or the highest one, the
    flag ``icc_interval_not_reliable`` says so.  By REML, normal values in groups of 1 to 6, 20, and 5 to 100
    members cover .939–.963 (calibration/intraclass_coverage.csv); at a true 0 it is .975, since an interval cut at 0
    cannot miss below.

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
    limits = np.full(2, math.nan)
    if not math.isnan(made.icc1):
        limits = np.array(variance_ratio_limits(sizes, means, np.float64(within), confidence_level))
    method = BALANCED if len(set(sizes.tolist())) < 2 else UNBALANCED
    if estimator == "REML":
        limits, method = np.maximum(limits, 0.0), f"{method}, cut at 0"
    of_means = limits if not math.isnan(made.icc2) else np.full(2, math.nan)
    icc1_ci = _interval(limits, 1.0, confidence_level, method)
    return GroupMeanReliability(
        icc1=made.icc1,
        icc1_ci=icc1_ci,
        icc2=made.icc2,
        icc2_ci=_interval(of_means, anova.effective, confidence_level, method),
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
        design_effect_ci=_design_effect(icc1_ci, anova.kish),
        variance_between=made.between,
        variance_within=made.within,
        groups=tuple(membership.labels[code] for code in present),
        **_of_groups(values[used], codes, sizes, made, limits),
        estimator=estimator,
        missing=missing,
        reason=reason,
        flags=() if math.isnan(made.icc1) else _flags(values[used]),
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


def _flags(values: Floats) -> tuple[Message, ...]:
    """Return whether the intervals are not reliable with these values (n,)."""
    piled_up = float(end_share(values[:, np.newaxis])[0])
    if piled_up < PILED_UP:
        return ()
    return (Message("psychometrics.icc_interval_not_reliable", {"share": float(piled_up)}),)


def _design_effect(ci: ConfidenceInterval, size: float) -> ConfidenceInterval:
    """Return the interval of 1 + (size − 1)·ICC(1)."""
    low, high = (1.0 + (size - 1.0) * limit for limit in (ci.low, ci.high))
    return ConfidenceInterval(low, high, ci.confidence_level, ci.method)


def _interval(limits: Floats, size: float, confidence_level: float, method: str) -> ConfidenceInterval:
    """Return the interval of nθ/(1 + nθ) for a size n (1 for ICC(1)) and limits (2,) of θ."""
    low, high = reliability(limits, size)
    return ConfidenceInterval(float(low), float(high), confidence_level, method)
