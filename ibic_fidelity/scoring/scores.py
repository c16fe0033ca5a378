"""The result of scoring: what each site got, how sure that is, and what was withheld and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written
from ibic_fidelity.scoring.estimands import WAY_OF_WORKING, Estimand

if TYPE_CHECKING:
    import pandas as pd

_EXTRA = ("df", "estimand", "level", "flag", "census")


@dataclass(frozen=True, slots=True, eq=False)
class Scores(Written):
    """Raw scores of every site and service area, 0–100, with intervals for one estimand.

    Shrunken scores are another type; these are not shrunken.

    Attributes
    ----------
    rows : Records
        One row a score: ``estimand`` (way_of_working, this_period), ``level`` (total, component, item,
        triangulating), ``site``, ``service_area`` (empty: all areas together), ``wave``, ``source``,
        ``component``, ``item``, ``statistic`` (id of the total, else empty), ``n`` (units with an answer, over
        all sources but registers), ``estimate``, ``std_error`` with its degrees of freedom ``df`` (NaN: taken as
        known), ``ci_low``, ``ci_high``, ``method`` (how the interval is made), ``reason`` (code of why there is no
        number, or empty), ``flag`` (code of what weakens the interval most, or empty), ``census`` (all that were
        eligible are in).
    gates : Records
        One row a site and gate: score, cut, ``probability_below``, ``status`` (passed, undecided, held,
        unknown).
    bands : Records
        One row a site and total: ``band``, ``band_with_gates``, both empty where there is no total.
    missing : Records
        One row a site and answer column: rows, and how many were answered, blank, don't know, not
        applicable, not asked.
    response : Records
        One row a site and source: ``n`` units, ``eligible`` and ``invited`` (NaN if not told),
        ``share_taken`` (units over those invited or, where nobody is, over the eligible), ``census``,
        ``enough``, ``design_effect`` of unequal weights (1: none; NaN: no units).
    spread : Records
        The pooled spread behind the intervals: for each source and target the variance within and
        between clusters and of raters, in units of θ(1 − θ), with degrees of freedom (NaN: taken as known).
        Of whole sites; areas have a spread of their own that is not kept.
    bootstrap : Records
        One row a whole site and component or total, where a bootstrap was asked for, else no row: see
        `bootstrap_limits`.
    confidence_level : float
        Of all intervals.
    notes : tuple of Message
        What a reader must know about these numbers.
    provenance : Provenance
        From what they were made.
    """

    SCHEMA: ClassVar[str] = "ibic.scores/1"
    REFUSED: ClassVar[str] = "scoring.not_scores"

    rows: Records
    gates: Records
    bands: Records
    missing: Records
    response: Records
    spread: Records
    bootstrap: Records
    confidence_level: float
    notes: tuple[Message, ...]
    provenance: Provenance

    @property
    def estimand(self) -> Estimand:
        """Return what these scores are about: ``"way_of_working"`` or ``"this_period"``."""
        found: Estimand = self.provenance.options.get("estimand", WAY_OF_WORKING)
        return found

    @property
    def core(self) -> pd.DataFrame:
        """Return ``total_core`` of every site and service area."""
        return self._totals("total_core")

    @property
    def extended(self) -> pd.DataFrame:
        """Return ``total_extended`` of every site and service area."""
        return self._totals("total_extended")

    @property
    def components(self) -> pd.DataFrame:
        """Return the components."""
        return self._frame(self.rows["level"] == "component")

    @property
    def items(self) -> pd.DataFrame:
        """Return the items, by source; ``level`` tells primary (item) from triangulating measures."""
        return self._frame(np.isin(self.rows["level"].astype(str), ["item", "triangulating"]))

    @property
    def withheld(self) -> pd.DataFrame:
        """Return every score that is not shown, with the code of the reason."""
        return self._frame(self.rows["reason"] != "")

    @property
    def table(self) -> pd.DataFrame:
        """Return every score."""
        return self._frame(np.ones(len(self.rows), dtype=bool))

    @property
    def sites(self) -> tuple[str, ...]:
        """Return the sites that were scored, sorted."""
        return tuple(sorted(set(self.rows["site"].tolist())))

    def of_site(self, site: str) -> Scores:
        """Return the scores of one site; what was pooled over all sites stays."""
        if site not in self.sites:
            raise UsageError("scoring.unknown_site", site=site)
        parts = {name: getattr(self, name) for name in ("rows", "gates", "bands", "missing", "response")}
        kept = {name: part.where(part["site"] == site) for name, part in parts.items()}
        return Scores(
            **kept,
            spread=self.spread,
            bootstrap=self.bootstrap.where(self.bootstrap["site"] == site),
            confidence_level=self.confidence_level,
            notes=self.notes,
            provenance=self.provenance,
        )

    def summary(self) -> str:
        """Return in a few lines what was found."""
        whole = (self.rows["level"] == "total") & (self.rows["service_area"] == "")
        lines = [
            f"Scores of {len(self.sites)} sites, {self.provenance.instrument_id} {self.provenance.instrument_version}"
            f" ({self.provenance.instrument_status})" + (", SYNTHETIC data" if self.provenance.synthetic else ""),
            "  of " + ("the way of working" if self.estimand == WAY_OF_WORKING else "this period's files and staff"),
        ]
        for total in dict.fromkeys(self.rows["statistic"][whole].tolist()):
            estimates = self.rows["estimate"][whole & (self.rows["statistic"] == total)].astype(float)
            shown = estimates[np.isfinite(estimates)]
            span = f", median {np.median(shown):.1f}, {shown.min():.1f} to {shown.max():.1f}" if len(shown) else ""
            lines.append(f"  {total}: {len(shown)} shown, {len(estimates) - len(shown)} withheld{span}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _totals(self, total: str) -> pd.DataFrame:
        return self._frame((self.rows["level"] == "total") & (self.rows["statistic"] == total))

    def _frame(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> pd.DataFrame:
        kept = self.rows.where(mask)
        columns: dict[str, Any] = {name: kept[name].tolist() for name in kept.columns}
        columns["ci_level"] = [self.confidence_level] * len(kept)
        return table(columns, extra=_EXTRA)
