"""What `group_mean_reliability` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd


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
    icc1_ci_adjusted, icc2_ci_adjusted, design_effect_ci_adjusted : ConfidenceInterval
        **To be used first**: the same with degrees of freedom that the spread of the groups themselves allows.
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
        Whether the intervals are not reliable with these values, or leave out the estimate.
    """

    icc1: float
    icc1_ci: ConfidenceInterval
    icc2: float
    icc2_ci: ConfidenceInterval
    icc1_ci_adjusted: ConfidenceInterval
    icc2_ci_adjusted: ConfidenceInterval
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
    design_effect_ci_adjusted: ConfidenceInterval
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
        """Return ICC(1), ICC(2), ICC(1) of the ANOVA estimator, and the design effect, then with adjusted intervals.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_groups.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        reason = " ".join(message.text("en") for message in said)
        intervals = (
            *(self.icc1_ci, self.icc2_ci, self.icc1_ci, self.design_effect_ci),
            *(self.icc1_ci_adjusted, self.icc2_ci_adjusted, self.icc1_ci_adjusted, self.design_effect_ci_adjusted),
        )
        return table(
            {
                "statistic": ("icc1", "icc2", "icc1_anova", "design_effect") * 2,
                "n": [self.n] * 8,
                "estimate": [self.icc1, self.icc2, self.icc1_anova, self.design_effect] * 2,
                "ci_low": [ci.low for ci in intervals],
                "ci_high": [ci.high for ci in intervals],
                "ci_level": [ci.confidence_level for ci in intervals],
                "method": [ci.method for ci in intervals],
                "reason": [reason] * 8,
                "n_groups": [self.n_groups] * 8,
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
        first, second = (
            interval(ci.low, ci.high, "apa", digits=2) for ci in (self.icc1_ci_adjusted, self.icc2_ci_adjusted)
        )
        adjusted = f"Use first: adjusted intervals, ICC(1) {first}, ICC(2) {second}."
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return "\n".join([line, adjusted, *(message.text("en") for message in said)])
