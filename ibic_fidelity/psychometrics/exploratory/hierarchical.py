"""Omega hierarchical: how much of a sum one general factor makes."""

from __future__ import annotations

import math

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    CompleteTable,
    Floats,
    as_matrix,
    check_choice,
    check_confidence_level,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics._clusters import RowClusters
from ibic_fidelity.psychometrics.consistency._moments import Bootstrap, Resampled
from ibic_fidelity.psychometrics.exploratory._extraction import EXTRACTIONS, Extraction
from ibic_fidelity.psychometrics.exploratory._factoring import factored
from ibic_fidelity.psychometrics.exploratory._hierarchy import (
    TwoFactors,
    basic_interval,
    check_two_factors,
    omega_h_kernel,
    omegas,
)
from ibic_fidelity.psychometrics.exploratory._matrix import (
    Correlated,
    Correlation,
    Given,
    check_factors,
    read_correlations,
)
from ibic_fidelity.psychometrics.exploratory.hierarchical_result import HierarchicalOmega, SchmidLeiman
from ibic_fidelity.psychometrics.exploratory.schmid import solution_of
from ibic_fidelity.psychometrics.resampling import as_generator

DEFINITION = "Schmid–Leiman of oblimin factors, observed variance"
_STARTS = 30
#: Respondents below which the interval covers too little.
LEAST = 1000


def hierarchical_omega(
    x: object,
    *,
    n_factors: int = 3,
    two_factors: TwoFactors | None = None,
    extraction: Extraction = "minres",
    correlation: Correlation = "pearson",
    given: Given = "answers",
    n: int | None = None,
    clusters: object = None,
    missing: CompleteTable = "raise",
    smooth: bool = False,
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> HierarchicalOmega:
    r"""Return omega hierarchical: how much of a sum's variance one general factor makes.

    Where it is high, the sum means one thing though the items form groups.  It depends on `n_factors`, and where
    no general factor is there it is still above 0 in samples.

    Parameters
    ----------
    x : array-like of shape (respondents, items) or (items, items)
        Answers as numbers, reversed items already reversed, or with ``given="correlations"`` their correlations;
        NaN is missing.
    n_factors : int
        Of group factors.
    two_factors : {"equal", "first", "second"}, optional
        What identifies the general factor of two, see `schmid_leiman`; needed with two, refused with more.
    extraction : {"minres", "ml", "principal-axis"}
        See `exploratory_factor_analysis`; the rotation is oblimin.
    correlation : {"pearson", "polychoric"}
        Of answers, which to take.  From polychoric ones the omegas are of a sum of the normal values behind the
        answers, which nobody observes, and are larger than those of the sum.
    given : {"answers", "correlations"}
        What `x` holds.
    n : int, optional
        With ``given="correlations"``: from how many respondents they are.
    clusters : array-like of shape (respondents,), optional
        The cluster of each respondent, such as the site; the bootstrap then draws clusters.
    missing : {"raise", "listwise"}
        Raise where an answer is missing, or leave out respondents with any missing answer.
    smooth : bool
        Make a polychoric matrix that is not positive definite so; a flag tells it.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples to draw for the intervals; 0 for none.  Of answers and their product-moment
        correlations only.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap; the rotation's random starts are the same in every call.

    Returns
    -------
    HierarchicalOmega
        Omega hierarchical, total and of groups, ECV, PUC, and the loadings.

    Raises
    ------
    UsageError
        One factor, two without `two_factors`, more than the items identify, missing answers under "raise", a
        bootstrap of a matrix or of polychoric correlations, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        All is NaN: fewer than three respondents, constant items, no correlations, or a singular matrix for "ml".

    Notes
    -----
    With Schmid–Leiman loadings and the correlations' sum :math:`V = \sum_{ij} r_{ij}` [1]_,

    .. math:: \omega_h = \frac{(\sum_i \lambda_{gi})^2}{V}, \quad \omega_t = 1 - \frac{\sum_i \psi_i}{V}.

    Items count as standardised, as in psych; where they differ much in spread, the sum of raw answers has another.
    Of a group's items the total is the general and the group factor's part together.

    *Coverage* (calibration/exploratory_coverage.csv, required .93–.975).  Oblimin finds correlations of factors too
    small in samples, and so omega hierarchical (.59 for .68 with 200 respondents, .64 with 500).  A percentile
    interval would hold the truth in a quarter of such samples.  The interval is the basic one, the percentile interval
    turned about the estimate (kept within 0 and 1), which takes away the bias that replicates show: it covers
    .95–.975 with 1,000 respondents and .81–.96 with fewer, hence ``omega_h_few`` below 1,000.  The estimate itself
    is not corrected.

    References
    ----------
    .. [1] Zinbarg, R. E., Revelle, W., Yovel, I., & Li, W. (2005). Cronbach's α, Revelle's β, and McDonald's ω_H:
       Their relations with each other and two alternative conceptualizations of reliability. Psychometrika, 70,
       123–133.
    .. [2] Rodriguez, A., Reise, S. P., & Haviland, M. G. (2016). Evaluating bifactor models: Calculating and
       interpreting statistical indices. Psychological Methods, 21, 137–150.

    Examples
    --------
    >>> import numpy as np
    >>> phi, loadings = np.full((3, 3), 0.5) + 0.5 * np.eye(3), np.kron(np.eye(3), [[0.8], [0.7], [0.6]])
    >>> r = loadings @ phi @ loadings.T
    >>> np.fill_diagonal(r, 1.0)
    >>> made = hierarchical_omega(r, given="correlations")
    >>> print(f"{made.estimate:.3f} of {made.omega_total:.3f}, ECV {made.common_variance_share:.3f}")
    0.640 of 0.854, ECV 0.500
    """
    check_choice("extraction", extraction, EXTRACTIONS)
    level = check_confidence_level(confidence_level)
    resampling = Bootstrap.checked(bootstrap, rng, "psychometrics/omega_h")
    read = read_correlations(x, given=given, correlation=correlation, n=n, missing=missing, smooth=smooth)
    if resampling.replicates and (read.values is None or correlation != "pearson"):
        raise UsageError("psychometrics.bootstrap_of_matrix")
    m = check_factors(n_factors, read.k)
    check_two_factors(m, two_factors)
    of_rows = _clusters(x, clusters, read)
    reason = read.reason
    if reason is None and extraction == "ml" and not read.regular:
        reason = read.singular
    loadings, phi = np.full((read.k, m), np.nan), np.full((m, m), np.nan)
    kernel, flags = None, read.flags
    if reason is not None:
        warn_undefined(reason)
    else:
        starts = as_generator(0, "psychometrics/rotation")
        made = factored(read.matrix, m, extraction, "oblimin", _STARTS, starts)
        loadings, phi = made.loadings, made.phi
        flags = (*read.flags, *(() if read.regular else (read.singular,)), *made.flags)
        if made.heywood.any():
            items = tuple(np.asarray(read.items)[made.heywood].tolist())
            flags = (*flags, Message("psychometrics.efa_heywood", {"items": items}))
        if resampling.replicates and read.values is not None:
            kernel = omega_h_kernel(read.values, loadings, 1.0 - made.communalities, extraction, two_factors)
    solution = solution_of(loadings, phi, read.items, two_factors, reason, flags)
    drawn = resampling.run(kernel, read.n, level, statistics=3, clusters=of_rows)
    return _omega(read, solution, drawn, extraction, None if of_rows is None else of_rows.n)


def _clusters(x: object, clusters: object, read: Correlated) -> RowClusters | None:
    """Return the clusters of the complete rows; every row needs one."""
    if clusters is None:
        return None
    if read.values is None:
        raise UsageError("psychometrics.bootstrap_of_matrix")
    complete = np.asarray(~np.isnan(as_matrix(x).cells).any(axis=1))
    return RowClusters.read(clusters, complete, "raise")


def _omega(
    read: Correlated, solution: SchmidLeiman, drawn: Resampled, extraction: str, n_clusters: int | None
) -> HierarchicalOmega:
    """Return the result of a solution."""
    m = len(solution.groups)
    h = total = math.nan
    parts = np.full((3, m), np.nan)
    if solution.reason is None:
        both = omegas(read.matrix, solution.general, solution.communalities)
        h, total = (float(value) for value in both)
        parts = _of_groups(read.matrix, solution)
    own = (h, total, solution.common_variance_share)
    ci = [basic_interval(*pair) for pair in zip(own, drawn.intervals, strict=True)] if drawn.intervals else [None] * 3
    few = (
        ()
        if not drawn.intervals or read.n >= LEAST
        else (Message("psychometrics.omega_h_few", {"n": read.n, "least": LEAST}),)
    )
    return HierarchicalOmega(
        estimate=h,
        omega_total=total,
        omega_limit=h / total if total > 0 else math.nan,
        common_variance_share=solution.common_variance_share,
        uncontaminated_share=solution.uncontaminated_share,
        group_total=read_only(parts[0].copy()),
        group_general=read_only(parts[1].copy()),
        group_specific=read_only(parts[2].copy()),
        ci_bootstrap=ci[0],
        omega_total_ci=ci[1],
        common_variance_share_ci=ci[2],
        solution=solution,
        definition=DEFINITION,
        n=read.n,
        k=read.k,
        n_factors=m,
        n_dropped=read.n_dropped,
        n_clusters=n_clusters,
        n_replicates=drawn.replicates,
        n_undefined=max(drawn.undefined),
        extraction=extraction,
        correlation=read.correlation,
        missing=read.missing,
        reason=solution.reason,
        flags=(*solution.flags, *few, *drawn.flags),
    )


def _of_groups(matrix: Floats, solution: SchmidLeiman) -> Floats:
    """Return omega total, the general and the specific part (3, m) of the sum of each group's items."""
    made = np.full((3, len(solution.groups)), np.nan)
    most = np.asarray(solution.item_group)
    for group in range(made.shape[1]):
        at = np.flatnonzero(most == group)
        if at.size:
            variance = matrix[np.ix_(at, at)].sum()
            general = solution.general[at].sum() ** 2 / variance
            specific = solution.group[at, group].sum() ** 2 / variance
            made[:, group] = general + specific, general, specific
    return made
