"""Shrunken scores: a type of their own, never mixed with raw ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written, read_field

if TYPE_CHECKING:
    import pandas as pd

_EXTRA = (
    "level",
    "flag",
    "reliability",
    "expected_rank",
    "rank_low",
    "rank_high",
    "rank_low_all",
    "rank_high_all",
    "top_quarter",
)


@dataclass(frozen=True, slots=True)
class SiteSpread:
    """How much sites differ, and how much of what is seen is that.

    Attributes
    ----------
    n_sites : int
        Sites that it is estimated from.
    mean : float
        Score of the site in the middle, 0–100.
    sd, sd_low, sd_high : float
        Standard deviation between sites in points, with limits; `sd_low` is 0 where the data do not show that
        sites differ.
    variance, variance_low, variance_high : float
        τ² on the working scale (arcsine of the square root), by adjusted REML, with limits.
    variance_unadjusted : float
        τ² by plain REML.
    reliability : float
        Mean over sites of τ²/(τ² + error variance).
    """

    n_sites: int
    mean: float
    sd: float
    sd_low: float
    sd_high: float
    variance: float
    variance_low: float
    variance_high: float
    variance_unadjusted: float
    reliability: float


@dataclass(frozen=True, slots=True, eq=False)
class ShrunkenScores(Written):
    """One total or component of all sites, drawn towards their mean by how unsure each is.

    Raw scores are another type (`Scores`); these hold none of them.

    Attributes
    ----------
    statistic : str
        Id of the total or component.
    rows : Records
        One row a site, in the order of the raw scores: ``level``, ``site``, ``service_area``, ``wave``,
        ``component``, ``statistic``, ``n``, ``estimate`` (posterior mean), ``std_error`` (posterior standard
        deviation), ``ci_low``, ``ci_high`` (posterior interval), ``method``, ``reliability``,
        ``expected_rank`` (1 the highest), ``rank_low``, ``rank_high`` (marginal: for one site looked at by itself),
        ``rank_low_all``, ``rank_high_all`` (simultaneous: for all sites at once), ``top_quarter`` (probability),
        ``reason`` (code of why there is no number, or empty), ``flag`` (of the raw score).
    bands : Records
        One row a site and band: ``probability`` and ``probability_with_gates``, NaN where withheld; none for a
        component.
    cuts : Records
        One row a site and cut: ``probability`` that the score is at or above it.
    spread : SiteSpread
        Between sites.
    league : Message or None
        Why ranks and the top quarter are not shown; ``None`` where they are.
    withheld : Message or None
        Why nothing is shrunken; ``None`` where something is.
    confidence_level : float
        Of all intervals.
    notes : tuple of Message
        What a reader must know about these numbers.
    provenance : Provenance
        From what they were made, with the seed of the draws.
    """

    SCHEMA: ClassVar[str] = "ibic.shrunken/1"
    REFUSED: ClassVar[str] = "scoring.not_shrunken"

    statistic: str
    rows: Records
    bands: Records
    cuts: Records
    spread: SiteSpread
    league: Message | None
    withheld: Message | None
    confidence_level: float
    notes: tuple[Message, ...]
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a site."""
        columns: dict[str, Any] = {name: self.rows[name].tolist() for name in self.rows.columns}
        columns["ci_level"] = [self.confidence_level] * len(self.rows)
        return table(columns, extra=_EXTRA)

    def summary(self) -> str:
        """Return in a few lines what was found."""
        spread = self.spread
        shown = self.rows["estimate"][np.isfinite(self.rows["estimate"])]
        lines = [
            f"Shrunken {self.statistic} of {len(shown)} sites, {len(self.rows) - len(shown)} withheld, "
            f"{self.provenance.instrument_id} {self.provenance.instrument_version}"
            f" ({self.provenance.instrument_status})" + (", SYNTHETIC data" if self.provenance.synthetic else "")
        ]
        if len(shown):
            lines += [
                f"  middle site {spread.mean:.1f}, SD between sites {spread.sd:.1f}"
                f" ({spread.sd_low:.1f} to {spread.sd_high:.1f}), mean reliability {spread.reliability:.2f}",
                f"  estimates {shown.min():.1f} to {shown.max():.1f}",
            ]
        lines += [f"  {message.text('en')}" for message in (self.withheld or self.league, *self.notes) if message]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        if name == "spread":
            known: Any = {field: math.nan if number is None else number for field, number in value.items()}
            return SiteSpread(**known)
        if name in ("league", "withheld"):
            return value and Message.from_dict(value)
        return read_field(name, value)
