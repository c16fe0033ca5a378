"""Exploratory factor analysis."""

from __future__ import annotations

import math

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    CompleteTable,
    Floats,
    check_choice,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.exploratory._extraction import EXTRACTIONS, Extraction
from ibic_fidelity.psychometrics.exploratory._factoring import Factored, factored
from ibic_fidelity.psychometrics.exploratory._fit import fit_of
from ibic_fidelity.psychometrics.exploratory._matrix import (
    Correlated,
    Correlation,
    Given,
    check_factors,
    read_correlations,
)
from ibic_fidelity.psychometrics.exploratory._rotation import ROTATIONS, Rotation
from ibic_fidelity.psychometrics.exploratory.factor_result import FactorAnalysis
from ibic_fidelity.psychometrics.resampling import as_generator

#: A factor that fewer items than this load by this much is not carried by the data.
CARRIERS, SALIENT = 3, 0.3


def exploratory_factor_analysis(
    x: object,
    *,
    n_factors: int,
    extraction: Extraction = "minres",
    rotation: Rotation | None = "oblimin",
    correlation: Correlation = "pearson",
    given: Given = "answers",
    n: int | None = None,
    missing: CompleteTable = "raise",
    smooth: bool = False,
    n_starts: int = 30,
    confidence_level: float = 0.95,
    rng: np.random.Generator | int = 0,
) -> FactorAnalysis:
    r"""Return factors of items, with loadings, fit, and how well scores can determine the factors.

    For scales whose items are signs of something common (reflective).  How many factors there are is asked of
    `parallel_analysis` and `minimum_average_partial` first, of theory always.

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, or with ``given="correlations"`` their correlations; NaN is missing.
    n_factors : int
        How many factors; degrees of freedom must not be below 0.
    extraction : {"minres", "ml", "principal-axis"}
        Least squares of the correlations off the diagonal; normal-theory maximum likelihood; iterated principal
        axes, which end where minres does, if they end inside what is possible.
    rotation : {"oblimin", "varimax", "promax", "geomin", "bifactor", "biquartimin"} or None
        Oblimin has γ = 0 (quartimin), varimax and promax (power 4) Kaiser's normalisation, geomin δ = .01;
        bifactor is orthogonal and biquartimin its oblique form, both with a general factor first.
    correlation : {"pearson", "polychoric"}
        Of answers, which to take; of correlations given, what they are.
    given : {"answers", "correlations"}
        What `x` holds.  It is never guessed.
    n : int, optional
        With ``given="correlations"`` from how many respondents they are; without it there is no test of fit.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    smooth : bool
        Make a polychoric matrix that is not positive definite so; a flag tells it.
    n_starts : int
        Of the rotation: the first from where the factors are, the others at random.
    confidence_level : float
        Of the interval of RMSEA, between 0 and 1.
    rng : int or numpy.random.Generator
        Seed or generator of the random starts.

    Returns
    -------
    FactorAnalysis
        The factor that accounts for most variance first, each turned so that its large loadings are positive.

    Raises
    ------
    UsageError
        More factors than the items identify, missing answers under "raise", a matrix that holds no correlations,
        `n` with answers, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        All is NaN: fewer than three respondents, constant items, a pair without polychoric correlation, or a
        singular matrix for maximum likelihood.

    Notes
    -----
    In :math:`R = \Lambda\Phi\Lambda' + \Psi` minres minimises the squared residuals off the diagonal [1]_ and
    maximum likelihood :math:`F = \log|\Sigma| - \log|R| + \mathrm{tr}(R\Sigma^{-1}) - k` [2]_, both with
    uniquenesses from .005 to 1; one at .005, or below for principal axes, is a Heywood case and is named.

    The rotations minimise their criterion by gradient projection [3]_, which may end in a local minimum: the best
    of `n_starts` is taken and the result tells how many reached it.  Promax is that of the library
    factor-analyzer, which has no criterion to be caught by.

    *Fit.*  :math:`\chi^2 = (n - 1 - (2k + 5)/6 - 2m/3) F` for all extractions, as in psych.  For maximum
    likelihood and normal answers it is χ²-distributed; from minres loadings F is not at its minimum and the
    statistic a little too large.  RMSEA is :math:`\sqrt{\max(\chi^2 - df, 0)/(df (n - 1))}`; psych
    divides :math:`\chi^2` by n there, and its limits by n − 1.  For polychoric correlations χ² and what is made
    of it are not defined, since their sampling errors are others: they are NaN, and RMSR is there.

    *Coverage* (calibration/exploratory_coverage.csv, required .93–.975).  Normal answers, three factors of twelve
    items: the interval of RMSEA covers .94–.97 with an RMSEA of .044 and 100 to 1,000 respondents, for ML and minres
    alike, and .97–.98 where the model holds and the interval can fail on one side only.  Answers that are not normal
    are not in the table.  Loadings have next to no bias where factors are uncorrelated; where they correlate .5,
    oblimin finds .31 with 100 respondents, .42 with 300 and .47 with 1,000 (loadings of .6 come out .56, .58 and
    .59): it turns part of what factors share into small loadings (exploratory_recovery.csv).

    *Scores* of factors are made by `factor_scores`.  Determinacy is :math:`\sqrt{\mathrm{diag}(S'R^{-1}S)}` with
    structure S; :math:`2R^2 - 1` is the least correlation of two sets of scores that fit equally well [4]_.

    References
    ----------
    .. [1] Harman, H. H., & Jones, W. H. (1966). Factor analysis by minimizing residuals (minres). Psychometrika,
       31, 351–368.
    .. [2] Lawley, D. N., & Maxwell, A. E. (1971). Factor analysis as a statistical method (2nd ed.). Butterworths.
    .. [3] Jennrich, R. I. (2002). A simple general method for oblique rotation. Psychometrika, 67, 7–19.
    .. [4] Grice, J. W. (2001). Computing and evaluating factor scores. Psychological Methods, 6, 430–450.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> traits = rng.normal(size=(500, 2)) @ [[1.0, 0.4], [0.0, 0.9]]
    >>> pattern = [[0.8, 0.7, 0.6, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.7, 0.7, 0.6]]
    >>> x = traits @ pattern + rng.normal(size=(500, 6)) * 0.6
    >>> result = exploratory_factor_analysis(x, n_factors=2)
    >>> print(f"{result.factor_correlations[0, 1]:.2f}; RMSEA {result.rmsea:.3f}")
    0.33; RMSEA 0.000
    >>> np.abs(result.loadings).argmax(axis=1).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    check_choice("extraction", extraction, EXTRACTIONS)
    if rotation is not None:
        check_choice("rotation", rotation, ROTATIONS)
    level = check_confidence_level(confidence_level)
    starts = _checked_starts(n_starts)
    generator = as_generator(rng, "psychometrics/rotation")
    read = read_correlations(x, given=given, correlation=correlation, n=n, missing=missing, smooth=smooth)
    m = check_factors(n_factors, read.k)
    reason = read.reason
    if reason is None and extraction == "ml" and not read.regular:
        reason = read.singular
    made = None
    if reason is not None:
        warn_undefined(reason)
    else:
        made = factored(read.matrix, m, extraction, rotation or "none", starts, generator)
    return _result(read, m, made, reason, (extraction, rotation or "none"), level)


def _result(
    read: Correlated, m: int, made: Factored | None, reason: Message | None, how: tuple[str, str], level: float
) -> FactorAnalysis:
    """Return the result, all NaN where there are no factors."""
    k = read.k
    loadings, unrotated = np.full((2, k, m), np.nan)
    phi, model, communalities = np.full((m, m), np.nan), np.full((k, k), np.nan), np.full(k, np.nan)
    heywood = np.zeros(k, dtype=bool)
    if made is not None:
        loadings, phi, unrotated, model = made.loadings, made.phi, made.unrotated, made.model
        communalities, heywood = made.communalities, made.heywood
    tested = made is not None and read.regular and read.correlation == "pearson" and read.n > 0
    fit = fit_of(read.matrix, model, m, read.n, level, tested=tested)
    structure = loadings @ phi
    squared = np.full(m, np.nan)
    if made is not None and read.regular:
        squared = (structure * np.linalg.solve(read.matrix, structure)).sum(axis=0)
    residuals = read.matrix - model
    residuals[np.arange(k), np.arange(k)] = 1.0 - communalities
    variance = np.diagonal(phi @ loadings.T @ loadings).copy()
    names = np.asarray(read.items)
    values = read.values if read.values is not None and len(read.values) > 1 else np.full((2, k), np.nan)
    return FactorAnalysis(
        loadings=read_only(loadings),
        structure=read_only(structure),
        unrotated=read_only(unrotated),
        factor_correlations=read_only(phi),
        communalities=read_only(communalities),
        uniquenesses=read_only(1.0 - communalities),
        variance=read_only(variance),
        variance_share=read_only(variance / k),
        eigenvalues=read_only(eigenvalues(read)),
        correlations=read.matrix,
        residuals=read_only(residuals),
        chi_square=fit.chi_square,
        df=fit.df,
        p_value=fit.p_value,
        bic=fit.bic,
        rmsea=fit.rmsea,
        rmsea_ci=fit.rmsea_ci,
        tli=fit.tli,
        rmsr=fit.rmsr,
        rmsr_corrected=fit.rmsr_corrected,
        determinacy=read_only(np.sqrt(np.maximum(squared, 0.0))),
        determinacy_squared=read_only(squared),
        minimum_correlation=read_only(2.0 * squared - 1.0),
        items=read.items,
        factors=tuple(f"F{i}" for i in range(1, m + 1)),
        heywood_items=tuple(names[heywood].tolist()),
        n=read.n,
        k=k,
        n_factors=m,
        n_dropped=read.n_dropped,
        extraction=how[0],
        rotation=how[1],
        correlation=read.correlation,
        missing=read.missing,
        converged=made is not None and made.converged,
        n_starts=made.n_starts if made else 0,
        n_starts_at_best=made.n_at_best if made else 0,
        item_means=read_only(values.mean(axis=0)),
        item_sds=read_only(values.std(axis=0, ddof=1)),
        reason=reason,
        flags=() if made is None else tuple(_flags(read, made, fit.chi_square)),
    )


def _checked_starts(n_starts: object) -> int:
    if not isinstance(n_starts, int | np.integer) or isinstance(n_starts, bool) or n_starts < 1:
        raise UsageError("psychometrics.starts", value=repr(n_starts))
    return int(n_starts)


def eigenvalues(read: Correlated) -> Floats:
    """Return the eigenvalues (k,) of the matrix, falling; NaN where there is none."""
    return np.full(read.k, np.nan) if read.reason else np.array(np.linalg.eigvalsh(read.matrix)[::-1])


def _flags(read: Correlated, made: Factored, chi_square: float) -> list[Message]:
    """Return what a reader of the factors must know."""
    flags = [*read.flags]
    if not read.regular:
        flags.append(read.singular)
    flags += made.flags
    if made.heywood.any():
        items = tuple(np.asarray(read.items)[made.heywood].tolist())
        flags.append(Message("psychometrics.efa_heywood", {"items": items}))
    weak = (np.abs(made.loadings) >= SALIENT).sum(axis=0) < CARRIERS
    if weak.any():
        of = tuple(f"F{i + 1}" for i in np.flatnonzero(weak))
        flags.append(Message("psychometrics.factor_weak", {"factors": of, "least": CARRIERS, "salient": SALIENT}))
    if read.correlation == "polychoric":
        flags.append(Message("psychometrics.no_test_of_polychoric"))
    elif read.n == 0:
        flags.append(Message("psychometrics.no_test_without_n"))
    elif math.isnan(chi_square):
        flags.append(Message("psychometrics.no_test_of_fit", {"n": read.n, "k": read.k}))
    return flags
