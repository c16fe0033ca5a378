"""Reliability of a composite, a sum of subscales that measure different things: stratified alpha."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.foundation.results import ConfidenceInterval
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
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics._clusters import RowClusters, log_error
from ibic_fidelity.psychometrics.consistency._intervals import (
    clustered_limits,
    delta_flags,
    interval_table,
    said_with_intervals,
)
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, covariance_kernel, covariances, ratio_variances
from ibic_fidelity.psychometrics.consistency.internal_consistency import alpha_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class StratifiedAlpha:
    """Reliability of a composite, as `stratified_alpha` returns it; arrays have one value a stratum.

    Attributes
    ----------
    estimate : float
        Stratified alpha of the sum of all items.
    ci, ci_adjusted : ConfidenceInterval
        Delta method on log(1 − α), for normal answers; and with the larger one of that standard error and the
        distribution-free one, to be preferred for skewed or two-valued answers.
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    strata : tuple of str
        The strata's names.
    stratum_items : tuple of tuples of str
        The items of each.
    stratum_alphas, stratum_variances : array of float
        Cronbach's alpha of each, and the variance of its sum.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    n_clusters : int or None
        Clusters of the respondents used, None where no clusters were given.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which the coefficient is not defined and which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        Strata whose alpha is not defined, and whether an interval is not reliable with these answers.
    """

    estimate: float
    ci: ConfidenceInterval
    ci_adjusted: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    strata: tuple[str, ...]
    stratum_items: tuple[tuple[str, ...], ...]
    stratum_alphas: Floats
    stratum_variances: Floats
    n: int
    k: int
    n_clusters: int | None
    n_dropped: int
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def _intervals(self) -> tuple[ConfidenceInterval, ...]:
        return (self.ci, self.ci_adjusted, *((self.ci_bootstrap,) if self.ci_bootstrap else ()))

    @property
    def table(self) -> pd.DataFrame:
        """Return the coefficient with each interval, and each stratum's alpha, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        pairs = zip(self.strata, self.stratum_alphas.tolist(), strict=True)
        others = {f"cronbach_alpha of {name}": alpha for name, alpha in pairs}
        return interval_table("stratified_alpha", self.n, self.estimate, self._intervals, said, k=self.k, others=others)

    def summary(self) -> str:
        """Return one line in English, one with the strata, and one a flag."""
        if self.reason is not None:
            return f"Stratified alpha is not defined: {self.reason.text('en')}"
        head = said_with_intervals("Stratified alpha", self.estimate, self._intervals)
        used = f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers"
        parts = (
            f"{name} {coefficient(alpha, 'en')} ({len(items)} items)"
            for name, alpha, items in zip(self.strata, self.stratum_alphas.tolist(), self.stratum_items, strict=True)
        )
        lines = [f"{head}, {used}.", f"Cronbach's alpha of the strata: {', '.join(parts)}."]
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])


def stratified_alpha(
    x: object,
    strata: Mapping[Any, Any] | ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> StratifiedAlpha:
    r"""Return stratified alpha, the reliability of a sum of subscales that measure different things.

    Alpha of all items at once takes what sets the subscales apart for error, and is too low; here each
    subscale brings its own alpha.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as numbers, reversed items already reversed; NaN is missing.
    strata : mapping or array-like of shape (items,)
        Either each stratum's name and its items, by their labels (an array's columns are 1, 2, …), or one label
        a column.
        Every item is in one stratum, and every stratum has at least two items.
    clusters : array-like of shape (respondents,), optional
        What respondents belong to, such as their site.  Respondents of one cluster are alike; `ci_adjusted` and
        bootstrap samples are then of clusters, the other interval takes respondents for independent.  A respondent
        without one is left out, or raises under "raise".
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of respondents, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    StratifiedAlpha
        The coefficient with its intervals, and each stratum's own alpha.

    Raises
    ------
    UsageError
        Strata that name unknown items, leave out items or hold one twice, a stratum of one item, missing
        answers under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two respondents are left, or the sum does not vary: the estimate is NaN.  The sum of a
        stratum does not vary: its alpha is NaN, stratified alpha is defined.

    Notes
    -----
    With the variance :math:`s_g^2` of the sum of stratum g and its alpha [1]_ [2]_,

    .. math:: \alpha_{strat} = 1 - \frac{\sum_g s_g^2 (1 - \alpha_g)}{s_X^2}.

    The error part is linear in the covariances, :math:`\mathrm{tr}(QS)`, so that with
    :math:`\Gamma = Q/\mathrm{tr}(QS) - 11'/s_X^2` the variance of :math:`\log(1 - \hat\alpha)` is
    :math:`\frac{2}{n-1}\mathrm{tr}(\Gamma S \Gamma S)` for normal answers; the distribution-free one is that of
    :math:`x'\Gamma x` over respondents.  With one stratum the first is Feldt's, up to the model.  The limits take
    t with n − 1 degrees of freedom; the adjusted ones the larger variance.

    *Coverage* (calibration/consistency_coverage.csv, required .93–.975).
    Both intervals cover .94–.97 for normal and symmetric answers, from 20 respondents on.  For skewed answers
    (40 % at the ceiling) the first covers .93–.94 and the adjusted one .94–.96, for two-valued ones both
    .94–.97, with 60 % at the ceiling .88–.90 and .91–.93.  Hence ``interval_too_narrow`` (35 % of the answers at
    an end of the items' scales, or a distribution-free standard error more than 1.15 times the normal one: use
    `ci_adjusted`) and ``interval_not_reliable`` (55 %, or 30 % below 50 respondents).  The bootstrap covers
    .88–.95 and is flagged below 200 respondents.

    *Clusters.*  With `clusters` the variance of the adjusted interval is a jackknife over clusters times (t/z)², as in
    `cronbach_alpha`, where its coverage is stated; so are ``few_row_clusters`` and ``respondents_decide`` (one
    of 50 respondents or more carries a fifth of the variance: heavy tails, with which no interval here is reliable).

    References
    ----------
    .. [1] Cronbach, L. J., Schönemann, P., & McKie, D. (1965). Alpha coefficients for stratified-parallel
       tests. Educational and Psychological Measurement, 25, 291–312.
    .. [2] Rajaratnam, N., Cronbach, L. J., & Gleser, G. C. (1965). Generalizability of stratified-parallel
       tests. Psychometrika, 30, 39–56.

    Examples
    --------
    >>> x = [[1, 2, 4, 5], [2, 2, 3, 3], [3, 4, 1, 2], [4, 5, 3, 3], [4, 4, 5, 4], [5, 4, 2, 1]]
    >>> result = stratified_alpha(x, ["a", "a", "b", "b"])
    >>> print(f"{result.estimate:.3f}", result.strata, result.stratum_alphas.round(3).tolist())
    0.814 ('a', 'b') [0.9, 0.889]
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/stratified_alpha")
    matrix = as_matrix(x, least_columns=2)
    names, columns = _strata(strata, matrix.labels)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    of_rows = RowClusters.read(clusters, complete, missing)
    values = matrix.cells[complete]
    n, k = values.shape
    reason = _reason(values)
    error = error_matrix(columns, k)
    alphas, variances = np.full((2, len(names)), np.nan)
    estimate = normal = free = math.nan
    flags: list[Message] = []
    if reason is None:
        covariance = covariances(values)
        estimate = float(one_minus_ratio(covariance[None], error)[0])
        alphas, variances, flags = _own(values, covariance, names, columns)
        normal, free = (float(part[0]) for part in ratio_variances(values[None], error))
    first = reason or next(iter(flags), None)
    if first is not None:
        warn_undefined(first)
    kernel = None if reason else _stratified_kernel(values, error)
    spread = None if of_rows is None or kernel is None else of_rows.spread(log_error(kernel))
    if reason is None and normal > 0:
        flags += delta_flags(values, (normal, free), 1.0, spread)
    drawn = resampling.run(kernel, n, confidence_level, clusters=of_rows)
    ci, adjusted = clustered_limits(estimate, (normal, free), n, confidence_level, spread)
    return StratifiedAlpha(
        estimate=estimate,
        ci=ci,
        ci_adjusted=adjusted,
        ci_bootstrap=drawn.first,
        strata=names,
        stratum_items=tuple(tuple(np.asarray(matrix.labels)[at].tolist()) for at in columns),
        stratum_alphas=read_only(alphas),
        stratum_variances=read_only(variances),
        n=n,
        k=k,
        n_clusters=None if of_rows is None else of_rows.n,
        n_dropped=int((~complete).sum()),
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=(*flags, *drawn.flags),
    )


def error_matrix(columns: tuple[Integers, ...], k: int) -> Floats:
    """Return Q (k, k) with tr(QS) = Σ s_g²(1 − α_g): (k_g I − 11')/(k_g − 1) for each stratum's columns."""
    made = np.zeros((k, k))
    for at in columns:
        size = len(at)
        made[np.ix_(at, at)] = (size * np.eye(size) - 1.0) / (size - 1)
    return made


def one_minus_ratio(covariance: Floats, error: Floats) -> Floats:
    """Return 1 − tr(QS)/(1'S1) of covariance matrices (B, k, k), NaN where the sum does not vary."""
    total = covariance.sum(axis=(-2, -1))
    varies = total > 1e-12 * np.trace(covariance, axis1=-2, axis2=-1)
    return np.asarray(1.0 - (error * covariance).sum(axis=(-2, -1)) / np.where(varies, total, np.nan))


def _stratified_kernel(values: Floats, error: Floats) -> Callable[[Floats], Floats]:
    covariance_of = covariance_kernel(values)
    return lambda counts: one_minus_ratio(covariance_of(counts), error)


def _strata(strata: object, labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Integers, ...]]:
    """Return the strata's names and the columns of each, or raise."""
    if isinstance(strata, Mapping):
        names, columns = _mapped(strata, labels)
    else:
        if isinstance(strata, str) or not np.iterable(strata):
            raise UsageError("psychometrics.strata_kind", value=repr(strata))
        n = len(list(strata))
        if n != len(labels):
            raise UsageError("psychometrics.strata_length", n=n, k=len(labels))
        groups = as_groups(strata, n, argument="strata")
        names = tuple(str(label) for label in groups.labels)
        columns = tuple(np.flatnonzero(groups.codes == code) for code in range(len(names)))
    count = np.bincount(np.concatenate([*columns, np.empty(0, dtype=np.int64)]), minlength=len(labels))
    wrong = tuple(label for label, times in zip(labels, count.tolist(), strict=True) if times != 1)
    if wrong:
        raise UsageError("psychometrics.strata_cover", items=wrong)
    for name, at in zip(names, columns, strict=True):
        if len(at) < 2:
            raise UsageError("psychometrics.stratum_small", stratum=name, n=len(at))
    return names, columns


def _mapped(strata: Mapping[object, object], labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Integers, ...]]:
    """Return names and columns of a mapping from a stratum to its items."""
    place = {label: column for column, label in enumerate(labels)}
    columns = []
    for items in strata.values():
        if isinstance(items, str) or not isinstance(items, Iterable):
            raise UsageError("psychometrics.strata_kind", value=repr(dict(strata)))
        named = [str(item) for item in items]
        unknown = tuple(item for item in named if item not in place)
        if unknown:
            raise UsageError("psychometrics.strata_unknown", items=unknown, known=labels)
        columns.append(np.array([place[item] for item in named], dtype=np.int64))
    return tuple(str(name) for name in strata), tuple(columns)


def _reason(values: Floats) -> Message | None:
    """Return why stratified alpha is not defined for a complete table (n, k)."""
    n = len(values)
    if n < 2:
        return Message("psychometrics.too_few_respondents", {"n": n})
    if without_spread(values.sum(axis=1, keepdims=True))[0]:
        return Message("psychometrics.sum_constant", {"n": n})
    return None


def _own(
    values: Floats, covariance: Floats, names: tuple[str, ...], columns: tuple[Integers, ...]
) -> tuple[Floats, Floats, list[Message]]:
    """Return each stratum's alpha and variance, and which alphas are not defined."""
    alphas = np.array([float(alpha_of(values[:, at])) for at in columns])
    variances = np.array([covariance[np.ix_(at, at)].sum() for at in columns])
    flags = [
        Message("psychometrics.stratum_constant", {"stratum": name, "n": len(values)})
        for name, alpha in zip(names, alphas.tolist(), strict=True)
        if math.isnan(alpha)
    ]
    return alphas, variances, flags
