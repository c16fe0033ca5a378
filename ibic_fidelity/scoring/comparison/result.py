"""What comparisons return: differences with interval and verdict, and how they are written and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records, table
from ibic_fidelity.foundation.written import Written
from ibic_fidelity.scoring.comparison.differences import Differences
from ibic_fidelity.scoring.comparison.false_discovery import Adjustment, adjusted, check_adjustment, check_rate
from ibic_fidelity.scoring.comparison.figures import Figures, Index, check_raw
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sources import gravest

if TYPE_CHECKING:
    import pandas as pd

NOT_COMPARISON = "scoring.not_comparison"
HIGHER, LOWER, OPEN = "higher", "lower", "not_told_apart"
LeftOut = tuple[str, str, str, str]  # site, item, other, code of why
_EXTRA = ("other", "first", "second", "df", "p_value", "p_adjusted", "verdict", "shared_raters", "peers", "flag")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Written):
    """Differences of raw scores, 0–100, with intervals for the way of working.

    Attributes
    ----------
    kind : str
        What is compared: sites, peers, waves, areas, items or sources.
    target : str
        Of which total, component or item; empty where rows differ in it.
    rows : Records
        One row a difference: ``site``, ``item``, ``other`` (site, group of peers, or empty), ``first`` and ``second``
        (the two scores), ``estimate`` (first − second), ``std_error``, ``ci_low``, ``ci_high``, ``df``, ``p_value``,
        ``p_adjusted``, ``verdict`` (higher, lower, not_told_apart: whether `p_adjusted` is at most
        `false_discovery`), ``shared_raters`` (``yes``, ``no``, ``unknown``, or empty where raters play no part),
        ``peers`` (how many make up the second), ``flag`` (what weakens an interval most, or empty).
    left_out : Records
        ``site``, ``item``, ``other`` and ``reason``: what could not be compared, and the code of why.
    notes : tuple of Message
        What a reader must know.
    adjustment : str
        How p-values are adjusted: bh or by.
    false_discovery : float
        The rate of false discoveries among the verdicts that is held.
    confidence_level : float
        Of each interval by itself.
    provenance : Provenance
        From what they were made.
    """

    SCHEMA: ClassVar[str] = "ibic.comparison/1"
    REFUSED: ClassVar[str] = NOT_COMPARISON

    kind: str
    target: str
    rows: Records
    left_out: Records
    notes: tuple[Message, ...]
    adjustment: str
    false_discovery: float
    confidence_level: float
    provenance: Provenance

    @property
    def table(self) -> pd.DataFrame:
        """Return every difference."""
        columns: dict[str, Any] = {name: self.rows[name].tolist() for name in self.rows.columns}
        columns["ci_level"] = [self.confidence_level] * len(self.rows)
        return table(columns, extra=_EXTRA)

    @property
    def told_apart(self) -> pd.DataFrame:
        """Return the differences that are larger than chance, at the rate of false discoveries asked for."""
        shown = self.table
        return shown[shown["verdict"] != OPEN].reset_index(drop=True)

    def __repr__(self) -> str:
        return self.summary()

    def summary(self) -> str:
        """Return in a few lines what was found."""
        counts = {verdict: int((self.rows["verdict"] == verdict).sum()) for verdict in (HIGHER, LOWER, OPEN)}
        of = f" of {self.target}" if self.target else ""
        head = f"Comparison of {self.kind}{of}: {len(self.rows)} differences"
        return "\n".join([
            head + (", SYNTHETIC data" if self.provenance.synthetic else ""),
            f"  {counts[HIGHER]} higher, {counts[LOWER]} lower, {counts[OPEN]} not told apart"
            f" (false discovery rate {self.false_discovery:g}, {self.adjustment.upper()})",
            f"  {len(self.left_out)} left out",
            *(f"  note: {note.text('en')}" for note in self.notes),
        ])  # fmt: skip


def check_request(*scores: object, adjustment: object, false_discovery: object) -> None:
    """Raise an error unless scores are raw, and the adjustment and the rate are ones."""
    check_raw(*scores)
    check_adjustment(adjustment)
    check_rate(false_discovery)


def comparison(
    kind: str,
    made: Differences,
    *,
    target: str,
    scores: Scores,
    columns: Mapping[str, Any],
    left_out: Sequence[LeftOut],
    notes: tuple[Message, ...],
    adjustment: Adjustment,
    false_discovery: float,
    options: Mapping[str, Any],
) -> Comparison:
    """Return differences as a result, adjusted together.

    `columns` hold at least ``site`` and the two scores, `options` what was asked.
    """
    p_adjusted = adjusted(made.p_value, adjustment)
    size = len(made.estimate)
    sure = p_adjusted <= false_discovery
    verdict = np.full(size, OPEN, dtype=object)
    verdict[sure & (made.estimate > 0)] = HIGHER
    verdict[sure & (made.estimate < 0)] = LOWER
    empty = np.full(size, "", dtype=object)
    place = {name: columns.get(name, empty) for name in ("site", "item", "other", "shared_raters", "flag")}
    rows = Records.of(
        site=place["site"],
        item=place["item"],
        other=place["other"],
        first=columns["first"],
        second=columns["second"],
        estimate=made.estimate,
        std_error=made.std_error,
        ci_low=made.low,
        ci_high=made.high,
        df=np.where(np.isfinite(made.df), made.df, np.nan),
        p_value=made.p_value,
        p_adjusted=p_adjusted,
        verdict=verdict,
        shared_raters=place["shared_raters"],
        peers=columns.get("peers", np.ones(size, dtype=np.int64)),
        flag=place["flag"],
    )
    return Comparison(
        kind=kind,
        target=target,
        rows=rows,
        left_out=left_out_records(left_out),
        notes=notes,
        adjustment=adjustment,
        false_discovery=float(false_discovery),
        confidence_level=scores.confidence_level,
        provenance=with_options(
            scores, {"kind": kind, "adjustment": adjustment, "false_discovery": false_discovery, **options}
        ),
    )


def with_options(scores: Scores, options: Mapping[str, Any]) -> Provenance:
    """Return the provenance of scores, and what was asked of them."""
    return replace(scores.provenance, options={**scores.provenance.options, **options})


def left_out_records(left_out: Sequence[LeftOut]) -> Records:
    """Return what could not be compared, sorted."""
    rows = sorted(left_out)
    names = ("site", "item", "other", "reason")
    return Records.of(**{name: np.array([row[j] for row in rows], dtype=object) for j, name in enumerate(names)})


def withheld(figures: Figures, *, item: str = "", other: str = "") -> list[LeftOut]:
    """Return the sites without a score or an interval, with the code of why."""
    gone = ~figures.known
    pairs = zip(figures.site[gone].tolist(), figures.reason[gone].tolist(), strict=True)
    return [(site, item, other, reason) for site, reason in pairs]


def aligned(
    first: Figures, second: Figures, *, lone: str, item: str = "", other: str = ""
) -> tuple[Index, Index, list[LeftOut]]:
    """Return the rows of sites that have both figures, and who is left out: `lone` is why where one has no row."""
    place = [{site: row for row, site in enumerate(of.site.tolist())} for of in (first, second)]
    left = {one[0]: one for of in (second, first) for one in withheld(of, item=item, other=other)}
    left |= {site: (site, item, other, lone) for site in set(place[0]) ^ set(place[1])}
    both = [site for site in sorted(set(place[0]) & set(place[1])) if site not in left]
    one, two = (np.array([of[site] for site in both], dtype=np.intp) for of in place)
    return one, two, list(left.values())


def worse_flag(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the graver of two flags, row by row."""
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    known: dict[tuple[str, str], str] = {}
    out = np.empty(len(first), dtype=object)
    for row, pair in enumerate(pairs):
        if pair not in known:
            known[pair] = gravest(pair)
        out[row] = known[pair]
    return out
