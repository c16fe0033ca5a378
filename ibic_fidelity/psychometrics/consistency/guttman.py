"""Guttman's six lower bounds of reliability."""

from __future__ import annotations

import math
from collections.abc import Callable
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
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, correlations, covariance_kernel, covariances
from ibic_fidelity.psychometrics.consistency._split_half import EXHAUSTIVE, best_split

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class GuttmanLambda:
    """Guttman's lambdas, as `guttman_lambda` returns them.

    Attributes
    ----------
    lambda1, lambda2, lambda3, lambda4, lambda5, lambda6 : float
        The six lower bounds; lambda3 is Cronbach's alpha, lambda4 that of the best split half.
    ci_bootstrap : tuple of ConfidenceInterval or None
        One percentile interval a lambda from the bootstrap over respondents, where asked for.
    split : tuple of two tuples of str
        The halves that lambda4 comes from.
    split_exact : bool
        Whether every split was tried; otherwise lambda4 is a lower bound of the best one.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    items : tuple of str
        The items' labels.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which a lambda is not defined and which are left out for it.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the lambdas are not defined.
    flags : tuple of Message
        A split that was searched, a lambda 6 that is not defined, what weakens the intervals.
    """

    lambda1: float
    lambda2: float
    lambda3: float
    lambda4: float
    lambda5: float
    lambda6: float
    ci_bootstrap: tuple[ConfidenceInterval, ...] | None
    split: tuple[tuple[str, ...], tuple[str, ...]]
    split_exact: bool
    n: int
    k: int
    n_dropped: int
    items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def estimates(self) -> tuple[float, ...]:
        """Return the six lambdas in order."""
        return (self.lambda1, self.lambda2, self.lambda3, self.lambda4, self.lambda5, self.lambda6)

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a lambda.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        none = ConfidenceInterval(math.nan, math.nan, math.nan, "")
        intervals = self.ci_bootstrap or (none,) * 6
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return table(
            {
                "statistic": [f"guttman_lambda{i}" for i in range(1, 7)],
                "n": [self.n] * 6,
                "estimate": list(self.estimates),
                "ci_low": [ci.low for ci in intervals],
                "ci_high": [ci.high for ci in intervals],
                "ci_level": [ci.confidence_level for ci in intervals],
                "method": [ci.method for ci in intervals],
                "reason": [" ".join(message.text("en") for message in said)] * 6,
                "k": [self.k] * 6,
            },
            extra=("k",),
        )

    def summary(self) -> str:
        """Return a few lines in English: the lambdas, the split, then the flags."""
        if self.reason is not None:
            return f"Guttman's lambdas are not defined: {self.reason.text('en')}"
        parts = []
        for i, estimate in enumerate(self.estimates):
            part = f"{i + 1} {coefficient(estimate, 'en')}"
            if self.ci_bootstrap:
                ci = self.ci_bootstrap[i]
                part += f" ({percent(ci.confidence_level, 'en')} {interval(ci.low, ci.high, 'apa', digits=2)})"
            parts.append(part)
        used = f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers"
        halves = " | ".join(", ".join(half) for half in self.split)
        how = "the best of all splits" if self.split_exact else "the best split found"
        chance = f"Lambda 4 is of {how} ({halves}): it capitalises on chance."
        lines = [f"Guttman's lambda {', '.join(parts)}; {used}.", chance]
        return "\n".join([*lines, *(flag.text("en") for flag in self.flags)])


def guttman_lambda(
    x: object,
    *,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> GuttmanLambda:
    r"""Return Guttman's lambdas 1 to 6, lower bounds of the reliability of a sum.

    In the population each is at most the reliability where errors are uncorrelated.  In a sample lambda 4, the
    largest of many splits, and lambda 5 and 6 are too large on average: they capitalise on chance, the more so
    the fewer the respondents and the more the items.  Lambda 2 is never below alpha (lambda 3).

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as numbers, reversed items already reversed, at least two items; NaN is missing.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of respondents to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    GuttmanLambda
        The six lambdas, the split of lambda 4, and intervals where asked for.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two respondents are left, or the sum does not vary: all are NaN.  The covariance matrix is
        singular: lambda 6 is NaN.

    Notes
    -----
    With covariances :math:`s_{ij}`, their sum :math:`s_X^2` and the variance :math:`e_i^2` of what a regression
    on the other items leaves of an item [1]_,

    .. math:: \lambda_1 = 1 - \frac{\sum_i s_i^2}{s_X^2}, \quad
       \lambda_2 = \lambda_1 + \frac{\sqrt{\frac{k}{k-1}\sum_{i \ne j} s_{ij}^2}}{s_X^2}, \quad
       \lambda_3 = \frac{k}{k-1}\lambda_1,

    .. math:: \lambda_4 = \max \frac{4 s_{AB}}{s_X^2}, \quad
       \lambda_5 = \lambda_1 + \frac{2\sqrt{\max_j \sum_{i \ne j} s_{ij}^2}}{s_X^2}, \quad
       \lambda_6 = 1 - \frac{\sum_i e_i^2}{s_X^2}.

    The maximum of :math:`\lambda_4` is over all splits into halves A and B that differ by at most one item, up
    to 18 items.  Above that halves are improved by exchanges of two items from 100 starts, the same in every
    call, and the result says that it is a lower bound of the best split [2]_.

    *Coverage* (calibration/consistency_coverage.csv, required .93–.975).
    The percentile intervals of lambda 1, 2, 3 and 5 cover .93–.95 with 100 and 200 respondents and .89–.93 with
    fewer, hence ``bootstrap_few_respondents`` below 200.  That of lambda 4 covers .64–.85 and that of lambda 6
    .76–.94, and both are flagged always.

    References
    ----------
    .. [1] Guttman, L. (1945). A basis for analyzing test-retest reliability. Psychometrika, 10, 255–282.
    .. [2] Benton, T. (2015). An empirical assessment of Guttman's lambda 4 reliability coefficient. In R. E.
       Millsap et al. (Eds.), Quantitative psychology research (pp. 301–310). Springer.

    Examples
    --------
    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = guttman_lambda(x)
    >>> [round(estimate, 3) for estimate in result.estimates]
    [0.682, 0.913, 0.909, 0.925, 0.913, 0.907]
    >>> result.split
    (('1', '2'), ('3', '4'))
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/guttman")
    matrix = as_matrix(x, least_columns=2)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    values = matrix.cells[complete]
    n, k = values.shape
    reason = _reason(values)
    estimates, signs = np.full(6, np.nan), np.zeros(k)
    if reason is None:
        made, found = lambdas_of(covariances(values)[None])
        estimates, signs = made[0], found[0]
    flags = [] if reason else _flags(n, k, estimates, bool(resampling.replicates))
    undefined = reason or next((flag for flag in flags if flag.code == "psychometrics.lambda6_undefined"), None)
    if undefined is not None:
        warn_undefined(undefined)
    drawn = resampling.run(None if reason else lambda_kernel(values, signs), n, confidence_level, statistics=6)
    names = np.asarray(matrix.labels)
    one, two, three, four, five, six = (float(estimate) for estimate in estimates)
    return GuttmanLambda(
        lambda1=one,
        lambda2=two,
        lambda3=three,
        lambda4=four,
        lambda5=five,
        lambda6=six,
        ci_bootstrap=drawn.intervals or None,
        split=(tuple(names[signs > 0].tolist()), tuple(names[signs < 0].tolist())),
        split_exact=k <= EXHAUSTIVE,
        n=n,
        k=k,
        n_dropped=int((~complete).sum()),
        items=matrix.labels,
        n_replicates=drawn.replicates,
        n_undefined=max(drawn.undefined),
        missing=missing,
        reason=reason,
        flags=(*flags, *drawn.flags),
    )


def lambdas_of(covariance: Floats, near: Floats | None = None) -> tuple[Floats, Floats]:
    """Return lambdas (B, 6) of covariance matrices (B, k, k), and the signs (B, k) of lambda 4's split."""
    k = covariance.shape[-1]
    variances = np.diagonal(covariance, axis1=-2, axis2=-1)
    total = covariance.sum(axis=(-2, -1))
    total = np.where(total > 1e-12 * variances.sum(axis=-1), total, np.nan)
    squares = np.square(covariance)
    off = squares.sum(axis=-1) - np.square(variances)
    one = 1.0 - variances.sum(axis=-1) / total
    two = one + np.sqrt(k / (k - 1) * np.maximum(off.sum(axis=-1), 0.0)) / total
    five = one + 2.0 * np.sqrt(np.maximum(off.max(axis=-1), 0.0)) / total
    four, signs = best_split(covariance, near)
    unit, sd, regular = correlations(covariance)
    residual = np.square(sd) / np.diagonal(np.linalg.inv(unit), axis1=-2, axis2=-1)
    six = np.where(regular, 1.0 - residual.sum(axis=-1) / total, np.nan)
    four = np.where(np.isnan(total), np.nan, four)
    return np.stack([one, two, k / (k - 1) * one, four, five, six], axis=-1), signs


def lambda_kernel(values: Floats, near: Floats) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to lambdas (B, 6) of a table (n, k)."""
    covariance_of = covariance_kernel(values)
    return lambda counts: lambdas_of(covariance_of(counts), near)[0]


def _reason(values: Floats) -> Message | None:
    """Return why no lambda is defined for a complete table (n, k)."""
    n = len(values)
    if n < 2:
        return Message("psychometrics.too_few_respondents", {"n": n})
    if without_spread(values.sum(axis=1, keepdims=True))[0]:
        return Message("psychometrics.sum_constant", {"n": n})
    return None


def _flags(n: int, k: int, estimates: Floats, intervals: bool) -> list[Message]:
    """Return what a reader must know of lambdas that are defined."""
    flags = []
    if k > EXHAUSTIVE:
        flags.append(Message("psychometrics.split_searched", {"k": k}))
    if np.isnan(estimates[5]):
        flags.append(Message("psychometrics.lambda6_undefined", {"n": n, "k": k}))
    if intervals:
        flags.append(Message("psychometrics.lambda_intervals_by_chance", {}))
    return flags
