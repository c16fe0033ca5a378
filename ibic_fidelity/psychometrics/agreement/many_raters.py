"""Agreement of any number of raters: Fleiss, Conger, Brennan and Prediger, Gwet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibic_fidelity.psychometrics._arguments import HolesAllowed
from ibic_fidelity.psychometrics.agreement._chance import COMMON, HARD_UNITS, OWN, UNIFORM
from ibic_fidelity.psychometrics.agreement._ratings import Weights, read_ratings
from ibic_fidelity.psychometrics.agreement.result import AgreementCoefficient, Options, compute, result_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def fleiss_kappa(
    x: object,
    *,
    weights: Weights = None,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> AgreementCoefficient:
    r"""Return Fleiss' kappa of any number of raters, unweighted or weighted.

    Chance is that all raters use the categories as often as all did together.  The raters of one unit need
    not be those of another.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see Notes.  A matrix is symmetric, 1 on the diagonal and 0–1
        elsewhere.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors, intervals
        and bootstrap samples are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all ratings there are.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    AgreementCoefficient
        The coefficient with its intervals.

    Raises
    ------
    UsageError
        Fewer than two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    :math:`(p_a - p_e)/(1 - p_e)` with :math:`p_a` as in `percent_agreement` and, over all n units with any
    rating [1]_ [2]_,

    .. math:: p_e = \sum_{kl} w_{kl}\,\pi_k\,\pi_l, \qquad \pi_k = \frac{1}{n}\sum_i \frac{r_{ik}}{r_i}.

    A unit with one rating counts in :math:`\pi_k` only.  The standard error is Gwet's linearised one [2]_, not
    that of Fleiss (1971), which holds for no agreement only.
    Linear and quadratic weights are :math:`1 - |c_k - c_l|/(c_{max} - c_{min})` and the same with squares, of
    the categories' numbers; ordinal ones :math:`1 - \binom{|k-l|+1}{2}/\binom{q}{2}` of their ranks.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychological Bulletin, 76,
       378–382.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters, as Gwet (2014) prints them.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = fleiss_kappa(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7612 0.1355 0.155 to 0.933
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters)
    return result_of(ratings, compute(ratings, weights, "fleiss_kappa", COMMON), options)


def conger_kappa(
    x: object,
    *,
    weights: Weights = None,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> AgreementCoefficient:
    r"""Return Conger's kappa, which is Cohen's for any number of raters, unweighted or weighted.

    Chance is that each rater uses the categories as often as that rater did.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see Notes.  A matrix is symmetric, 1 on the diagonal and 0–1
        elsewhere.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors, intervals
        and bootstrap samples are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all ratings there are.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    AgreementCoefficient
        The coefficient with its intervals.

    Raises
    ------
    UsageError
        Fewer than two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    :math:`(p_a - p_e)/(1 - p_e)` with :math:`p_a` as in `percent_agreement` and, of the shares
    :math:`p_{gk}` of rater g's own ratings [1]_ [2]_,

    .. math:: p_e = \frac{1}{r(r-1)} \sum_{g \ne h} \sum_{kl} w_{kl}\,p_{gk}\,p_{hl}.

    The standard error is linearised [2]_.  Raters must be the same persons throughout, each in a column.
    Linear and quadratic weights are :math:`1 - |c_k - c_l|/(c_{max} - c_{min})` and the same with squares, of
    the categories' numbers; ordinal ones :math:`1 - \binom{|k-l|+1}{2}/\binom{q}{2}` of their ranks.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Conger, A. J. (1980). Integration and generalization of kappas for multiple raters. Psychological
       Bulletin, 88, 322–328.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters, as Gwet (2014) prints them.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = conger_kappa(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7628 0.1328 0.174 to 0.932
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters)
    return result_of(ratings, compute(ratings, weights, "conger_kappa", OWN), options)


def brennan_prediger(
    x: object,
    *,
    weights: Weights = None,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> AgreementCoefficient:
    r"""Return the Brennan–Prediger coefficient of any number of raters, unweighted or weighted.

    Chance is that every category is as likely.  Give `categories` where some were not used.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see Notes.  A matrix is symmetric, 1 on the diagonal and 0–1
        elsewhere.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used; their number decides the
        coefficient.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors, intervals
        and bootstrap samples are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all ratings there are.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    AgreementCoefficient
        The coefficient with its intervals.

    Raises
    ------
    UsageError
        Fewer than two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    :math:`(p_a - p_e)/(1 - p_e)` with :math:`p_a` as in `percent_agreement` and, of q categories [1]_ [2]_,

    .. math:: p_e = \frac{1}{q^2} \sum_{kl} w_{kl},

    which is 1/q without weights.  The standard error is linearised [2]_.
    Linear and quadratic weights are :math:`1 - |c_k - c_l|/(c_{max} - c_{min})` and the same with squares, of
    the categories' numbers; ordinal ones :math:`1 - \binom{|k-l|+1}{2}/\binom{q}{2}` of their ranks.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Brennan, R. L., & Prediger, D. J. (1981). Coefficient kappa: some uses, misuses, and alternatives.
       Educational and Psychological Measurement, 41, 687–699.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters, as Gwet (2014) prints them.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = brennan_prediger(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7727 0.1270 0.210 to 0.935
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters)
    return result_of(ratings, compute(ratings, weights, "brennan_prediger", UNIFORM), options)


def gwet_ac(
    x: object,
    *,
    weights: Weights = None,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> AgreementCoefficient:
    r"""Return Gwet's AC1, or AC2 with weights, of any number of raters.

    Chance happens on units that are hard to rate only, and their share is taken from how evenly the
    categories are used.  Where one category is common AC stays high while the kappas fall.  Give `categories`
    where some were not used.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see Notes.  A matrix is symmetric, 1 on the diagonal and 0–1
        elsewhere.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used; their number counts.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors, intervals
        and bootstrap samples are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all ratings there are.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    AgreementCoefficient
        The coefficient with its intervals.

    Raises
    ------
    UsageError
        Fewer than two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    :math:`(p_a - p_e)/(1 - p_e)` with :math:`p_a` as in `percent_agreement`, :math:`\pi_k` as in
    `fleiss_kappa` and, of q categories and the sum T of the weights [1]_ [2]_,

    .. math:: p_e = \frac{T}{q(q-1)} \sum_k \pi_k (1 - \pi_k),

    where T = q without weights (AC1).  The standard error is linearised [2]_.
    Linear and quadratic weights are :math:`1 - |c_k - c_l|/(c_{max} - c_{min})` and the same with squares, of
    the categories' numbers; ordinal ones :math:`1 - \binom{|k-l|+1}{2}/\binom{q}{2}` of their ranks.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high
       agreement. British Journal of Mathematical and Statistical Psychology, 61, 29–48.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters, as Gwet (2014) prints them.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = gwet_ac(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7754 0.1253 0.222 to 0.935
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters)
    return result_of(
        ratings, compute(ratings, weights, "gwet_ac1" if weights is None else "gwet_ac2", HARD_UNITS), options
    )
