"""Polychoric and tetrachoric correlations: of the normal values that ordered answers are taken to be cut from."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Floats,
    HolesAllowed,
    Integers,
    as_number,
    check_choice,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.correlation._influence import covariance, expected_variances, influences
from ibic_fidelity.psychometrics.correlation._polychoric import as_matrices, fit_pairs
from ibic_fidelity.psychometrics.correlation._saying import flags_of, reasons_of, smallest_eigenvalue, smoothed
from ibic_fidelity.psychometrics.correlation._tables import (
    Answers,
    adjusted,
    count_pairs,
    read_answers,
    thresholds_of,
)
from ibic_fidelity.psychometrics.correlation.result import PolychoricCorrelation

#: Put into an empty cell of a two-by-two table and of a larger one, unless told otherwise.
ADJUST = (0.5, 0.0)
FISHER_Z = "Fisher's z"
LARGER = f"{FISHER_Z}, larger one of two standard errors"


def polychoric_correlation(
    x: object,
    *,
    missing: HolesAllowed = "raise",
    adjust: float | tuple[float, float] = ADJUST,
    asymptotic_covariance: bool = True,
    smooth: bool = False,
    confidence_level: float = 0.95,
) -> PolychoricCorrelation:
    r"""Return the polychoric correlations of all pairs of items, by two steps of maximum likelihood.

    Each ordered answer is taken for a normal value cut at thresholds, and the correlation is that of the two
    normal values.  It is never replaced by a product-moment correlation: what cannot be estimated is NaN.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as whole numbers, any ones, increasing with the category; NaN is missing.  An item's categories
        are those in use: one that nobody chose has no threshold, and is not there.  At most 20.
    missing : {"raise", "listwise", "available"}
        Raise where an answer is missing, leave out respondents with any missing answer, or take the thresholds
        from all answers to an item and each correlation from all who answered both, which holds where answers
        are missing completely at random.
    adjust : float or (float, float)
        What an empty cell gets, in two-by-two tables (one empty cell; the margins are kept) and in larger ones;
        0 for nothing.
    asymptotic_covariance : bool
        Also the covariances of all thresholds and correlations: one more pass over the respondents, in blocks,
        and (T + P)² numbers.  Standard errors are there without it.
    smooth : bool
        Make a matrix that is not positive definite so, by raising its small eigenvalues and restoring the
        diagonal (Rebonato and Jäckel's spectral way, as in psych's ``cor.smooth``).  A flag tells how much changed.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    PolychoricCorrelation
        Correlations, standard errors, limits, thresholds, their covariance, and how sparse each table is.

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
        A correlation is NaN: an item with one category, or a pair whose common respondents gave one answer.

    Notes
    -----
    Thresholds are :math:`\tau_t = \Phi^{-1}(F_t)` of the item's cumulative shares.  With these given, ρ maximises
    :math:`\sum n_{ij} \log p_{ij}(\rho)`, :math:`p_{ij}` the bivariate normal probability of the cell [1]_.
    Where a table is in perfect order, or its corner cells are empty, the maximum is at ±1: this is flagged
    (``polychoric_boundary``) and has no standard error.

    Standard errors are those of the two steps together, :math:`A^{-1} B A^{-T}` with A and B sums of products of
    the respondents' scores [2]_; in A, too, the blocks of the correlations are cross-products of the scores
    found, not their expectation (lavaan's convention), which makes a difference where the table does not fit two
    normal values.  A respondent's score is nought for a pair with a missing answer.  Standard errors by the
    expected information stand beside them.

    *Interval.*  Fisher's z with the larger one of the two standard errors: with few respondents for the cells of a
    table the first one is too small (.75–.9 of the spread; five categories, 30 respondents), and limits
    symmetric about ρ itself cover .84–.93 up to 100 respondents.  These cover .935–.975 from 30 respondents on, with
    three and five categories and up to 80 % at the ceiling, .98–.99 where many tables are at the boundary and have
    none; two categories .94–.98 from 50 respondents on (``calibration/correlation_coverage.csv``).

    *Sparse two-by-two tables.*  What is put into an empty cell pulls the correlation: with 90 % yes, 50 respondents
    and no correlation its mean is .19.  The flag ``empty_cells_adjusted`` names such pairs.

    References
    ----------
    .. [1] Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
       Psychometrika, 44, 443–460.
    .. [2] Muthén, B. (1984). A general structural equation model with dichotomous, ordered categorical, and
       continuous latent variable indicators. Psychometrika, 49, 115–132.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> trait = rng.normal(size=(500, 1))
    >>> x = np.digitize(0.8 * trait + 0.6 * rng.normal(size=(500, 3)), [-1.0, 0.2, 1.1])
    >>> result = polychoric_correlation(x)
    >>> print(f"{result.estimate[0, 1]:.3f} (SE {result.std_error[0, 1]:.3f}), truth 0.64")
    0.670 (SE 0.032), truth 0.64
    """
    return _correlations(
        x,
        "polychoric",
        missing=missing,
        adjust=adjust,
        asymptotic_covariance=asymptotic_covariance,
        smooth=smooth,
        confidence_level=confidence_level,
    )


def tetrachoric_correlation(
    x: object,
    *,
    missing: HolesAllowed = "raise",
    adjust: float | tuple[float, float] = ADJUST,
    asymptotic_covariance: bool = True,
    smooth: bool = False,
    confidence_level: float = 0.95,
) -> PolychoricCorrelation:
    """Return the tetrachoric correlations of all pairs of items that have two categories.

    Everything is as in `polychoric_correlation`, which see for formulas, missing answers and the result; an item
    with more than two categories raises.

    Parameters
    ----------
    x : array-like of shape (respondents, items)
        Answers as whole numbers, two different ones an item; NaN is missing.
    missing, adjust, asymptotic_covariance, smooth, confidence_level
        As in `polychoric_correlation`.  An empty cell gets .5, the margins kept, unless told otherwise.

    Returns
    -------
    PolychoricCorrelation
        With the definition "tetrachoric".

    Raises
    ------
    UsageError
        More than two categories, and what `polychoric_correlation` refuses.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        A correlation is NaN: an item with one category, or a pair whose common respondents gave one answer.

    References
    ----------
    .. [1] Olsson, U. (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
       Psychometrika, 44, 443–460.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0)
    >>> print(f"{tetrachoric_correlation(x).estimate[0, 1]:.4f}")
    0.8090
    """
    return _correlations(
        x,
        "tetrachoric",
        missing=missing,
        adjust=adjust,
        asymptotic_covariance=asymptotic_covariance,
        smooth=smooth,
        confidence_level=confidence_level,
    )


def _correlations(
    x: object,
    kind: str,
    *,
    missing: HolesAllowed,
    adjust: object,
    asymptotic_covariance: bool,
    smooth: bool,
    confidence_level: float,
) -> PolychoricCorrelation:
    """Return what both public functions do."""
    check_choice("missing", missing, HOLES_ALLOWED)
    added = _checked_adjust(adjust)
    level = check_confidence_level(confidence_level)
    answers = read_answers(x, missing)
    if kind == "tetrachoric":
        _refuse_more_than_two(answers)
    sizes = answers.sizes
    counted = count_pairs(answers.codes, max(int(sizes.max(initial=0)), 2))
    tables, adjustment, empty = adjusted(counted, sizes, added)
    thresholds = thresholds_of(counted.margins)
    fit = fit_pairs(tables, thresholds[counted.first], thresholds[counted.second])
    of = influences(counted, thresholds, fit.rho)
    threshold_variances, variances = of.variances(counted)
    made = covariance(answers.codes, of, counted, sizes) if asymptotic_covariance else None
    reasons = reasons_of(counted, answers, fit)
    matrix = as_matrices(fit.rho, len(sizes))
    smallest = smallest_eigenvalue(matrix)
    flags = flags_of(answers, counted, fit, adjustment, smallest)
    smoothing = ""
    if smooth:
        matrix, smoothing, flag = smoothed(matrix, smallest)
        flags += flag
    std_error = np.sqrt(variances)
    expected = np.sqrt(expected_variances(counted, thresholds, fit.rho))
    low, high = fisher_limits(fit.rho, np.fmax(std_error, expected), level)
    k = len(sizes)

    def square(pairs: Floats, diagonal: float) -> Floats:
        return read_only(as_matrices(pairs, k, diagonal))

    n_pairs = as_matrices(counted.tables.sum(axis=(1, 2)), k, 0.0)
    np.fill_diagonal(n_pairs, counted.margins.sum(axis=1))
    lacking = tuple(reason for reason in reasons if reason is not None)
    if lacking:
        told = " ".join(dict.fromkeys(reason.text("en") for reason in lacking))
        warn_undefined(Message("psychometrics.pairs_undefined", {"n": len(lacking), "reasons": told}), stacklevel=4)
    return PolychoricCorrelation(
        estimate=read_only(matrix),
        std_error=square(std_error, math.nan),
        std_error_expected=square(expected, math.nan),
        ci_low=square(low, math.nan),
        ci_high=square(high, math.nan),
        confidence_level=level,
        ci_method=LARGER,
        definition=f"{kind}, two-step maximum likelihood",
        thresholds=_of_items(thresholds, sizes),
        threshold_std_errors=_of_items(np.sqrt(threshold_variances), sizes),
        categories=answers.categories,
        asymptotic_covariance=None if made is None else read_only(made),
        n_pairs=read_only(n_pairs.astype(np.int64)),
        empty_cells=read_only(as_matrices(empty.astype(np.float64), k, 0.0).astype(np.int64)),
        adjustment=square(adjustment, 0.0),
        boundary=read_only(as_matrices(fit.boundary.astype(np.float64), k, 0.0) > 0),
        converged=read_only(as_matrices(fit.converged.astype(np.float64), k) > 0),
        smallest_eigenvalue=smallest,
        smoothing=smoothing,
        n=len(answers.codes),
        k=k,
        n_dropped=answers.n_dropped,
        items=answers.labels,
        missing=missing,
        reasons=reasons,
        flags=tuple(flags),
    )


def fisher_limits(rho: Floats, std_error: Floats, confidence_level: float) -> tuple[Floats, Floats]:
    """Return limits (P,) that are symmetric on the scale of atanh ρ."""
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.arctanh(rho)
        half = float(ndtri(0.5 + confidence_level / 2.0)) * std_error / (1.0 - np.square(rho))
        low, high = np.tanh(centre - half), np.tanh(centre + half)
    undefined = ~np.isfinite(half)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def _checked_adjust(adjust: object) -> tuple[float, float]:
    """Return what goes into empty cells of two-by-two tables and of larger ones."""
    given = adjust if isinstance(adjust, tuple | list) else (adjust, adjust)
    numbers = [as_number(part) for part in given]
    if len(numbers) != 2 or not all(part is not None and 0.0 <= part <= 0.5 for part in numbers):
        raise UsageError("psychometrics.adjust", value=repr(adjust))
    return tuple(numbers)  # type: ignore[return-value]


def _refuse_more_than_two(answers: Answers) -> None:
    """Raise where an item has more than two categories."""
    for label, used in zip(answers.labels, answers.categories, strict=True):
        if len(used) > 2:
            raise UsageError("psychometrics.not_two_categories", column=label, n=len(used))


def _of_items(padded: Floats, sizes: Integers) -> tuple[Floats, ...]:
    """Return the values (k, C − 1) of each item that are its own."""
    return tuple(read_only(row[: max(int(size) - 1, 0)].copy()) for row, size in zip(padded, sizes, strict=True))
