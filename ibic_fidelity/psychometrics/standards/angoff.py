"""Cuts from judges: the modified Angoff method in rounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy.special import stdtrit

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import (
    COMPLETE_TABLE,
    CompleteTable,
    Floats,
    as_matrix,
    as_vector,
    check_choice,
    check_confidence_level,
    complete_rows,
    dimensions,
    read_only,
    warn_undefined,
)
from ibic_fidelity.psychometrics.intraclass._icc_forms import of_complete
from ibic_fidelity.psychometrics.intraclass._scale_units import shown
from ibic_fidelity.psychometrics.standards._reading import lines

if TYPE_CHECKING:
    import pandas as pd

AngoffItems = Literal["fixed", "random"]
#: Fewer judges than this do not show how much judges differ.
LEAST_JUDGES = 10


@dataclass(frozen=True, slots=True, eq=False)
class ModifiedAngoff:
    """A cut by judges, as `modified_angoff` returns it; arrays by round have shape (R,), by judge (J,).

    Attributes
    ----------
    estimate, std_error, df : float
        The cut of the last round, in the unit of the ratings, its standard error and degrees of freedom.
    ci : ConfidenceInterval
    cuts, std_errors, judge_sd : array of float, shape (R,)
        Of each round: the cut, its standard error, and the standard deviation of the judges' own cuts.
    change : float
        Cut of the last round less that of the first; NaN with one round.
    change_ci : ConfidenceInterval
        By the judges' own changes, t.
    judge_cuts : array of float, shape (R, J)
        Each judge's own cut.
    without_judge : array of float, shape (J,)
        The cut of the last round without each judge.
    components : mapping of str to float
        Variance of judge, item and judge × item in the last round, negative estimates as 0.
    agreement : float
        ICC(A,1) of the last round: how alike single judges rate items, their levels included.
    agreement_ci : ConfidenceInterval
    items : {"fixed", "random"}
    n_judges, n_items, n_rounds, n_dropped : int
        Judges left out by the missing-data rule are dropped.
    reason : Message or None
    flags : tuple of Message
    """

    estimate: float
    std_error: float
    df: float
    ci: ConfidenceInterval
    cuts: Floats
    std_errors: Floats
    judge_sd: Floats
    change: float
    change_ci: ConfidenceInterval
    judge_cuts: Floats
    without_judge: Floats
    components: dict[str, float]
    agreement: float
    agreement_ci: ConfidenceInterval
    items: AngoffItems
    n_judges: int
    n_items: int
    n_rounds: int
    n_dropped: int
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return the cut, its change over rounds, and the judges' agreement: one line each."""
        rows = [
            ("cut", self.estimate, self.ci, self.n_judges),
            ("change", self.change, self.change_ci, self.n_judges),
            ("agreement", self.agreement, self.agreement_ci, self.n_judges),
        ]
        frame: pd.DataFrame = lines(rows, (self.reason, *self.flags))
        return frame

    def summary(self) -> str:
        """Return the cut, its error and how far one judge moves it, in English."""
        moved = float(np.abs(self.without_judge - self.estimate).max())
        said = [
            f"Cut {shown(self.estimate, self.ci)}, SE"
            f" {number(self.std_error, 'en', digits=3)}; {self.n_judges} judges, {self.n_items} items,"
            f" round {self.n_rounds}.",
            f"Leaving one judge out moves it by up to {number(moved, 'en', digits=2)}.",
        ]
        return "\n".join([*said, *(one.text("en") for one in (self.reason, *self.flags) if one is not None)])


def modified_angoff(
    ratings: object,
    *,
    weights: object = None,
    items: AngoffItems = "fixed",
    missing: CompleteTable = "raise",
    confidence_level: float = 0.95,
) -> ModifiedAngoff:
    r"""Return the cut that judges set by the modified Angoff method.

    Each judge states for each item what a site (or person) that only just meets the standard would get; the cut is
    the mean over items and judges. In a round after discussion or feedback they state it again; the last counts.

    Parameters
    ----------
    ratings : array-like of shape (judges, items) or (judges, items, rounds)
        Expected scores, all items on one scale; NaN is missing.
    weights : array-like of shape (items,), optional
        Weights of items in the total, positive; equal by default.
    items : {"fixed", "random"}
        Whether the items define what is judged, or are a sample of those that could have been asked.
    missing : {"raise", "listwise"}
        Raise, or leave out judges with a hole in any round.
    confidence_level : float
        Between 0 and 1.

    Returns
    -------
    ModifiedAngoff
        Cut, standard error, consistency between judges, what each judge moves, and the change over rounds.

    Raises
    ------
    UsageError
        Neither two nor three dimensions, wrong weights, holes under "raise", an unknown option.
    ArgumentTypeError
        Things that are no numbers.

    Warns
    -----
    UndefinedStatisticWarning
        Fewer than two judges: no standard error.

    Notes
    -----
    Judges (j) × items (i) is a crossed random design. With weights :math:`w_i` that sum to 1,

    .. math:: SE^2 = \frac{\sigma_j^2}{n_j} + \sum_i w_i^2\Big([\sigma_i^2] + \frac{\sigma_{ji}^2}{n_j}\Big),

    the variance of items in brackets only where items are random [1]_. With fixed items this is the variance of the
    judges' own cuts over :math:`n_j`, which is what is used, with :math:`n_j - 1` degrees of freedom; with random
    ones the mean squares are combined, with Satterthwaite's. Fewer than ten judges are flagged: the interval holds
    its level for normal judges, but says nothing of another panel's composition. Judges who have talked are not
    independent: after the first round the standard error understates what another panel would give.

    References
    ----------
    .. [1] Brennan, R. L., & Lockwood, R. E. (1980). A comparison of the Nedelsky and Angoff cutting score procedures
       using generalizability theory. Applied Psychological Measurement, 4, 219–240.

    Examples
    --------
    >>> made = modified_angoff([[60, 70, 50], [65, 80, 55], [55, 70, 55], [70, 75, 60]])
    >>> round(made.estimate, 2), round(made.std_error, 2)
    (63.75, 2.19)
    """
    check_choice("items", items, get_args(AngoffItems))
    check_choice("missing", missing, COMPLETE_TABLE)
    level = check_confidence_level(confidence_level)
    rounds, n_dropped = _rounds(ratings, missing)
    n_judges, n_items = rounds.shape[1:]
    share = _weights(weights, n_items)
    own = rounds @ share  # (R, J)
    cuts = own.mean(axis=1)
    judge_sd = own.std(axis=1, ddof=1) if n_judges > 1 else np.full(len(own), math.nan)
    errors = [cut_error(one, mine, share, items) for one, mine in zip(rounds, own, strict=True)]
    error, df = errors[-1]
    reason = None if n_judges > 1 else Message("psychometrics.standard_one_judge", {})
    flags = [Message("psychometrics.standard_few_judges", {"n": n_judges, "least": LEAST_JUDGES})]
    agreement, agreement_ci = _agreement(rounds[-1], level)
    changes = own[-1] - own[0]
    change_error = float(changes.std(ddof=1)) / math.sqrt(n_judges) if n_judges > 1 and len(own) > 1 else math.nan
    change = float(changes.mean()) if len(own) > 1 else math.nan
    if reason is not None:
        warn_undefined(reason)
    return ModifiedAngoff(
        estimate=float(cuts[-1]),
        std_error=error,
        df=df,
        ci=t_interval(float(cuts[-1]), error, df, level),
        cuts=read_only(cuts),
        std_errors=read_only(np.array([one for one, _ in errors])),
        judge_sd=read_only(judge_sd),
        change=change,
        change_ci=t_interval(change, change_error, n_judges - 1.0, level),
        judge_cuts=read_only(own),
        without_judge=read_only((own[-1].sum() - own[-1]) / (n_judges - 1) if n_judges > 1 else own[-1] * math.nan),
        components=_components(rounds[-1]),
        agreement=agreement,
        agreement_ci=agreement_ci,
        items=items,
        n_judges=n_judges,
        n_items=n_items,
        n_rounds=len(rounds),
        n_dropped=n_dropped,
        reason=reason,
        flags=tuple(flags) if 1 < n_judges < LEAST_JUDGES else (),
    )


def _rounds(ratings: object, missing: str) -> tuple[Floats, int]:
    """Return the ratings (rounds, judges, items) of judges without a hole, and how many have one."""
    cube = np.asarray(ratings) if dimensions(ratings) == 3 else None
    slices = [ratings] if cube is None else [cube[:, :, at] for at in range(cube.shape[2])]
    tables = [as_matrix(one, argument="ratings") for one in slices]
    if not tables or not tables[0].cells.shape[0]:
        raise UsageError("psychometrics.standard_no_judges")
    whole = [complete_rows(one.cells, one.labels, missing, argument="ratings") for one in tables]
    used = np.logical_and.reduce(whole)
    if not used.any():
        raise UsageError("psychometrics.standard_no_judges")
    return np.stack([one.cells[used] for one in tables]), int((~used).sum())


def _weights(weights: object, n_items: int) -> Floats:
    if weights is None:
        return np.full(n_items, 1.0 / n_items)
    given = as_vector(weights, argument="weights")
    if len(given) != n_items:
        raise UsageError("psychometrics.lengths_differ", argument="weights", n=len(given), data="items", rows=n_items)
    if not np.all(given > 0):
        raise UsageError("psychometrics.standard_weights")
    return np.asarray(given / given.sum())


def _squares(x: Floats) -> tuple[float, float, float]:
    """Return the mean squares of judges, items and their interaction of a table (J, I); NaN where not defined."""
    j, i = x.shape
    rest = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
    of_judges = i * np.square(x.mean(axis=1) - x.mean()).sum() / (j - 1) if j > 1 else math.nan
    of_items = j * np.square(x.mean(axis=0) - x.mean()).sum() / (i - 1) if i > 1 else math.nan
    return (
        float(of_judges),
        float(of_items),
        float(np.square(rest).sum() / ((j - 1) * (i - 1)) if min(i, j) > 1 else math.nan),
    )


def _components(x: Floats) -> dict[str, float]:
    judges, items, rest = _squares(x)
    j, i = x.shape
    parts = {"judge": (judges - rest) / i, "item": (items - rest) / j, "judge x item": rest}
    return {name: max(value, 0.0) if math.isfinite(value) else math.nan for name, value in parts.items()}


def cut_error(x: Floats, own: Floats, share: Floats, items: str) -> tuple[float, float]:
    """Return the standard error of a round's cut and its degrees of freedom."""
    j, i = x.shape
    if j < 2:
        return math.nan, math.nan
    if items == "fixed" or i < 2:
        return float(own.std(ddof=1)) / math.sqrt(j), j - 1.0
    squares = np.array(_squares(x))
    weight = np.array([1.0 / i, float(np.square(share).sum()), -1.0 / i]) / j
    variance = float(weight @ squares)
    least = float(own.var(ddof=1)) / j  # that of judges alone, where the items' part is estimated below 0
    if variance <= least:
        return math.sqrt(least), j - 1.0
    df = np.array([j - 1.0, i - 1.0, (j - 1.0) * (i - 1.0)])
    return math.sqrt(variance), variance**2 / float(((weight * squares) ** 2 / df).sum())


def _agreement(x: Floats, level: float) -> tuple[float, ConfidenceInterval]:
    if min(x.shape) < 2:
        return math.nan, ConfidenceInterval(math.nan, math.nan, level, "none")
    form = of_complete(x.T, "agreement", "single", level)
    return form.estimate, form.ci


def t_interval(estimate: float, error: float, df: float, level: float) -> ConfidenceInterval:
    """Return estimate ± t · standard error, NaN where there is no error."""
    reach = float(stdtrit(df, 0.5 + level / 2.0)) * error if math.isfinite(error) else math.nan
    return ConfidenceInterval(estimate - reach, estimate + reach, level, "t over judges")
