"""Kernel of the lower limit of certification, which allows for files, or units, worse than any that were seen."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from ibic_fidelity.psychometrics._arguments import Floats, Integers
from ibic_fidelity.psychometrics.agreement._linearised import cluster_sums
from ibic_fidelity.psychometrics.agreement._pairs import PairKappa

#: Points of the integral, and how far it reaches on both sides of the inverse spread, as logarithms.
_POINTS, _BELOW, _BEYOND = 1200, -21.0, 5.0
#: Share of the agreement by chance that an unseen cluster is given; an unseen unit is given none.
OF_CLUSTER = 0.5


def bounded_limit(kappa: PairKappa, level: float) -> float:
    """Return the lower limit of a kappa, one unit or cluster worse than those seen added; NaN without an interval."""
    if math.isnan(kappa.std_error):
        return math.nan
    sums = cluster_sums(kappa.apart, kappa.clusters)
    values = kappa.estimate + sums * sums.size / kappa.n
    given = 0.0 if kappa.clusters is None else OF_CLUSTER
    lowest = (given - 1.0) * kappa.expected / (1.0 - kappa.expected)
    limit = mean_limit(values, lowest, (1.0 - level) / 2.0)
    return min(limit, kappa.ci.low) if kappa.std_error > 0.0 else limit


def mean_limit(values: Floats, lowest: float, share: float) -> float:
    """Return Gaffke's lower limit of the mean of a distribution on values of at least `lowest`.

    It is the quantile `share` of Σ D_i v_i over the values and `lowest`, with D uniform on the simplex.
    """
    different, times = np.unique(np.append(values, min(lowest, values.min())), return_counts=True)
    low, middle = float(different[0]), float(different @ times) / times.sum()
    if middle - low <= 1e-12:
        return low

    def beyond(x: float) -> float:
        return _share_below(different - x, times) - share

    return float(brentq(beyond, low + 1e-9 * (middle - low), middle, xtol=1e-7))


def _share_below(apart: Floats, times: Integers) -> float:
    """Return P(Σ a_i E_i ≤ 0) for exponential E_i, by inversion of the characteristic function (Gil-Pelaez)."""
    steps = np.linspace(_BELOW, _BEYOND + math.log(times.sum()), _POINTS)
    at = np.exp(steps)[:, np.newaxis] * (apart / math.sqrt(float(times @ np.square(apart))))
    turned, damped = np.arctan(at) @ times, np.exp(-0.5 * (np.log1p(np.square(at)) @ times))
    return 0.5 - float((np.sin(turned) * damped).sum()) * float(steps[1] - steps[0]) / math.pi
