"""Reliability from a factor model: omega total, where items need not measure equally well."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    read_only,
    warn_undefined,
    without_spread,
)
from ibic_fidelity.psychometrics._clusters import RowClusters, Spread, log_error
from ibic_fidelity.psychometrics.consistency._intervals import clustered_limits, delta_flags
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, Resampled
from ibic_fidelity.psychometrics.consistency._omega import (
    OmegaFit,
    fit_tables,
    omega_kernel,
    omega_total,
    omega_variances,
)
from ibic_fidelity.psychometrics.consistency.omega_result import McDonaldOmega

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: What the estimate is.
DEFINITION = "omega total, one-factor model, model-implied variance"
#: RMSEA above which, where the model's test rejects too, one factor is said not to fit.
POOR_FIT = 0.08


def mcdonald_omega(
    x: object,
    *,
    clusters: ArrayLike | None = None,
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> McDonaldOmega:
    r"""Return omega total of one factor, with intervals and the fit of the model.

    Omega is the reliability of the sum of k items that measure one thing, each as well as it does (congeneric
    items), with uncorrelated errors.  Where all loadings are equal it is Cronbach's alpha.  It describes
    *reflective* scales; it is no omega hierarchical, and where one factor does not fit, which a flag tells, it
    is not the reliability of anything.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as numbers, reversed items already reversed, at least three items; NaN is missing.
    clusters : array-like of shape (respondents,), optional
        What respondents belong to, such as their site.  Respondents of one cluster are alike; `ci_adjusted` and
        bootstrap samples are then of clusters, the other interval takes respondents for independent.  A respondent
        without one is left out, or raises under "raise".
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of respondents, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    McDonaldOmega
        Estimates, intervals, loadings, uniquenesses and the model's fit.

    Raises
    ------
    UsageError
        Fewer than two items, missing answers under "raise", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Omega is NaN: two items (the model is not identified; use `spearman_brown`), constant items, a
        singular covariance matrix, or a model that finds no solution, as when one item shares next to nothing
        with the others.

    Notes
    -----
    With loadings :math:`\lambda_i` and uniquenesses :math:`\psi_i` of :math:`\Sigma = \lambda\lambda' + \Psi`,
    fitted to the covariances by normal-theory maximum likelihood [1]_ [2]_,

    .. math:: \omega = \frac{(\sum_i \lambda_i)^2}{(\sum_i \lambda_i)^2 + \sum_i \psi_i}.

    `estimate_observed_variance` has the observed variance of the sum in the denominator, which counts what one
    factor leaves unexplained as error or as gain.  Uniquenesses are not bounded: one that is not positive (a
    Heywood case) is flagged, and so is a model that the test rejects (p < .05) with an RMSEA above .08 [3]_.

    The limits are :math:`1 - (1-\hat\omega)\exp(\pm t\, s/(1-\hat\omega))`, t with n − 1 degrees of freedom;
    of identity, logit and this scale it covered best.  The standard error s is that of the expected
    information; the adjusted interval takes the larger one of it and the distribution-free one [4]_.

    *Coverage* (calibration/consistency_coverage.csv, required .93–.975).
    Where omega is defined, both intervals cover .94–.97 for normal and symmetric answers, from 20 respondents
    and three items on; with 20 respondents, ten items and an omega of .7 the model has no solution in a quarter
    of the samples.  For skewed answers (40 % at the ceiling) the first covers .91–.95 and the adjusted one
    .93–.97, for two-valued ones .81–.96 and .93–.98, with 60 % at the ceiling .85–.91 and .90–.95.  Hence
    ``interval_too_narrow`` (35 % of the answers at an end of the items' scales, or a distribution-free standard
    error more than 1.15 times the normal one: use `ci_adjusted`) and ``interval_not_reliable`` (55 %, or 30 %
    below 50 respondents).  The bootstrap covers .93–.96 with 50 and 200 respondents; as percentile intervals of
    the other coefficients fall short with few, it is flagged below 200.

    *Clusters.*  With `clusters` the variance of the adjusted interval is a jackknife over clusters times (t/z)², as in
    `cronbach_alpha`, where its coverage is stated; so are ``few_row_clusters`` and ``respondents_decide`` (one
    of 50 respondents or more carries a fifth of the variance: heavy tails, with which no interval here is reliable).

    References
    ----------
    .. [1] McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum.
    .. [2] Lawley, D. N., & Maxwell, A. E. (1971). Factor analysis as a statistical method (2nd ed.).
       Butterworths.
    .. [3] Browne, M. W., & Cudeck, R. (1992). Alternative ways of assessing model fit. Sociological Methods &
       Research, 21, 230–258.
    .. [4] Yuan, K.-H., & Bentler, P. M. (2002). On robustness of the normal-theory based asymptotic
       distributions of three reliability coefficient estimates. Psychometrika, 67, 251–259.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(200, 1))
    >>> x = trait * [0.9, 0.7, 0.6, 0.5] + rng.normal(size=(200, 4)) * 0.6
    >>> result = mcdonald_omega(x)
    >>> print(f"{result.estimate:.3f}, {result.ci.low:.3f} to {result.ci.high:.3f}, RMSEA {result.rmsea:.3f}")
    0.817, 0.771 to 0.855, RMSEA 0.000
    """
    check_choice("missing", missing, COMPLETE_TABLE)
    confidence_level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/omega")
    matrix = as_matrix(x, least_columns=2)
    complete = complete_rows(matrix.cells, matrix.labels, missing)
    of_rows = RowClusters.read(clusters, complete, missing)
    values = matrix.cells[complete]
    reason = _not_fitted(values, matrix.labels)
    whole = None if reason else fit_tables(values[None])
    if whole is not None:
        reason = _no_solution(whole, len(values))
    kernel = None
    if reason is not None:
        warn_undefined(reason)
        whole = None
    elif whole is not None:
        kernel = omega_kernel(values, whole)
    drawn = resampling.run(kernel, len(values), confidence_level, clusters=of_rows)
    spread = None if of_rows is None or kernel is None else of_rows.spread(log_error(kernel))
    made = _result(values, matrix.labels, whole, drawn, spread, reason, missing, confidence_level)
    return replace(made, n_dropped=complete.size - len(values), n_clusters=None if of_rows is None else of_rows.n)


def _not_fitted(values: Floats, labels: tuple[str, ...]) -> Message | None:
    """Return why no model is fitted to a complete table (n, k)."""
    n, k = values.shape
    if k < 3:
        return Message("psychometrics.omega_not_identified", {"n": k})
    if n < 2:
        return Message("psychometrics.too_few_respondents", {"n": n})
    still = without_spread(values)
    if still.any():
        items = tuple(np.asarray(labels)[still].tolist())
        return Message("psychometrics.omega_constant_items", {"items": items})
    return None


def _no_solution(whole: OmegaFit, n: int) -> Message | None:
    """Return why a fit gives no omega."""
    if not whole.regular[0]:
        return Message("psychometrics.covariances_singular", {"n": n, "k": whole.sd.shape[1]})
    if not whole.fit.converged[0]:
        return Message("psychometrics.omega_no_solution", {"n": n})
    return None


def _result(
    values: Floats,
    items: tuple[str, ...],
    whole: OmegaFit | None,
    drawn: Resampled,
    spread: Spread | None,
    reason: Message | None,
    missing: str,
    confidence_level: float,
) -> McDonaldOmega:
    """Return the result of a table (n, k), all NaN where there is no fit."""
    n, k = values.shape
    loadings, uniquenesses, standardized = np.full((3, k), np.nan)
    estimate = observed = normal = free = chi_square = p_value = rmsea = math.nan
    df = max(k * (k - 3) // 2, 0)
    flags: list[Message] = []
    if whole is not None:
        standardized = whole.fit.loadings[0]
        sd = whole.sd[0] * math.sqrt((n - 1) / n)
        loadings, uniquenesses = sd * standardized, np.square(sd) * whole.fit.uniquenesses[0]
        estimate = float(omega_total(whole.fit, whole.sd)[0])
        observed = float(np.square(loadings.sum()) / values.sum(axis=1).var())
        normal, free = (float(part[0]) for part in omega_variances(values[None], whole))
        chi_square, p_value, rmsea = _fit_of(whole, n, df)
        flags = _flags(items, whole, p_value, rmsea)
        flags += delta_flags(values, (normal, free), (1.0 - estimate) ** 2, spread)
    scale = float(np.square(1.0 - estimate))
    variances = (math.nan, math.nan) if scale == 0.0 else (normal / scale, free / scale)
    ci, adjusted = clustered_limits(estimate, variances, n, confidence_level, spread)
    return McDonaldOmega(
        estimate=estimate,
        estimate_observed_variance=observed,
        definition=DEFINITION,
        std_error=math.sqrt(normal),
        ci=ci,
        ci_adjusted=adjusted,
        ci_bootstrap=drawn.first,
        loadings=read_only(loadings),
        uniquenesses=read_only(uniquenesses),
        standardized_loadings=read_only(standardized),
        chi_square=chi_square,
        df=df,
        p_value=p_value,
        rmsea=rmsea,
        n=n,
        k=k,
        n_clusters=None,
        n_dropped=0,
        items=items,
        heywood_items=tuple(np.asarray(items)[uniquenesses <= 0].tolist()),
        n_replicates=drawn.replicates,
        n_undefined=drawn.undefined[0],
        missing=missing,
        reason=reason,
        flags=(*flags, *drawn.flags),
    )


def _fit_of(whole: OmegaFit, n: int, df: int) -> tuple[float, float, float]:
    """Return chi-square, p and RMSEA of a fit to n respondents; NaN where there is nothing to test."""
    logdet = float(np.linalg.slogdet(whole.matrices[0])[1])
    discrepancy = max(float(whole.fit.discrepancy[0]) - logdet - whole.sd.shape[1], 0.0)
    chi_square = n * discrepancy if df > 0 else 0.0
    if df == 0:
        return chi_square, math.nan, math.nan
    return chi_square, float(chdtrc(df, chi_square)), math.sqrt(max(discrepancy / df - 1.0 / n, 0.0))


def _flags(items: tuple[str, ...], whole: OmegaFit, p_value: float, rmsea: float) -> list[Message]:
    """Return what a reader of the model must know."""
    flags = []
    if p_value < 0.05 and rmsea > POOR_FIT:
        flags.append(Message("psychometrics.one_factor_does_not_fit", {"rmsea": rmsea}))
    names = np.asarray(items)
    heywood = tuple(names[whole.fit.uniquenesses[0] <= 0].tolist())
    if heywood:
        flags.append(Message("psychometrics.omega_heywood", {"items": heywood}))
    negative = tuple(names[whole.fit.loadings[0] < 0].tolist())
    if negative:
        flags.append(Message("psychometrics.omega_negative_loadings", {"items": negative}))
    return flags
