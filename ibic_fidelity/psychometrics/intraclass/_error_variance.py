"""The error variance of one rating from mean squares, and its limits."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import Floats, end_share
from ibic_fidelity.psychometrics.intraclass._mean_squares import MeanSquares
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP

#: Distribution-free over normal-theory standard error of the residual variance, from which intervals are too narrow.
TOO_NARROW = 1.20
#: Fewer targets cannot show heavy tails: with 10 to 30 the ratio above catches half of the samples at most.
LEAST_FOR_NORMALITY = 50


def error_variance(squares: MeanSquares, definition: str) -> tuple[float, float]:
    """Return the error variance and its degrees of freedom; at least two targets and raters."""
    n, df = squares.n, squares.df_error("consistency")
    residual = float(squares.residual)
    if definition != "agreement":
        return residual, float(df)
    of_raters, of_rest = float(squares.raters) / n, (n - 1) * residual / n
    variance = of_raters + of_rest
    if variance == 0.0:
        return 0.0, float(df)
    share = of_raters / variance
    return variance, 1.0 / (share**2 / (squares.k - 1) + (1.0 - share) ** 2 / df)


def error_limits(squares: MeanSquares, definition: str, confidence_level: float) -> tuple[Floats, Floats]:
    """Return the limits of the standard error of measurement, for mean squares of any shape."""
    n, df = squares.n, squares.df_error("consistency")
    parts = [((n - 1) / n * squares.residual, df), (squares.raters / n, squares.k - 1)]
    if definition != "agreement":
        parts = [(squares.residual, df)]
    tail = (1.0 - confidence_level) / 2.0
    total = np.sum([part for part, _ in parts], axis=0)
    below = np.sum([np.square((1.0 - nu / chdtri(nu, tail)) * part) for part, nu in parts], axis=0)
    above = np.sum([np.square((nu / chdtri(nu, 1.0 - tail) - 1.0) * part) for part, nu in parts], axis=0)
    return np.sqrt(np.maximum(total - np.sqrt(below), 0.0)), np.sqrt(total + np.sqrt(above))


def spread_ratio(values: Floats) -> Floats:
    """Return the distribution-free over the normal-theory standard error of the residual mean square of (…, n, k).

    0 where there is no residual or there are fewer than three targets.
    """
    n, k = values.shape[-2:]
    if n < 3:
        return np.zeros(values.shape[:-2])
    rest = values - values.mean(axis=-1, keepdims=True) - values.mean(axis=-2, keepdims=True)
    rest = rest + values.mean(axis=(-2, -1), keepdims=True)
    of_target = np.square(rest).sum(axis=-1) * n / ((n - 1) * (k - 1))
    residual = of_target.mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.sqrt(of_target.var(axis=-1, ddof=1) * (k - 1) / 2.0) / residual
    return np.where(residual > 1e-12 * np.square(values).max(axis=(-2, -1)), ratio, 0.0)


def error_flags(values: Floats) -> tuple[Message, ...]:
    """Return whether the interval of the error is not reliable with these ratings (n, k)."""
    ratio, share = float(spread_ratio(values)), float(end_share(values.reshape(-1, 1))[0])
    if ratio > TOO_NARROW:
        return (Message("psychometrics.error_interval_too_narrow", {"ratio": float(ratio)}),)
    if share >= PILED_UP:
        return (Message("psychometrics.icc_interval_not_reliable", {"share": float(share)}),)
    return normality_unseen(len(values))


def normality_unseen(n: int) -> tuple[Message, ...]:
    """Return that so few targets cannot show whether errors are normal, on which the interval rests."""
    if n >= LEAST_FOR_NORMALITY:
        return ()
    return (Message("psychometrics.normality_unseen", {"n": n, "least": LEAST_FOR_NORMALITY}),)
