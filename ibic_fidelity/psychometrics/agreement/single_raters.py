"""Agreement of each rater by itself: with the other raters of the same units, and with a gold standard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics._arguments import (
    HOLES_ALLOWED,
    Floats,
    HolesAllowed,
    Integers,
    Matrix,
    as_matrix,
    as_number,
    as_vector,
    check_choice,
    check_confidence_level,
    complete_rows,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.agreement._bounded import bounded_limit
from ibic_fidelity.psychometrics.agreement._linearised import renumbered
from ibic_fidelity.psychometrics.agreement._pairs import (
    BY_CHANCE,
    NO_UNITS,
    ONE_CLUSTER,
    ONE_UNIT,
    PairKappa,
    pair_kappa,
)
from ibic_fidelity.psychometrics.agreement._ratings import (
    Ratings,
    Weights,
    ratings_of,
    read_clusters,
    read_ratings,
    read_weights,
)
from ibic_fidelity.psychometrics.agreement.single_rater_results import (
    CERTIFIED,
    NOT_CERTIFIED,
    NOT_DECIDED,
    RaterAgreement,
    RaterCertification,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def leave_one_out_agreement(
    x: object,
    *,
    weights: Weights = None,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
) -> RaterAgreement:
    r"""Return how well each rater agrees with the other raters of the same units.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see `cohen_kappa`.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those that occur in the units used.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors and intervals
        are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all units of two ratings or more.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    RaterAgreement
        A kappa a rater with its interval.

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
        A rater shares no unit with another, or agreement by chance is 1: NaN.  One unit or cluster: no interval.

    Notes
    -----
    Of the n units of rater g that others rated, with the shares :math:`s_{ik}` of the others' ratings of unit i,

    .. math:: \kappa_g = \frac{p_a - p_e}{1 - p_e}, \quad p_a = \frac1n \sum_i \sum_k w_{x_{ig}k}\,s_{ik},
              \quad p_e = \sum_{kl} w_{kl}\,p_{gk}\,\bar s_l,

    with the rater's own shares :math:`p_{gk}` and the others' mean shares :math:`\bar s_l` on these units.  For
    two raters both have Cohen's kappa.  Raters are compared on different units where the table has holes, and a
    rater among poor raters agrees little with them.  The standard error is linearised; intervals and flags are
    those of `cohen_kappa` [1]_: cells flagged in less than a tenth of studies cover .93–.95.

    References
    ----------
    .. [1] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = leave_one_out_agreement(x, weights="quadratic")
    >>> print(" ".join(f"{kappa:.3f}" for kappa in result.estimate))
    0.701 0.910 0.858 0.850
    """
    level = check_confidence_level(confidence_level)
    ratings = read_ratings(x, missing=missing, categories=categories, least_ratings=2, clusters=clusters)
    weighting, matrix = read_weights(weights, ratings.values)
    labels = as_matrix(x, least_columns=0).labels
    made = [_with_others(ratings, rater, matrix, level) for rater in range(len(labels))]
    reasons = tuple(_reason(kappa, rater) for kappa, rater in zip(made, labels, strict=True))
    reason = _of_all(reasons)
    if reason is not None:
        warn_undefined(reason)
    return RaterAgreement(
        raters=labels,
        estimate=_array([kappa.estimate for kappa in made]),
        std_error=_array([kappa.std_error for kappa in made]),
        ci=tuple(kappa.ci for kappa in made),
        observed=_array([kappa.observed for kappa in made]),
        rater_units=_counts([kappa.n for kappa in made]),
        n=ratings.counts.shape[0],
        n_dropped=ratings.n_dropped,
        n_clusters=ratings.n_clusters,
        categories=read_only(ratings.values),
        weighting=weighting,
        missing=missing,
        reason=reason,
        rater_reasons=reasons,
        flags=_flags(made, labels),
    )


def certify_raters(
    x: object,
    gold: object,
    *,
    weights: Weights = "quadratic",
    categories: ArrayLike | None = None,
    least_kappa: float = 0.70,
    least_units: int = 10,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
) -> RaterCertification:
    r"""Return each rater's agreement with a gold standard, and whether it is enough.

    A rater is certified where kappa is at least `least_kappa` on at least `least_units` units.  That is a rule
    about the point estimate: beside it stands whether a lower limit that allows for poorer files than those seen
    passes, too.  Too few units, or a kappa that is not defined, leave the rater not decided, with the reason.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Categories as numbers; NaN is a hole.  Items of several files are stacked, an item in a file a row, with
        the files as `clusters`.
    gold : array-like of shape (units,)
        The right category of each unit; a unit without one (NaN) is left out, or raises under "raise".
    weights : {"linear", "quadratic", "ordinal"} or array-like of shape (categories, categories), optional
        How far two different categories agree; see `cohen_kappa`.  None for none.
    categories : array-like of shape (categories,), optional
        All categories, increasing; without them those of `x` and `gold` in the units used.
    least_kappa : float
        Between 0 and 1.
    least_units : int
        Least number of units, or of clusters where they are given, that a rater is decided on; at least 1.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors and intervals
        are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all ratings there are.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    RaterCertification
        A verdict, kappa, share of equal ratings and mean deviation a rater.

    Raises
    ------
    UsageError
        No rater, a gold standard or clusters of another length, categories that do not increase or do not cover
        ratings and gold standard, weights of the wrong shape or not symmetric, `least_kappa` not between 0 and 1,
        `least_units` below 1, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        A rater has no unit with a gold standard, or agreement by chance is 1: kappa is NaN.

    Notes
    -----
    `cohen_kappa` of each rater and the gold standard, on the units that have both, with its interval and its
    flags [1]_.  Kappa is not defined where rater and gold standard use one and the same category only; where one
    of them uses one category only it is 0 whatever they agree on, and the rater is not decided either.

    *Lower limit.*  A rater who is poor in a few files only may meet none of them in a sample, and then all files
    look alike and the interval is far too narrow: of raters with a true kappa of .69–.78, poor in 10–15 % of files of
    20 items, its lower limit is above the truth in .13–.24 with 12 files, .03–.08 with 25 and .03–.04 with 50, where
    it promises .025; intervals from fewer than 30 files are therefore flagged.  `lower_limit` is Gaffke's limit of a
    mean of bounded values [2]_: the lower quantile of :math:`\sum D_i v_i`, D uniform on the simplex, over the
    files' parts :math:`v_i` of kappa and one file more, unseen, in which the rater agrees half as often as by
    chance.  (Without clusters the unseen unit disagrees wholly, and for a share of right answers the limit is
    Clopper and Pearson's.)  It is above the truth in at most .02 of the same studies, from 12 files on, and it
    asks for many: where chance gives .50, a perfect rater passes .70 with 17 files, and one with kappa .86 in about
    half of the studies with 33 files and nearly always with 45 (``calibration/agreement_coverage.csv``).

    References
    ----------
    .. [1] Cohen, J. (1968). Weighted kappa: nominal scale agreement with provision for scaled disagreement or
       partial credit. Psychological Bulletin, 70, 213–220.
    .. [2] Gaffke, N. (2005). Three test statistics for a nonparametric one-sided hypothesis on the mean of a
       nonnegative variable. Mathematical Methods of Statistics, 14, 451–467.

    Examples
    --------
    Two raters of 12 files beside their trainer.

    >>> gold = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    >>> x = [[0, 0], [0, 1], [0, 0], [1, 2], [1, 1], [1, 1], [1, 0], [2, 2], [2, 2], [2, 0], [2, 1], [2, 2]]
    >>> result = certify_raters(x, gold)
    >>> print(result.verdict, " ".join(f"{kappa:.2f}" for kappa in result.estimate))
    ('certified', 'not_certified') 0.88 0.25
    """
    check_choice("missing", missing, HOLES_ALLOWED)
    level = check_confidence_level(confidence_level)
    _check_rule(least_kappa, least_units)
    cells = as_matrix(x)
    standard = as_vector(gold, argument="gold")
    if standard.shape[0] != cells.cells.shape[0]:
        raise UsageError("psychometrics.gold_length", n=standard.shape[0], rows=cells.cells.shape[0])
    both = Matrix(np.column_stack([cells.cells, standard]), (*cells.labels, "gold"))
    used = complete_rows(both.cells, both.labels, missing)
    if missing == "available":
        used = ~np.isnan(standard) & (~np.isnan(cells.cells)).any(axis=1)
    of_units = read_clusters(clusters, used, missing)
    ratings = ratings_of(both, used, categories, of_units)
    weighting, matrix = read_weights(weights, ratings.values)
    made = [_with_gold(ratings, rater, matrix, level) for rater in range(len(cells.labels))]
    reasons = tuple(
        _reason(kappa, rater) or _undecided(ratings, column, kappa, rater, int(least_units))
        for column, (kappa, rater) in enumerate(zip(made, cells.labels, strict=True))
    )
    reason = _of_all(tuple(_reason(kappa, rater) for kappa, rater in zip(made, cells.labels, strict=True)))
    if reason is not None:
        warn_undefined(reason)
    equal, apart = _beside_gold(ratings)
    lowest = [bounded_limit(kappa, level) for kappa in made]
    return RaterCertification(
        raters=cells.labels,
        verdict=tuple(_verdict(kappa, why, least_kappa) for kappa, why in zip(made, reasons, strict=True)),
        lower_limit=_array(lowest),
        lower_limit_passes=tuple(limit >= least_kappa for limit in lowest),
        estimate=_array([kappa.estimate for kappa in made]),
        std_error=_array([kappa.std_error for kappa in made]),
        ci=tuple(kappa.ci for kappa in made),
        percent=equal,
        mean_deviation=apart,
        rater_units=_counts([kappa.n for kappa in made]),
        rater_clusters=None if of_units is None else _counts([kappa.n_clusters or 0 for kappa in made]),
        least_kappa=float(least_kappa),
        least_units=int(least_units),
        n=ratings.counts.shape[0],
        n_dropped=ratings.n_dropped,
        n_clusters=ratings.n_clusters,
        categories=read_only(ratings.values),
        weighting=weighting,
        missing=missing,
        reason=reason,
        rater_reasons=reasons,
        flags=(*_flags(made, cells.labels), *_too_few_files(made, lowest, cells.labels, float(least_kappa))),
    )


def _check_rule(least_kappa: object, least_units: object) -> None:
    """Raise unless the rule of certification makes sense."""
    kappa, units = as_number(least_kappa), as_number(least_units)
    if kappa is None or not 0.0 <= kappa <= 1.0:
        raise UsageError("psychometrics.least_kappa", value=repr(least_kappa))
    if units is None or units < 1 or not units.is_integer():
        raise UsageError("psychometrics.least_units", value=repr(least_units))


def _with_others(ratings: Ratings, rater: int, weights: Floats, level: float) -> PairKappa:
    """Return the kappa of a rater with the shares of the others' ratings, on the units that both rated."""
    own = ratings.codes[:, rater]
    used = (own >= 0) & ratings.overlapping
    others = ratings.counts[used] - np.eye(ratings.values.shape[0])[own[used]]
    others = others / np.maximum(others.sum(axis=1, keepdims=True), 1.0)
    return pair_kappa(own[used], others, weights, renumbered(ratings.clusters, used), level)


def _with_gold(ratings: Ratings, rater: int, weights: Floats, level: float) -> PairKappa:
    """Return the kappa of a rater with the gold standard, the last column."""
    own, right = ratings.codes[:, rater], ratings.codes[:, -1]
    used = (own >= 0) & (right >= 0)
    gold = np.eye(ratings.values.shape[0])[right[used]]
    return pair_kappa(own[used], gold, weights, renumbered(ratings.clusters, used), level)


def _beside_gold(ratings: Ratings) -> tuple[Floats, Floats]:
    """Return each rater's share of ratings equal to the gold standard (r,), and mean deviation from it (r,)."""
    own, right = ratings.codes[:, :-1], ratings.codes[:, -1:]
    used = (own >= 0) & (right >= 0)
    apart = np.where(used, ratings.values[own] - ratings.values[right], 0.0) if used.any() else np.zeros(own.shape)
    n = np.where(used.any(axis=0), used.sum(axis=0), math.nan)
    return read_only(((own == right) & used).sum(axis=0) / n), read_only(apart.sum(axis=0) / n)


def _undecided(ratings: Ratings, rater: int, kappa: PairKappa, label: str, least_units: int) -> Message | None:
    """Return why a kappa that is defined decides nothing: too few units, or one category only."""
    n = kappa.n if kappa.n_clusters is None else kappa.n_clusters
    if n < least_units:
        return Message("psychometrics.rater_too_few_units", {"rater": label, "n": n, "least": least_units})
    used = (ratings.codes[:, rater] >= 0) & (ratings.codes[:, -1] >= 0)
    for codes in (ratings.codes[used, rater], ratings.codes[used, -1]):
        if np.unique(codes).size == 1:
            return Message("psychometrics.rater_one_category", {"rater": label, "n": kappa.n})
    return None


def _verdict(kappa: PairKappa, why: Message | None, least_kappa: float) -> str:
    if why is not None:
        return NOT_DECIDED
    return CERTIFIED if kappa.estimate >= least_kappa else NOT_CERTIFIED


def _reason(kappa: PairKappa, rater: str) -> Message | None:
    """Return why a rater's kappa or its interval is not defined."""
    if kappa.why == NO_UNITS:
        return Message("psychometrics.rater_without_overlap", {"raters": [rater]})
    if kappa.why == BY_CHANCE:
        return Message("psychometrics.rater_by_chance_full", {"rater": rater})
    if kappa.why == ONE_CLUSTER:
        return Message("psychometrics.agreement_one_cluster", {})
    return Message("psychometrics.rater_few_units", {"rater": rater}) if kappa.why == ONE_UNIT else None


def _of_all(reasons: tuple[Message | None, ...]) -> Message | None:
    """Return the reason of all raters that are not defined, the first of several kinds."""
    first = next((reason for reason in reasons if reason is not None), None)
    if first is not None and first.code == "psychometrics.rater_without_overlap":
        named = [str(rater) for why in reasons if why and why.code == first.code for rater in _named(why)]
        return Message("psychometrics.rater_without_overlap", {"raters": named})
    return first


def _named(reason: Message) -> tuple[object, ...]:
    raters = reason.params["raters"]
    return tuple(raters) if isinstance(raters, list | tuple) else (raters,)


def _flags(made: list[PairKappa], raters: tuple[str, ...]) -> tuple[Message, ...]:
    """Return whose intervals are not reliable."""
    weak = [rater for kappa, rater in zip(made, raters, strict=True) if kappa.unreliable]
    return (Message("psychometrics.rater_interval_not_reliable", {"raters": weak}),) if weak else ()


def _too_few_files(
    made: list[PairKappa], lowest: list[float], raters: tuple[str, ...], least: float
) -> tuple[Message, ...]:
    """Return who passes by the interval but not by the limit that allows for files or units worse than those seen."""
    each = zip(made, lowest, raters, strict=True)
    few = [rater for kappa, limit, rater in each if kappa.ci.low >= least > limit]
    return (Message("psychometrics.rater_lower_limit_few", {"raters": few, "least": least}),) if few else ()


def _array(values: list[float]) -> Floats:
    return read_only(np.array(values, dtype=np.float64))


def _counts(values: list[int]) -> Integers:
    return read_only(np.array(values, dtype=np.int64))
