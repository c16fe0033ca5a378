"""Reliability of a scale of two items: Spearman and Brown's formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_matrix,
    as_number,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics._clusters import RowClusters, Spread
from ibic_fidelity.psychometrics.consistency._intervals import (
    OVER_CLUSTERS,
    interval_table,
    narrow_flags,
    said_with_intervals,
)
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, covariance_kernel, covariances

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

FISHER = "Fisher's z, stepped up"
FISHER_ADJUSTED = "Fisher's z, stepped up, adjusted"


@dataclass(frozen=True, slots=True, eq=False)
class SpearmanBrown:
    """Reliability of two items, as `spearman_brown` returns it.

    Attributes
    ----------
    estimate : float
        Reliability of the sum of `length` items of this kind; of the two items together where length is 2.
    correlation : float
        The correlation of the two items.
    length : float
        How many times as long as one item.
    ci, ci_adjusted : ConfidenceInterval
        Fisher's interval of the correlation, stepped up; and with the larger one of its standard error and the
        distribution-free one, to be preferred for skewed or two-valued answers.
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    n, k, n_dropped : int
        Respondents used; items, which are two; respondents left out by ``missing="listwise"``.
    n_clusters : int or None
        Clusters of the respondents used, None where no clusters were given.
    items : tuple of str
        The items' labels.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which the coefficient is not defined and which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        Whether an interval is not reliable with these answers.
    """

    estimate: float
    correlation: float
    length: float
    ci: ConfidenceInterval
    ci_adjusted: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    n: int
    k: int
    n_clusters: int | None
    n_dropped: int
    items: tuple[str, ...]
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
        """Return the coefficient with each interval, and the correlation, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        others = {"correlation": self.correlation, "length": self.length}
        return interval_table("spearman_brown", self.n, self.estimate, self._intervals, said, k=self.k, others=others)

    def summary(self) -> str:
        """Return one line in English, and one a flag."""
        name = f"Spearman–Brown reliability ({self.length:g} times one item)"
        if self.reason is not None:
            return f"{name} is not defined: {self.reason.text('en')}"
        head = said_with_intervals(name, self.estimate, self._intervals)
        used = f"correlation {coefficient(self.correlation, 'en')}, {self.n} respondents"
        line = f"{head}, {used}, {self.n_dropped} left out for missing answers."
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])


def spearman_brown(
    x: object,
    *,
    length: float = 2,
    clusters: ArrayLike | None = None,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> SpearmanBrown:
    r"""Return the reliability of two items by the Spearman–Brown formula.

    The correlation of two parallel items is the reliability of one; the formula steps it up to that of both
    together, or of a scale of another length.  For two items alpha is nearer to 0, since the mean of the variances is
    at least their geometric mean: never above it where the correlation is positive, never below it where it is
    negative, and equal to it where the items have equal variances.

    Parameters
    ----------
    x : array-like of shape (respondents, 2)
        Answers as numbers, reversed items already reversed; NaN is missing.
    length : float
        How many times as long as one item the scale is; 2 is both items together.
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
    SpearmanBrown
        The correlation, the reliability and its intervals.

    Raises
    ------
    UsageError
        Not two items, a length that is not above 0, missing answers under "raise", infinite values, an unknown
        option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two respondents are left, an item is constant, or the correlation is too negative for the
        length: the estimate is NaN.

    Notes
    -----
    With m the length [1]_ [2]_,

    .. math:: \rho_m = \frac{m r}{1 + (m - 1) r}.

    The limits are those of r by Fisher's z, with standard error :math:`1/\sqrt{n - 3}`, each put into the
    formula, which rises with r.  The adjusted interval takes the larger one of this standard error and the
    distribution-free one of z.  A limit of r at which the formula is not defined gives −∞.  Below four
    respondents there is no interval.

    *Coverage* (calibration/consistency_coverage.csv, required .93–.975).
    Both intervals cover .94–.97 for normal and symmetric answers, from 20 respondents on.  For skewed answers
    (40 % at the ceiling) the first covers .92–.94 and the adjusted one .93–.95, for two-valued ones .84–.93 and
    .95–.97, with 60 % at the ceiling .85–.90 and .90–.94.  Hence ``interval_too_narrow`` (35 % of the answers at
    an end of the items' scales, or a distribution-free standard error more than 1.15 times the normal one: use
    `ci_adjusted`) and ``interval_not_reliable`` (55 %, or 30 % below 50 respondents).  The bootstrap covers
    .91–.95 and is flagged below 200 respondents.

    *Clusters.*  With `clusters` the variance of the adjusted interval is a jackknife over clusters times (t/z)², as in
    `cronbach_alpha`, where its coverage is stated; so are ``few_row_clusters`` and ``respondents_decide`` (one
    of 50 respondents or more carries a fifth of the variance: heavy tails, with which no interval here is reliable).

    References
    ----------
    .. [1] Spearman, C. (1910). Correlation calculated from faulty data. British Journal of Psychology, 3,
       271–295.
    .. [2] Eisinga, R., te Grotenhuis, M., & Pelzer, B. (2013). The reliability of a two-item scale: Pearson,
       Cronbach, or Spearman-Brown? International Journal of Public Health, 58, 637–642.

    Examples
    --------
    >>> result = spearman_brown([[1, 2], [2, 2], [3, 4], [4, 5], [4, 4], [5, 4]])
    >>> print(f"{result.correlation:.3f} {result.estimate:.3f}, {result.ci.low:.2f} to {result.ci.high:.2f}")
    0.832 0.908, 0.12 to 0.99
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    factor = as_number(length)
    if factor is None or not 0.0 < factor < math.inf:
        raise UsageError("psychometrics.length_factor", value=repr(length))
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/spearman_brown")
    matrix = as_matrix(x, least_columns=2)
    if matrix.cells.shape[1] != 2:
        raise UsageError("psychometrics.two_items", n=matrix.cells.shape[1])
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    of_rows = RowClusters.read(clusters, complete, missing)
    values = matrix.cells[complete]
    n = len(values)
    r, reason = _correlation(values, matrix.labels)
    estimate = float(stepped_up(r, factor))
    if reason is None and not math.isfinite(estimate):
        estimate, reason = math.nan, Message("psychometrics.prophecy_undefined", {"r": r, "length": factor})
    if reason is not None:
        warn_undefined(reason)
    ratio = 1.0 if reason else float(z_error_ratio(values[None])[0])
    kernel = None if reason else _stepped_kernel(values, factor)
    drawn = resampling.run(kernel, n, confidence_level, clusters=of_rows)
    spread = None if of_rows is None or reason else of_rows.spread(_z_kernel(values))
    wider, method = max(ratio, 1.0), FISHER_ADJUSTED
    if spread is not None:
        wider, method = _over_clusters(spread, n, confidence_level), f"{FISHER_ADJUSTED}{OVER_CLUSTERS}"
    limits = (
        fisher_limits(math.nan if reason else r, n, factor, confidence_level, widened) for widened in (1.0, wider)
    )
    ci, adjusted = (
        ConfidenceInterval(float(low), float(high), confidence_level, name)
        for (low, high), name in zip(limits, (FISHER, method), strict=True)
    )
    return SpearmanBrown(
        estimate=estimate,
        correlation=r,
        length=factor,
        ci=ci,
        ci_adjusted=adjusted,
        ci_bootstrap=drawn.first,
        n=n,
        k=2,
        n_clusters=None if of_rows is None else of_rows.n,
        n_dropped=int((~complete).sum()),
        items=matrix.labels,
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=() if reason else (*_flags(values, ratio, spread), *drawn.flags),
    )


def stepped_up(r: float | Floats, length: float) -> Floats:
    """Return the reliability of a scale `length` times as long; −∞ where the formula is not defined."""
    correlation = np.asarray(r, dtype=np.float64)
    below = 1.0 + (length - 1.0) * correlation
    with np.errstate(invalid="ignore", divide="ignore"):
        made = length * correlation / below
    return np.asarray(np.where(below > 1e-12, made, np.where(np.isnan(correlation), np.nan, -np.inf)))


def fisher_limits(
    r: float | Floats, n: int, length: float, confidence_level: float, widened: float | Floats = 1.0
) -> tuple[Floats, Floats]:
    """Return the stepped-up limits of correlations (any shape), the standard error of z widened."""
    correlation = np.asarray(r, dtype=np.float64)
    if n < 4:
        undefined = np.full(correlation.shape, np.nan)
        return undefined, undefined
    away = float(ndtri(0.5 + confidence_level / 2.0)) / math.sqrt(n - 3) * np.asarray(widened)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.arctanh(correlation)
    return stepped_up(np.tanh(z - away), length), stepped_up(np.tanh(z + away), length)


def z_error_ratio(values: Floats) -> Floats:
    """Return the distribution-free standard error of Fisher's z over 1/√n, of tables (B, n, 2)."""
    centred = values - values.mean(axis=-2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = centred / np.sqrt(np.square(centred).mean(axis=-2, keepdims=True))
        r = (z[..., 0] * z[..., 1]).mean(axis=-1)[..., None]
        influence = (z[..., 0] * z[..., 1] - 0.5 * r * np.square(z).sum(axis=-1)) / (1.0 - np.square(r))
        ratio = np.sqrt(np.square(influence).sum(axis=-1) / (values.shape[-2] - 1))
    return np.where(np.isfinite(ratio) & (np.abs(r[..., 0]) < 1.0 - 1e-12), ratio, 1.0)


def correlation_of(covariance: Floats) -> Floats:
    """Return correlations (B,) of covariance matrices (B, 2, 2), NaN where an item does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        r = covariance[:, 0, 1] / np.sqrt(covariance[:, 0, 0] * covariance[:, 1, 1])
    return np.clip(r, -1.0, 1.0)


def _stepped_kernel(values: Floats, length: float) -> Callable[[Floats], Floats]:
    covariance_of = covariance_kernel(values)

    def kernel(counts: Floats) -> Floats:
        made = stepped_up(correlation_of(covariance_of(counts)), length)
        return np.where(np.isfinite(made), made, np.nan)

    return kernel


def _z_kernel(values: Floats) -> Callable[[Floats], Floats]:
    covariance_of = covariance_kernel(values)

    def kernel(counts: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.arctanh(correlation_of(covariance_of(counts))))

    return kernel


def _over_clusters(spread: Spread, n: int, confidence_level: float) -> float:
    """Return the standard error of z over clusters, with t for the normal quantile, over that of independent rows."""
    variance = spread.widened(confidence_level) * (n - 3)
    return math.sqrt(max(variance, 1.0)) if math.isfinite(variance) else math.nan


def _flags(values: Floats, ratio: float, spread: Spread | None) -> tuple[Message, ...]:
    """Return whether intervals are not reliable with answers (n, 2)."""
    if spread is None or len(values) < 4:
        return narrow_flags(values, ratio)
    normal = 1.0 / (len(values) - 3)
    over = math.sqrt(spread.variance / normal) if spread.variance > 0 else 0.0
    return (*narrow_flags(values, ratio, over), *spread.flags(normal))


def _correlation(values: Floats, labels: tuple[str, ...]) -> tuple[float, Message | None]:
    """Return the correlation of two items (n, 2), or NaN and the reason."""
    n = len(values)
    if n < 2:
        return math.nan, Message("psychometrics.too_few_respondents", {"n": n})
    still = without_spread(values)
    if still.any():
        items = tuple(np.asarray(labels)[still].tolist())
        return math.nan, Message("psychometrics.item_without_spread", {"n": n, "items": items})
    return float(correlation_of(covariances(values)[None])[0]), None
