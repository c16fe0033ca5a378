"""How often sites are put into the right band, and into the same band again, given the error of their scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number, percent
from ibic_fidelity.foundation.results import table
from ibic_fidelity.psychometrics._arguments import (
    Floats,
    as_vector,
    check_choice,
    complete_rows,
    read_only,
)
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE, distribution

if TYPE_CHECKING:
    import pandas as pd

TrueScores = Literal["normal", "observed"]
#: Fewer sites than this do not tell how true scores are spread.
LEAST_SITES = 20


@dataclass(frozen=True, slots=True, eq=False)
class ClassificationAccuracy:
    """Expected accuracy and consistency of bands, as `classification_accuracy` returns them.

    Attributes
    ----------
    accuracy : float
        Expected share of sites whose observed band is that of their true score.
    consistency : float
        Expected share of sites in the same band by two independent measurements.
    kappa : float
        Consistency beyond what two measurements of unrelated sites of the same spread would have.
    false_positive, false_negative : array of float, shape (K,)
        At each cut, the share of sites at or over it whose true score is under it, and the other way round.
    cut_accuracy : array of float, shape (K,)
        At each cut, 1 less both.
    site_accuracy : array of float, shape (n,)
        For each site, the probability that its true score is in the band it was put into.
    mean, true_sd, reliability : float
        Of true scores; reliability is their variance over that and the mean error variance.
    cuts : array of float, shape (K,)
    true_scores : {"normal", "observed"}
    n : int
    flags : tuple of Message
    """

    accuracy: float
    consistency: float
    kappa: float
    false_positive: Floats
    false_negative: Floats
    cut_accuracy: Floats
    site_accuracy: Floats
    mean: float
    true_sd: float
    reliability: float
    cuts: Floats
    true_scores: TrueScores
    n: int
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line each of accuracy, consistency and kappa, and three a cut; without intervals."""
        names: list[tuple[str, float, float]] = [
            (name, math.nan, getattr(self, name)) for name in ("accuracy", "consistency", "kappa")
        ]
        for name in ("cut_accuracy", "false_positive", "false_negative"):
            names += [(name, cut, value) for cut, value in zip(self.cuts, getattr(self, name), strict=True)]
        columns: dict[str, Any] = {
            "statistic": [name for name, *_ in names],
            "n": [self.n] * len(names),
            "estimate": [float(value) for *_, value in names],
            "reason": [" ".join(flag.text("en") for flag in self.flags)] * len(names),
            "cut": [float(cut) for _, cut, _ in names],
        }
        return table(columns, extra=("cut",))

    def summary(self) -> str:
        """Return accuracy, consistency and the false shares at each cut in English."""
        said = [
            f"Accuracy {percent(self.accuracy, 'en')}, consistency {percent(self.consistency, 'en')},"
            f" kappa {number(self.kappa, 'apa', digits=2)}; {self.n} sites, reliability"
            f" {number(self.reliability, 'apa', digits=2)}."
        ]
        for cut, over, under in zip(self.cuts, self.false_positive, self.false_negative, strict=True):
            said.append(
                f"Cut {number(cut, 'en', digits=1)}: {percent(over, 'en')} wrongly over, {percent(under, 'en')} wrongly"
                " under."
            )
        return "\n".join([*said, *(flag.text("en") for flag in self.flags)])


def classification_accuracy(
    y: object, *, std_error: object, cuts: object, true_scores: TrueScores = "normal"
) -> ClassificationAccuracy:
    r"""Return how well sites are classified by cuts, given the standard errors of their scores.

    Parameters
    ----------
    y : array-like of shape (n,)
        Scores of sites; no missing ones.
    std_error : array-like of shape (n,)
        Their standard errors, 0 or more, in the same unit.
    cuts : array-like of shape (K,)
        Rising cuts; a score on a cut is over it.
    true_scores : {"normal", "observed"}
        Take true scores as normal, with the mean and variance that fit scores and errors, or as lying where
        the observed ones lie (Rudner), which has them too far apart.

    Returns
    -------
    ClassificationAccuracy
        Expected accuracy, consistency, kappa and shares of false positives and negatives.

    Raises
    ------
    UsageError
        Holes, negative errors, cuts that do not rise, fewer than two sites, an unknown option.
    ArgumentTypeError
        Things that are no numbers.

    Notes
    -----
    With true scores :math:`\theta \sim N(\mu, \tau^2)` (REML from scores and known errors) and
    :math:`y_i \mid \theta \sim N(\theta, s_i^2)`, score and true score of a site are bivariate normal with
    correlation :math:`\tau/\sqrt{\tau^2 + s_i^2}`, and two scores of it with the square of that. Accuracy and
    consistency are the probabilities that both are in the same band, in the mean over sites: Livingston and Lewis'
    [1]_ idea with a normal instead of a beta distribution, and each site's own error. "observed" is Rudner's [2]_:
    :math:`\theta` is put at each observed score; with reliability .6 and three bands it has kappa at .40 where it
    is .30. No intervals are given: the uncertainty of :math:`\mu` and :math:`\tau` is not in these figures, and
    fewer than 20 sites are flagged.

    References
    ----------
    .. [1] Livingston, S. A., & Lewis, C. (1995). Estimating the consistency and accuracy of classifications based on
       test scores. Journal of Educational Measurement, 32, 179–197.
    .. [2] Rudner, L. M. (2005). Expected classification accuracy. Practical Assessment, Research & Evaluation, 10(13).

    Examples
    --------
    >>> made = classification_accuracy([45, 55, 62, 70, 81], std_error=[0] * 5, cuts=[50, 75])
    >>> made.accuracy, made.consistency, made.kappa
    (1.0, 1.0, 1.0)
    """
    check_choice("true_scores", true_scores, get_args(TrueScores))
    scores, errors, at = as_vector(y), as_vector(std_error, argument="std_error"), as_vector(cuts, argument="cuts")
    for name, values in (("y", scores), ("std_error", errors), ("cuts", at)):
        complete_rows(values[:, np.newaxis], ("1",), "raise", argument=name)
    n = len(scores)
    if len(errors) != n:
        raise UsageError("psychometrics.lengths_differ", argument="std_error", n=len(errors), data="y", rows=n)
    if n < 2 or (errors < 0).any():
        raise UsageError("psychometrics.standard_errors")
    if not len(at) or (np.diff(at) <= 0).any():
        raise UsageError("psychometrics.standard_cuts_rise")
    mean, variance = between_variance(scores, errors)
    if true_scores == "normal":
        centre, spread = np.full(n, mean), np.full(n, math.sqrt(variance))
    else:
        centre, spread = scores, np.zeros(n)
    made = _expected(centre, spread, errors, at)
    whole = variance + float(np.mean(errors**2))
    return ClassificationAccuracy(
        accuracy=made[0],
        consistency=made[1],
        kappa=made[2],
        false_positive=read_only(made[3]),
        false_negative=read_only(made[4]),
        cut_accuracy=read_only(1.0 - made[3] - made[4]),
        site_accuracy=read_only(_of_sites(scores, errors, at, mean, variance, true_scores)),
        mean=mean,
        true_sd=math.sqrt(variance),
        reliability=variance / whole if whole > 0 else math.nan,
        cuts=at,
        true_scores=true_scores,
        n=n,
        flags=_flags(n, variance, true_scores),
    )


def between_variance(y: Floats, errors: Floats) -> tuple[float, float]:
    """Return mean and variance of true scores by REML, the errors known."""
    squares = np.square(errors)
    top = float(np.var(y, ddof=1)) * 10.0
    if top == 0.0 or not squares.any():
        return float(y.mean()), top / 10.0

    def criterion(variance: float) -> float:
        weight = 1.0 / (variance + squares + 1e-12 * top)
        mean = (weight @ y) / weight.sum()
        return float(-np.log(weight).sum() + np.log(weight.sum()) + weight @ np.square(y - mean))

    found = minimize_scalar(criterion, bounds=(0.0, top), method="bounded", options={"xatol": 1e-9 * top})
    variance = float(found.x) if criterion(float(found.x)) < criterion(0.0) else 0.0
    weight = 1.0 / np.maximum(variance + squares, 1e-12 * top)
    return float((weight @ y) / weight.sum()), variance


def _expected(
    centre: Floats, spread: Floats, errors: Floats, cuts: Floats
) -> tuple[float, float, float, Floats, Floats]:
    """Return accuracy, consistency, kappa, and false shares at each cut, in the mean over sites."""
    observed = np.sqrt(spread**2 + errors**2)
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    of_true, of_score = _standard(edges, centre, spread), _standard(edges, centre, observed)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.where(observed > 0, spread / observed, 1.0)
    both = _joint(of_true, of_score, rho)
    twice = _joint(of_score, of_score, rho**2)
    accuracy, consistency = (float(_same_band(one).mean()) for one in (both, twice))
    share = np.diff(ndtr(of_score).mean(axis=0))
    chance = float(np.square(share).sum())
    kappa = (consistency - chance) / (1.0 - chance) if chance < 1.0 - 1e-12 else math.nan
    inner = np.arange(1, len(cuts) + 1)
    under_both = both[:, inner, inner]
    over = ndtr(of_true)[:, inner] - under_both  # truly under, observed at or over
    under = ndtr(of_score)[:, inner] - under_both
    return accuracy, consistency, float(kappa), np.clip(over.mean(axis=0), 0, 1), np.clip(under.mean(axis=0), 0, 1)


def _standard(edges: Floats, centre: Floats, spread: Floats) -> Floats:
    """Return edges in standard deviations (n, K + 2); a score on a cut is over it."""
    gap = edges - centre[:, np.newaxis]
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.where(spread[:, np.newaxis] > 0, gap / spread[:, np.newaxis], np.where(gap > 0, np.inf, -np.inf))
    return np.clip(made, -INFINITE, INFINITE)


def _joint(a: Floats, b: Floats, rho: Floats) -> Floats:
    """Return P(first < a_i, second < b_j) (n, r, c) of bivariate normals, ρ from 0 to 1."""
    made = np.minimum(ndtr(a)[:, :, np.newaxis], ndtr(b)[:, np.newaxis, :])  # as ρ = 1 has it
    inside = np.flatnonzero(rho < 1.0 - 1e-14)
    if inside.size:
        made[inside] = distribution(a[inside], b[inside], rho[inside])
    return made


def _same_band(joint: Floats) -> Floats:
    """Return the probability (n,) that both are in the same band."""
    inside = joint[:, 1:, 1:] - joint[:, :-1, 1:] - joint[:, 1:, :-1] + joint[:, :-1, :-1]
    return np.asarray(np.clip(np.trace(inside, axis1=1, axis2=2), 0.0, 1.0))


def _of_sites(y: Floats, errors: Floats, cuts: Floats, mean: float, variance: float, true_scores: str) -> Floats:
    """Return for each site the probability that its true score is in its observed band."""
    centre, spread = y, errors
    if true_scores == "normal":
        whole = variance + errors**2
        shrink = np.divide(variance, whole, out=np.ones_like(whole), where=whole > 0)
        centre, spread = mean + shrink * (y - mean), np.sqrt(shrink) * errors
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    place = np.searchsorted(cuts, y, side="right")
    below = ndtr(_standard(edges, centre, spread))
    rows = np.arange(len(y))
    return np.asarray(below[rows, place + 1] - below[rows, place])


def _flags(n: int, variance: float, true_scores: str) -> tuple[Message, ...]:
    flags = []
    if n < LEAST_SITES:
        flags.append(Message("psychometrics.standard_few_sites", {"n": n, "least": LEAST_SITES}))
    if variance == 0.0:
        flags.append(Message("psychometrics.standard_no_true_spread", {}))
    if true_scores == "observed":
        flags.append(Message("psychometrics.standard_observed", {}))
    return tuple(flags)
