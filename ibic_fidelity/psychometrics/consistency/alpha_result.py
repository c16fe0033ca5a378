"""What `cronbach_alpha` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, interval, percent
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics.consistency._intervals import interval_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class CronbachAlpha:
    """Cronbach's alpha, as `cronbach_alpha` returns it.

    Attributes
    ----------
    estimate : float
        Alpha of the covariances (raw alpha), of the sum or the mean of the items.
    ci : ConfidenceInterval
        Feldt's interval, exact for normal answers.
    ci_adjusted : ConfidenceInterval
        Feldt's interval with degrees of freedom that the spread of the answers themselves allows; to be
        preferred for skewed or two-valued answers.  With clusters, those that the spread of the clusters allows.
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    n : int
        Respondents used, counted after the missing-data rule.
    k : int
        Items, constant ones included.
    n_clusters : int or None
        Clusters of the respondents used, None where no clusters were given.
    n_dropped : int
        Respondents left out by ``missing="listwise"``.
    standardized : float
        Alpha of the correlations, for a sum of standardised items.
    mean_inter_item_correlation : float
        Mean of the k(k − 1)/2 correlations between items.
    items : tuple of str
        The items' labels.
    constant_items : tuple of str
        Items that all respondents answered alike; they lower alpha and have no correlations.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which alpha is not defined and which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        Whether an interval is not reliable with these answers.
    """

    estimate: float
    ci: ConfidenceInterval
    ci_adjusted: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    n: int
    k: int
    n_clusters: int | None
    n_dropped: int
    standardized: float
    mean_inter_item_correlation: float
    items: tuple[str, ...]
    constant_items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return raw alpha with each interval, standardised alpha and the mean correlation, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        intervals = (self.ci, self.ci_adjusted, *((self.ci_bootstrap,) if self.ci_bootstrap else ()))
        others = {
            "standardized_alpha": self.standardized,
            "mean_inter_item_correlation": self.mean_inter_item_correlation,
        }
        return interval_table("cronbach_alpha", self.n, self.estimate, intervals, said, k=self.k, others=others)

    def summary(self) -> str:
        """Return one line in English, and one a flag."""
        if self.reason is not None:
            return f"Cronbach's alpha is not defined: {self.reason.text('en')}"
        level = percent(self.ci.confidence_level, "en")
        text = f"Cronbach's alpha {coefficient(self.estimate, 'en')}"
        limits = f"{interval(self.ci.low, self.ci.high, 'apa', digits=2)} (Feldt)"
        used = f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers"
        if self.n_clusters is not None:
            used = f"{used}, {self.n_clusters} clusters"
        for ci in (self.ci_adjusted, *((self.ci_bootstrap,) if self.ci_bootstrap else ())):
            limits = f"{limits}, {interval(ci.low, ci.high, 'apa', digits=2)} ({ci.method})"
        line = f"{text}, {level} interval {limits}, {used}."
        return "\n".join([line, *(flag.text("en") for flag in self.flags)])
