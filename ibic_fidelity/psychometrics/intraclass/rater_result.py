"""What `intraclass_correlation` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval, table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class IntraclassCorrelation:
    """One of the six intraclass correlations, as `intraclass_correlation` returns it.

    Attributes
    ----------
    estimate : float
        The coefficient; by the analysis of variance not cut at zero.
    ci : ConfidenceInterval
        McGraw and Wong's interval for a complete table; with holes Wald's exact one, or for agreement the
        modified large-sample one.
    ci_modified : ConfidenceInterval or None
        The modified large-sample interval of agreement, to be preferred to McGraw and Wong's; None for the other
        forms.
    ci_adjusted : ConfidenceInterval
        **The interval to use first**: the modified one of agreement, or the exact one of the other forms, with degrees
        of freedom that the spread of the targets themselves allows, or that of clusters of targets, where given.
    ci_bootstrap : ConfidenceInterval or None
        Percentile bootstrap over targets, or clusters of targets, if asked for.
    n, n_raters, n_ratings : int
        Targets used, counted after the missing-data rule, raters, and ratings.
    n_clusters : int or None
        Clusters of the targets used, None where no clusters were given.
    n_dropped : int
        Targets left out by ``missing="listwise"``, or without any rating, or without a cluster.
    n_holes : int
        Missing ratings of the targets and raters used.
    definition, unit : str
        As asked for.
    form : str
        McGraw and Wong's name, such as "ICC(A,1)"; one-way ones are "ICC(1)" and "ICC(k)".
    method : str
        "ANOVA" for a complete table, "REML" (a mixed model) for one with holes.
    ratings_per_target : float
        The k of the average forms: the raters, or with holes the harmonic mean of the ratings a target.
    variance_targets, variance_raters, variance_residual : float
        Components of variance; in the one-way forms raters are a part of the residual, and theirs is NaN.
    f_value, p_value : float
        Exact F test of the hypothesis that targets do not differ (that the coefficient is 0).
    df1, df2 : int
        Its degrees of freedom.
    mean_square_targets, mean_square_raters, mean_square_residual, mean_square_within : float
        Of the two-way analysis of variance; within targets is raters and residual together.  With holes those
        of targets and raters are adjusted for each other.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which the coefficient is not defined.
    raters : tuple of str
        The labels of the raters used.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the coefficient is not defined.
    flags : tuple of Message
        Whether an interval is not reliable with these ratings.
    notes : tuple of Message
        That a mixed model was used, and what became of it.
    """

    estimate: float
    ci: ConfidenceInterval
    ci_modified: ConfidenceInterval | None
    ci_adjusted: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    n: int
    n_raters: int
    n_ratings: int
    n_clusters: int | None
    n_dropped: int
    n_holes: int
    definition: str
    unit: str
    form: str
    method: str
    ratings_per_target: float
    variance_targets: float
    variance_raters: float
    variance_residual: float
    f_value: float
    p_value: float
    df1: int
    df2: int
    mean_square_targets: float
    mean_square_raters: float
    mean_square_residual: float
    mean_square_within: float
    n_replicates: int
    n_undefined: int
    raters: tuple[str, ...]
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]
    notes: tuple[Message, ...]

    @property
    def intervals(self) -> tuple[ConfidenceInterval, ...]:
        """Return the intervals that there are, each method once."""
        made = (self.ci, self.ci_modified, self.ci_adjusted, self.ci_bootstrap)
        return tuple({ci.method: ci for ci in made if ci is not None}.values())

    @property
    def table(self) -> pd.DataFrame:
        """Return the coefficient with each of its intervals, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, n_raters.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags, *self.notes)
        made = self.intervals
        return table(
            {
                "statistic": [self.form] * len(made),
                "n": [self.n] * len(made),
                "estimate": [self.estimate] * len(made),
                "ci_low": [ci.low for ci in made],
                "ci_high": [ci.high for ci in made],
                "ci_level": [ci.confidence_level for ci in made],
                "method": [f"{self.method}; {ci.method}" for ci in made],
                "reason": [" ".join(message.text("en") for message in said)] * len(made),
                "n_raters": [self.n_raters] * len(made),
            },
            extra=("n_raters",),
        )

    def summary(self) -> str:
        """Return one line in English, and one a flag and a note."""
        said = [message.text("en") for message in (*self.flags, *self.notes)]
        if self.reason is not None:
            return "\n".join([f"{self.form} is not defined: {self.reason.text('en')}", *said])
        level = percent(self.ci.confidence_level, "en")
        limits = ", ".join(f"{interval(ci.low, ci.high, 'apa', digits=2)} ({ci.method})" for ci in self.intervals)
        used = f"{self.n} targets, {self.n_raters} raters, {self.n_dropped} targets left out for missing ratings"
        line = f"{self.form} {coefficient(self.estimate, 'en')}, {level} interval {limits}, {used}."
        return "\n".join([line, f"Use first: {self.ci_adjusted.method}.", *said])
