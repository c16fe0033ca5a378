"""Agreement within groups: whether the members of a group give the same answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    Booleans,
    CompleteTable,
    Floats,
    Integers,
    as_groups,
    as_matrix,
    as_number,
    check_choice,
    check_confidence_level,
    check_limits,
    check_within,
    complete_rows,
    known_groups_rows,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.within_group_result import GroupIndex, WithinGroupAgreement

#: The distribution of answers without any agreement, whose variance rwg compares with.
NullDistribution = Literal["uniform", "slightly_skewed", "moderately_skewed", "heavily_skewed"]
NULL_DISTRIBUTIONS: tuple[NullDistribution, ...] = get_args(NullDistribution)

OVER_GROUPS = "t over groups, corrected for skewness (Hall)"
#: Fewer groups than this carry the error of a mean over groups, (Σd²)²/Σd⁴: its interval is not reliable.
LEAST_GROUPS_CARRYING = 6.0
#: Shares of five answers, low to high (James, Demaree & Wolf 1984; LeBreton & Senter 2008, Table 2).
_FIVE_POINT_NULLS: dict[str, tuple[float, ...]] = {
    "slightly_skewed": (0.05, 0.15, 0.20, 0.35, 0.25),
    "moderately_skewed": (0.00, 0.10, 0.15, 0.40, 0.35),
    "heavily_skewed": (0.00, 0.00, 0.10, 0.40, 0.50),
}


def within_group_agreement(
    x: object,
    groups: object,
    *,
    low: float,
    high: float,
    null: NullDistribution | float = "uniform",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> WithinGroupAgreement:
    r"""Return rwg, rwg(j), awg and the mean absolute deviation of every group.

    Agreement justifies a group mean only for a construct that members are declared to *share* (such as
    staff climate).  Means of users or files need ICC(1), a standard error and reliability
    (`group_mean_reliability`), not agreement.  The choice of index may decide the verdict: the indices are
    given side by side.

    Parameters
    ----------
    x : array-like of shape (members,) or (members, items)
        Answers on one scale, reversed items already reversed; NaN is missing.
    groups : array-like of shape (members,)
        The member's group, all numbers or all text.
    low, high : float
        The lowest and highest possible answer; the scale need not begin at 0 or 1.
    null : {"uniform", "slightly_skewed", "moderately_skewed", "heavily_skewed"} or float
        The distribution of answers without agreement, or its variance.  The skewed ones are defined for
        five answers [2]_; give the variance for other scales.
    missing : {"raise", "listwise"}
        Raise where an answer or a group is missing, or leave those members out.
    confidence_level : float
        Of the intervals of the means over groups.

    Returns
    -------
    WithinGroupAgreement
        The indices of every group, their means and medians, what was truncated or is not defined.

    Raises
    ------
    UsageError
        low not below high, answers outside, a named null distribution for limits that are no whole numbers,
        a skewed one for other than five answers, missing values under "raise", an unknown option.
    ArgumentTypeError
        Text in `x`, or groups that mix numbers and text.

    Warns
    -----
    UndefinedStatisticWarning
        Groups of one, or awg undefined in some group or item: NaN, see `flags`.  One warning a call.

    Notes
    -----
    With A answers, the null variance :math:`\sigma_E^2` ((A² − 1)/12 for the uniform distribution), the
    variance :math:`s^2` of a group's answers (n − 1) and its mean :math:`\bar s^2` over J items,

    .. math:: r_{WG} = 1 - \frac{s^2}{\sigma_E^2}, \qquad
              r_{WG(J)} = \frac{J(1 - v)}{J(1 - v) + v}, \quad v = \frac{\bar s^2}{\sigma_E^2}

    [1]_, put to 0 and flagged where the variance exceeds :math:`\sigma_E^2`.  For several items rwg is that
    of the members' means, as in R's `multilevel::rwg`; those vary less than single answers do, so that the
    null variance of one answer flatters them.  With L = low and H = high,

    .. math:: a_{WG} = 1 - \frac{2 s^2}{\left((H + L)\bar x - \bar x^2 - HL\right) n/(n-1)}

    [3]_ compares with the largest variance possible at the mean :math:`\bar x`, and lies in [−1, 1].  As
    its authors ask, it needs n ≥ A − 1 members and a mean between (L(n − 1) + H)/n and (H(n − 1) + L)/n; it
    is 1 where all answer L or all answer H.  (`multilevel::awg` applies the second rule but not the first.)
    The mean absolute deviation [4]_ is an error in units of the scale: 0 is full agreement, and A/6 has
    been proposed as the most that is acceptable.

    A single group's index has no interval.  That of the mean is t over the groups where the index is defined,
    corrected for skewness by Hall's transformation [5]_, and is about the mean over groups such as these, of these
    sizes: small groups' indices are biased.  *Coverage* (calibration/within_group_coverage.csv): with 24 and 50
    groups .94–.96 for rwg, awg and AD, .91–.97 for rwg(j); with 6 and 12 groups .92–.96, and .83–.91 for rwg(j).
    Where fewer than six groups carry the error, (Σd²)²/Σd⁴ of the deviations, the flag ``agreement_mean_uncertain``
    names the index: cells outside .93–.975 are flagged in 64–100 % of studies.

    References
    ----------
    .. [1] James, L. R., Demaree, R. G., & Wolf, G. (1984). Estimating within-group interrater reliability
       with and without response bias. Journal of Applied Psychology, 69, 85–98.
    .. [2] LeBreton, J. M., & Senter, J. L. (2008). Answers to 20 questions about interrater reliability and
       interrater agreement. Organizational Research Methods, 11, 815–852.
    .. [3] Brown, R. D., & Hauenstein, N. M. A. (2005). Interrater agreement reconsidered: an alternative to
       the rwg indices. Organizational Research Methods, 8, 165–184.
    .. [4] Burke, M. J., & Dunlap, W. P. (2002). Estimating interrater agreement with the average deviation
       index: a user's guide. Organizational Research Methods, 5, 159–172.
    .. [5] Hall, P. (1992). On the removal of skewness by transformation. Journal of the Royal Statistical Society B,
       54, 221–228.

    Examples
    --------
    >>> result = within_group_agreement([4, 4, 3, 4, 5, 1, 3, 5, 2, 4], list("aaaaabbbbb"), low=1, high=5)
    >>> result.rwg.estimate.round(2).tolist(), result.rwg.truncated.tolist()
    ([0.75, 0.0], [False, True])
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    level = check_confidence_level(confidence_level)
    matrix = as_matrix(x, vector=True)
    k = matrix.cells.shape[1]
    lows, highs = check_limits(low, high, 1)
    lowest, highest = float(lows[0]), float(highs[0])
    check_within(matrix, np.broadcast_to(lows, (k,)), np.broadcast_to(highs, (k,)))
    null_name, null_variance = _null_variance(null, lowest, highest)
    membership = as_groups(groups, matrix.cells.shape[0])
    used = complete_rows(matrix.cells, matrix.labels, missing) & known_groups_rows(membership, missing)
    sums = _Sums.of(matrix.cells[used], membership.codes[used])
    single = _reasons(sums.n, None, k=k, least=0)
    rwg = _rwg(sums.total_variance, null_variance, 1, single, level)
    rwg_j = _rwg(sums.variances.mean(axis=1), null_variance, k, single, level)
    by_item = _awg(sums, lowest, highest)
    awg_items = (~np.isnan(by_item)).sum(axis=1)
    of_awg = _reasons(sums.n, awg_items, k=k, least=_least_raters(lowest, highest))
    awg = _index(
        np.where(awg_items > 0, np.nansum(by_item, axis=1) / np.maximum(awg_items, 1), np.nan),
        of_awg,
        level,
        (-1.0, 1.0),
    )
    ad = _index(np.where(sums.n > 1, sums.deviations.mean(axis=1), np.nan), single, level, (0.0, math.inf))
    flags = _flags(sums.n, awg_items, rwg, rwg_j, k=k, least=_least_raters(lowest, highest))
    undefined = tuple(flag for flag in flags if flag.code != "psychometrics.truncated")
    flags = (*flags, *_uncertain({"rwg": rwg, "rwg_j": rwg_j, "awg": awg, "ad": ad}))
    if undefined:
        warn_undefined(Message("psychometrics.agreement_undefined", {"reasons": undefined}))
    return WithinGroupAgreement(
        groups=tuple(membership.labels[code] for code in sums.codes),
        group_n=read_only(sums.n),
        rwg=rwg,
        rwg_j=rwg_j,
        awg=awg,
        ad=ad,
        awg_items=read_only(awg_items),
        mean=read_only(sums.means.mean(axis=1)),
        variance=read_only(sums.total_variance),
        n=int(used.sum()),
        k=k,
        n_dropped=int((~used).sum()),
        low=lowest,
        high=highest,
        null=null_name,
        null_variance=null_variance,
        missing=missing,
        flags=flags,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Per group (G) and item (k): size, mean, variance, absolute deviation; variance of the row means."""

    codes: Integers
    n: Integers
    means: Floats
    variances: Floats
    deviations: Floats
    total_variance: Floats

    @classmethod
    def of(cls, values: Floats, codes: Integers) -> _Sums:
        """Return the sums of complete values (n, k) whose groups are coded (n,)."""
        order = np.argsort(codes, kind="stable")
        present, starts, n = np.unique(codes[order], return_index=True, return_counts=True)
        k = values.shape[1]
        if not present.size:
            empty = np.empty((0, k))
            return cls(present, n, empty, empty, empty, np.empty(0))
        sorted_values = values[order]
        columns = np.column_stack([sorted_values, sorted_values.mean(axis=1)])
        member = np.repeat(np.arange(len(n)), n)
        means = np.add.reduceat(columns, starts, axis=0) / n[:, None]
        centred = columns - means[member]
        same = np.maximum.reduceat(columns, starts) == np.minimum.reduceat(columns, starts)
        centred = np.where(same[member], 0.0, centred)
        squares = np.add.reduceat(np.square(centred), starts, axis=0)
        with np.errstate(invalid="ignore"):
            variances = np.where(n[:, None] > 1, squares / np.maximum(n - 1, 1)[:, None], np.nan)
        means = np.where(same, columns[starts], means)
        deviations = np.add.reduceat(np.abs(centred), starts, axis=0) / n[:, None]
        return cls(present, n, means[:, :k], variances[:, :k], deviations[:, :k], variances[:, k])


def _null_variance(null: object, low: float, high: float) -> tuple[str, float]:
    """Return the name and the variance of the null distribution."""
    variance = as_number(null)
    if variance is not None:
        if not (math.isfinite(variance) and variance > 0):
            raise UsageError("psychometrics.null_variance", value=repr(null))
        return "given variance", variance
    check_choice("null", null, NULL_DISTRIBUTIONS)
    if low != round(low) or high != round(high):
        raise UsageError("psychometrics.null_needs_whole_limits", low=f"{low:g}", high=f"{high:g}")
    answers = int(high - low) + 1
    if null == "uniform":
        return "uniform", (answers**2 - 1) / 12.0
    if answers != 5:
        raise UsageError("psychometrics.null_needs_five", null=null, answers=answers)
    shares, levels = np.array(_FIVE_POINT_NULLS[str(null)]), np.arange(5)
    return str(null), float(shares @ np.square(levels - shares @ levels))


def _rwg(
    variance: Floats, null_variance: float, k: int, reasons: tuple[Message | None, ...], level: float
) -> GroupIndex:
    """Return rwg(j) of variances (G,), k = 1 for rwg."""
    ratio = variance / null_variance
    truncated = ratio > 1.0
    agreement = k * (1.0 - np.where(truncated, 1.0, ratio))
    return _index(agreement / (agreement + np.where(truncated, 1.0, ratio)), reasons, level, (0.0, 1.0), truncated)


def _reasons(n: Integers, awg_items: Integers | None, *, k: int, least: int) -> tuple[Message | None, ...]:
    """Return for each group why an index is not defined, or not in all items (awg, whose items are given)."""
    made: list[Message | None] = []
    for members, items in zip(n.tolist(), [k] * len(n) if awg_items is None else awg_items.tolist(), strict=True):
        if members < 2:
            made.append(Message("psychometrics.single_members", {"n": 1}))
        elif members < least:
            made.append(Message("psychometrics.awg_few_raters", {"n": 1, "least": least}))
        elif items < k:
            made.append(Message("psychometrics.awg_extreme_means", {"n": k - items}))
        else:
            made.append(None)
    return tuple(made)


def _awg(sums: _Sums, low: float, high: float) -> Floats:
    """Return awg (G, k), NaN where the group is too small or its mean too near a limit."""
    n = sums.n[:, None].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = ((high + low) * sums.means - np.square(sums.means) - high * low) * n / (n - 1)
        index = 1.0 - 2.0 * sums.variances / largest
    # the limits are means of n answers themselves, so that rounding must not decide
    slack = 1e-12 * (high - low)
    inside = sums.means >= (low * (n - 1) + high) / n - slack
    inside &= sums.means <= (high * (n - 1) + low) / n + slack
    index = np.where(inside, index, np.nan)
    index = np.where((sums.means == low) | (sums.means == high), 1.0, index)
    return np.where((n >= _least_raters(low, high)) & (n > 1), index, np.nan)


def _least_raters(low: float, high: float) -> int:
    """Return A − 1, and at least two."""
    return max(2, math.ceil(high - low))


def _uncertain(indices: dict[str, GroupIndex]) -> tuple[Message, ...]:
    """Return which indices have a mean whose interval is not reliable."""
    weak = [name for name, index in indices.items() if index.n_groups > 1 and mean_is_uncertain(index.estimate)]
    params = {"indices": weak, "least": int(LEAST_GROUPS_CARRYING)}
    return (Message("psychometrics.agreement_mean_uncertain", params),) if weak else ()


def mean_limits(estimates: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the limits (…,) of the mean of indices (…, groups), NaN left out, by t corrected for skewness (Hall)."""
    known = ~np.isnan(estimates)
    n = np.where((several := known.sum(axis=-1)) > 1, several, 2)
    mean = np.where(known, estimates, 0.0).sum(axis=-1) / n
    away = np.where(known, estimates - mean[..., np.newaxis], 0.0)
    spread = np.sqrt(np.square(away).sum(axis=-1) / (n - 1))
    root = np.sqrt(n)
    skew = (away**3).sum(axis=-1) / n / np.where(spread > 0, spread, 1.0) ** 3
    bent = np.where(np.abs(skew) > 1e-6, skew, 1e-6) / root
    quantile = stdtrit(n - 1, 0.5 + level / 2.0)
    low, high = (
        mean - spread / root * 3.0 / bent * (np.cbrt(1.0 + bent * (side * quantile - bent / 6.0)) - 1.0)
        for side in (1.0, -1.0)
    )
    undefined = np.where(several > 1, 0.0, np.nan)
    return np.asarray(low + undefined), np.asarray(high + undefined)


def mean_is_uncertain(estimates: Floats) -> Booleans:
    """Return where (…,) so few of the groups (…, groups) carry the error that the mean's interval is not reliable."""
    centred = estimates - np.nanmean(estimates, axis=-1, keepdims=True)
    squares = np.square(centred)
    fourth = np.nansum(np.square(squares), axis=-1)
    carry = np.square(np.nansum(squares, axis=-1)) / np.where(fourth > 0, fourth, np.nan)
    return np.asarray(~(carry >= LEAST_GROUPS_CARRYING))


def _index(
    estimate: Floats,
    reasons: tuple[Message | None, ...],
    level: float,
    possible: tuple[float, float],
    truncated: Booleans | None = None,
) -> GroupIndex:
    """Return an index with its mean and median over the groups where it is defined."""
    defined = estimate[~np.isnan(estimate)]
    low, high = np.clip(mean_limits(estimate, level), *possible)
    return GroupIndex(
        estimate=read_only(estimate),
        truncated=read_only(np.zeros(estimate.shape, dtype=bool) if truncated is None else truncated),
        mean=float(defined.mean()) if defined.size else math.nan,
        median=float(np.median(defined)) if defined.size else math.nan,
        mean_ci=ConfidenceInterval(float(low), float(high), level, OVER_GROUPS),
        n_groups=int(defined.size),
        reasons=reasons,
    )


def _flags(
    n: Integers, awg_items: Integers, rwg: GroupIndex, rwg_j: GroupIndex, *, k: int, least: int
) -> tuple[Message, ...]:
    """Return what a reader must know of all groups."""
    single, few = n < 2, (n > 1) & (n < least)
    extreme = (n >= least) & (awg_items < k)
    flags = []
    if not n.size:
        flags.append(Message("psychometrics.no_members"))
    if single.any():
        flags.append(Message("psychometrics.single_members", {"n": int(single.sum())}))
    if few.any():
        flags.append(Message("psychometrics.awg_few_raters", {"n": int(few.sum()), "least": least}))
    if extreme.any():
        undefined = int((k - awg_items[extreme]).sum())
        flags.append(Message("psychometrics.awg_extreme_means", {"n": undefined}))
    if rwg.truncated.any() or rwg_j.truncated.any():
        params = {"rwg": int(rwg.truncated.sum()), "rwg_j": int(rwg_j.truncated.sum())}
        flags.append(Message("psychometrics.truncated", params))
    return tuple(flags)
