"""Internal consistency: how far the items of a reflective scale vary together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import fdtri

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    end_share,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics._clusters import RowClusters, Spread, log_error
from ibic_fidelity.psychometrics.consistency._intervals import (
    OVER_CLUSTERS,
    PILED_UP,
    SKEWED,
    TOO_NARROW,
    one_decides,
    top_share,
)
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, influences
from ibic_fidelity.psychometrics.consistency.alpha_result import CronbachAlpha

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def cronbach_alpha(
    x: object,
    *,
    clusters: ArrayLike | None = None,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> CronbachAlpha:
    r"""Return Cronbach's alpha with Feldt's interval.

    Alpha is the reliability of the sum of k items if the items measure one thing equally well (essential
    tau-equivalence) with uncorrelated errors; otherwise it is, for uncorrelated errors, a lower bound.  It
    says nothing about whether the items measure *one* thing, and it has no meaning for a formative
    component, whose items define it and need not correlate.  It may be negative.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as numbers, reversed items already reversed, at least two items; NaN is missing.
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
    CronbachAlpha
        Estimate, interval, n after the missing-data rule, and what was left out.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two respondents are left, or the sum does not vary: alpha is NaN.  An item is constant:
        standardised alpha and the mean correlation are NaN, alpha is defined.

    Notes
    -----
    With item variances :math:`s_i^2` and the variance of the sum :math:`s_X^2` [1]_,

    .. math:: \alpha = \frac{k}{k-1}\left(1 - \frac{\sum_i s_i^2}{s_X^2}\right).

    Since :math:`(1-\alpha)/(1-\hat\alpha)` follows F with n − 1 and (n − 1)(k − 1) degrees of freedom for
    normal, tau-equivalent items, the limits are [2]_ [3]_

    .. math:: 1 - (1-\hat\alpha)\,F_{1-p/2}, \qquad 1 - (1-\hat\alpha)\,F_{p/2}.

    The adjusted interval divides both degrees of freedom by how much the distribution-free variance of
    :math:`\log(1-\hat\alpha)` [4]_ exceeds Feldt's, 2/(n − 1) + 2/((n − 1)(k − 1)), where it does.  The
    variance is from the literature, its use here is ours.

    *Coverage* (calibration/psychometric_coverage.csv, required .93–.975).
    Feldt's interval covers .94–.96 for normal answers and symmetric five-point ones, .90–.96 for skewed
    ones (40 % at the ceiling), .82–.96 for two-valued items, .83–.94 with 60 % at the ceiling and .63–.91
    with 80 %.  The adjusted one covers .94–.96 for normal, symmetric and two-valued answers, .92–.96 for
    skewed ones, .89–.96 and .76–.94 with 60 % and 80 % at the ceiling.  Hence two flags:
    ``feldt_too_narrow`` (35 % of the answers at an end of the items' scales, or a distribution-free standard
    error more than 1.15 times the normal one: use `ci_adjusted`), and ``alpha_interval_not_reliable``
    (55 %: neither interval holds its level).
    Skewed answers without bounds and heavy tails (beta(.5, 3), exponential, t with 4 degrees of freedom, lognormal) are
    another matter: with 20, 50 and 200 respondents Feldt's interval covers .50–.90 and the adjusted one .78–.92,
    .84–.93 and .89–.94, lowest for lognormal answers.  Where one respondent carries a fifth of the variance and the
    ratio of standard errors is above 1.2, ``respondents_decide`` says that neither holds: in 24–92 % of such samples,
    and in 0–8 % of normal ones.

    *Clusters.*  Respondents of one site are alike, and then alpha varies more than any interval of independent
    respondents knows: with 24 sites of 20 and a site share of .15 those cover .90, with 10 of 10 and .3 .87, with 20 of
    20 and .5 .59.  With `clusters` the variance of the adjusted interval is a jackknife of :math:`\log(1-\hat\alpha)`
    over clusters times (t/z)², t with twice as many degrees of freedom as there are clusters that carry it; it covers
    .94–.97 in ten designs of 10 to 40 sites, shares 0 to .5, equal or uneven.  Fewer than 8 clusters, or a variance
    over 2.5 times that of independent respondents carried by fewer than 10, are flagged (``few_row_clusters``): where
    only the true scores, not the errors, are alike inside sites (share .5; 1,000 studies that are not in the table) it
    covers .90–.94.

    The percentile bootstrap (calibration/consistency_coverage.csv) covers .94 with 200 respondents for normal,
    skewed and two-valued answers, .93 with 60 % at the ceiling and .87–.95 with fewer respondents, hence
    ``bootstrap_few_respondents`` below 200.  It is no improvement on the adjusted interval.

    References
    ----------
    .. [1] Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16,
       297–334.
    .. [2] Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability
       coefficient twenty. Psychometrika, 30, 357–370.
    .. [3] Feldt, L. S., Woodruff, D. J., & Salih, F. A. (1987). Statistical inference for coefficient alpha.
       Applied Psychological Measurement, 11, 93–103.
    .. [4] Maydeu-Olivares, A., Coffman, D. L., & Hartmann, W. M. (2007). Asymptotically distribution-free
       (ADF) interval estimation of coefficient alpha. Psychological Methods, 12, 157–176.

    Examples
    --------
    The six targets and four judges of Shrout and Fleiss (1979): alpha is their ICC(3,4), .91.

    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = cronbach_alpha(x)
    >>> print(f"{result.estimate:.5f} {result.ci.low:.5f} {result.ci.high:.5f} n={result.n}")
    0.90932 0.67567 0.98589 n=6
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/cronbach_alpha")
    matrix = as_matrix(x, least_columns=2)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    of_rows = RowClusters.read(clusters, complete, missing)
    values = matrix.cells[complete]
    n, k = values.shape
    estimate, reason = _estimate(values)
    standardized, mean_correlation = math.nan, math.nan
    constant: tuple[str, ...] = ()
    if reason is not None:
        warn_undefined(reason)
    else:
        constant = tuple(np.asarray(matrix.labels)[without_spread(values)].tolist())
        if constant:
            warn_undefined(Message("psychometrics.standardized_undefined", {"items": constant}))
        else:
            standardized, mean_correlation = _standardized(values)
    inflation = 1.0 if reason else float(variance_inflation(values))
    kernel = None if reason else alpha_kernel(values)
    drawn = resampling.run(kernel, n, confidence_level, clusters=of_rows)
    spread = None if of_rows is None or kernel is None else of_rows.spread(log_error(kernel))
    return CronbachAlpha(
        estimate=estimate,
        ci=_interval(estimate, n, k, confidence_level),
        ci_adjusted=_adjusted(estimate, n, k, confidence_level, inflation, spread),
        ci_bootstrap=drawn.first,
        n=n,
        k=k,
        n_clusters=None if of_rows is None else of_rows.n,
        n_dropped=int((~complete).sum()),
        standardized=standardized,
        mean_inter_item_correlation=mean_correlation,
        items=matrix.labels,
        constant_items=constant,
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=() if reason else (*_flags(values, inflation, spread), *drawn.flags),
    )


def alpha_of(values: Floats) -> Floats:
    """Return raw alpha of complete tables (…, n, k), NaN where the sum does not vary."""
    n, k = values.shape[-2:]
    if n < 2 or k < 2:
        return np.full(values.shape[:-2], np.nan)
    centred = values - values.mean(axis=-2, keepdims=True)
    items = np.square(centred).sum(axis=(-2, -1))
    total = np.square(centred.sum(axis=-1)).sum(axis=-1)
    still = without_spread(values.sum(axis=-1, keepdims=True))[..., 0]
    ratio = items / np.where(still, np.nan, total)
    return np.asarray(k / (k - 1) * (1.0 - ratio))


def alpha_kernel(values: Floats) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to raw alpha (B,) of a table (n, k).

    One product of the counts with each respondent's sum of squares, squared sum and deviations.
    """
    k = values.shape[1]
    centred = values - values.mean(axis=0)
    squares, sums = np.square(centred).sum(axis=1), centred.sum(axis=1)
    moments = np.column_stack([squares, np.square(sums), centred])
    floor = 1e-12 * np.square(sums).sum()

    def kernel(counts: Floats) -> Floats:
        drawn, size = counts @ moments, counts.sum(axis=1)
        means = drawn[:, 2:] / size[:, None]
        items = drawn[:, 0] - size * np.square(means).sum(axis=1)
        total = drawn[:, 1] - size * np.square(means.sum(axis=1))
        return np.asarray(k / (k - 1) * (1.0 - items / np.where(total > floor, total, np.nan)))

    return kernel


def feldt_limits(
    estimate: float | Floats, n: int, k: int, confidence_level: float, inflation: float | Floats = 1.0
) -> tuple[Floats, Floats]:
    """Return Feldt's limits of alpha (any shape), the degrees of freedom divided by the inflation.

    Upper F quantiles are taken as reciprocals of lower ones.
    """
    tail = (1.0 - confidence_level) / 2.0
    if n < 2:
        undefined = np.full(np.shape(estimate), np.nan)
        return undefined, undefined
    df_low, df_high = (n - 1) / inflation, (n - 1) * (k - 1) / inflation
    error = 1.0 - np.asarray(estimate, dtype=np.float64)
    return 1.0 - error / fdtri(df_high, df_low, tail), 1.0 - error * fdtri(df_low, df_high, tail)


def variance_inflation(values: Floats) -> Floats:
    """Return the distribution-free over the normal-theory variance of log(1 − alpha), tables (…, n, k)."""
    n, k = values.shape[-2:]
    influence, error = influences(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.square(influence).sum(axis=-1) / (n - 1) / n / np.square(error)
    # items that are copies of each other: alpha is 1 whatever the respondents
    variance = np.where(error > 1e-12, variance, 0.0)
    return np.asarray(variance / normal_variance(n, k))


def normal_variance(n: int, k: int) -> float:
    """Return the variance of log(1 − alpha) for normal, tau-equivalent items."""
    return 2.0 / (n - 1) * (1.0 + 1.0 / (k - 1))


def _adjusted(
    estimate: float, n: int, k: int, confidence_level: float, inflation: float, spread: Spread | None
) -> ConfidenceInterval:
    """Return the adjusted interval, over clusters where their spread is given."""
    if spread is not None:
        inflation = spread.widened(confidence_level) / normal_variance(n, k)
    made = _interval(estimate, n, k, confidence_level, inflation=inflation)
    if spread is None:
        return made
    return ConfidenceInterval(made.low, made.high, confidence_level, f"{made.method}{OVER_CLUSTERS}")


def _interval(
    estimate: float, n: int, k: int, confidence_level: float, *, inflation: float | None = None
) -> ConfidenceInterval:
    """Return Feldt's interval, or the adjusted one where an inflation is given."""
    low, high = feldt_limits(estimate, n, k, confidence_level, max(inflation or 1.0, 1.0))
    method = "Feldt" if inflation is None else "Feldt, adjusted"
    return ConfidenceInterval(float(low), float(high), confidence_level, method)


def _flags(values: Floats, inflation: float, spread: Spread | None) -> tuple[Message, ...]:
    """Return whether intervals are not reliable with these answers (n, k)."""
    piled_up, share = float(end_share(values).mean()), float(top_share(influences(values)[0]))
    few: tuple[Message, ...] = ()
    ratio = math.sqrt(inflation)
    decides = bool(one_decides(share, ratio))
    if spread is not None:
        normal = normal_variance(*values.shape)
        few = spread.flags(normal)
        ratio = max(ratio, math.sqrt(spread.variance / normal)) if spread.variance > 0 else ratio
    if piled_up >= PILED_UP:
        return (Message("psychometrics.alpha_interval_not_reliable", {"share": piled_up}), *few)
    if decides:
        return (Message("psychometrics.respondents_decide", {"share": share, "ratio": math.sqrt(inflation)}), *few)
    if ratio > TOO_NARROW or piled_up >= SKEWED:
        return (Message("psychometrics.feldt_too_narrow", {"share": piled_up, "ratio": ratio}), *few)
    return few


def _estimate(values: Floats) -> tuple[float, Message | None]:
    """Return alpha of a complete table (n, k), or NaN and the reason."""
    n = values.shape[0]
    if n < 2:
        return math.nan, Message("psychometrics.too_few_respondents", {"n": n})
    estimate = float(alpha_of(values))
    if math.isnan(estimate):
        return estimate, Message("psychometrics.sum_constant", {"n": n})
    return estimate, None


def _standardized(values: Floats) -> tuple[float, float]:
    """Return standardised alpha and the mean inter-item correlation of a complete table without constants."""
    k = values.shape[1]
    correlations = np.asarray(np.corrcoef(values, rowvar=False))
    mean = float(correlations[np.triu_indices(k, 1)].mean())
    denominator = 1.0 + (k - 1) * mean
    return (k * mean / denominator if denominator > 0 else math.nan), mean
