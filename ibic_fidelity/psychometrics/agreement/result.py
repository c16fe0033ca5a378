"""The result of every agreement coefficient, and the one way in which they are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats, check_confidence_level, read_only, warn_undefined
from ibic_fidelity.psychometrics.agreement._chance import (
    Chance,
    deviations,
    estimates,
    observed_agreement,
)
from ibic_fidelity.psychometrics.agreement._linearised import (
    carriers,
    number_of,
    of_linear,
    t_interval,
    unreliable,
    unreliable_percentiles,
)
from ibic_fidelity.psychometrics.agreement._ratings import Ratings, read_weights
from ibic_fidelity.psychometrics.resampling import (
    BLOCK,
    PERCENTILE,
    as_generator,
    bootstrap_estimates,
    check_replicates,
    percentile_interval,
)

if TYPE_CHECKING:
    import pandas as pd

PERCENTILE_CLUSTERS = "percentile bootstrap of clusters"

_NAMES = {
    "percent_agreement": "Percent agreement",
    "cohen_kappa": "Cohen's kappa",
    "scott_pi": "Scott's pi",
    "fleiss_kappa": "Fleiss' kappa",
    "conger_kappa": "Conger's kappa",
    "brennan_prediger": "The Brennan–Prediger coefficient",
    "gwet_ac1": "Gwet's AC1",
    "gwet_ac2": "Gwet's AC2",
    "krippendorff_alpha": "Krippendorff's alpha",
}


@dataclass(frozen=True, slots=True, eq=False)
class AgreementCoefficient:
    """Agreement among raters, as `cohen_kappa`, `gwet_ac`, `krippendorff_alpha` and their kin return it.

    Attributes
    ----------
    statistic : str
        Which coefficient: "cohen_kappa", "gwet_ac1", ….
    estimate : float
        The coefficient; 1 is full agreement, 0 agreement as by chance (for percent agreement: none).
    std_error : float
        Linearised standard error, units (or clusters of units, where given) as a random sample.
    std_error_gwet : float
        The same as Gwet and irrCAC give it, with `n_overlap` taken as fixed: too large where many units have one
        rating, equal where none has.
    ci : ConfidenceInterval
        1 − (1 − estimate)·exp(±t·standard error/(1 − estimate)), from t of log(1 − estimate).  Where no unit
        disagrees the lower limit is that of a share; where the standard error is 0 otherwise, NaN.
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over units or clusters, where asked for.
    observed, expected : float
        Agreement observed (weighted, where weights are given) and expected by chance; expected is NaN for
        percent agreement, which has none.
    n, n_overlap : int
        Units used, and those of them with two ratings or more.
    n_raters : int
        Raters with any rating of the units used.
    n_dropped : int
        Units left out by the missing-data rule, or for too few ratings.
    n_clusters : int or None
        Clusters of the units used, those of units with one rating included; None where no clusters were given.
    categories : array of float
        The categories, increasing, unused ones included where they were given.
    weighting : str
        "unweighted", "linear", "quadratic", "ordinal", "given", or Krippendorff's level of measurement.
    weights : array of float or None
        The weights (k, k); None for Krippendorff's alpha, whose differences need no matrix.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which the coefficient is not defined and which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate or its interval is not defined.
    flags : tuple of Message
        What makes an interval say little.
    """

    statistic: str
    estimate: float
    std_error: float
    std_error_gwet: float
    ci: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    observed: float
    expected: float
    n: int
    n_overlap: int
    n_raters: int
    n_dropped: int
    n_clusters: int | None
    categories: Floats
    weighting: str
    weights: Floats | None
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an interval.

        Columns: statistic, n, estimate, std_error, ci_low, ci_high, ci_level, method, reason, observed,
        expected, n_raters, n_categories, weighting, n_clusters (NaN where none were given).
        """
        intervals = [self.ci, *([self.ci_bootstrap] if self.ci_bootstrap else [])]
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        extra = {
            "observed": self.observed,
            "expected": self.expected,
            "n_raters": self.n_raters,
            "n_categories": len(self.categories),
            "weighting": self.weighting,
            "n_clusters": math.nan if self.n_clusters is None else self.n_clusters,
        }
        same: dict[str, Any] = {
            "statistic": self.statistic,
            "n": self.n,
            "estimate": self.estimate,
            "std_error": self.std_error,
            "reason": " ".join(message.text("en") for message in said),
            **extra,
        }
        limits: dict[str, list[Any]] = {
            "ci_low": [ci.low for ci in intervals],
            "ci_high": [ci.high for ci in intervals],
            "ci_level": [ci.confidence_level for ci in intervals],
            "method": [ci.method for ci in intervals],
        }
        columns: dict[str, list[Any]] = {name: [value] * len(intervals) for name, value in same.items()}
        columns.update(limits)
        return table(columns, extra=tuple(extra))

    def summary(self) -> str:
        """Return one line in English, and one a flag."""
        name = _NAMES[self.statistic]
        if math.isnan(self.estimate) and self.reason is not None:
            return f"{name} is not defined: {self.reason.text('en')}"
        parts = [f"{name} ({self.weighting}) {coefficient(self.estimate, 'en')}"]
        for ci in (self.ci, self.ci_bootstrap):
            if ci is not None and not math.isnan(ci.low):
                limits = interval(ci.low, ci.high, "apa", digits=2)
                parts.append(f"{percent(ci.confidence_level, 'en')} interval {limits} ({ci.method})")
        units = f"{self.n} units" if self.n_clusters is None else f"{self.n} units in {self.n_clusters} clusters"
        used = f"{units}, {self.n_raters} raters, {len(self.categories)} categories, {self.n_dropped} left out"
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return "\n".join([f"{', '.join(parts)}, {used}.", *(message.text("en") for message in said)])


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """What every coefficient is asked for, checked."""

    missing: str
    confidence_level: float
    replicates: int
    rng: np.random.Generator | None

    @classmethod
    def checked(cls, missing: str, confidence_level: object, bootstrap: object, rng: object) -> Options:
        """Return the options, or raise."""
        level = check_confidence_level(confidence_level)
        replicates = check_replicates(bootstrap)
        return cls(missing, level, replicates, as_generator(rng, "psychometrics/agreement") if replicates else None)


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """What a coefficient computes: `kernel` gives estimates (B,) of replicates (B, n), `apart` are deviations (n,)."""

    statistic: str
    observed: float
    expected: float
    estimate: float
    apart: Floats
    apart_gwet: Floats
    weighting: str
    weights: Floats | None
    kernel: Callable[[Floats], Floats]


def compute(ratings: Ratings, weights: object, statistic: str, chance: Chance | None) -> Computed:
    """Return a coefficient of the kappa family, or percent agreement without chance."""
    weighting, matrix = read_weights(weights, ratings.values)

    def kernel(replicates: Floats) -> Floats:
        return estimates(ratings, matrix, chance, replicates)

    n = ratings.counts.shape[0]
    observed = expected = estimate = math.nan
    apart = of_gwet = np.full(n, math.nan)
    if ratings.overlapping.any():
        once = np.ones((1, n))
        observed = float(observed_agreement(ratings, matrix, once)[0])
        estimate = float(kernel(once)[0])
        expected = math.nan if chance is None else float(chance.expected(ratings, matrix, once)[0])
        apart = deviations(ratings, matrix, np.asarray(estimate), chance)
        of_gwet = deviations(ratings, matrix, np.asarray(estimate), chance, as_gwet=True)
    return Computed(statistic, observed, expected, estimate, apart, of_gwet, weighting, matrix, kernel)


def result_of(ratings: Ratings, computed: Computed, options: Options) -> AgreementCoefficient:
    """Return the result with its intervals, and warn at the user's call where something is not defined."""
    n, (n_paired, clusters) = ratings.counts.shape[0], ratings.paired
    error = float(of_linear(computed.apart, ratings.clusters, ratings.overlapping))
    room = 1.0 if computed.statistic == "percent_agreement" else 1.0 - computed.expected
    reason = _reason(ratings, computed.estimate, error)
    if reason is not None:
        warn_undefined(reason, stacklevel=4)
    bootstrap, undefined = _bootstrap(ratings, computed, options) if options.replicates else (None, 0)
    least = 0.0 if computed.statistic == "percent_agreement" else -1.0
    return AgreementCoefficient(
        statistic=computed.statistic,
        estimate=computed.estimate,
        std_error=error,
        std_error_gwet=float(of_linear(computed.apart_gwet, ratings.clusters)),
        ci=t_interval(computed.estimate, error, room, n_paired, clusters, options.confidence_level, least),
        ci_bootstrap=bootstrap,
        observed=computed.observed,
        expected=computed.expected,
        n=n,
        n_overlap=int(ratings.overlapping.sum()),
        n_raters=ratings.n_raters,
        n_dropped=ratings.n_dropped,
        n_clusters=ratings.n_clusters,
        categories=read_only(ratings.values),
        weighting=computed.weighting,
        weights=computed.weights,
        n_replicates=options.replicates,
        n_undefined=undefined,
        missing=options.missing,
        reason=reason,
        flags=_flags(ratings, computed, error, options, undefined),
    )


def _bootstrap(ratings: Ratings, computed: Computed, options: Options) -> tuple[ConfidenceInterval, int]:
    """Return the percentile interval over units or clusters, and how many samples have no estimate."""
    kernel, drawn_from = computed.kernel, ratings.counts.shape[0]
    clusters, method = ratings.clusters, PERCENTILE
    if clusters is not None:
        drawn_from, method = ratings.n_clusters or 0, PERCENTILE_CLUSTERS

        def kernel(replicates: Floats) -> Floats:
            parts = np.array_split(replicates, 1 + replicates.shape[0] * len(clusters) // BLOCK)
            return np.concatenate([computed.kernel(part[:, clusters]) for part in parts])

    estimates = np.full(options.replicates, math.nan)
    if drawn_from > 1 and options.rng is not None and not math.isnan(computed.estimate):
        estimates = bootstrap_estimates(kernel, drawn_from, options.replicates, options.rng)
    return percentile_interval(estimates, options.confidence_level, method)


def _flags(ratings: Ratings, computed: Computed, error: float, options: Options, undefined: int) -> tuple[Message, ...]:
    """Return what makes an interval say little."""
    (n, clusters), flags = ratings.paired, []
    of_all = computed.apart, ratings.clusters, ratings.overlapping
    if error == 0.0:
        flags.append(Message("psychometrics.agreement_without_spread", {"n": n}))
    elif not math.isnan(error) and unreliable(*of_all):
        params = {"few": float(carriers(*of_all)), "n": number_of(n, clusters)}
        if clusters is None:
            flags.append(Message("psychometrics.agreement_interval_not_reliable", params))
        else:
            flags.append(Message("psychometrics.agreement_clusters_not_reliable", params))
    if options.replicates and error > 0.0 and unreliable_percentiles(*of_all):
        params = {"n": number_of(n, clusters), "few": float(carriers(computed.apart, None, ratings.overlapping))}
        flags.append(Message("psychometrics.agreement_bootstrap_few", params))
    if undefined and not math.isnan(computed.estimate):
        params = {"n": undefined, "of": options.replicates}
        flags.append(Message("psychometrics.agreement_replicates_undefined", params))
    return tuple(flags)


def _reason(ratings: Ratings, estimate: float, error: float) -> Message | None:
    """Return why the estimate or its interval is not defined."""
    if not ratings.overlapping.any():
        return Message("psychometrics.agreement_no_overlap", {"n": ratings.counts.shape[0]})
    if math.isnan(estimate):
        used = int((ratings.counts.sum(axis=0) > 0).sum())
        return Message("psychometrics.agreement_by_chance_full", {"n": used})
    if math.isnan(error):
        if ratings.paired[0] > 1:
            return Message("psychometrics.agreement_one_cluster", {})
        return Message("psychometrics.agreement_one_unit", {})
    return None
