"""What results of internal consistency share: their table, their lines of text, and when an interval is too narrow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Booleans, Floats, end_share
from ibic_fidelity.psychometrics._clusters import Spread
from ibic_fidelity.psychometrics.consistency._moments import influences

if TYPE_CHECKING:
    import pandas as pd

#: Share of answers at an end of the scale, mean over items, from which no interval here covers as it should.
PILED_UP = 0.55
#: The same share from which an interval for normal answers is too narrow and the adjusted one is to be used.
SKEWED = 0.35
#: Distribution-free over normal-theory standard error, from which an interval for normal answers is too narrow.
TOO_NARROW = 1.15
#: Respondents below which a smaller share leaves no interval reliable, and that share.
FEW, SKEWED_OF_FEW = 50, 0.30

#: Share of the variance that one respondent carries, and ratio of standard errors, from which no interval is reliable.
DECIDES, HEAVY = 0.20, 1.20

#: Added to the method of an interval over clusters.
OVER_CLUSTERS = ", over clusters"
NORMAL = "delta method, log(1 − x), normal answers"
ADJUSTED = "delta method, log(1 − x), adjusted"


def interval_table(
    statistic: str,
    n: int,
    estimate: float,
    intervals: Sequence[ConfidenceInterval],
    said: Sequence[Message],
    *,
    k: int,
    others: Mapping[str, float],
) -> pd.DataFrame:
    """Return one line an interval of the statistic, then one line for each other figure."""
    rows = len(intervals)
    rest = [math.nan] * len(others)
    reason = " ".join(message.text("en") for message in said)
    return table(
        {
            "statistic": [*[statistic] * rows, *others],
            "n": [n] * (rows + len(others)),
            "estimate": [*[estimate] * rows, *others.values()],
            "ci_low": [*(ci.low for ci in intervals), *rest],
            "ci_high": [*(ci.high for ci in intervals), *rest],
            "ci_level": [*(ci.confidence_level for ci in intervals), *rest],
            "method": [*(ci.method for ci in intervals), *[""] * len(others)],
            "reason": [*[reason] * rows, *[""] * len(others)],
            "k": [k] * (rows + len(others)),
        },
        extra=("k",),
    )


def said_with_intervals(name: str, estimate: float, intervals: Sequence[ConfidenceInterval]) -> str:
    """Return a coefficient and its intervals as one part of a sentence."""
    parts = [f"{name} {coefficient(estimate, 'en')}"]
    for ci in intervals:
        limits = interval(ci.low, ci.high, "apa", digits=2)
        parts.append(f"{percent(ci.confidence_level, 'en')} interval {limits} ({ci.method})")
    return ", ".join(parts)


def log_error_limits(
    estimate: float | Floats, variance: float | Floats, n: int, confidence_level: float, *, normal: bool = False
) -> tuple[Floats, Floats]:
    """Return limits symmetric on the scale of log(1 − estimate), whose variance is given; t with n − 1, or normal."""
    error = 1.0 - np.asarray(estimate, dtype=np.float64)
    if n < 2:
        undefined = np.full(error.shape, np.nan)
        return undefined, undefined
    with np.errstate(all="ignore"):
        quantile = 0.5 + confidence_level / 2.0
        factor = np.exp(float(ndtri(quantile) if normal else stdtrit(n - 1, quantile)) * np.sqrt(variance))
        low, high = 1.0 - error * factor, 1.0 - error / factor
    bad = ~((error > 0) & np.isfinite(low))
    return np.where(bad, np.nan, low), np.where(bad, np.nan, high)


def clustered_limits(
    estimate: float,
    variances: tuple[float, float],
    n: int,
    confidence_level: float,
    spread: Spread | None,
) -> tuple[ConfidenceInterval, ConfidenceInterval]:
    """Return the interval for normal answers and the adjusted one, over clusters where their spread is given.

    Variances of log(1 − estimate) are those for normal answers and the distribution-free one.
    """
    normal, free = variances
    method, larger = ADJUSTED, np.fmax(normal, free)
    if spread is not None:
        method, larger = f"{ADJUSTED}{OVER_CLUSTERS}", np.maximum(normal, spread.widened(confidence_level))
    first = log_error_limits(estimate, normal, n, confidence_level)
    second = log_error_limits(estimate, larger, n, confidence_level, normal=spread is not None)
    low, high = (
        ConfidenceInterval(float(limits[0]), float(limits[1]), confidence_level, name)
        for limits, name in ((first, NORMAL), (second, method))
    )
    return low, high


def top_share(influence: Floats) -> Floats:
    """Return the share of the variance of an estimate (…) that one respondent carries, from influences (…, n)."""
    squares = np.square(influence)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(squares.max(axis=-1) / squares.sum(axis=-1)))


def one_decides(share: Floats | float, ratio: Floats | float) -> Booleans:
    """Return where (…) one respondent carries so much of the variance that no interval is reliable."""
    return np.asarray((np.asarray(share) > DECIDES) & (np.asarray(ratio) > HEAVY))


def not_reliable(piled_up: float | Floats, n: int) -> Booleans:
    """Return whether no interval is reliable with this share of answers at an end of the scale."""
    return np.asarray(np.asarray(piled_up) >= (SKEWED_OF_FEW if n < FEW else PILED_UP))


def too_narrow(piled_up: float | Floats, ratio: float | Floats) -> Booleans:
    """Return whether an interval for normal answers is too narrow, the ratio being of standard errors."""
    return np.asarray((np.asarray(ratio) > TOO_NARROW) | (np.asarray(piled_up) >= SKEWED))


def delta_flags(
    values: Floats, variances: tuple[float, float], scale: float, spread: Spread | None
) -> tuple[Message, ...]:
    """Return the flags of an estimate with a variance for normal answers and a distribution-free one.

    They are those of log(1 − estimate) times a scale; the spread over clusters is of log(1 − estimate) as it is.
    """
    normal, free = variances
    if not normal > 0:
        return narrow_flags(values, math.nan)
    if spread is None:
        return narrow_flags(values, math.sqrt(free / normal))
    over = math.sqrt(spread.variance * scale / normal) if spread.variance > 0 else 0.0
    return (*narrow_flags(values, math.sqrt(free / normal), over), *spread.flags(normal / scale if scale > 0 else 0.0))


def narrow_flags(values: Floats, ratio: float, over_clusters: float = 0.0) -> tuple[Message, ...]:
    """Return whether delta-method intervals are not reliable with answers (n, k).

    The ratios are of standard errors, of respondents and over clusters.  How much one respondent decides is taken
    from alpha, whatever the coefficient.
    """
    piled_up = float(end_share(values).mean())
    share = float(top_share(influences(values)[0]))
    if len(values) >= FEW and one_decides(share, ratio):
        return (Message("psychometrics.respondents_decide", {"share": share, "ratio": ratio}),)
    if not_reliable(piled_up, len(values)):
        return (Message("psychometrics.interval_not_reliable", {"share": piled_up, "n": len(values)}),)
    ratio = max(ratio, over_clusters)
    if too_narrow(piled_up, ratio):
        return (Message("psychometrics.interval_too_narrow", {"share": piled_up, "ratio": ratio}),)
    return ()
