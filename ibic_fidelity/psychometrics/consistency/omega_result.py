"""What `mcdonald_omega` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient, number
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.consistency._intervals import interval_table, said_with_intervals

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class McDonaldOmega:
    """Omega total of one factor, as `mcdonald_omega` returns it; arrays have one value an item.

    Attributes
    ----------
    estimate : float
        Omega total, the model-implied variance of the sum in the denominator.
    estimate_observed_variance : float
        The same with the observed variance of the sum in the denominator.
    definition : str
        "omega total, one-factor model, model-implied variance".
    std_error : float
        Standard error of the estimate for normal answers.
    ci, ci_adjusted : ConfidenceInterval
        Delta method on log(1 − ω), for normal answers; and with the larger one of that standard error and the
        distribution-free one, to be preferred for skewed or two-valued answers.
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    loadings, uniquenesses : array of float
        Of the model, on the items' own scale (covariances with divisor n).
    standardized_loadings : array of float
        Loadings of the standardised items.
    chi_square, df, p_value, rmsea : float
        The model's test of fit, n times the discrepancy, and its root mean square error of approximation;
        with three items df is 0 and fit cannot be tested.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    n_clusters : int or None
        Clusters of the respondents used, None where no clusters were given.
    items, heywood_items : tuple of str
        The items' labels; those whose uniqueness is not positive.
    n_replicates, n_undefined : int
        Bootstrap samples, and those in which omega is not defined and which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        That one factor does not fit, Heywood cases, items that may need reversing, intervals not reliable.
    """

    estimate: float
    estimate_observed_variance: float
    definition: str
    std_error: float
    ci: ConfidenceInterval
    ci_adjusted: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    loadings: Floats
    uniquenesses: Floats
    standardized_loadings: Floats
    chi_square: float
    df: int
    p_value: float
    rmsea: float
    n: int
    k: int
    n_clusters: int | None
    n_dropped: int
    items: tuple[str, ...]
    heywood_items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def _intervals(self) -> tuple[ConfidenceInterval, ...]:
        return (self.ci, self.ci_adjusted, *((self.ci_bootstrap,) if self.ci_bootstrap else ()))

    @property
    def table(self) -> pd.DataFrame:
        """Return omega with each interval, omega by observed variance, and the model's fit, one line each.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        others = {
            "omega_total_observed_variance": self.estimate_observed_variance,
            "chi_square": self.chi_square,
            "df": float(self.df),
            "p_value": self.p_value,
            "rmsea": self.rmsea,
        }
        return interval_table("omega_total", self.n, self.estimate, self._intervals, said, k=self.k, others=others)

    @property
    def item_table(self) -> pd.DataFrame:
        """Return one line an item.  Columns: item, loading, standardized_loading, uniqueness."""
        figures = {
            "loading": self.loadings.tolist(),
            "standardized_loading": self.standardized_loadings.tolist(),
            "uniqueness": self.uniquenesses.tolist(),
        }
        return table({"item": self.items, **figures}, extra=tuple(figures))

    def summary(self) -> str:
        """Return a few lines in English: omega, the model's fit, then the flags."""
        if self.reason is not None:
            return f"McDonald's omega ({self.definition}) is not defined: {self.reason.text('en')}"
        head = said_with_intervals(f"McDonald's omega ({self.definition})", self.estimate, self._intervals)
        used = f"{self.k} items, {self.n} respondents, {self.n_dropped} left out for missing answers"
        fit = "With three items the fit of one factor cannot be tested"
        if self.df > 0:
            chi = number(self.chi_square, "apa", digits=2)
            p = "p < .001" if self.p_value < 0.001 else f"p = {number(self.p_value, 'apa', digits=3)}"
            fit = f"One factor: χ²({self.df}) = {chi}, {p}, RMSEA {coefficient(self.rmsea, 'en', digits=3)}"
        observed = f"Omega by the observed variance {coefficient(self.estimate_observed_variance, 'en')}"
        return "\n".join([f"{head}, {used}.", f"{observed}. {fit}.", *(flag.text("en") for flag in self.flags)])
