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

Estimator = Literal["ULS", "DWLS"]
ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
ALPHA = "of the normal values behind the answers, not of their sum"
OMEGA = "reliability of the sum of the answers, Green & Yang"
DELTA = "delta method, log(1 − x), larger one of two variances"
#: Root mean square residual above which one factor is said not to fit.
POOR_FIT = 0.08
#: Respondents below which weights of correlations are so poor that omega by them is too high.
FEW_FOR_WEIGHTS = 500


def ordinal_alpha(
    x: object,
    *,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> OrdinalAlpha:
    r"""Return alpha of the polychoric correlations of ordered answers, with intervals.

    It is the reliability, under tau-equivalence, of a sum that nobody has: that of the continuous normal values
    from which the answers are taken to be cut.  The sum of the answers given is less reliable, the more so the fewer
    the categories; `cronbach_alpha` and `categorical_omega` describe that one [1]_.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as whole numbers, reversed items already reversed, at least two items and at most 20 categories an
        item; NaN is missing.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of respondents to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    OrdinalAlpha
        Estimate, intervals and the polychoric matrix.

    Raises
    ------
    UsageError
        Fewer than two items, answers that are no whole numbers, more than 20 categories, missing answers under
        "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Alpha is NaN: an item with one category, a pair in perfect order (correlation at ±1), one respondent.

    Notes
    -----
    With the sum S of all elements of the polychoric matrix of k items, :math:`\frac{k}{k-1}(1 - k/S)`.  The limits
    are :math:`1 - (1-\hat\alpha)\exp(\pm t\, s/(1-\hat\alpha))`, t with n − 1 degrees of freedom, s² the sum of
    squared influences of the respondents on thresholds and correlations, by cross-products of scores or by the
    expected information, whichever is larger.

    *Coverage* (calibration/correlation_coverage.csv, required .93–.975): .92–.96 from 50 respondents on, with two to
    five categories and up to 60 % at the ceiling.  With few respondents alpha is too low, by .01–.02 at 50, by .04
    with 80 % yes; empty cells that are filled (``ordinal_adjusted``) pull it further.  The bootstrap covers as much,
    and is flagged below 200 respondents as elsewhere.

    References
    ----------
    .. [1] Chalmers, R. P. (2018). On misconceptions and the limited usefulness of ordinal alpha. Educational and
       Psychological Measurement, 78, 1056–1071.
    .. [2] Zumbo, B. D., Gadermann, A. M., & Zeisser, C. (2007). Ordinal versions of coefficients alpha and theta for
       Likert rating scales. Journal of Modern Applied Statistical Methods, 6, 21–29.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> x = np.digitize(rng.normal(size=(300, 1)) + rng.normal(size=(300, 5)), [-1.0, 0.5])
    >>> result = ordinal_alpha(x)
    >>> print(f"{result.estimate:.3f}, {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.796, 0.746 to 0.836
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/ordinal_alpha")
    answers = read_answers(x, missing)
    whole = Whole.of(answers)
    reason = whole.undefined()
    k = len(answers.labels)
    estimate, variances = math.nan, (math.nan, math.nan)
    flags: list[Message] = []
    kernel = None
    if reason is None:
        estimate = float(alpha_of_matrices(whole.matrix[None])[0])
        total = whole.matrix.sum()
        by_pair = np.full(len(whole.fit.rho), 2.0 * k * k / (k - 1) / total**2)
        variances = whole.variances(np.zeros(whole.thresholds.shape), by_pair)
        flags = _flags(whole)
        kernel = replicate_kernel(whole, lambda matrices, _: alpha_of_matrices(matrices))
    else:
        warn_undefined(reason)
    drawn = resampling.run(kernel, len(answers.codes), level)
    return OrdinalAlpha(
        estimate=estimate,
        definition=ALPHA,
        std_error=math.sqrt(variances[0]),
        ci=_limits(estimate, max(variances), len(answers.codes), level),
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
    estimator: Estimator = "ULS",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> CategoricalOmega:
    r"""Return the reliability of the sum of ordered answers, from one factor behind them.

    Omega of the sum as it is scored, where each answer is a normal value cut at thresholds, and one factor
    explains how these correlate (Green and Yang's nonlinear reliability [1]_).  `mcdonald_omega` takes the answers
    themselves for linear in the factor, and `ordinal_alpha` is about the normal values.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as whole numbers, reversed items already reversed, at least three items and at most 20 categories
        an item; NaN is missing.  The sum is that of these numbers: categories 1, 2, 5 count as such.
    estimator : {"ULS", "DWLS"}
        Unweighted least squares of the correlations, or weighted by one over the variance of each (semTools' usual
        way).  Weights of few respondents are poor: see Notes.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of respondents to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    CategoricalOmega
        Estimates, intervals, loadings and the polychoric matrix.

    Raises
    ------
    UsageError
        Fewer than two items, answers that are no whole numbers, more than 20 categories, missing answers under
        "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Omega is NaN: two items, an item with one category, a pair in perfect order (correlation at ±1), one
        respondent, or a model without a solution (a loading of 1 or more).

    Notes
    -----
    With :math:`C_{ij}(\rho) = \sum_c \sum_{c'} \delta_{ic}\delta_{jc'} [\Phi(\tau_{ic}, \tau_{jc'}; \rho) -
    \Phi(\tau_{ic})\Phi(\tau_{jc'})]`, the covariance of two answers whose normal values correlate ρ and whose score
    rises by δ at each threshold,

    .. math:: \omega = \frac{\sum_{ij} C_{ij}(\lambda_i\lambda_j)}
              {\sum_i C_{ii}(1) + \sum_{i \ne j} C_{ij}(r_{ij})},

    r the polychoric correlations; `estimate_model_implied` has :math:`\lambda_i\lambda_j` there, too.  The limits
    are :math:`1 - (1-\hat\omega)\exp(\pm t\, s/(1-\hat\omega))`, t with n − 1 degrees of freedom, s² the sum of
    squared influences of the respondents on thresholds and correlations, by cross-products of scores or by the
    expected information, whichever is larger; the first one holds where one factor does not fit, too.

    *Coverage* (calibration/correlation_coverage.csv, required .93–.975).  By ULS, .94–.98 from 50 respondents on, with
    two to five categories, five and ten items; with 50 respondents the model has no solution in up to a quarter of
    the samples of two-valued answers.  By DWLS omega is too high (.01–.05 at 50 respondents) and the interval covers
    .81–.95 below 500 respondents, which ``weights_few`` tells: hence ULS unless told otherwise.

    References
    ----------
    .. [1] Green, S. B., & Yang, Y. (2009). Reliability of summed item scores using structural equation modeling: An
       alternative to coefficient alpha. Psychometrika, 74, 155–167.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> x = np.digitize(rng.normal(size=(300, 1)) + rng.normal(size=(300, 5)), [-1.0, 0.5])
    >>> result = categorical_omega(x)
    >>> print(f"{result.estimate:.3f}, {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.738, 0.686 to 0.782
    """
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
    loadings, estimate, implied, srmr = np.full(k, math.nan), *(math.nan,) * 3
    variances = (math.nan, math.nan)
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
        variances = whole.variances(*gradient)
        residual = (whole.matrix - np.outer(loadings, loadings))[np.triu_indices(k, 1)]
        srmr = math.sqrt(float(np.square(residual).mean()))
        flags = _flags(whole)
        if estimator == "DWLS" and few_for_weights(len(answers.codes)):
            flags.append(Message("psychometrics.weights_few", {"n": len(answers.codes)}))
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
        std_error=math.sqrt(variances[0]),
        ci=_limits(estimate, max(variances), len(answers.codes), level),
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


def few_for_weights(n: int) -> bool:
    """Return whether there are too few respondents for omega by weighted least squares."""
    return n < FEW_FOR_WEIGHTS


def alpha_of_matrices(matrices: Floats) -> Floats:
    """Return alpha (B,) of correlation matrices (B, k, k)."""
    k = matrices.shape[-1]
    return np.asarray(k / (k - 1) * (1.0 - k / matrices.sum(axis=(-2, -1))))


def omega_statistic(steps: Floats, weights: Floats) -> Statistic:
    """Return a function from matrices and thresholds of replicates to omega (B,), the weights fixed."""

    def statistic(matrices: Floats, thresholds: Floats) -> Floats:
        return sum_reliability(Scores(thresholds, steps), matrices, fit_least_squares(matrices, weights)).found

    return statistic


def _limits(estimate: float, variance: float, n: int, level: float) -> ConfidenceInterval:
    """Return limits symmetric on the scale of log(1 − estimate)."""
    variance = variance / (1.0 - estimate) ** 2 if estimate < 1.0 else math.nan
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
