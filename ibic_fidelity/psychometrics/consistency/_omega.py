"""Omega total from fits of one factor: estimates, their variances and limits, tables as a leading axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ibic_fidelity.psychometrics._arguments import Booleans, Floats
from ibic_fidelity.psychometrics.consistency._moments import correlations, covariance_kernel, covariances
from ibic_fidelity.psychometrics.consistency._one_factor import (
    OneFactor,
    fit_one_factor,
    inverse_information,
    inverse_times,
    observed_information,
    refit_one_factor,
)

#: Fits of replicates stop where they are this near, in squared standard errors of a parameter.
_NEAR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class OmegaFit:
    """Fits of tables (B, n, k): correlations, standard deviations, what is not singular, one-factor fits."""

    matrices: Floats
    sd: Floats
    regular: Booleans
    fit: OneFactor

    @property
    def defined(self) -> Booleans:
        """Return where omega is defined."""
        return np.asarray(self.regular & self.fit.converged)


def fit_tables(values: Floats) -> OmegaFit:
    """Return the fits of complete tables (B, n, k)."""
    matrices, sd, regular = correlations(covariances(values))
    return OmegaFit(matrices, sd, regular, fit_one_factor(matrices))


def omega_total(fit: OneFactor, sd: Floats) -> Floats:
    """Return omega total (B,) of fits of correlations: model-implied variance in the denominator."""
    common = np.square((sd * fit.loadings).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        omega = common / (common + (np.square(sd) * fit.uniquenesses).sum(axis=-1))
    return np.asarray(np.where(fit.converged, omega, np.nan))


def omega_kernel(values: Floats, whole: OmegaFit) -> Callable[[Floats], Floats]:
    """Return a function from counts of rows (B, n) to omega (B,) of a table (n, k) that has been fitted."""
    covariance_of = covariance_kernel(values)
    tolerance = _NEAR / len(values)
    hessian = observed_information(whole.fit.loadings, whole.fit.uniquenesses, whole.matrices)[0]
    inverse = np.linalg.pinv(hessian, hermitian=True)

    def kernel(counts: Floats) -> Floats:
        matrices, sd, regular = correlations(covariance_of(counts))
        fit = refit_one_factor(matrices, whole.fit, inverse, tolerance=tolerance)
        return np.where(regular, omega_total(fit, sd), np.nan)

    return kernel


def omega_variances(values: Floats, of: OmegaFit) -> tuple[Floats, Floats]:
    """Return the delta-method variances (B,) of omega: for normal answers, and distribution-free.

    The first takes the expected information, (2/n) h'a with Hh = a.  The second is the spread of each
    respondent's influence 2 (z'h_λ)(z'λ) + Σ h_ψ z², z = Wx, with the observed information, so that it also
    holds where one factor does not fit.
    """
    n, k = values.shape[-2:]
    scale = np.sqrt(np.square(of.sd).mean(axis=-1, keepdims=True))
    scale = np.where(scale > 0, scale, 1.0)
    sd = of.sd / scale
    centred = (values - values.mean(axis=-2, keepdims=True)) / scale[..., None]
    x, y = sd * of.fit.loadings, np.square(sd) * of.fit.uniquenesses
    matrices = of.matrices * sd[..., :, None] * sd[..., None, :]
    total, unique = x.sum(axis=-1, keepdims=True), y.sum(axis=-1, keepdims=True)
    with np.errstate(all="ignore"):
        whole = np.square(np.square(total) + unique)
        by_x = np.broadcast_to(2.0 * total * unique / whole, x.shape)
        by_y = np.broadcast_to(-np.square(total) / whole, y.shape)
        h_x, h_y = inverse_information(x, y, by_x, by_y)
        normal = 2.0 / n * (by_x * h_x + by_y * h_y).sum(axis=-1)
        hessian = observed_information(x, y, matrices)
        safe = np.isfinite(hessian).all(axis=(-2, -1)) & of.defined
        hessian[~safe] = np.eye(2 * k)
        by = np.concatenate([by_x, by_y], axis=-1)
        h = (np.linalg.pinv(hessian, hermitian=True) @ by[..., None])[..., 0]
        z = inverse_times(x, y, centred)
        influence = 2.0 * (z @ h[..., :k, None])[..., 0] * (z @ x[..., None])[..., 0]
        influence += (np.square(z) @ h[..., k:, None])[..., 0]
        influence -= influence.mean(axis=-1, keepdims=True)
        free = np.square(influence).sum(axis=-1) / (n * (n - 1))
    return np.where(safe, normal, np.nan), np.where(safe, free, np.nan)
