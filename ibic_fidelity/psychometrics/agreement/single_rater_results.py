"""What is said of each rater by itself: agreement with the other raters, and with a gold standard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

CERTIFIED, NOT_CERTIFIED, NOT_DECIDED = "certified", "not_certified", "not_decided"
_WORDS = {
    CERTIFIED: "Certified by the point estimate",
    NOT_CERTIFIED: "Not certified",
    NOT_DECIDED: "Not decided",
}


@dataclass(frozen=True, slots=True, eq=False)
class RaterAgreement:
    """Each rater's agreement with the other raters, as `leave_one_out_agreement` returns it.

    Attributes
    ----------
    raters : tuple of str
        The raters, columns of the data.
    estimate, std_error : array of float, shape (raters,)
        Kappa of the rater's ratings with those of the others, and its linearised standard error.
    ci : tuple of ConfidenceInterval
        From t of log(1 − estimate).
    observed : array of float, shape (raters,)
        Weighted agreement with the others, not corrected for chance.
    rater_units : array of int, shape (raters,)
        Units that the rater shares with another.
    n, n_dropped : int
        Units with two ratings or more, and others.
    n_clusters : int or None
        Clusters of the units used, None where no clusters were given.
    categories : array of float
        The categories, increasing.
    weighting : str
        "unweighted", "linear", "quadratic", "ordinal" or "given".
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    rater_reasons : tuple of Message or None
        Why a rater's figures are not defined.
    flags : tuple of Message
        What makes an interval say little.
    """

    raters: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    ci: tuple[ConfidenceInterval, ...]
    observed: Floats
    rater_units: Integers
    n: int
    n_dropped: int
    n_clusters: int | None
    categories: Floats
    weighting: str
    missing: str
    reason: Message | None
    rater_reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a rater.

        Columns: statistic, n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, rater, observed.
        """
        extra = {"rater": list(self.raters), "observed": self.observed.tolist()}
        return rater_table("kappa_with_others", self, extra)

    def summary(self) -> str:
        """Return one line a rater in English, and one a reason or flag."""
        return "\n".join([*rater_lines(self), *said_of(self)])


@dataclass(frozen=True, slots=True, eq=False)
class RaterCertification:
    """Each rater beside a gold standard, as `certify_raters` returns it.

    Attributes
    ----------
    raters : tuple of str
        The raters, columns of the data.
    verdict : tuple of str
        "certified" (by the point estimate), "not_certified" or "not_decided".
    lower_limit : array of float, shape (raters,)
        One-sided lower limit of kappa that allows for files, or units, worse than any that were seen, of half the
        error of the interval; not above its lower limit, but where the standard error is 0.
    lower_limit_passes : tuple of bool
        Whether this limit, too, is at least `least_kappa`; False where there is none.
    estimate, std_error : array of float, shape (raters,)
        Cohen's kappa with the gold standard, weighted as asked for, and its linearised standard error.
    ci : tuple of ConfidenceInterval
        From t of log(1 − estimate).
    percent : array of float, shape (raters,)
        Share of units on which the rater gave the very category of the gold standard.
    mean_deviation : array of float, shape (raters,)
        Mean of rating − gold standard; positive where the rater rates higher.
    rater_units : array of int, shape (raters,)
        Units with a rating and a gold standard.
    rater_clusters : array of int or None
        Clusters of these units, None where no clusters were given.
    least_kappa, least_units : float, int
        The rule.
    n, n_dropped : int
        Units used, and those left out by the missing-data rule or without a gold standard.
    n_clusters : int or None
        Clusters of the units used, None where no clusters were given.
    categories : array of float
        The categories, increasing.
    weighting : str
        "unweighted", "linear", "quadratic", "ordinal" or "given".
    missing : str
        The missing-data rule.
    reason : Message or None
        Why something is not defined.
    rater_reasons : tuple of Message or None
        Why a rater is not decided, or has no interval.
    flags : tuple of Message
        What makes an interval say little.
    """

    raters: tuple[str, ...]
    verdict: tuple[str, ...]
    lower_limit: Floats
    lower_limit_passes: tuple[bool, ...]
    estimate: Floats
    std_error: Floats
    ci: tuple[ConfidenceInterval, ...]
    percent: Floats
    mean_deviation: Floats
    rater_units: Integers
    rater_clusters: Integers | None
    least_kappa: float
    least_units: int
    n: int
    n_dropped: int
    n_clusters: int | None
    categories: Floats
    weighting: str
    missing: str
    reason: Message | None
    rater_reasons: tuple[Message | None, ...]
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a rater.

        Columns: statistic, n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, rater, verdict,
        lower_limit, lower_limit_passes, percent, mean_deviation.
        """
        extra = {
            "rater": list(self.raters),
            "verdict": list(self.verdict),
            "lower_limit": self.lower_limit.tolist(),
            "lower_limit_passes": list(self.lower_limit_passes),
            "percent": self.percent.tolist(),
            "mean_deviation": self.mean_deviation.tolist(),
        }
        return rater_table("kappa_with_gold", self, extra)

    def summary(self) -> str:
        """Return one line a rater in English, and one a reason or flag."""
        words = [_WORDS[verdict] for verdict in self.verdict]
        for i, passes in enumerate(self.lower_limit_passes):
            if self.verdict[i] == CERTIFIED:
                words[i] += ", and by the lower limit" if passes else ", not by the lower limit"
        lines = [f"{line} {word}." for line, word in zip(rater_lines(self), words, strict=True)]
        return "\n".join([*lines, *said_of(self)])


def rater_table(
    statistic: str, result: RaterAgreement | RaterCertification, extra: Mapping[str, Sequence[Any]]
) -> pd.DataFrame:
    """Return one line a rater with the declared columns, `extra` ones last."""
    return table(
        {
            "statistic": [statistic] * len(result.raters),
            "n": result.rater_units.tolist(),
            "estimate": result.estimate.tolist(),
            "std_error": result.std_error.tolist(),
            "ci_low": [ci.low for ci in result.ci],
            "ci_high": [ci.high for ci in result.ci],
            "ci_level": [ci.confidence_level for ci in result.ci],
            "method": [ci.method for ci in result.ci],
            "reason": [reason.text("en") if reason else "" for reason in result.rater_reasons],
            **extra,
        },
        extra=tuple(extra),
    )


def rater_lines(result: RaterAgreement | RaterCertification) -> list[str]:
    """Return one line a rater: kappa, its interval and the units."""
    lines = []
    each = zip(result.raters, result.estimate.tolist(), result.ci, result.rater_units.tolist(), strict=True)
    for rater, kappa, ci, n in each:
        shown = "kappa is not defined"
        if not math.isnan(kappa):
            shown = f"kappa ({result.weighting}) {coefficient(kappa, 'en')}"
        if not math.isnan(ci.low):
            shown += f", {percent(ci.confidence_level, 'en')} interval {interval(ci.low, ci.high, 'apa', digits=2)}"
        lines.append(f"Rater {rater}: {shown}, {n} units.")
    return lines


def said_of(result: RaterAgreement | RaterCertification) -> list[str]:
    """Return the reasons and flags, each once."""
    said = [*(reason for reason in result.rater_reasons if reason), *result.flags]
    return list(dict.fromkeys(message.text("en") for message in said))
