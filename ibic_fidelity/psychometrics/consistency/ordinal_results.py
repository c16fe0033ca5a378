"""What `ordinal_alpha` and `categorical_omega` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.consistency._intervals import interval_table, said_with_intervals

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalAlpha:
    """Alpha of the polychoric matrix, as `ordinal_alpha` returns it.

    Attributes
    ----------
    estimate : float
        Ordinal alpha.
    definition : str
        What it is the reliability of: not the sum of the answers, but that of the normal values behind them.
    std_error : float
        From the covariance of thresholds and correlations.
    ci : ConfidenceInterval
        Delta method on log(1 − alpha).
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    correlations : array of float, (k, k)
        The polychoric matrix.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    items : tuple of str
        The items' labels.
    n_replicates, n_undefined : int
        Bootstrap samples, and those without alpha, which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        What weakens the estimate or its interval.
    """

    estimate: float
    definition: str
    std_error: float
    ci: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    correlations: Floats
    n: int
    k: int
    n_dropped: int
    items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an interval.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        intervals = (self.ci, *((self.ci_bootstrap,) if self.ci_bootstrap else ()))
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        return interval_table("ordinal_alpha", self.n, self.estimate, intervals, said, k=self.k, others={})

    def summary(self) -> str:
        """Return a few lines in English: alpha, what it is the reliability of, then the flags."""
        return _summary(f"Ordinal alpha ({self.definition})", self, ())


@dataclass(frozen=True, slots=True, eq=False)
class CategoricalOmega:
    """Reliability of the sum of ordered answers, as `categorical_omega` returns it.

    Attributes
    ----------
    estimate : float
        Omega with the polychoric correlations found in the denominator.
    estimate_model_implied : float
        The same with the correlations that the model implies.
    definition, estimator : str
        What it is; "DWLS" or "ULS".
    std_error : float
        From the covariance of thresholds and correlations, the weights taken as fixed.
    ci : ConfidenceInterval
        Delta method on log(1 − omega).
    ci_bootstrap : ConfidenceInterval or None
        Percentile interval of the bootstrap over respondents, where asked for.
    loadings : array of float, (k,)
        Of the normal values behind the answers.
    srmr : float
        Root mean square of the differences between the correlations found and implied.
    correlations : array of float, (k, k)
        The polychoric matrix.
    n, k, n_dropped : int
        Respondents used; items; respondents left out by ``missing="listwise"``.
    items : tuple of str
        The items' labels.
    n_replicates, n_undefined : int
        Bootstrap samples, and those without omega, which are left out.
    missing : str
        The missing-data rule.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        What weakens the estimate or its interval.
    """

    estimate: float
    estimate_model_implied: float
    definition: str
    estimator: str
    std_error: float
    ci: ConfidenceInterval
    ci_bootstrap: ConfidenceInterval | None
    loadings: Floats
    srmr: float
    correlations: Floats
    n: int
    k: int
    n_dropped: int
    items: tuple[str, ...]
    n_replicates: int
    n_undefined: int
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an interval, then omega by the model's correlations, and the model's fit.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        intervals = (self.ci, *((self.ci_bootstrap,) if self.ci_bootstrap else ()))
        said = (*((self.reason,) if self.reason else ()), *self.flags)
        others = {"categorical_omega_model_implied": self.estimate_model_implied, "srmr": self.srmr}
        return interval_table("categorical_omega", self.n, self.estimate, intervals, said, k=self.k, others=others)

    @property
    def item_table(self) -> pd.DataFrame:
        """Return one line an item.  Columns: item, loading."""
        return table({"item": self.items, "loading": self.loadings.tolist()}, extra=("loading",))

    def summary(self) -> str:
        """Return a few lines in English: omega, the model's fit, then the flags."""
        implied = coefficient(self.estimate_model_implied, "en")
        srmr = coefficient(self.srmr, "en", digits=3)
        fit = f"By the correlations of the model {implied}. One factor by {self.estimator}: SRMR {srmr}."
        return _summary(f"Categorical omega ({self.definition})", self, (fit,))


def _summary(name: str, result: OrdinalAlpha | CategoricalOmega, lines: tuple[str, ...]) -> str:
    """Return the coefficient and its intervals, other lines, and the flags."""
    if result.reason is not None:
        return f"{name} is not defined: {result.reason.text('en')}"
    intervals = (result.ci, *((result.ci_bootstrap,) if result.ci_bootstrap else ()))
    head = said_with_intervals(name, result.estimate, intervals)
    used = f"{result.k} items, {result.n} respondents, {result.n_dropped} left out for missing answers"
    return "\n".join([f"{head}, {used}.", *lines, *(flag.text("en") for flag in result.flags)])
