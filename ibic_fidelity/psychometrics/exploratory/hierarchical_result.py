"""What `schmid_leiman` and `hierarchical_omega` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import coefficient
from ibic_fidelity.foundation.results import ConfidenceInterval, table
from ibic_fidelity.psychometrics._arguments import Floats
from ibic_fidelity.psychometrics.consistency._intervals import said_with_intervals

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class SchmidLeiman:
    """A general factor and group factors, as `schmid_leiman` returns them; k items, m group factors.

    Attributes
    ----------
    general : array of float, shape (k,)
        Loadings on the general factor.
    group : array of float, shape (k, m)
        Loadings on the group factors, which correlate neither with each other nor with it.
    communalities, uniquenesses : array of float, shape (k,)
        Of each item's variance, the share of all factors, and the rest.
    higher_order : array of float, shape (m,)
        Loadings of the oblique factors on the general one.
    common_variance_share : float
        ECV: of the common variance, the general factor's share.
    uncontaminated_share : float
        PUC: of the correlations, the share between items of different groups, which only the general factor
        makes.  Each item belongs to the group factor that it loads most.
    item_group : tuple of int
        That group factor of each item, counted from 0.
    items, groups : tuple of str
        Labels.
    two_factors : str
        With two factors, what was assumed to identify the general one; else empty.
    reason : Message or None
        Why there is none.
    flags : tuple of Message
        What a reader must know.
    """

    general: Floats
    group: Floats
    communalities: Floats
    uniquenesses: Floats
    higher_order: Floats
    common_variance_share: float
    uncontaminated_share: float
    item_group: tuple[int, ...]
    items: tuple[str, ...]
    groups: tuple[str, ...]
    two_factors: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line an item.  Columns: item, general, one a group factor, communality, uniqueness."""
        columns = {"general": self.general.tolist()}
        columns |= {name: self.group[:, i].tolist() for i, name in enumerate(self.groups)}
        columns |= {"communality": self.communalities.tolist(), "uniqueness": self.uniquenesses.tolist()}
        return table({"item": self.items, **columns}, extra=tuple(columns))

    def summary(self) -> str:
        """Return a few lines in English: shares of the general factor, then the flags."""
        if self.reason is not None:
            return f"The Schmid–Leiman solution is not defined: {self.reason.text('en')}"
        ecv, puc = (coefficient(x, "en") for x in (self.common_variance_share, self.uncontaminated_share))
        head = f"Schmid–Leiman, {len(self.groups)} group factors: ECV {ecv}, PUC {puc}."
        return "\n".join([head, *(flag.text("en") for flag in self.flags)])


@dataclass(frozen=True, slots=True, eq=False)
class HierarchicalOmega:
    """Omega hierarchical and its kin, as `hierarchical_omega` returns them.

    Attributes
    ----------
    estimate : float
        Omega hierarchical: of the variance of the sum of standardised items, the general factor's share.
    omega_total : float
        The share of all common factors.
    omega_limit : float
        Omega hierarchical over omega total: what an endless test of such items would have.
    common_variance_share, uncontaminated_share : float
        ECV and PUC, see `SchmidLeiman`.
    group_total, group_general, group_specific : array of float, shape (m,)
        Of the sum of each group's items: omega total, the general factor's part, and the group factor's.
    ci_bootstrap, omega_total_ci, common_variance_share_ci : ConfidenceInterval or None
        Basic bootstrap intervals over respondents or clusters, where asked for; within 0 and 1.
    solution : SchmidLeiman
        The loadings.
    definition : str
        "Schmid–Leiman of oblimin factors, observed variance".
    n, k, n_factors, n_dropped : int
        Respondents (0 where not known), items, group factors, respondents left out by ``missing="listwise"``.
    n_clusters : int or None
        Clusters of the respondents used, None where no clusters were given.
    n_replicates, n_undefined : int
        Bootstrap samples, and those without a solution, which are left out.
    extraction, correlation, missing : str
        What was chosen.
    reason : Message or None
        Why the estimate is not defined.
    flags : tuple of Message
        What a reader must know.
    """

    estimate: float
    omega_total: float
    omega_limit: float
    common_variance_share: float
    uncontaminated_share: float
    group_total: Floats
    group_general: Floats
    group_specific: Floats
    ci_bootstrap: ConfidenceInterval | None
    omega_total_ci: ConfidenceInterval | None
    common_variance_share_ci: ConfidenceInterval | None
    solution: SchmidLeiman
    definition: str
    n: int
    k: int
    n_factors: int
    n_dropped: int
    n_clusters: int | None
    n_replicates: int
    n_undefined: int
    extraction: str
    correlation: str
    missing: str
    reason: Message | None
    flags: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a figure.

        Columns: statistic, n, estimate, ci_low, ci_high, ci_level, method, reason, k.
        """
        none = ConfidenceInterval(float("nan"), float("nan"), float("nan"), "")
        rows = {
            "omega_hierarchical": (self.estimate, self.ci_bootstrap),
            "omega_total": (self.omega_total, self.omega_total_ci),
            "omega_limit": (self.omega_limit, None),
            "common_variance_share": (self.common_variance_share, self.common_variance_share_ci),
            "uncontaminated_share": (self.uncontaminated_share, None),
        }
        said = " ".join(m.text("en") for m in (*((self.reason,) if self.reason else ()), *self.flags))
        limits = [ci or none for _, ci in rows.values()]
        return table(
            {
                "statistic": list(rows),
                "n": [self.n] * len(rows),
                "estimate": [estimate for estimate, _ in rows.values()],
                "ci_low": [ci.low for ci in limits],
                "ci_high": [ci.high for ci in limits],
                "ci_level": [ci.confidence_level for ci in limits],
                "method": [ci.method for ci in limits],
                "reason": [said] * len(rows),
                "k": [self.k] * len(rows),
            },
            extra=("k",),
        )

    @property
    def group_table(self) -> pd.DataFrame:
        """Return one line a group.  Columns: group, omega_total, general, specific."""
        columns = {
            "group": list(self.solution.groups),
            "omega_total": self.group_total.tolist(),
            "general": self.group_general.tolist(),
            "specific": self.group_specific.tolist(),
        }
        return table(columns, extra=tuple(columns))

    def summary(self) -> str:
        """Return a few lines in English: the omegas, shares of the general factor, then the flags."""
        if self.reason is not None:
            return f"Omega hierarchical is not defined: {self.reason.text('en')}"
        intervals = (self.ci_bootstrap,) if self.ci_bootstrap else ()
        head = said_with_intervals(f"Omega hierarchical ({self.definition})", self.estimate, intervals)
        total, limit, ecv, puc = (
            coefficient(x, "en")
            for x in (self.omega_total, self.omega_limit, self.common_variance_share, self.uncontaminated_share)
        )
        used = f"{self.k} items, {self.n_factors} group factors, {self.n} respondents, {self.n_dropped} left out"
        rest = f"Omega total {total}, limit {limit}, ECV {ecv}, PUC {puc}."
        return "\n".join([f"{head}, {used}.", rest, *(flag.text("en") for flag in self.flags)])
