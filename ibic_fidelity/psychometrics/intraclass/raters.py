"""Intraclass correlations of targets that the same raters rate: McGraw and Wong's six forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Floats,
    HolesAllowed,
    Matrix,
    as_matrix,
    check_choice,
    check_confidence_level,
    complete_rows,
    warn_undefined,
)
from ibic_fidelity.psychometrics._clusters import RowClusters
from ibic_fidelity.psychometrics.intraclass._icc_forms import (
    Form,
    bootstrap_flags,
    complete_kernel,
    holed_kernel,
    of_complete,
    of_holes,
)
from ibic_fidelity.psychometrics.intraclass.rater_result import IntraclassCorrelation
from ibic_fidelity.psychometrics.resampling import (
    as_generator,
    bootstrap_estimates,
    check_replicates,
    percentile_interval,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: What counts as error between raters: level and order, order only, or everything (raters not identified).
IccDefinition = Literal["agreement", "consistency", "one-way"]
#: What the coefficient is the reliability of: one rating, or the mean of all raters.
IccUnit = Literal["single", "average"]

BOOTSTRAP = "percentile bootstrap of targets"
BOOTSTRAP_CLUSTERS = "percentile bootstrap of clusters of targets"
_LETTERS = {"agreement": "A,", "consistency": "C,", "one-way": ""}


def intraclass_correlation(
    x: object,
    *,
    definition: IccDefinition = "agreement",
    unit: IccUnit = "single",
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "raise",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: int | np.random.Generator = 0,
) -> IntraclassCorrelation:
    r"""Return an intraclass correlation of ratings with its interval and F test.

    "agreement" counts raters' different levels as error, "consistency" does not (only the order and the
    distances of targets matter), and "one-way" is for ratings whose raters are not the same for all targets,
    so that columns mean nothing.  "single" is the reliability of one rating, "average" that of the mean of
    all raters.  A negative coefficient is reported as it is.

    With ``missing="available"`` a table with holes keeps every rating: the components of variance are those of
    a mixed model with random targets and raters (one-way: targets only), by REML.  That is right where holes
    do not depend on the ratings that are missing.  "listwise" leaves a target out whole.

    Parameters
    ----------
    x : array-like of shape (targets, raters)
        Ratings as numbers, at least two raters; NaN is missing.
    definition : {"agreement", "consistency", "one-way"}
        What counts as error.
    unit : {"single", "average"}
        What the coefficient is the reliability of.
    clusters : array-like of shape (targets,), optional
        What targets belong to, such as the site of a file.  Targets of one cluster are alike; `ci_adjusted` and
        bootstrap samples are then of clusters, all other intervals and the F test take targets for independent.  A
        target without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where a rating is missing, leave out targets with any missing rating, or use all ratings.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        Bootstrap samples of targets, or clusters; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    IntraclassCorrelation
        Estimate, intervals, F test, components, mean squares, and the targets and raters used.

    Raises
    ------
    UsageError
        Fewer than two raters, clusters of another length, missing ratings or clusters under "raise", infinite
        values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two targets are left, all ratings are equal, no rater tells the targets apart (two-way
        forms), or the targets' means are so alike that the denominator is not positive: NaN.  With holes
        also: no target is rated twice; raters do not overlap; or, for agreement, ratings fall into parts
        that have neither raters nor targets in common, so that raters' levels cannot be compared.

    Notes
    -----
    With n targets, k raters and the mean squares of targets R, raters C, residual E and within targets W
    [1]_ [2]_,

    .. math:: ICC(1) = \frac{MS_R - MS_W}{MS_R + (k-1)MS_W}, \quad
              ICC(C,1) = \frac{MS_R - MS_E}{MS_R + (k-1)MS_E}, \quad
              ICC(A,1) = \frac{MS_R - MS_E}{MS_R + (k-1)MS_E + \frac{k}{n}(MS_C - MS_E)},

    .. math:: ICC(k) = \frac{MS_R - MS_W}{MS_R}, \quad ICC(C,k) = \frac{MS_R - MS_E}{MS_R}, \quad
              ICC(A,k) = \frac{MS_R - MS_E}{MS_R + \frac{1}{n}(MS_C - MS_E)}.

    In the names of Shrout and Fleiss these are (1,1), (3,1), (2,1), (1,k), (3,k), (2,k).  ICC(C,k) is
    Cronbach's alpha, and ICC(1), ICC(k) are those of `group_mean_reliability` for groups of equal size.  Raters taken
    as fixed or random have the same formulas [1]_.

    *Interval.*  Each limit is the formula with :math:`MS_R` divided by a quantile of F with n − 1 and
    :math:`\nu` degrees of freedom.  :math:`\nu` is n(k − 1) for the one-way and (n − 1)(k − 1) for the
    consistency forms, exact for normal ratings; for agreement it is Satterthwaite's

    .. math:: \nu = \frac{(a\,MS_C + b\,MS_E)^2}{\frac{(a\,MS_C)^2}{k-1} + \frac{(b\,MS_E)^2}{(n-1)(k-1)}},
              \quad a = \frac{k\,\rho}{n(1-\rho)}, \quad b = 1 + (n-1)a, \quad \rho = ICC(A,1),

    for both units: then the limits of ICC(A,k) are those of ICC(A,1) stepped up, as in Shrout and Fleiss [2]_ and
    R's `psych`.  R's `irr` puts ICC(A,k) in the place of ρ there, and has other limits of ICC(A,k).

    `ci_modified` is Cappelleri and Ting's [3]_: the value ρ is a limit where the modified large-sample limit
    (Ting et al. [4]_) of the sum of mean squares that estimates
    :math:`(1-\rho)\sigma_T^2 - \rho(\sigma_C^2 + \sigma_E^2)` is 0.

    *Holes.*  The average forms are those of the mean of as many ratings as targets have, on harmonic average
    (`ratings_per_target`, which is k without holes): the reliability of the means that there are.  One-way
    and consistency limits solve Wald's exact F for :math:`\sigma_T^2/\sigma_E^2`, raters fixed for consistency
    [5]_; agreement has the modified interval from mean squares of targets and raters adjusted for each other.
    An interval that leaves out the estimate is stretched to it.

    *Bootstrap.*  Targets are drawn, raters stay: the interval says nothing of other raters.

    *Targets that are not normal, or in clusters.*  `ci_adjusted` divides the degrees of freedom of targets and residual
    by how much log F varies beside normal theory, 2/df1 + 2/df2: by the targets' influence on it, or with holes or
    `clusters` by a jackknife over targets or clusters; times (t/z)², t with twice as many degrees of freedom as there
    are targets, or clusters, that carry that variance.  Raters keep theirs.

    *Coverage* (calibration/intraclass_coverage.csv: 2 to 8 raters, 10 to 300 targets, rater variance 0 to 2 times the
    residual's).  **Use `ci_adjusted` first.**  One-way and consistency are exact with normal ratings.  McGraw and
    Wong's interval of agreement covers .93–.97 as long as raters differ little in level and down to .69 where they
    differ much, since few raters say little about how raters differ, however many the targets; the modified one covers
    .94–.98 everywhere.  Where the raters' mean square is 8 times the residual's or more the flag
    ``agreement_interval_few_raters`` says so, and ``agreement_two_raters`` with two.  Symmetric answers on five levels
    cover like normal ones.  For skewed ones (40 % at the ceiling), 60 % and 80 % at the ceiling McGraw and Wong's
    interval of agreement covers .86–.94, .80–.91 and .62–.81, the modified one and those of the other forms .91–.96,
    .84–.93 and .69–.83: where 30 % are the lowest or the highest one ``icc_interval_not_reliable`` says so.
    Where the targets themselves are skewed or heavy-tailed, all of these fail, however many the targets: with 15, 30
    and 100 exponential targets or t with 4 degrees of freedom they cover .77–.96 (.84, .80 and .77 for a coefficient of
    .7 and four raters), with lognormal ones .59–.94.  `ci_adjusted` covers .93–.98 and .87–.97 there, and with normal
    targets .96–.98: a little wide with fewer than 50, and with two raters (up to .99), which is better than a warning
    in every small study.  A ratio of standard errors above 1.25 has the flag ``icc_targets_not_normal`` (1–11 % of
    normal samples, 4–90 % of skewed ones: that it is absent proves little).
    Targets in clusters: 10 of 20 targets with half of their variance between clusters are covered .78 without and .92
    with `clusters`; 10 of 10, 24 of 10 and 40 of 5 with .3 or .5 .92–.93 and .95–.97.  Fewer than 8 clusters, or much
    alike ones, are flagged (``few_row_clusters``).
    With holes (10–50 %, or two ratings a target of 6 or 20 raters) all forms cover .94–.97; fewer than 10 degrees of
    freedom of the residual are flagged (``icc_holes_few_df``).  The bootstrap covers .91–.93 of 30 and 100 targets and
    .94–.95 of 300, but of agreement with raters who differ .85, .77 and .57: fewer than 200 targets, or raters who
    differ (mean square twice the residual's), are flagged (``icc_bootstrap_short``), and fewer than 200 clusters.

    References
    ----------
    .. [1] McGraw, K. O., & Wong, S. P. (1996). Forming inferences about some intraclass correlation
       coefficients. Psychological Methods, 1, 30–46 (correction 1, 390).
    .. [2] Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations: uses in assessing rater
       reliability. Psychological Bulletin, 86, 420–428.
    .. [3] Cappelleri, J. C., & Ting, N. (2003). A modified large-sample approach to approximate interval
       estimation for a particular intraclass correlation coefficient. Statistics in Medicine, 22, 1861–1877.
    .. [4] Ting, N., Burdick, R. K., Graybill, F. A., Jeyaratnam, S., & Lu, T.-F. C. (1990). Confidence intervals
       on linear combinations of variance components that are unrestricted in sign. Journal of Statistical
       Computation and Simulation, 35, 135–143.
    .. [5] Seely, J. F., & El-Bassiouni, Y. (1983). Applying Wald's variance component test. Annals of
       Statistics, 11, 197–201.

    Examples
    --------
    The six targets and four judges of Shrout and Fleiss (1979): their ICC(2,1) .29 and ICC(3,1) .71.

    >>> x = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = intraclass_correlation(x)
    >>> print(f"{result.form} {result.estimate:.5f}, {result.ci.low:.5f} to {result.ci.high:.5f}")
    ICC(A,1) 0.28976, 0.01879 to 0.76108
    >>> print(f"{intraclass_correlation(x, definition='consistency').estimate:.5f}")
    0.71484
    """
    check_choice("definition", definition, get_args(IccDefinition))
    check_choice("unit", unit, get_args(IccUnit))
    check_choice("missing", missing, HOLES_ALLOWED)
    confidence_level = check_confidence_level(confidence_level)
    replicates = check_replicates(bootstrap)
    generator = as_generator(rng, "psychometrics/intraclass_correlation")
    matrix = ratings(x)
    values, labels, of_targets = _used(matrix, missing, clusters)
    n_holes = int(np.isnan(values).sum())
    incomplete = n_holes > 0 or values.shape[1] < 2
    made = (of_holes if incomplete else of_complete)(values, definition, unit, confidence_level, of_targets)
    if made.reason is not None:
        warn_undefined(made.reason)
    drawn, n_undefined = None, 0
    if replicates and made.reason is None:
        kernel = (holed_kernel if incomplete else complete_kernel)(values, definition, unit)
        n_drawn, method = len(values), BOOTSTRAP
        if of_targets is not None:
            kernel, n_drawn, method = of_targets.over(kernel), of_targets.n, BOOTSTRAP_CLUSTERS
        estimates = bootstrap_estimates(kernel, n_drawn, replicates, generator)
        drawn, n_undefined = percentile_interval(estimates, confidence_level, method)
    return _result(
        made,
        ci_adjusted=made.ci_adjusted if of_targets is None else _over_clusters(made.ci_adjusted),
        flags=made.flags + (() if drawn is None else bootstrap_flags(made, len(values), definition, of_targets)),
        ci_bootstrap=drawn,
        n=values.shape[0],
        n_raters=values.shape[1],
        n_ratings=values.size - n_holes,
        n_clusters=None if of_targets is None else of_targets.n,
        n_dropped=len(matrix.cells) - len(values),
        n_holes=n_holes,
        definition=definition,
        unit=unit,
        form=f"ICC({_LETTERS[definition]}{'1' if unit == 'single' else 'k'})",
        n_replicates=0 if drawn is None else replicates,
        n_undefined=n_undefined,
        raters=labels,
        missing=missing,
    )


def _over_clusters(ci: ConfidenceInterval) -> ConfidenceInterval:
    return ConfidenceInterval(ci.low, ci.high, ci.confidence_level, f"{ci.method} over clusters")


def ratings(x: object) -> Matrix:
    """Return a table of ratings, or raise where there are fewer than two raters."""
    matrix = as_matrix(x, least_columns=0)
    if len(matrix.labels) < 2:
        raise UsageError("psychometrics.one_rater_column", argument="x", n=len(matrix.labels))
    return matrix


def _used(matrix: Matrix, missing: str, clusters: object) -> tuple[Floats, tuple[str, ...], RowClusters | None]:
    """Return the ratings used (n, k), the raters' labels, and clusters; "available" keeps rows and columns with any."""
    cells, labels = matrix.cells, matrix.labels
    known = ~np.isnan(cells)
    used = np.asarray(known.any(axis=1)) if missing == "available" else complete_rows(cells, labels, missing)
    of_targets = RowClusters.read(clusters, used, missing)
    if missing != "available":
        return cells[used], labels, of_targets
    known = known[used]
    raters = np.asarray(known.any(axis=0)) if known.any() else np.ones(len(labels), dtype=bool)
    kept = tuple(label for label, rated in zip(labels, raters, strict=True) if rated)
    return np.ascontiguousarray(cells[np.ix_(used, raters)]), kept, of_targets


def _result(made: Form, **rest: Any) -> IntraclassCorrelation:
    """Return the result of a form and what the call adds to it."""
    of_targets, of_raters, residual = made.components
    f_value, p_value, df1, df2 = made.test
    ms_targets, ms_raters, ms_residual, ms_within = made.squares
    return IntraclassCorrelation(
        estimate=made.estimate,
        ci=made.ci,
        ci_modified=made.ci_modified,
        method=made.method,
        ratings_per_target=made.ratings_per_target,
        variance_targets=of_targets,
        variance_raters=of_raters,
        variance_residual=residual,
        f_value=f_value,
        p_value=p_value,
        df1=df1,
        df2=df2,
        mean_square_targets=ms_targets,
        mean_square_raters=ms_raters,
        mean_square_residual=ms_residual,
        mean_square_within=ms_within,
        reason=made.reason,
        notes=made.notes,
        **rest,
    )
