"""How well factors fit a correlation matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr

from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.exploratory._matrix import degrees_of_freedom

NONCENTRAL = "noncentral chi-square"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Figures of fit; NaN where they are not defined."""

    chi_square: float
    df: int
    p_value: float
    rmsea: float
    rmsea_ci: ConfidenceInterval
    tli: float
    bic: float
    rmsr: float
    rmsr_corrected: float


def fit_of(matrix: Floats, model: Floats, m: int, n: int, level: float, *, tested: bool) -> Fit:
    """Return the fit of a model's correlations (k, k), ones in the diagonal; χ² only where `tested`."""
    k = len(matrix)
    df = degrees_of_freedom(k, m)
    off = float(np.square(matrix - model)[~np.eye(k, dtype=bool)].sum())
    rmsr = math.sqrt(off / (k * (k - 1)))
    corrected = math.sqrt(off / (2 * df)) if df > 0 else math.nan
    chi_square = p_value = rmsea = tli = bic = math.nan
    ci = ConfidenceInterval(math.nan, math.nan, level, NONCENTRAL)
    scale = n - 1 - (2 * k + 5) / 6 - 2 * m / 3
    discrepancy = _discrepancy(matrix, model) if tested and scale > 0 else math.nan
    if not math.isnan(discrepancy):
        chi_square = max(discrepancy, 0.0) * scale
        bic = chi_square - df * math.log(n)
        if df > 0:
            p_value = float(chdtrc(df, chi_square))
            rmsea = math.sqrt(max(chi_square - df, 0.0) / (df * (n - 1)))
            limits = (noncentrality(chi_square, df, q) for q in (0.5 + level / 2, 0.5 - level / 2))
            low, high = (math.sqrt(limit / (df * (n - 1))) for limit in limits)
            ci = ConfidenceInterval(low, high, level, NONCENTRAL)
            null = -float(np.linalg.slogdet(matrix)[1]) * 2 / (k * (k - 1))
            tli = (null - discrepancy / df) / (null - 1 / scale)
    return Fit(chi_square, df, p_value, rmsea, ci, tli, bic, rmsr, corrected)


def _discrepancy(matrix: Floats, model: Floats) -> float:
    """Return the maximum likelihood discrepancy; NaN where the model's matrix is not positive definite."""
    if np.linalg.eigvalsh(model)[0] <= 0:
        return math.nan
    ratio = np.linalg.solve(model, matrix)
    return float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - len(matrix))


def noncentrality(statistic: float, df: int, probability: float) -> float:
    """Return the noncentrality at which a noncentral χ² is below the statistic with this probability; 0 at least."""
    if chndtr(statistic, df, 0.0) <= probability:
        return 0.0
    high = max(statistic, 1.0)
    while chndtr(statistic, df, high) > probability:
        high *= 2.0
    return float(brentq(lambda nc: chndtr(statistic, df, nc) - probability, 0.0, high, xtol=1e-10, rtol=1e-12))
