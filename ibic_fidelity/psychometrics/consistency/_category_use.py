"""How often each answer of a scale was given, the answers that nobody gave included."""

from __future__ import annotations

import numpy as np

from ibic_fidelity.psychometrics._arguments import Floats

#: Levels above which answers are no longer categories.
MOST = 50


def category_use(values: Floats, low: Floats, high: Floats, *, given: bool) -> tuple[Floats, Floats]:
    """Return the levels (q,) and how often each was given (k, q), of answers (n, k) with holes.

    The levels are the whole numbers between given limits, and otherwise the answers observed in any item.
    NaN stands where a level is outside an item's own limits.  Above 50 levels there are none.
    """
    known = np.unique(values[~np.isnan(values)])
    ends = np.concatenate([low, high])
    if given and np.all(ends == np.round(ends)) and np.all(known == np.round(known)):
        span = float(high.max() - low.min())
        levels = low.min() + np.arange(span + 1.0) if span < MOST else np.empty(0)
    else:
        levels = known if known.size <= MOST else np.empty(0)
    counts = (values[:, :, None] == levels).sum(axis=0).astype(np.float64)
    if given:
        outside = (levels < low[:, None]) | (levels > high[:, None])
        counts[outside] = np.nan
    return levels, counts


def pairwise_item_rest(values: Floats) -> Floats:
    """Return item-rest correlations (k,) from covariances of all respondents who answered both items (n, k).

    NaN where two items were not answered by two respondents in common, or the variances do not allow it.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    filled = np.where(known, filled - filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    share = known.astype(np.float64)
    both = share.T @ share
    with np.errstate(invalid="ignore", divide="ignore"):
        first, product = filled.T @ share, filled.T @ filled
        covariance = np.where(both > 1, (product - first * first.T / both) / (both - 1.0), np.nan)
        variances = np.diagonal(covariance)
        sums = covariance.sum(axis=1)
        rest = covariance.sum() - 2.0 * sums + variances
        correlation = (sums - variances) / np.sqrt(variances * rest)
    small = 1e-12 * np.abs(variances).sum()
    undefined = ~((variances > 1e-12 * np.square(filled).max(axis=0, initial=0.0)) & (rest > small))
    return np.asarray(np.where(undefined, np.nan, correlation))
