"""How much higher or lower each rater rates the same units than the other raters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import interval, number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Booleans,
    Floats,
    HolesAllowed,
    Integers,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.agreement._ratings import read_clusters
from ibic_fidelity.psychometrics.agreement._two_way import TwoWay, connected_sets, two_way

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

CR2 = "CR2 over {of}, t (Bell & McCaffrey df)"
#: Fewer degrees of freedom, or fewer ratings unlike the others', than this: the interval is not reliable.
LEAST_DF = 5.0
LEAST_UNLIKE = 5
#: In a table with holes the test of q differences rejects too seldom below so many times q degrees of freedom.
LEAST_TEST_DF = 4.0
_ROUNDING = 1e-6
#: A standard error below this is nought.
_NOUGHT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class RaterSeverity:
    """Each rater's level beside the other raters of the same units, as `rater_severity` returns it.

    Attributes
    ----------
    raters : tuple of str
        The raters, columns of the data.
    estimate : array of float, shape (raters,)
        How much higher (+) or lower (−) a rater rates the same units than the raters of the same set in the
        mean, in the unit of the scale; NaN for a rater who shares no unit with another.
    std_error, df : array of float, shape (raters,)
        CR2 standard error and its degrees of freedom.
    ci : tuple of ConfidenceInterval
        Estimate ± t·standard error.
    rater_units, rater_pairs : array of int, shape (raters,)
        Units that the rater shares with another rater, and pairs of own and others' ratings of them.
    sets : tuple of tuple of str
        Raters joined by units that they share; levels can be compared inside a set only.
    f, df1, df2, p_value : float
        Test that no raters of one set differ.
    n : int
        Units with two ratings or more, from which all is made.
    n_dropped : int
        Other units, and those left out by the missing-data rule.
    n_clusters : int or None
        Clusters of the units used, None where no clusters were given.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why some or all are not defined.
    rater_reasons : tuple of Message or None
        Why a rater's level or its interval is not defined.
    flags : tuple of Message
        What makes an interval say little.
    """

    raters: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats
    ci: tuple[ConfidenceInterval, ...]
    rater_units: Integers
    rater_pairs: Integers
    sets: tuple[tuple[str, ...], ...]
    f: float
    df1: float
    df2: float
    p_value: float
    n: int
    n_dropped: int
    n_clusters: int | None
    missing: str
    reason: Message | None
    rater_reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a rater.

        Columns: statistic, n (units shared), estimate, std_error, ci_low, ci_high, ci_level, method, reason,
        rater, n_pairs, df, set (NaN for none).
        """
        of_rater = {rater: place + 1 for place, raters in enumerate(self.sets) for rater in raters}
        extra = {
            "rater": list(self.raters),
            "n_pairs": self.rater_pairs.tolist(),
            "df": self.df.tolist(),
            "set": [of_rater.get(rater, math.nan) for rater in self.raters],
        }
        return table(
            {
                "statistic": ["severity"] * len(self.raters),
                "n": self.rater_units.tolist(),
                "estimate": self.estimate.tolist(),
                "std_error": self.std_error.tolist(),
                "ci_low": [ci.low for ci in self.ci],
                "ci_high": [ci.high for ci in self.ci],
                "ci_level": [ci.confidence_level for ci in self.ci],
                "method": [ci.method for ci in self.ci],
                "reason": [reason.text("en") if reason else "" for reason in self.rater_reasons],
                **extra,
            },
            extra=tuple(extra),
        )

    def summary(self) -> str:
        """Return one line a rater in English, one on the test, and one a reason or flag."""
        lines = []
        for rater, level, ci in zip(self.raters, self.estimate, self.ci, strict=True):
            if math.isnan(level):
                lines.append(f"Rater {rater}: severity is not defined.")
                continue
            limits = interval(ci.low, ci.high, "en", digits=2)
            share = percent(ci.confidence_level, "en")
            lines.append(f"Rater {rater}: {number(level, 'en', digits=2)} ({share} interval {limits}).")
        if not math.isnan(self.f):
            degrees = f"{number(self.df1, 'en')}, {number(self.df2, 'en', digits=1)}"
            p = number(self.p_value, "apa", digits=3)
            lines.append(f"Raters do not differ: F({degrees}) {number(self.f, 'en', digits=2)}, p {p}; {self.n} units.")
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return "\n".join([*lines, *(message.text("en") for message in said)])


def rater_severity(
    x: object,
    *,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
) -> RaterSeverity:
    r"""Return how much higher or lower each rater rates the same units than the other raters.

    A severe rater has a negative value where high is good.  Units that one rater alone rated say nothing of
    raters and are left out.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Ratings on a scale where differences count; NaN is a hole.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors and intervals
        are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all units of two ratings or more.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    RaterSeverity
        Each rater's level with its interval, the sets of raters that can be compared, and a test.

    Raises
    ------
    UsageError
        Fewer than two raters, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        A rater shares no unit with another, or no unit has two ratings: NaN.  One unit or cluster: no interval.

    Notes
    -----
    Least squares of rating = unit + rater + error.  With the :math:`m_i` raters of unit i, the normal equations
    of the raters' levels :math:`\rho` are

    .. math:: \sum_i \Big(D_i - \frac{1}{m_i} 1_i 1_i'\Big)\,\rho = \sum_i (y_i - \bar y_i),

    and the levels sum to 0 within each set of raters joined by shared units: raters of different sets never
    met, not even through others, and cannot be compared.  In a complete table a level is the rater's mean less
    that of all.

    *Interval.*  The variance is CR2 over units, or clusters, with Bell and McCaffrey's degrees of freedom [1]_
    [2]_; in a complete table the standard error is that of a mean of differences, with n − 1 degrees of freedom.
    The test is F of Hotelling's :math:`T^2` with the raters' mean degrees of freedom; in a complete table it is
    exact for normal errors of any covariance.

    The interval covers .93–.97 with 3 or 8 raters, 20 or 50 units or 10 or 30 clusters, with and without holes
    (``calibration/agreement_coverage.csv``).  Fewer than 5 degrees of freedom, fewer than 5 of a rater's units on
    which raters differ, or the same difference on all units (an interval of no width) are flagged; so is the test
    where holes and few degrees of freedom make it reject too seldom (.5–2 % instead of 5 %).  It needs more degrees
    of freedom than there are differences: with 8 raters in 10 unequal clusters it is mostly not defined, and said so.

    References
    ----------
    .. [1] Bell, R. M., & McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with
       multi-stage samples. Survey Methodology, 28, 169–181.
    .. [2] Pustejovsky, J. E., & Tipton, E. (2018). Small-sample methods for cluster-robust variance estimation
       and hypothesis testing in fixed effects models. Journal of Business & Economic Statistics, 36, 672–683.

    Examples
    --------
    Shrout and Fleiss' (1979) six targets and four judges.

    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = rater_severity(x)
    >>> for line in result.summary().splitlines():
    ...     print(line)
    Rater 1: 2.38 (95% interval 1.53–3.22).
    Rater 2: −2.79 (95% interval −3.50 to −2.08).
    Rater 3: −0.96 (95% interval −1.71 to −0.21).
    Rater 4: 1.38 (95% interval 0.11–2.64).
    Raters do not differ: F(3, 3.0) 26.06, p .012; 6 units.
    """
    check_choice("missing", missing, HOLES_ALLOWED)
    level = check_confidence_level(confidence_level)
    matrix = as_matrix(x, least_columns=0)
    if matrix.cells.shape[1] < 2:
        raise UsageError("psychometrics.one_rater_column", argument="x", n=matrix.cells.shape[1])
    used = complete_rows(matrix.cells, matrix.labels, missing)
    if missing == "available":
        used = np.asarray((~np.isnan(matrix.cells)).sum(axis=1) >= 2)
    of_units = read_clusters(clusters, used, missing)
    made = _severity(matrix.cells[used], matrix.labels, of_units, int((~used).sum()), missing, level)
    if made.reason is not None:
        warn_undefined(made.reason)
    return made


def _severity(
    cells: Floats, raters: tuple[str, ...], clusters: Integers | None, n_dropped: int, missing: str, level: float
) -> RaterSeverity:
    """Return the result from the units (n, r) of two ratings or more."""
    n, r = cells.shape
    known = ~np.isnan(cells)
    alone = np.asarray(~known.any(axis=0))
    blank = np.full(r, math.nan)
    made = TwoWay(blank, np.full((r, r), math.nan), blank, math.nan, math.nan, math.nan, math.nan)
    if n:
        made = two_way(cells, clusters)
    n_clusters = None if clusters is None else int(np.unique(clusters).size)
    one = (n if n_clusters is None else n_clusters) < 2
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.where(alone | one | np.isnan(made.df), math.nan, np.diag(made.covariance)))
    estimate = np.where(alone, math.nan, made.effects)
    reasons = _reasons(raters, alone, errors, n + n_dropped, n_clusters)
    undefined = alone | np.isnan(errors)
    return RaterSeverity(
        raters=raters,
        estimate=read_only(estimate),
        std_error=read_only(errors),
        df=read_only(np.where(undefined, math.nan, made.df)),
        ci=_intervals(estimate, errors, made.df, level, "units" if clusters is None else "clusters"),
        rater_units=read_only(known.sum(axis=0).astype(np.int64)),
        rater_pairs=read_only((known * (known.sum(axis=1, keepdims=True) - 1)).sum(axis=0).astype(np.int64)),
        sets=(sets := _sets(known, raters, alone)),
        f=made.f if not one else math.nan,
        df1=made.df1,
        df2=made.df2,
        p_value=made.p_value if not one else math.nan,
        n=n,
        n_dropped=n_dropped,
        n_clusters=n_clusters,
        missing=missing,
        reason=_reason(reasons, raters, n),
        rater_reasons=reasons,
        flags=_flags(cells, raters, sets, np.where(undefined, math.nan, made.df), errors, made),
    )


def _intervals(estimate: Floats, errors: Floats, df: Floats, level: float, of: str) -> tuple[ConfidenceInterval, ...]:
    reach = stdtrit(np.where(np.isnan(errors), math.nan, df), 0.5 + level / 2.0) * errors
    pairs = zip(estimate - reach, estimate + reach, strict=True)
    return tuple(ConfidenceInterval(float(low), float(high), level, CR2.format(of=of)) for low, high in pairs)


def _sets(known: Booleans, raters: tuple[str, ...], alone: Booleans) -> tuple[tuple[str, ...], ...]:
    """Return the raters of each set of two or more."""
    of_rater = connected_sets(known)
    numbers = np.unique(of_rater[~alone])
    return tuple(tuple(raters[i] for i in np.flatnonzero((of_rater == number) & ~alone)) for number in numbers)


def _reasons(
    raters: tuple[str, ...], alone: Booleans, errors: Floats, n: int, n_clusters: int | None
) -> tuple[Message | None, ...]:
    """Return why a rater's level or interval is not defined."""

    def of(rater: str, without: bool, error: float) -> Message | None:
        if alone.all():
            return Message("psychometrics.agreement_no_overlap", {"n": n})
        if without:
            return Message("psychometrics.rater_without_overlap", {"raters": [rater]})
        if math.isnan(error) and n_clusters == 1 and n > 1:
            return Message("psychometrics.agreement_one_cluster", {})
        return Message("psychometrics.rater_few_units", {"rater": rater}) if math.isnan(error) else None

    return tuple(of(*each) for each in zip(raters, alone.tolist(), errors.tolist(), strict=True))


def _reason(reasons: tuple[Message | None, ...], raters: tuple[str, ...], n: int) -> Message | None:
    """Return what to say of all raters: those without overlap named together, else the first reason."""
    without = [r for r, why in zip(raters, reasons, strict=True) if why and why.code.endswith("rater_without_overlap")]
    if without:
        return Message("psychometrics.rater_without_overlap", {"raters": without})
    return next((reason for reason in reasons if reason is not None), None)


def unreliable_raters(cells: Floats, df: Floats, errors: Floats) -> Booleans:
    """Return the raters (r,) with few degrees of freedom, no error, or too few units on which raters differ."""
    known = ~np.isnan(cells)
    if not known.any():
        return np.zeros(df.shape, dtype=bool)
    spread = np.nanmax(cells, axis=1) - np.nanmin(cells, axis=1)
    unlike = (known & (spread > 0)[:, np.newaxis]).sum(axis=0)
    return np.asarray(~np.isnan(df) & ((df < LEAST_DF - _ROUNDING) | (unlike < LEAST_UNLIKE) | (errors <= _NOUGHT)))


def rejects_too_seldom(cells: Floats, df1: float, df2: float) -> bool:
    """Return whether the test rejects too seldom, for holes and few degrees of freedom."""
    return bool(np.isnan(cells).any() and df2 < LEAST_TEST_DF * df1)


def _flags(
    cells: Floats, raters: tuple[str, ...], sets: tuple[tuple[str, ...], ...], df: Floats, errors: Floats, made: TwoWay
) -> tuple[Message, ...]:
    """Return that there are several sets, and which raters' intervals are not reliable."""
    flags = []
    if len(sets) > 1:
        shown = [", ".join(raters_of_set) for raters_of_set in sets]
        flags.append(Message("psychometrics.severity_several_sets", {"n": len(sets), "sets": "; ".join(shown)}))
    weak = unreliable_raters(cells, df, errors)
    if weak.any():
        named = [rater for rater, is_weak in zip(raters, weak, strict=True) if is_weak]
        flags.append(Message("psychometrics.severity_interval_not_reliable", {"raters": named}))
    if math.isnan(made.f) and not np.isnan(df).all():
        flags.append(Message("psychometrics.severity_test_undefined", {"n": int(made.df1)}))
    if rejects_too_seldom(cells, made.df1, made.df2):
        params = {"df": float(made.df2), "n": int(made.df1)}
        flags.append(Message("psychometrics.severity_test_not_reliable", params))
    return tuple(flags)
