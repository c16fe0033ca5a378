"""Gates and bands: provisional words for a total, and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.parts import Band
from ibic_fidelity.scoring.components import Score
from ibic_fidelity.scoring.intervals import probability_below

HELD, UNDECIDED = 0.80, 0.20


def gate_status(score: Score, cut: float) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """Return P(gate score < cut) and the status of a gate in every group.

    A gate holds a band back only when that probability is at least .80; from .20 to .80 it is undecided.
    """
    below = probability_below(score.estimate, score.kappa, score.df, cut)
    status = np.full(len(below), "unknown", dtype=object)
    known = np.isfinite(below)
    status[known & (below >= HELD)] = "held"
    status[known & (below >= UNDECIDED) & (below < HELD)] = "undecided"
    status[known & (below < UNDECIDED)] = "passed"
    return below, status


def band_of(estimate: NDArray[np.float64], bands: Sequence[Band]) -> NDArray[np.int64]:
    """Return the position of the band of each estimate (a cut belongs to the upper band), -1 where NaN.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> band_of(np.array([0.499, 0.5, np.nan]), load_instrument("ibic").bands)
    array([ 0,  1, -1])
    """
    # A total is a sum of floats: what differs from a cut only by rounding is on the cut.
    lows = np.array([band.low for band in bands]) - 1e-9
    position = np.searchsorted(lows, np.nan_to_num(estimate), side="right") - 1
    return np.where(np.isfinite(estimate), position, -1).astype(np.int64)


def held_band(position: NDArray[np.int64], held: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the band with gates: one band lower where any gate is held, never below the lowest."""
    return np.where(held & (position > 0), position - 1, position)
