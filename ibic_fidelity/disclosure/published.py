"""Scores as the public may have them: the only type that writers for the public take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ibic_fidelity.foundation.messages import Language, Message
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written

if TYPE_CHECKING:
    import pandas as pd

_EXTRA = ("level", "flag", "band", "band_with_gates")


@dataclass(frozen=True, slots=True, eq=False)
class PublishedScores(Written):
    """Scores 0–100 with intervals, from which nobody's answers can be worked out, as `publish` makes them.

    There is no standard error, no table of missing answers, no gate and no spread in it.

    Attributes
    ----------
    rows : Records
        One row a score: ``level`` (total, component, item, triangulating), ``site``, ``service_area`` (empty: all
        areas together), ``wave``, ``source``, ``component``, ``item``, ``statistic``, ``n`` (NaN: hidden),
        ``estimate``, ``ci_low``, ``ci_high`` (rounded; NaN: hidden), ``method``, ``band``, ``band_with_gates`` (of
        totals), ``reason`` (code of why a figure is hidden or withheld, or empty), ``flag`` (code of what weakens it,
        or empty).
    response : Records
        One row a site and source: ``n``, ``eligible``, ``invited``, ``share_taken`` (two decimals); NaN where hidden or
        not told, and ``reason``.
    rules : mapping
        The minimum numbers and rounding that were used.
    confidence_level : float
        Of all intervals.
    notes : tuple of Message
        What a reader must know about these numbers.
    provenance : Provenance
        From what they were made.
    """

    SCHEMA: ClassVar[str] = "ibic.published/1"
    REFUSED: ClassVar[str] = "disclosure.not_published"

    rows: Records
    response: Records
    rules: Mapping[str, Any]
    confidence_level: float
    notes: tuple[Message, ...]
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return every score, shown or hidden."""
        return self._frame(np.ones(len(self.rows), dtype=bool))

    @property
    def hidden(self) -> pd.DataFrame:
        """Return every score that is not shown, with the code of the reason."""
        return self._frame(self.rows["reason"] != "")

    @property
    def sites(self) -> tuple[str, ...]:
        """Return the sites, sorted."""
        return tuple(sorted(set(self.rows["site"].tolist())))

    def summary(self) -> str:
        """Return in a few lines what is shown and what is hidden, by reason."""
        made = self.provenance
        lines = [
            f"Published scores of {len(self.sites)} sites, {made.instrument_id} {made.instrument_version}"
            f" ({made.instrument_status})" + (", SYNTHETIC data" if made.synthetic else "")
        ]
        reasons = self.rows["reason"].tolist()
        lines.append(f"  {reasons.count('')} figures shown")
        words = {code: self.reason_text(code, "en") for code in sorted(set(reasons) - {""})}
        lines += [f"  {reasons.count(code)} not shown: {why}" for code, why in words.items()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def reason_text(self, code: str, language: Language) -> str:
        """Return a reason or flag in words."""
        named = {name: self.rules[name] for name in ("least", "few", "end")}
        return Message(code, named).text(language) if code else ""

    def _frame(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> pd.DataFrame:
        kept = self.rows.where(mask)
        columns: dict[str, Any] = {name: kept[name].tolist() for name in kept.columns}
        columns["ci_level"] = [self.confidence_level] * len(kept)
        return table(columns, extra=_EXTRA)
