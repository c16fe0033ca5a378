"""Reliability of ordered answers, from the correlations of the normal values that they are taken to be cut from."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    check_choice,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.consistency._green_yang import (
    LeastSquares,
    Scores,
    fit_least_squares,
    omega_gradient,
    sum_reliability,
)
from ibic_fidelity.psychometrics.consistency._intervals import log_error_limits
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap
from ibic_fidelity.psychometrics.consistency._polychoric_tables import Statistic, Whole, replicate_kernel
from ibic_fidelity.psychometrics.consistency.ordinal_results import CategoricalOmega, OrdinalAlpha
from ibic_fidelity.psychometrics.correlation._saying import SMALLEST
from ibic_fidelity.psychometrics.correlation._tables import read_answers

Estimator = Literal["DWLS", "ULS"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
ALPHA = "of the normal values behind the answers, not of their sum"
OMEGA = "reliability of the sum of the answers, Green & Yang"
DELTA = "delta method, log(1 − x), two-step covariance"
#: Root mean square residual above which one factor is said not to fit.
POOR_FIT = 0.08


def ordinal_alpha(
    x: object,
    *,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> OrdinalAlpha:
    check_choice("missing", missing, COMPLETE_TABLE)
    level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/ordinal_alpha")
    answers = read_answers(x, missing)
    whole = Whole.of(answers)
    reason = whole.undefined()
    k = len(answers.labels)
    estimate = std_error = math.nan
    flags: list[Message] = []
    kernel = None
    if reason is None:
        estimate = float(alpha_of_matrices(whole.matrix[None])[0])
        total = whole.matrix.sum()
        by_pair = np.full(len(whole.fit.rho), 2.0 * k * k / (k - 1) / total**2)
        influence = whole.spread(np.zeros(whole.thresholds.shape), by_pair)
        std_error = math.sqrt(float(np.square(influence).sum()))
        flags = _flags(whole)
        kernel = replicate_kernel(whole, lambda matrices, _: alpha_of_matrices(matrices))
    else:
        warn_undefined(reason)
    drawn = resampling.run(kernel, len(answers.codes), level)
    return OrdinalAlpha(
        estimate=estimate,
        definition=ALPHA,
        std_error=std_error,
        ci=_limits(estimate, std_error, len(answers.codes), level),
        ci_bootstrap=drawn.first,
        correlations=read_only(whole.matrix),
        n=len(answers.codes),
        k=k,
        n_dropped=answers.n_dropped,
        items=answers.labels,
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=(*flags, *drawn.flags),
    )


def categorical_omega(
    x: object,
    *,
    estimator: Estimator = "DWLS",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> CategoricalOmega:
    check_choice("estimator", estimator, ESTIMATORS)
    check_choice("missing", missing, COMPLETE_TABLE)
    level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/categorical_omega")
    answers = read_answers(x, missing)
    whole = Whole.of(answers)
    k = len(answers.labels)
    reason = whole.undefined()
    if k < 3:
        reason = Message("psychometrics.omega_not_identified", {"n": k})
    weights = np.ones((k, k))
    loadings, estimate, implied, std_error, srmr = np.full(k, math.nan), *(math.nan,) * 4
    flags: list[Message] = []
    kernel = None
    if reason is None:
        if estimator == "DWLS":
            weights = whole.weights
        fit = fit_least_squares(whole.matrix[None], weights)
        loadings = fit.loadings[0]
        reason = _improper(fit, answers.labels)
    if reason is None:
        both = sum_reliability(whole.scores, whole.matrix[None], fit)
        estimate, implied = float(both.found[0]), float(both.implied[0])
        gradient = omega_gradient(whole.scores, whole.matrix, weights, loadings)
        std_error = math.sqrt(float(np.square(whole.spread(*gradient)).sum()))
        residual = (whole.matrix - np.outer(loadings, loadings))[np.triu_indices(k, 1)]
        srmr = math.sqrt(float(np.square(residual).mean()))
        flags = _flags(whole)
        if srmr > POOR_FIT:
            flags.append(Message("psychometrics.one_factor_residuals", {"srmr": srmr}))
        if (loadings < 0).any():
            negative = tuple(np.asarray(answers.labels)[loadings < 0].tolist())
            flags.append(Message("psychometrics.omega_negative_loadings", {"items": negative}))
        kernel = replicate_kernel(whole, omega_statistic(whole.steps, weights))
    else:
        warn_undefined(reason)
    drawn = resampling.run(kernel, len(answers.codes), level)
    return CategoricalOmega(
        estimate=estimate,
        estimate_model_implied=implied,
        definition=OMEGA,
        estimator=estimator,
        std_error=std_error,
        ci=_limits(estimate, std_error, len(answers.codes), level),
        ci_bootstrap=drawn.first,
        loadings=read_only(loadings),
        srmr=srmr,
        correlations=read_only(whole.matrix),
        n=len(answers.codes),
        k=k,
        n_dropped=answers.n_dropped,
        items=answers.labels,
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=(*flags, *drawn.flags),
    )


def alpha_of_matrices(matrices: Floats) -> Floats:
    """Return alpha (B,) of correlation matrices (B, k, k)."""
    k = matrices.shape[-1]
    return np.asarray(k / (k - 1) * (1.0 - k / matrices.sum(axis=(-2, -1))))


def omega_statistic(steps: Floats, weights: Floats) -> Statistic:
    """Return a function from matrices and thresholds of replicates to omega (B,), the weights fixed."""

    def statistic(matrices: Floats, thresholds: Floats) -> Floats:
        return sum_reliability(Scores(thresholds, steps), matrices, fit_least_squares(matrices, weights)).found

    return statistic


def _limits(estimate: float, std_error: float, n: int, level: float) -> ConfidenceInterval:
    """Return limits symmetric on the scale of log(1 − estimate)."""
    variance = (std_error / (1.0 - estimate)) ** 2 if estimate < 1.0 else math.nan
    low, high = (float(limit) for limit in log_error_limits(estimate, variance, n, level))
    return ConfidenceInterval(low, high, level, DELTA)


def _improper(fit: LeastSquares, labels: tuple[str, ...]) -> Message | None:
    """Return why a fit gives no omega."""
    if fit.proper[0]:
        return None
    heywood = np.asarray(labels)[np.abs(fit.loadings[0]) >= 1.0]
    return Message("psychometrics.categorical_omega_improper", {"items": tuple(heywood.tolist()) or labels})


def _flags(whole: Whole) -> list[Message]:
    """Return what weakens whatever is computed from the polychoric matrix."""
    flags = []
    if (whole.adjustment > 0).any():
        flags.append(Message("psychometrics.ordinal_adjusted", {"n": int((whole.adjustment > 0).sum())}))
    smallest = float(np.linalg.eigvalsh(whole.matrix)[0])
    if smallest < SMALLEST:
        flags.append(Message("psychometrics.not_positive_definite", {"value": smallest}))
    return flags
