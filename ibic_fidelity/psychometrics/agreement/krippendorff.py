"""Krippendorff's alpha: agreement as disagreement observed over disagreement expected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Floats, HolesAllowed, check_choice
from ibic_fidelity.psychometrics.agreement._chance import over_units
from ibic_fidelity.psychometrics.agreement._ratings import Ratings, read_ratings
from ibic_fidelity.psychometrics.agreement.result import AgreementCoefficient, Computed, Options, result_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MeasurementLevel = Literal["nominal", "ordinal", "interval", "ratio"]
MEASUREMENT_LEVELS: tuple[MeasurementLevel, ...] = get_args(MeasurementLevel)
#: Up to so many values ordinal replicates are one product with each unit's pairs of values.
_FEW_VALUES = 16


def krippendorff_alpha(
    x: object,
    *,
    measurement_level: MeasurementLevel,
    categories: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    missing: HolesAllowed = "available",
    confidence_level: float = 0.95,
    bootstrap: int = 0,
    rng: np.random.Generator | int = 0,
) -> AgreementCoefficient:
    r"""Return Krippendorff's alpha of any number of raters, with holes.

    Units with one rating say nothing and are left out.

    Parameters
    ----------
    x : array-like of shape (units, raters)
        Values as numbers; NaN is a hole.
    measurement_level : {"nominal", "ordinal", "interval", "ratio"}
        How the difference between two values is measured.  Ratio needs values of 0 or more.
    categories : array-like of shape (categories,), optional
        All values, increasing; unused ones change nothing.
    clusters : array-like of shape (units,), optional
        To which cluster (file, site) each unit belongs, where the units of one are alike: errors, intervals
        and bootstrap samples are then of clusters.  A unit without one is left out, or raises under "raise".
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all units of two ratings or more.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units, or clusters, to draw for `ci_bootstrap`; 0 for none.
    rng : int or numpy.random.Generator
        Seed or generator of the bootstrap.

    Returns
    -------
    AgreementCoefficient
        Alpha with its intervals; observed and expected agreement are 1 minus the disagreement over its
        largest possible value for these values, so that alpha = (observed − expected)/(1 − expected).

    Raises
    ------
    UsageError
        Fewer than two raters, categories that do not increase or do not cover the values, negative values
        under "ratio", clusters of another length, infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or all ratings are the same: alpha is NaN.  One unit or cluster: no interval.

    Notes
    -----
    With the :math:`m_u \ge 2` ratings of unit u, N ratings in all, and :math:`n_c` of them of value c [1]_,

    .. math:: \alpha = 1 - \frac{D_o}{D_e}, \qquad
              D_o = \frac{1}{N}\sum_u \frac{1}{m_u - 1}\sum_{i \ne j} \delta^2(x_{ui}, x_{uj}), \qquad
              D_e = \frac{1}{N(N-1)}\sum_{ck} n_c\,n_k\,\delta^2(c, k),

    where :math:`\delta^2` is 1 for different values (nominal), :math:`(c-k)^2` (interval),
    :math:`((c-k)/(c+k))^2` (ratio), and for ordinal values the squared difference of their mid-ranks among
    the N ratings, which is Krippendorff's :math:`(\sum_{g=c}^{k} n_g - (n_c+n_k)/2)^2`.

    The standard error is the linearised one of alpha without the factor N − 1 over N, units being a random
    sample [2]_ (irrCAC corrects unequal numbers of ratings with a term that differs by 1/N); at the ordinal
    level the mid-ranks are linearised, too (ours).  Krippendorff's own bootstrap, which draws single
    disagreements, is another one.

    *Interval.*  t of log(1 − estimate), n − 1 degrees of freedom (clusters: Bell and McCaffrey's) of the units with two
    ratings or more.  Fewer than 8 of them that carry the error, (Σd²)²/Σd⁴ of their deviations d, fewer than 4 such
    clusters, or fewer than 30 clusters flag it: such intervals cover anything from .28 to .99.  Cells flagged in less
    than a tenth of studies cover .93–.97, percentile intervals, of 40 units and 20 that carry the error, .92–.96
    (``calibration/agreement_coverage.csv``).  Where no unit disagrees the lower limit is Clopper and Pearson's of
    the share of units, or clusters, that agree.

    References
    ----------
    .. [1] Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    .. [2] Gwet, K. L. (2014). Handbook of inter-rater reliability (4th ed.). Advanced Analytics.

    Examples
    --------
    Krippendorff's 12 units and 4 raters: .743 nominal, .815 ordinal.

    >>> h = float("nan")
    >>> x = [[1, 1, h, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...      [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [h, 5, 5, 5], [h, h, 1, 1], [h, h, 3, h]]
    >>> result = krippendorff_alpha(x, measurement_level="nominal")
    >>> print(f"{result.estimate:.5f} {result.std_error:.5f} n={result.n} dropped={result.n_dropped}")
    0.74342 0.14548 n=11 dropped=1
    >>> print(f"{krippendorff_alpha(x, measurement_level='ordinal').estimate:.5f}")
    0.81539
    """
    check_choice("measurement_level", measurement_level, MEASUREMENT_LEVELS)
    options = Options.checked(missing, confidence_level, bootstrap, rng)
    ratings = read_ratings(x, missing=missing, categories=categories, clusters=clusters, least_ratings=2)
    if measurement_level == "ratio" and (ratings.values < 0).any():
        raise UsageError("psychometrics.ratio_negative", value=f"{ratings.values.min():g}")
    return result_of(ratings, _compute(ratings, measurement_level), options)


def _compute(ratings: Ratings, level: MeasurementLevel) -> Computed:
    """Return alpha, its standard error and the kernel of its replicates."""
    n = ratings.counts.shape[0]
    observed = expected = estimate = math.nan
    apart = np.full(n, math.nan)
    kernel = Disagreement(ratings, level)
    if n:
        within, between, total, largest = (float(part[0]) for part in kernel.parts(np.ones((1, n))))
        estimate = float(kernel.alpha(np.ones((1, n)))[0])
        if not math.isnan(estimate):
            observed = 1.0 - within / (total * largest)
            expected = 1.0 - between / (total * (total - 1.0) * largest)
            apart = kernel.deviations()
    return Computed("krippendorff_alpha", observed, expected, estimate, apart, apart, level, None, kernel.alpha)


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """Disagreement within units and between all ratings, for replicates (B, n) of the units."""

    ratings: Ratings
    level: MeasurementLevel

    def parts(self, replicates: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return sums of δ² within (over m − 1) and between, ratings N, and the largest δ², each (…, B)."""
        margins = np.asarray(replicates @ self.ratings.counts)
        total = margins.sum(axis=-1)
        if self.level == "ordinal":
            scores = _mid_ranks(margins)
            first, second = (margins * scores).sum(axis=-1), (margins * np.square(scores)).sum(axis=-1)
            between = 2.0 * (total * second - np.square(first))
            used = margins > 0
            top, bottom = np.where(used, scores, -np.inf).max(axis=-1), np.where(used, scores, np.inf).min(axis=-1)
            return self._ordinal_within(scores, replicates), between, total, np.square(top - bottom)
        within = over_units(replicates, self._of_units())
        return within, np.asarray((self._distances(margins) * margins).sum(axis=-1)), total, self._largest(margins)

    def alpha(self, replicates: Floats) -> Floats:
        """Return alpha (…, B), NaN where all ratings are the same."""
        within, between, total, largest = self.parts(replicates)
        varies = between > 1e-12 * largest * total
        return np.asarray(1.0 - (total - 1.0) * within / np.where(varies & (largest > 0), between, np.nan))

    def deviations(self) -> Floats:
        """Return the linearised deviations of the units (…, n), whose mean is the error of alpha."""
        return np.asarray(self.ratings.counts.shape[-2] * self.influence())

    def influence(self) -> Floats:
        """Return the influence of each unit (…, n) on 1 − N·within/between, which sums to nought."""
        counts = self.ratings.counts
        within, between, total, _ = self.parts(np.ones((1, counts.shape[-2])))
        margins, m = counts.sum(axis=-2), self.ratings.n_ratings
        if self.level == "ordinal":
            of_within, of_between = self._score_gradients(margins, total)
        else:
            of_within, of_between = self._of_units(), 2.0 * _times(counts, self._distances(margins))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(-(total * of_within + m * within) / between + total * within / between**2 * of_between)

    def _ordinal_within(self, scores: Floats, replicates: Floats) -> Floats:
        """Return the sum of squared differences of mid-ranks within units (…, B)."""
        counts, m = self.ratings.counts, self.ratings.n_ratings
        q = counts.shape[-1]
        if q <= _FEW_VALUES:  # the sum is a form of the scores in what each unit has of each pair of values
            low, high = np.triu_indices(q, 1)
            pairs = 2.0 * counts[..., low] * counts[..., high] / (m - 1.0)[..., np.newaxis]
            return np.asarray((replicates @ pairs * np.square(scores[..., low] - scores[..., high])).sum(axis=-1))
        across = np.swapaxes(counts, -1, -2)
        of_units = 2.0 * (m[..., np.newaxis, :] * (np.square(scores) @ across) - np.square(scores @ across))
        return np.asarray((replicates * of_units / (m - 1.0)[..., np.newaxis, :]).sum(axis=-1))

    def _score_gradients(self, margins: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Return how each unit (…, n) moves the sums within and between, by itself and through the mid-ranks."""
        counts, m = self.ratings.counts, self.ratings.n_ratings
        scores = _mid_ranks(margins)
        sums = _times(counts, scores)
        of_within = 2.0 * (m * _times(counts, np.square(scores)) - np.square(sums)) / (m - 1.0)
        first = (margins * scores).sum(axis=-1, keepdims=True)
        second = (margins * np.square(scores)).sum(axis=-1, keepdims=True)
        of_between = 2.0 * _times(counts, total * np.square(scores) - 2.0 * first * scores + second)
        ranks = np.cumsum(counts, axis=-1) - counts / 2.0  # what the unit adds to the mid-ranks
        across = np.swapaxes(counts, -1, -2)
        by_within = 4.0 * _times(across, m / (m - 1.0)) * scores - 4.0 * _times(across, sums / (m - 1.0))
        of_within = of_within + _times(ranks, by_within)
        return np.asarray(of_within), of_between + _times(ranks, 4.0 * margins * (total * scores - first))

    def _distances(self, counts: Floats) -> Floats:
        """Return Σ_k δ²(c, k)·counts of k (…, q): nominal, interval or ratio."""
        total = counts.sum(axis=-1, keepdims=True)
        if self.level == "nominal":
            return np.asarray(total - counts)
        values = self.ratings.values
        if self.level == "ratio":
            return np.asarray(counts @ _ratio(values[:, np.newaxis], values))
        centred = values - values.mean()
        first, second = (counts @ power[:, np.newaxis] for power in (centred, np.square(centred)))
        return np.asarray(total * np.square(centred) - 2.0 * centred * first + second)

    def _of_units(self) -> Floats:
        """Return Σ δ² over a unit's pairs, over m − 1 (…, n)."""
        counts = self.ratings.counts
        return np.asarray((self._distances(counts) * counts).sum(axis=-1) / (self.ratings.n_ratings - 1.0))

    def _largest(self, margins: Floats) -> Floats:
        """Return the largest δ² between values in use (…, B): 1 if nominal, else that of the extreme values."""
        used, values = margins > 0, self.ratings.values
        low, high = used.argmax(axis=-1), used.shape[-1] - 1 - used[..., ::-1].argmax(axis=-1)
        if self.level == "nominal":
            return np.asarray((low != high).astype(np.float64))
        lowest, highest = values[low], values[high]
        return np.square(highest - lowest) if self.level == "interval" else _ratio(lowest, highest)


def _ratio(one: Floats, other: Floats) -> Floats:
    """Return ((c − k)/(c + k))², 0 for two zeros."""
    sums = one + other
    return np.square((one - other) / np.where(sums > 0, sums, 1.0))


def _times(table: Floats, vector: Floats) -> Floats:
    """Return the product (…, a) of a table (…, a, b) and a vector (…, b)."""
    return np.asarray((table @ vector[..., np.newaxis])[..., 0])


def _mid_ranks(margins: Floats) -> Floats:
    """Return mid-ranks (…, q) among the ratings counted by margins (…, q), the middle at 0."""
    middle = margins.sum(axis=-1, keepdims=True) / 2.0
    return np.asarray(np.cumsum(margins, axis=-1) - margins / 2.0 - middle)
