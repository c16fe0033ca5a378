"""The cut between a group known to be above a standard and one known to be below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    CompleteTable,
    Floats,
    check_choice,
    check_confidence_level,
    warn_undefined,
)
from ibic_fidelity.psychometrics.intraclass._scale_units import shown
from ibic_fidelity.psychometrics.resampling import as_generator, check_replicates, percentile_interval
from ibic_fidelity.psychometrics.standards._reading import lines, read_two_groups

if TYPE_CHECKING:
    import pandas as pd

Crossing = Literal["logistic", "normal"]
METHOD = "percentile bootstrap within groups"
#: Fewer than this in a group, and the percentile interval covers too little.
LEAST_GROUP = 50
_STEPS, _SETTLED = 50, 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class ContrastingGroups:
    """A cut between two known groups, as `contrasting_groups` returns it.

    Attributes
    ----------
    estimate : float
        The cut, in the unit of the scores; NaN where `reason` says why.
    ci : ConfidenceInterval
    crossing : {"logistic", "normal"}
    below_above, above_below : float
        Share of the group below at or over the cut, and of the group above under it.
    n_above, n_below, n_dropped : int
    undefined : int
        Bootstrap replicates without a cut.
    reason : Message or None
    flags : tuple of Message
    """

    estimate: float
    ci: ConfidenceInterval
    crossing: Crossing
    below_above: float
    above_below: float
    n_above: int
    n_below: int
    n_dropped: int
    undefined: int
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line."""
        rows = [("cut", self.estimate, self.ci, self.n_above + self.n_below)]
        frame: pd.DataFrame = lines(rows, (self.reason, *self.flags))
        return frame

    def summary(self) -> str:
        """Return the cut and whom it puts on the other side, in English."""
        said = [
            f"Cut {shown(self.estimate, self.ci)}, {self.crossing}; {self.n_above} above, {self.n_below} below.",
            f"Of those below {percent(self.below_above, 'en')} are over it, of those above"
            f" {percent(self.above_below, 'en')} are under it.",
        ]
        return "\n".join([*said, *(one.text("en") for one in (self.reason, *self.flags) if one is not None)])


def contrasting_groups(
    y: object,
    groups: object,
    *,
    above: object,
    crossing: Crossing = "logistic",
    missing: CompleteTable = "raise",
    bootstrap: int = 2000,
    rng: np.random.Generator | int = 0,
    confidence_level: float = 0.95,
) -> ContrastingGroups:
    r"""Return the cut at which a score is as likely in a group above a standard as in one below it.

    Parameters
    ----------
    y : array-like of shape (n,)
        Scores, high is good.
    groups : array-like of shape (n,)
        Which of two groups each is of, known otherwise than from the score.
    above : label
        The group that is above the standard.
    crossing : {"logistic", "normal"}
        Where logistic regression gives both groups the same odds, or where two normal densities cross.
    missing : {"raise", "listwise"}
        Raise, or leave out rows without score or group.
    bootstrap : int
        Replicates for the interval; 0 for none.
    rng : numpy.random.Generator or int
        A generator, or a seed of a stream of its own.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ContrastingGroups
        The cut with its interval, and the shares on the wrong side of it.

    Raises
    ------
    UsageError
        Not two groups, `above` not one of them, holes under "raise", an unknown option.
    ArgumentTypeError
        Things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        The group above does not score higher, or a group has no spread (normal densities): NaN.

    Notes
    -----
    How many there are of each group is the study's choice and does not move the cut: with the logistic line
    :math:`a + by` it is :math:`-(a - \log(n_1/n_0))/b` [1]_. Where the groups do not overlap, the line has no end and
    the cut is the middle of the gap, flagged. Two normal densities, each with its group's mean and variance, cross once
    between the means, or the cut is not defined.

    The interval covers .93–.96 with 50 in a group; with 10 or 20 it covers .90–.95, and below 50 it is flagged
    (``calibration/standards_coverage.csv``).

    References
    ----------
    .. [1] Livingston, S. A., & Zieky, M. J. (1982). Passing scores. Educational Testing Service.

    Examples
    --------
    >>> y = [41, 48, 52, 55, 60, 51, 58, 66, 71, 80]
    >>> made = contrasting_groups(y, [0] * 5 + [1] * 5, above=1, bootstrap=0)
    >>> round(made.estimate, 1)
    57.2
    """
    check_choice("crossing", crossing, get_args(Crossing))
    level = check_confidence_level(confidence_level)
    replicates = check_replicates(bootstrap)
    generator = as_generator(rng, "standards/contrasting")
    two = read_two_groups(y, groups, above, missing)
    m, n = len(two.below), len(two.above)
    if min(m, n) < 2:
        raise UsageError("psychometrics.standard_group_of_one")
    kernel = logistic_cut if crossing == "logistic" else normal_cut
    cut = float(kernel(two.below[np.newaxis], two.above[np.newaxis])[0])
    low, high = (
        part[generator.integers(0, len(part), (replicates if math.isfinite(cut) else 0, len(part)))]
        for part in (two.below, two.above)
    )
    drawn = kernel(low, high) if len(low) else np.empty(0)
    ci, undefined = percentile_interval(drawn, level, METHOD if len(drawn) else "none")
    reason = None if math.isfinite(cut) else Message("psychometrics.standard_no_crossing", {})
    if reason is not None:
        warn_undefined(reason)
    flags = []
    if min(m, n) < LEAST_GROUP:
        flags.append(Message("psychometrics.standard_small_group", {"n": min(m, n), "least": LEAST_GROUP}))
    if crossing == "logistic" and two.below[-1] < two.above[0]:
        flags.append(Message("psychometrics.standard_no_overlap", {}))
    if undefined:
        flags.append(Message("psychometrics.standard_replicates", {"n": undefined, "of": len(drawn)}))
    return ContrastingGroups(
        estimate=cut,
        ci=ci,
        crossing=crossing,
        below_above=float((two.below >= cut).mean()) if reason is None else math.nan,
        above_below=float((two.above < cut).mean()) if reason is None else math.nan,
        n_above=n,
        n_below=m,
        n_dropped=two.n_dropped,
        undefined=undefined,
        reason=reason,
        flags=tuple(flags),
    )


def logistic_cut(low: Floats, high: Floats) -> Floats:
    """Return the cuts (B,) by logistic regression of scores below (B, m) and above (B, n), group sizes taken out."""
    y = np.concatenate([low, high], axis=1)
    middle, scale = y.mean(axis=1, keepdims=True), np.maximum(y.std(axis=1, keepdims=True), 1e-300)
    x = (y - middle) / scale
    is_high = np.r_[np.zeros(low.shape[1]), np.ones(high.shape[1])]
    ordered = high.mean(axis=1) > low.mean(axis=1)
    gap = low.max(axis=1) < high.min(axis=1)
    touching = ~gap & (low.max(axis=1) <= high.min(axis=1))  # one tie between them: no end either
    a, b = np.full(len(x), math.log(high.shape[1] / low.shape[1])), np.zeros(len(x))
    for _ in range(_STEPS):
        with np.errstate(over="ignore"):
            p = 1.0 / (1.0 + np.exp(-(a[:, None] + b[:, None] * x)))
        w = np.maximum(p * (1.0 - p), 1e-12)
        r = is_high - p
        s0, s1, s2 = w.sum(axis=1), (w * x).sum(axis=1), (w * x * x).sum(axis=1)
        g0, g1 = r.sum(axis=1), (r * x).sum(axis=1)
        det = np.maximum(s0 * s2 - s1 * s1, 1e-300)
        da, db = (s2 * g0 - s1 * g1) / det, (s0 * g1 - s1 * g0) / det
        size = np.maximum(np.hypot(da, db) / 5.0, 1.0)  # long steps are shortened
        a, b = a + da / size, b + db / size
        if np.all((np.abs(da) + np.abs(db) < _SETTLED) | gap | touching | ~ordered):
            break
    with np.errstate(divide="ignore", invalid="ignore"):
        cut = middle[:, 0] - scale[:, 0] * (a - math.log(high.shape[1] / low.shape[1])) / b
    cut = np.where(gap | touching, (low.max(axis=1) + high.min(axis=1)) / 2.0, cut)
    return np.asarray(np.where(ordered, cut, math.nan))


def normal_cut(low: Floats, high: Floats) -> Floats:
    """Return the cuts (B,) where normal densities with the means and variances of both groups cross between them."""
    m0, m1 = low.mean(axis=1), high.mean(axis=1)
    v0, v1 = low.var(axis=1, ddof=1), high.var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = 1.0 / v0 - 1.0 / v1
        b = m0 / v0 - m1 / v1
        c = m0**2 / v0 - m1**2 / v1 + np.log(v0 / v1)
        root = np.sqrt(np.maximum(b * b - a * c, 0.0))
        # a y² − 2b y + c = 0; the form that does not cancel where variances are nearly equal
        q = b + np.where(b >= 0, root, -root)
        roots = np.stack([c / q, q / a])
        inside = (roots >= m0) & (roots <= m1) & np.isfinite(roots)
        made = np.where(inside[0], roots[0], np.where(inside[1], roots[1], math.nan))
    return np.asarray(np.where((m1 > m0) & (b * b - a * c >= 0), made, math.nan))
