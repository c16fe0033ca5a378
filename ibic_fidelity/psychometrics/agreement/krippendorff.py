"""Krippendorff's alpha: agreement as disagreement observed over disagreement expected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._arguments import Floats, HolesAllowed, check_choice
from ibic_fidelity.psychometrics.agreement._chance import of_linear
from ibic_fidelity.psychometrics.agreement._ratings import Ratings, read_ratings
from ibic_fidelity.psychometrics.agreement.result import AgreementCoefficient, Computed, Options, result_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MeasurementLevel = Literal["nominal", "ordinal", "interval", "ratio"]
MEASUREMENT_LEVELS: tuple[MeasurementLevel, ...] = get_args(MeasurementLevel)


def krippendorff_alpha(
    x: object,
    *,
    measurement_level: MeasurementLevel,
    categories: ArrayLike | None = None,
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
    missing : {"raise", "listwise", "available"}
        Raise where there is a hole, leave out units with a hole, or use all units of two ratings or more.
    confidence_level : float
        Between 0 and 1.
    bootstrap : int
        How many bootstrap samples of units to draw for `ci_bootstrap`; 0 for none.
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
        under "ratio", infinite values, an unknown option.
    ArgumentTypeError
        Text or other things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        No unit has two ratings, or all ratings are the same: alpha is NaN.  One unit: no interval.

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
    level the mid-ranks are linearised, too (ours).  The interval uses t with n − 1
    degrees of freedom.  Krippendorff's own bootstrap, which draws single disagreements, is another one.

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
    ratings = read_ratings(x, missing=missing, categories=categories, least_ratings=2)
    if measurement_level == "ratio" and (ratings.values < 0).any():
        raise UsageError("psychometrics.ratio_negative", value=f"{ratings.values.min():g}")
    return result_of(ratings, _compute(ratings, measurement_level), options)


def _compute(ratings: Ratings, level: MeasurementLevel) -> Computed:
    """Return alpha, its standard error and the kernel of its replicates."""
    n = ratings.counts.shape[0]
    observed = expected = estimate = error = math.nan
    kernel = _Disagreement(ratings, level)
    if n:
        within, between, total, largest = (float(part[0]) for part in kernel.parts(np.ones((1, n))))
        estimate = float(kernel.alpha(np.ones((1, n)))[0])
        if not math.isnan(estimate):
            observed = 1.0 - within / (total * largest)
            expected = 1.0 - between / (total * (total - 1.0) * largest)
            error = of_linear(n * kernel.influence()) if n > 1 else math.nan
    return Computed("krippendorff_alpha", observed, expected, estimate, error, level, None, kernel.alpha)


@dataclass(frozen=True, slots=True, eq=False)
class _Disagreement:
    """Disagreement within units and between all ratings, for replicates (B, n) of the units."""

    ratings: Ratings
    level: MeasurementLevel

    def parts(self, replicates: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return sums of δ² within (over m − 1) and between, ratings N, and the largest δ², each (B,)."""
        counts = self.ratings.counts
        margins = replicates @ counts
        total = margins.sum(axis=1)
        if self.level in {"nominal", "ratio"}:
            delta = self._metric()
            within = replicates @ self._of_units(delta)
            return within, np.asarray((margins @ delta * margins).sum(axis=1)), total, _largest(delta, margins)
        scores = self._scores(margins)
        squares, sums = np.square(scores) @ counts.T, scores @ counts.T
        m = self.ratings.n_ratings
        within = (replicates * 2.0 * (m * squares - np.square(sums)) / (m - 1.0)).sum(axis=1)
        between = 2.0 * (total * (margins * np.square(scores)).sum(axis=1) - np.square((margins * scores).sum(axis=1)))
        used = margins > 0
        top, bottom = np.where(used, scores, -np.inf).max(axis=1), np.where(used, scores, np.inf).min(axis=1)
        return np.asarray(within), np.asarray(between), total, np.square(top - bottom)

    def alpha(self, replicates: Floats) -> Floats:
        """Return alpha (B,), NaN where all ratings are the same."""
        within, between, total, largest = self.parts(replicates)
        varies = between > 1e-12 * largest * total
        return np.asarray(1.0 - (total - 1.0) * within / np.where(varies & (largest > 0), between, np.nan))

    def influence(self) -> Floats:
        """Return the influence of each unit (n,) on 1 − N·within/between, which sums to nought."""
        counts = self.ratings.counts
        ones = np.ones((1, counts.shape[0]))
        within, between, total, _ = (float(part[0]) for part in self.parts(ones))
        margins, m = counts.sum(axis=0), self.ratings.n_ratings
        if self.level in {"nominal", "ratio"}:
            delta = self._metric()
            of_within, of_between = self._of_units(delta), 2.0 * counts @ (delta @ margins)
        else:
            of_within, of_between = self._score_gradients(margins, total)
        return np.asarray(-(total * of_within + m * within) / between + total * within / between**2 * of_between)

    def _score_gradients(self, margins: Floats, total: float) -> tuple[Floats, Floats]:
        """Return how each unit (n,) moves the sums within and between, by itself and through the mid-ranks."""
        counts, m = self.ratings.counts, self.ratings.n_ratings
        scores = self._scores(margins[np.newaxis])[0]
        sums = counts @ scores
        of_within = 2.0 * (m * (counts @ np.square(scores)) - np.square(sums)) / (m - 1.0)
        first, second = margins @ scores, margins @ np.square(scores)
        of_between = 2.0 * counts @ (total * np.square(scores) - 2.0 * first * scores + second)
        if self.level == "ordinal":
            ranks = np.cumsum(counts, axis=1) - counts / 2.0  # what the unit adds to the mid-ranks
            by_within = 4.0 * counts.T @ (m / (m - 1.0)) * scores - 4.0 * counts.T @ (sums / (m - 1.0))
            of_within = of_within + ranks @ by_within
            of_between = of_between + ranks @ (4.0 * margins * (total * scores - first))
        return np.asarray(of_within), np.asarray(of_between)

    def _scores(self, margins: Floats) -> Floats:
        """Return what is squared (B, q): centred values, or mid-ranks among the ratings of the replicate."""
        if self.level == "ordinal":
            middle = margins.sum(axis=1, keepdims=True) / 2.0
            return np.asarray(np.cumsum(margins, axis=1) - margins / 2.0 - middle)
        values = self.ratings.values
        centred = values - self.ratings.counts.sum(axis=0) @ values / self.ratings.counts.sum()
        return np.asarray(np.broadcast_to(centred, margins.shape))

    def _metric(self) -> Floats:
        """Return δ² of each two values (q, q), nominal or ratio."""
        values = self.ratings.values
        differences = np.abs(values[:, np.newaxis] - values)
        if self.level == "nominal":
            return np.asarray((differences > 0).astype(np.float64))
        sums = values[:, np.newaxis] + values
        return np.square(differences / np.where(sums > 0, sums, 1.0))

    def _of_units(self, delta: Floats) -> Floats:
        """Return Σ δ² over a unit's pairs, over m − 1 (n,)."""
        counts = self.ratings.counts
        return np.asarray((counts @ delta * counts).sum(axis=1) / (self.ratings.n_ratings - 1.0))


def _largest(delta: Floats, margins: Floats) -> Floats:
    """Return the largest δ² between values in use (B,): 1 if nominal, for ratio that of the extreme values."""
    used = margins > 0
    low, high = used.argmax(axis=1), used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
    return np.asarray(delta[low, high])
