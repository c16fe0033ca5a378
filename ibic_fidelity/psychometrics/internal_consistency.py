"""Internal consistency: how far the items of a reflective scale vary together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import fdtri

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

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class CronbachAlpha:
    """Cronbach's alpha, as `cronbach_alpha` returns it.

    Attributes
    ----------
    estimate : float
        Alpha of the covariances (raw alpha), of the sum or the mean of the items.
    ci : ConfidenceInterval
        Feldt's interval.
    n : int
        Respondents used, counted after the missing-data rule.
    k : int
        Items, constant ones included.
    n_dropped : int
        Respondents left out by ``missing="listwise"``.
    standardized : float
        Alpha of the correlations, for a sum of standardised items.
    mean_inter_item_correlation : float
        Mean of the k(k − 1)/2 correlations between items.
    items : tuple of str
        The items' labels.
    constant_items : tuple of str
        Items that all respondents answered alike; they lower alpha and have no correlations.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    """

    estimate: float
    ci: ConfidenceInterval
    n: int
    k: int
    n_dropped: int
    standardized: float
    mean_inter_item_correlation: float
    items: tuple[str, ...]
    constant_items: tuple[str, ...]
    missing: str
    reason: Message | None

    @property
    def table(self) -> pd.DataFrame:
        """Return raw and standardised alpha and the mean correlation, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        names = ("cronbach_alpha", "standardized_alpha", "mean_inter_item_correlation")
        reason = "" if self.reason is None else self.reason.text("en")
        return table(
            {
                "statistic": names,
                "n": [self.n] * 3,
                "estimate": [self.estimate, self.standardized, self.mean_inter_item_correlation],
                "ci_low": [self.ci.low, math.nan, math.nan],
                "ci_high": [self.ci.high, math.nan, math.nan],
                "ci_level": [self.ci.confidence_level, math.nan, math.nan],
                "method": [self.ci.method, "", ""],
                "reason": [reason] * 3,
                "k": [self.k] * 3,
            },
            extra=("k",),
        )

    def summary(self) -> str:
        """Return one line in English."""
        if self.reason is not None:
            return f"Cronbach's alpha is not defined: {self.reason.text('en')}"
        level = percent(self.ci.confidence_level, "en")
        text = f"Cronbach's alpha {coefficient(self.estimate, 'en')}"
        limits = interval(self.ci.low, self.ci.high, "apa", digits=2)
        used = f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers"
        return f"{text}, {level} interval {limits} (Feldt), {used}."


def cronbach_alpha(
    x: object,
    *,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
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
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.

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

    COVERAGE_NOTE

    References
    ----------
    .. [1] Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16,
       297–334.
    .. [2] Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability
       coefficient twenty. Psychometrika, 30, 357–370.
    .. [3] Feldt, L. S., Woodruff, D. J., & Salih, F. A. (1987). Statistical inference for coefficient alpha.
       Applied Psychological Measurement, 11, 93–103.

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
    matrix = as_matrix(x, least_columns=2)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
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
    low, high = feldt_limits(estimate, n, k, confidence_level)
    return CronbachAlpha(
        estimate=estimate,
        ci=ConfidenceInterval(float(low), float(high), confidence_level, "Feldt"),
        n=n,
        k=k,
        n_dropped=int((~complete).sum()),
        standardized=standardized,
        mean_inter_item_correlation=mean_correlation,
        items=matrix.labels,
        constant_items=constant,
        missing=missing,
        reason=reason,
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


def feldt_limits(estimate: float | Floats, n: int, k: int, confidence_level: float) -> tuple[Floats, Floats]:
    """Return Feldt's limits of alpha (any shape); upper F quantiles as reciprocals of lower ones."""
    tail = (1.0 - confidence_level) / 2.0
    if n < 2:
        undefined = np.full(np.shape(estimate), np.nan)
        return undefined, undefined
    df_low, df_high = n - 1, (n - 1) * (k - 1)
    error = 1.0 - np.asarray(estimate, dtype=np.float64)
    return 1.0 - error / fdtri(df_high, df_low, tail), 1.0 - error * fdtri(df_low, df_high, tail)


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
