"""Reliability of a reflective scale at two levels: of members within groups, and of groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    end_share,
    known_groups_rows,
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.generalizability._two_levels import levels_of, log_limits, two_level_kernel
from ibic_fidelity.psychometrics.intraclass._one_way import Anova, group_sums, reliability, variance_ratio_limits
from ibic_fidelity.psychometrics.resampling import (
    as_generator,
    bootstrap_estimates,
    check_replicates,
    percentile_interval,
)

if TYPE_CHECKING:
    import pandas as pd

DELTA = "delta method, t of log(1 − x), normal answers"
GROUPS_DRAWN = "percentile bootstrap of groups"
#: Groups below which the interval between them is flagged.
FEW_GROUPS = 20
#: Groups below which the bootstrap interval is flagged.
FEW_DRAWN = 50
#: ICC(2) of the scale below which alpha between groups is flagged: nearly all of what it sees is sampling error.
LOW_RELIABILITY = 0.70
#: Share of answers at an end of the scale, mean over items, from which no interval here covers as it should.
PILED_UP = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class MultilevelAlpha:
    """Alpha within and between groups, as `multilevel_alpha` returns it.

    Attributes
    ----------
    within : float
        Alpha of members within groups.
    within_ci : ConfidenceInterval
    between : float
        Alpha of groups, the sampling of members taken away.
    between_ci : ConfidenceInterval
    within_ci_bootstrap, between_ci_bootstrap : ConfidenceInterval or None
        Percentile intervals, groups drawn; None without a bootstrap.
    icc1 : float
        Share of the variance of the scale's mean that lies between groups (ANOVA).
    icc2 : float
        Reliability of the mean of an average group, whose error is the sampling of members.
    icc2_ci : ConfidenceInterval
        From Wald's exact F.
    within_covariance, between_covariance : array (k, k)
        Of the items.
    n, n_groups, n_dropped, k : int
        Members used, groups, members left out, and items.
    mean_group_size, effective_group_size : float
        Equal where groups are of equal size.
    items : tuple of str
        Names of the items.
    n_replicates : int
        Bootstrap samples drawn.
    n_undefined : int
        Those in which alpha between groups is not defined.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    flags : tuple of Message
        Where intervals are not reliable.
    """

    within: float
    within_ci: ConfidenceInterval
    between: float
    between_ci: ConfidenceInterval
    within_ci_bootstrap: ConfidenceInterval | None
    between_ci_bootstrap: ConfidenceInterval | None
    icc1: float
    icc2: float
    icc2_ci: ConfidenceInterval
    within_covariance: Floats
    between_covariance: Floats
    n: int
    n_groups: int
    n_dropped: int
    k: int
    mean_group_size: float
    effective_group_size: float
    items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return alpha at both levels, bootstrapped too where asked for, and ICC(2), one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_groups.
        """
        lines = [
            ("alpha_within", self.within, self.within_ci),
            ("alpha_between", self.between, self.between_ci),
            ("alpha_within", self.within, self.within_ci_bootstrap),
            ("alpha_between", self.between, self.between_ci_bootstrap),
            ("icc2", self.icc2, self.icc2_ci),
        ]
        shown = [(name, estimate, ci) for name, estimate, ci in lines if ci is not None]
        said = " ".join(m.text("en") for m in (*((self.reason,) if self.reason else ()), *self.flags))
        return table(
            {
                "statistic": [name for name, _, _ in shown],
                "n": [self.n] * len(shown),
                "estimate": [estimate for _, estimate, _ in shown],
                "ci_low": [ci.low for _, _, ci in shown],
                "ci_high": [ci.high for _, _, ci in shown],
                "ci_level": [ci.confidence_level for _, _, ci in shown],
                "method": [ci.method for _, _, ci in shown],
                "reason": [said] * len(shown),
                "n_groups": [self.n_groups] * len(shown),
            },
            extra=("n_groups",),
        )

    def summary(self) -> str:
        """Return one line in English, and one a reason or flag."""
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        if math.isnan(self.within) and self.reason is not None:
            return f"Alpha within and between groups is not defined: {self.reason.text('en')}"
        level = percent(self.within_ci.confidence_level, "en")
        parts = ", ".join(
            f"{name} {coefficient(value, 'en')} ({interval(ci.low, ci.high, 'apa', digits=2)})"
            for name, value, ci in (
                ("alpha within groups", self.within, self.within_ci),
                ("between groups", self.between, self.between_ci),
                ("ICC(2)", self.icc2, self.icc2_ci),
            )
        )
        used = f"{self.k} items, {self.n} members of {self.n_groups} groups, {self.n_dropped} left out"
        return "\n".join([f"{parts}, {level} intervals, {used}.", *(message.text("en") for message in said)])


def multilevel_alpha(
    x: object,
    groups: object,
    *,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: int | np.random.Generator = 0,
) -> MultilevelAlpha:
    r"""Return Cronbach's alpha of a scale within groups, and of the groups themselves, with ICC(2).

    Alpha of all answers mixes both levels and is the reliability of neither.  Where a site's mean of a reflective
    scale is used, alpha between groups says how well the items agree on the differences between sites, and ICC(2) how
    much of the differences between the means is more than the sampling of members.

    Parameters
    ----------
    x : array-like of shape (n, k)
        Answers, one row a member, one column an item; NaN is missing.
    groups : array-like of shape (n,)
        The member's group, all numbers or all text.
    missing : {"raise", "listwise"}
        Raise where an answer or a group is missing, or leave those members out.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        Samples of groups, 0 for none.
    rng : int or numpy Generator
        Seed of the bootstrap.

    Returns
    -------
    MultilevelAlpha
        Alpha at both levels and ICC(2) with intervals, and the covariances that alpha is made from.

    Raises
    ------
    UsageError
        Fewer than two items, unequal lengths, missing values under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text among the answers, or groups that mix numbers and text.

    Warns
    -----
    UndefinedStatisticWarning
        One group, only groups of one, or no variation: everything is NaN.  No more variance between the groups' sums
        than the sampling of members makes: alpha between groups is NaN.

    Notes
    -----
    With mean squares and products :math:`S_B` between J groups and :math:`S_W` within them, N members and
    :math:`n_0 = (N - \sum n_j^2/N)/(J-1)`, the covariances are :math:`\Sigma_W = S_W` and
    :math:`\Sigma_B = (S_B - S_W)/n_0` (for equal groups those of maximum likelihood, but for J − 1 in place of J), and
    at each level [1]_

    .. math:: \alpha = \frac{k}{k-1}\left(1 - \frac{\operatorname{tr}\Sigma}{1'\Sigma 1}\right).

    Alpha between groups can exceed 1, or fall below 0, with few groups; it is reported as it is.

    *Interval.*  The delta method on log(1 − alpha) from the normal-theory variances of :math:`S_W` and :math:`S_B`,
    those of groups of unequal size included, and t with N − J and J − 1 degrees of freedom, of which unequal sizes
    leave fewer.  The bootstrap draws groups with all their members; mean squares between are multiplied by J/(J − 1).

    *Coverage* (calibration/decision_coverage.csv, required .93–.975).
    Normal answers, 12 to 100 groups of 20 and of 5 to 100 members: alpha within .943–.960; alpha between .939–.975
    where nothing is flagged.  Below an ICC(2) of .70 and with fewer than 20 groups the interval between is too wide (up
    to 1.000), or not defined, and is flagged.  The bootstrap between covers .926 with 24 groups and .937–.940 with 50
    and 100; below 50 it is flagged.  Answers at the ends of the scale are not in the table: from 35 % they are flagged.

    References
    ----------
    .. [1] Geldhof, G. J., Preacher, K. J., & Zyphur, M. J. (2014). Reliability estimation in a multilevel
       confirmatory factor analysis framework. Psychological Methods, 19, 72–91.
    .. [2] Bliese, P. D. (2000). Within-group agreement, non-independence, and reliability. In K. J. Klein &
       S. W. J. Kozlowski (Eds.), Multilevel theory, research, and methods in organizations (pp. 349–381).

    Examples
    --------
    >>> x = [[2, 3, 2], [3, 3, 4], [1, 2, 2], [5, 4, 4], [4, 5, 5], [4, 3, 4], [1, 2, 1], [2, 1, 3], [2, 2, 1]]
    >>> result = multilevel_alpha(x, list("aaabbbccc"))
    >>> print(f"{result.within:.3f} {result.between:.3f} {result.icc2:.3f}")
    0.517 1.021 0.930
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    replicates = check_replicates(bootstrap)
    generator = as_generator(rng, "psychometrics/multilevel_alpha")
    matrix = as_matrix(x, least_columns=2)
    membership = as_groups(groups, len(matrix.cells))
    used = complete_rows(matrix.cells, matrix.labels, missing) & known_groups_rows(membership, missing)
    order = np.argsort(membership.codes[used], kind="stable")
    values, codes = matrix.cells[used][order], membership.codes[used][order]
    _, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    levels, reason = levels_of(values, sizes), _undefined(values, sizes)
    nothing = np.array(math.nan), np.array(math.nan)
    (within, of_within), (between, of_between) = nothing, nothing
    if reason is None:
        (within, of_within), (between, of_between) = levels.alpha_within(), levels.alpha_between()
    if reason is None and (math.isnan(between) or math.isnan(within)):
        reason = Message("psychometrics.no_variance_between", {"n": len(sizes)})
    if reason is not None:
        warn_undefined(reason)
    drawn = np.full((replicates, 2), math.nan)
    if replicates and not (math.isnan(within) and math.isnan(between)):
        drawn = bootstrap_estimates(two_level_kernel(values, sizes), len(sizes), replicates, generator)
    boot = [percentile_interval(drawn[:, i], confidence_level, GROUPS_DRAWN) for i in (0, 1)]
    icc1, icc2, icc2_ci = _group_means(values.sum(axis=1) / values.shape[1], codes, confidence_level)
    n, n_groups = int(sizes.sum()), len(sizes)
    return MultilevelAlpha(
        within=float(within),
        within_ci=_interval(within, of_within, n - n_groups, confidence_level),
        between=float(between),
        between_ci=_interval(between, of_between, levels.df_between, confidence_level),
        within_ci_bootstrap=boot[0][0] if replicates else None,
        between_ci_bootstrap=boot[1][0] if replicates else None,
        icc1=icc1,
        icc2=icc2,
        icc2_ci=icc2_ci,
        within_covariance=read_only(levels.within),
        between_covariance=read_only(levels.covariance),
        n=n,
        n_groups=n_groups,
        n_dropped=int((~used).sum()),
        k=matrix.cells.shape[1],
        mean_group_size=n / n_groups if n_groups else math.nan,
        effective_group_size=levels.effective,
        items=matrix.labels,
        n_replicates=replicates,
        n_undefined=boot[1][1] if replicates else 0,
        missing=missing,
        reason=reason,
        flags=() if math.isnan(within) else flags_of(values, n_groups, float(between), icc2, drawn=replicates > 0),
    )


def flags_of(values: Floats, n_groups: int, between: float, icc2: float, *, drawn: bool) -> tuple[Message, ...]:
    """Return where intervals are not reliable."""
    made = []
    if n_groups < FEW_GROUPS:
        made.append(Message("psychometrics.multilevel_few_groups", {"n": n_groups, "least": FEW_GROUPS}))
    if drawn and n_groups < FEW_DRAWN:
        made.append(Message("psychometrics.multilevel_bootstrap_few", {"n": n_groups, "least": FEW_DRAWN}))
    if between >= 1.0:
        made.append(Message("psychometrics.multilevel_above_one", {"alpha": between}))
    if icc2 < LOW_RELIABILITY:
        made.append(Message("psychometrics.multilevel_low_reliability", {"icc2": icc2}))
    piled_up = float(end_share(values).mean())
    if piled_up >= PILED_UP:
        made.append(Message("psychometrics.multilevel_piled_up", {"share": piled_up}))
    return tuple(made)


def _undefined(values: Floats, sizes: Integers) -> Message | None:
    if len(sizes) < 2:
        return Message("psychometrics.too_few_groups", {"n": len(sizes)})
    if int(sizes.max()) < 2:
        return Message("psychometrics.only_single_members", {"n": len(sizes)})
    if without_spread(values.sum(axis=1, keepdims=True))[0]:
        return Message("psychometrics.sum_constant", {"n": len(values)})
    return None


def _interval(estimate: Floats, variance: Floats, df: float, level: float) -> ConfidenceInterval:
    low, high = log_limits(estimate, variance, df, level)
    return ConfidenceInterval(float(low), float(high), level, DELTA)


def _group_means(scale: Floats, codes: Integers, level: float) -> tuple[float, float, ConfidenceInterval]:
    """Return ICC(1), ICC(2) and its interval of a scale's mean."""
    sizes, means, squares = group_sums(scale, codes)
    made = Anova.of(sizes, means, np.float64(squares))
    method = "exact F (equal groups)" if len(set(sizes.tolist())) < 2 else "exact F (Wald 1940)"
    if not made.within > 0.0 or not made.between > 0.0:
        return math.nan, math.nan, ConfidenceInterval(math.nan, math.nan, level, method)
    _, icc2, icc1 = made.coefficients()
    limits = variance_ratio_limits(sizes, means, np.float64(squares), level)
    low, high = (float(reliability(limit, made.effective)) for limit in limits)
    return icc1, icc2, ConfidenceInterval(low, high, level, method)
