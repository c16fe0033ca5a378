"""How well a score tells two known groups apart, and which cut does it best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, ndtri

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number, percent
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import CompleteTable, Floats, as_number, check_confidence_level, read_only
from ibic_fidelity.psychometrics.intraclass._scale_units import shown
from ibic_fidelity.psychometrics.resampling import as_generator, check_replicates, percentile_interval
from ibic_fidelity.psychometrics.standards._reading import lines, read_two_groups, wilson

if TYPE_CHECKING:
    import pandas as pd

DELONG = "DeLong, logit"
AT_BOUND = "score interval, Hanley & McNeil variance (Newcombe)"
YOUDEN = "percentile bootstrap within groups"
#: Fewer than this in a group, and the interval of the cut with the largest Youden index covers too little.
LEAST_YOUDEN = 50
#: Fewer than this in a group, and DeLong's variance is not known well.
LEAST_GROUP = 10


@dataclass(frozen=True, slots=True, eq=False)
class ReceiverOperatingCharacteristic:
    """How well scores tell a group above a standard from one below it.

    Attributes
    ----------
    estimate, std_error : float
        Area under the curve: the probability that one of the group above scores higher (ties half), and DeLong's
        standard error.
    ci : ConfidenceInterval
    cut : float
        The cut asked for, or that with the largest Youden index; at it or higher is above.
    cut_ci : ConfidenceInterval
        Of the Youden cut; NaN for a cut asked for.
    youden : float
        Sensitivity + specificity − 1 at the cut.
    sensitivity, specificity : float
        Share of the group above at or over the cut, and of the group below under it.
    sensitivity_ci, specificity_ci : ConfidenceInterval
    thresholds, sensitivities, specificities : array of float, shape (T,)
        The curve, thresholds rising.
    n_above, n_below, n_dropped : int
    flags : tuple of Message
    """

    estimate: float
    std_error: float
    ci: ConfidenceInterval
    cut: float
    cut_ci: ConfidenceInterval
    youden: float
    sensitivity: float
    specificity: float
    sensitivity_ci: ConfidenceInterval
    specificity_ci: ConfidenceInterval
    thresholds: Floats
    sensitivities: Floats
    specificities: Floats
    n_above: int
    n_below: int
    n_dropped: int
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line each of area, cut, sensitivity and specificity."""
        n = self.n_above + self.n_below
        rows = [
            ("auc", self.estimate, self.ci, n),
            ("cut", self.cut, self.cut_ci, n),
            ("sensitivity", self.sensitivity, self.sensitivity_ci, self.n_above),
            ("specificity", self.specificity, self.specificity_ci, self.n_below),
        ]
        frame: pd.DataFrame = lines(rows, self.flags)
        return frame

    def summary(self) -> str:
        """Return area, cut, sensitivity and specificity in English."""
        said = [
            f"AUC {shown(self.estimate, self.ci)}; {self.n_above} above, {self.n_below} below.",
            f"Cut {number(self.cut, 'en', digits=2)}: sensitivity {percent(self.sensitivity, 'en')},"
            f" specificity {percent(self.specificity, 'en')}.",
        ]
        return "\n".join([*said, *(flag.text("en") for flag in self.flags)])


def receiver_operating_characteristic(
    y: object,
    groups: object,
    *,
    above: object,
    cut: float | None = None,
    missing: CompleteTable = "raise",
    bootstrap: int = 2000,
    rng: np.random.Generator | int = 0,
    confidence_level: float = 0.95,
) -> ReceiverOperatingCharacteristic:
    r"""Return how well scores tell a known group above a standard from one below it.

    Parameters
    ----------
    y : array-like of shape (n,)
        Scores, high is good.
    groups : array-like of shape (n,)
        Which of two groups each is of, known otherwise than from the score.
    above : label
        The group that is above the standard.
    cut : float, optional
        Where to look at sensitivity and specificity; by default where the Youden index is largest.
    missing : {"raise", "listwise"}
        Raise, or leave out rows without score or group.
    bootstrap : int
        Replicates for the interval of the Youden cut; 0 for none.
    rng : numpy.random.Generator or int
        A generator, or a seed of a stream of its own.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ReceiverOperatingCharacteristic
        Area, cut, sensitivity and specificity, each with its interval, and the curve.

    Raises
    ------
    UsageError
        Not two groups, `above` not one of them, holes under "raise", a cut that is no number.
    ArgumentTypeError
        Things that are no numbers.

    Notes
    -----
    The area is U/(mn) of Mann and Whitney, ties half. Its variance is DeLong, DeLong and Clarke-Pearson's [1]_, its
    interval that of the logit. At an area of 0 or 1 that variance is 0: Newcombe's score interval with Hanley and
    McNeil's variance stands instead [2]_, flagged. Sensitivity and specificity have Wilson's interval; at the Youden
    cut, which was chosen for being the best, both are too good, and flagged as such.

    The best cut lies midway between two scores; of equally good ones the lower middle one is taken. It converges
    slowly; its percentile interval is flagged below 50 in a group (``calibration/standards_coverage.csv``).

    References
    ----------
    .. [1] DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more
       correlated receiver operating characteristic curves. Biometrics, 44, 837–845.
    .. [2] Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann–Whitney
       statistic, part 2. Statistics in Medicine, 25, 559–573.

    Examples
    --------
    >>> y = [41, 48, 52, 55, 60, 51, 58, 66, 71, 80]
    >>> made = receiver_operating_characteristic(y, ["other"] * 5 + ["known"] * 5, above="known", bootstrap=0)
    >>> round(made.estimate, 2), made.cut
    (0.84, 56.5)
    """
    level = check_confidence_level(confidence_level)
    replicates = check_replicates(bootstrap)
    generator = as_generator(rng, "standards/roc")
    asked = None if cut is None else as_number(cut)
    if cut is not None and (asked is None or not math.isfinite(asked)):
        raise UsageError("psychometrics.standard_cut", value=repr(cut))
    two = read_two_groups(y, groups, above, missing)
    low, high = two.below, two.above
    estimate, error = area(low, high)
    thresholds = _midpoints(np.concatenate([low, high]))
    sensitivities, specificities = shares(low, high, thresholds)
    best = asked if asked is not None else _best(thresholds, sensitivities + specificities)
    hits, passes = int((high >= best).sum()), int((low < best).sum())
    drawn = _drawn_cuts(low, high, replicates if asked is None else 0, generator)
    return ReceiverOperatingCharacteristic(
        estimate=estimate,
        std_error=error,
        ci=area_interval(estimate, error, len(low), len(high), level),
        cut=best,
        cut_ci=percentile_interval(drawn, level, YOUDEN if len(drawn) else "none")[0],
        youden=hits / len(high) + passes / len(low) - 1.0,
        sensitivity=hits / len(high),
        specificity=passes / len(low),
        sensitivity_ci=wilson(hits, len(high), level),
        specificity_ci=wilson(passes, len(low), level),
        thresholds=read_only(thresholds),
        sensitivities=read_only(sensitivities),
        specificities=read_only(specificities),
        n_above=len(high),
        n_below=len(low),
        n_dropped=two.n_dropped,
        flags=_flags(estimate, error, len(low), len(high), chosen=asked is None),
    )


def area(low: Floats, high: Floats) -> tuple[float, float]:
    """Return the area under the curve of sorted scores and DeLong's standard error (NaN with one in a group)."""
    m, n = len(low), len(high)
    of_high = (np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")) / (2.0 * m)
    of_low = 1.0 - (np.searchsorted(high, low, "left") + np.searchsorted(high, low, "right")) / (2.0 * n)
    if min(m, n) < 2:
        return float(of_high.mean()), math.nan
    return float(of_high.mean()), math.sqrt(float(of_high.var(ddof=1)) / n + float(of_low.var(ddof=1)) / m)


def area_interval(estimate: float, error: float, m: int, n: int, level: float) -> ConfidenceInterval:
    """Return the interval of the logit of an area, or Newcombe's where the area or its variance is at a bound."""
    z = float(ndtri(0.5 + level / 2.0))
    if 0.0 < estimate < 1.0 and error > 0.0:
        reach = z * error / (estimate * (1.0 - estimate))
        middle = float(logit(estimate))
        return ConfidenceInterval(float(expit(middle - reach)), float(expit(middle + reach)), level, DELONG)
    return ConfidenceInterval(*_newcombe(estimate, m, n, z), level, AT_BOUND)


def _newcombe(estimate: float, m: int, n: int, z: float) -> tuple[float, float]:
    """Solve |area − θ| = z √V(θ), V(θ) = θ(1 − θ)(1 + N((1 − θ)/(2 − θ) + θ/(1 + θ)))/mn, N = (m + n)/2 − 1."""
    from scipy.optimize import brentq

    def apart(theta: float) -> float:
        spread = 1.0 + ((m + n) / 2.0 - 1.0) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (estimate - theta) ** 2 - z * z * theta * (1 - theta) * spread / (m * n)

    tiny = 1e-12
    low = 0.0 if estimate <= tiny else float(brentq(apart, tiny, min(estimate, 1 - 1e-9)))
    high = 1.0 if estimate >= 1 - tiny else float(brentq(apart, max(estimate, 1e-9), 1 - tiny))
    return low, high


def shares(low: Floats, high: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    """Return sensitivity and specificity of sorted scores at thresholds."""
    over = 1.0 - np.searchsorted(high, thresholds, "left") / len(high)
    return over, np.searchsorted(low, thresholds, "left") / len(low)


def _midpoints(scores: Floats) -> Floats:
    """Return the thresholds between different scores, and the lowest score and one above all."""
    values = np.unique(scores)
    return np.concatenate([values[:1], (values[:-1] + values[1:]) / 2.0, [np.nextafter(values[-1], np.inf)]])


def _best(thresholds: Floats, index: Floats) -> float:
    at = np.flatnonzero(index >= index.max() - 1e-12)
    return float(thresholds[at[(len(at) - 1) // 2]])


def _drawn_cuts(low: Floats, high: Floats, replicates: int, rng: np.random.Generator) -> Floats:
    made = np.empty(replicates)
    for b in range(replicates):
        first, second = (np.sort(part[rng.integers(0, len(part), len(part))]) for part in (low, high))
        at = _midpoints(np.concatenate([first, second]))
        made[b] = _best(at, np.sum(shares(first, second, at), axis=0))
    return made


def _flags(estimate: float, error: float, m: int, n: int, *, chosen: bool) -> tuple[Message, ...]:
    flags = []
    if not 0.0 < estimate < 1.0 or not error > 0.0:
        flags.append(Message("psychometrics.standard_area_at_bound", {}))
    if min(m, n) < LEAST_GROUP:
        flags.append(Message("psychometrics.standard_small_group", {"n": min(m, n), "least": LEAST_GROUP}))
    if chosen:
        flags.append(Message("psychometrics.standard_best_cut", {}))
        if min(m, n) < LEAST_YOUDEN:
            flags.append(Message("psychometrics.standard_cut_unsure", {"n": min(m, n), "least": LEAST_YOUDEN}))
    return tuple(flags)
