"""Agreement of two raters (Cohen, Scott), and agreement not corrected for chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibic_fidelity.psychometrics._arguments import HolesAllowed
from ibic_fidelity.psychometrics.agreement._chance import COMMON, OWN
from ibic_fidelity.psychometrics.agreement._ratings import Weights, read_ratings
from ibic_fidelity.psychometrics.agreement.result import AgreementCoefficient, Options, compute, result_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike


def percent_agreement(
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
    r"""Return how large a share of the pairs of ratings of one unit agree.

    Not corrected for chance: it is high wherever one category is common.  Give it beside a coefficient.

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
        No unit has two ratings: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    With :math:`r_{ik}` of the :math:`r_i` ratings of unit i in category k and the n' units of two ratings
    or more [1]_,

    .. math:: p_a = \frac{1}{n'} \sum_i \sum_k \frac{r_{ik}\,(r^*_{ik} - 1)}{r_i\,(r_i - 1)}, \qquad
              r^*_{ik} = \sum_l w_{kl}\,r_{il},

    and :math:`r^*_{ik} = r_{ik}` without weights.  The standard error is linearised [1]_, of a
    ratio over the n' units; `std_error_gwet` takes n' as fixed, as Gwet does.
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
    .. [1] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters, as Gwet (2014) prints them.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = percent_agreement(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.8182 0.1016 0.368 to 0.948
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters)
    return result_of(ratings, compute(ratings, weights, "percent_agreement", None), options)


def cohen_kappa(
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
    r"""Return Cohen's kappa of two raters, unweighted or weighted.

    Chance is that each rater uses the categories as often as that rater did, at random.

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
        Raise where there is a hole, or (both others) leave out units that one rater did not rate.
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
        Not two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    With the joint shares :math:`p_{kl}` of the units that both rated, the raters' own shares and the weights
    w (1 for k = l and 0 otherwise if there are none) [1]_ [2]_,

    .. math:: \kappa = \frac{p_a - p_e}{1 - p_e}, \qquad
              p_a = \sum_{kl} w_{kl}\,p_{kl}, \qquad p_e = \sum_{kl} w_{kl}\,p_{k\cdot}\,p_{\cdot l}.

    Linear and quadratic weights are :math:`1 - |c_k - c_l|/(c_{max} - c_{min})` and the same with squares, of
    the categories' numbers; ordinal ones :math:`1 - \binom{|k-l|+1}{2}/\binom{q}{2}` of their ranks.
    The standard error is linearised [3]_ and is that of Fleiss, Cohen and Everitt (1969) times
    :math:`\sqrt{n/(n-1)}`.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological
       Measurement, 20, 37–46.
    .. [2] Cohen, J. (1968). Weighted kappa: nominal scale agreement with provision for scaled disagreement or
       partial credit. Psychological Bulletin, 70, 213–220.
    .. [3] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    A table of two raters, 100 units and three categories, as rows.

    >>> import numpy as np
    >>> cells = [(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    >>> x = np.repeat(cells, [13, 20, 7, 4, 56], axis=0)
    >>> result = cohen_kappa(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7964 0.0592 0.637 to 0.886
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(
        x, missing=missing, categories=categories, clusters=clusters, least_ratings=2, two_raters=True
    )
    return result_of(ratings, compute(ratings, weights, "cohen_kappa", OWN), options)


def scott_pi(
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
    r"""Return Scott's pi of two raters, unweighted or weighted.

    Chance is that both raters use the categories as often as both did together, at random.

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
        Raise where there is a hole, or (both others) leave out units that one rater did not rate.
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
        Not two raters, categories that do not increase or do not cover the ratings, weights of the
        wrong shape or not symmetric, clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or agreement by chance is 1: the coefficient is NaN.  One unit or cluster: no interval.

    Notes
    -----
    As `cohen_kappa`, but with :math:`p_e = \sum_{kl} w_{kl}\,\pi_k\,\pi_l` of the mean shares
    :math:`\pi_k = (p_{k\cdot} + p_{\cdot k})/2` [1]_; `fleiss_kappa` of two raters.  The standard error is
    linearised [2]_.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Scott, W. A. (1955). Reliability of content analysis: the case of nominal scale coding. Public Opinion
       Quarterly, 19, 321–325.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    A table of two raters, 100 units and three categories, as rows.

    >>> import numpy as np
    >>> cells = [(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    >>> x = np.repeat(cells, [13, 20, 7, 4, 56], axis=0)
    >>> result = scott_pi(x)
    >>> print(f"{result.estimate:.4f} {result.std_error:.4f} {result.ci.low:.3f} to {result.ci.high:.3f}")
    0.7962 0.0594 0.637 to 0.886
    """
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(
        x, missing=missing, categories=categories, clusters=clusters, least_ratings=2, two_raters=True
    )
    return result_of(ratings, compute(ratings, weights, "scott_pi", COMMON), options)
