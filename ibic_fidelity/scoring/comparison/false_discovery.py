"""P-values adjusted so that few of what is called different is not."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError

Floats = NDArray[np.float64]
Adjustment = Literal["bh", "by"]
ADJUSTMENTS: tuple[Adjustment, ...] = ("bh", "by")


def adjusted(p_value: Floats, adjustment: Adjustment) -> Floats:
    """Return p-values adjusted for their number: those at most q hold a false discovery rate of q.

    Parameters
    ----------
    p_value : ndarray, shape (m,)
        NaN where there is none; it stays NaN and does not count.
    adjustment : {"bh", "by"}
        ``bh`` is right for independent and positively dependent tests (Benjamini & Hochberg 1995), ``by`` for any
        (Benjamini & Yekutieli 2001), and stricter by a factor Σ 1/i.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03, np.nan]), "bh")
    array([0.03, 0.04, 0.04,  nan])
    """
    check_adjustment(adjustment)
    out = np.full(len(p_value), np.nan)
    known = np.flatnonzero(np.isfinite(p_value))
    m = len(known)
    if m == 0:
        return out
    order = known[np.argsort(-p_value[known], kind="stable")]
    rank = np.arange(m, 0, -1)
    factor = m * (np.sum(1 / np.arange(1, m + 1)) if adjustment == "by" else 1.0)
    out[order] = np.minimum(np.minimum.accumulate(p_value[order] * factor / rank), 1.0)
    return out


def check_adjustment(adjustment: object) -> None:
    """Raise `UsageError` unless the adjustment is a known one."""
    if adjustment not in ADJUSTMENTS:
        raise UsageError("scoring.unknown_adjustment", value=repr(adjustment), known=list(ADJUSTMENTS))


def check_rate(rate: object) -> None:
    """Raise `UsageError` unless the rate lies between 0 and 1."""
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1:
        raise UsageError("scoring.false_discovery_rate", value=repr(rate))
