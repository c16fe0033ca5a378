"""Sources put together: components and totals, and why some are withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.intervals import error_variance, score_interval, t_quantile
from ibic_fidelity.scoring.sources import RECOVERED, Said, SourceReport, gravest_said
from ibic_fidelity.scoring.sums import Target

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One target in all groups, on 0–1; `reason` and `flag` are codes or empty.

    `method` says how the interval is made; `kappa` is that of the first source, the only one of a measure; `df`, of
    the standard error, is over all sources by Satterthwaite (1946).
    `census` tells where every source holds all eligible units.
    """

    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    kappa: Floats
    df: Floats
    n: Floats
    reason: Objects
    flag: Objects
    method: str
    census: NDArray[np.bool_] | None = None


def measure_score(said: Said, report: SourceReport, confidence_level: float) -> Score:
    """Return the score of one measure of one source."""
    reason = np.full(len(said.estimate), "", dtype=object)
    reason[said.answered < report.item_minimum] = "scoring.item_too_few"
    reason[~report.enough] = "scoring.too_few"
    if (said.answered == 0).all():
        reason[:] = "scoring.no_answers"
    reason[report.units == 0] = "scoring.no_rows"
    return _score([(1.0, said)], said.answered, reason, confidence_level, census=report.complete)


def composite_score(
    target: Target,
    reports: Sequence[SourceReport],
    needed: Mapping[str, Sequence[str]],
    confidence_level: float,
    recovered: str = RECOVERED,
) -> Score:
    """Return the score of a component or total over its sources.

    Parameters
    ----------
    target : tuple
        Level and id.
    reports : sequence of SourceReport
        All sources, at least one.
    needed : mapping
        For each source that the target needs, the items it needs from it. A source without rows, or an
        item below its minimum, withholds the score: it is never re-weighted over what is missing. Of
        several reasons the gravest stands: a source is missing, too few units, too few answers to an item.
    confidence_level : float
        Of the interval.
    recovered : str
        How an interval over several sources is made.
    """
    by_source = {report.source.id: report for report in reports}
    size = len(reports[0].units)
    absent, few, thin = (np.zeros(size, dtype=bool) for _ in range(3))
    parts: list[tuple[float, Said]] = []
    n, counted, census = np.zeros(size), np.full(size, np.inf), np.ones(size, dtype=bool)
    for source, items in needed.items():
        report = by_source.get(source)
        if report is None or target not in report.said:
            absent[:] = True
            continue
        parts.append((report.share[target], report.said[target]))
        if report.source.kind == "register":
            counted = np.minimum(counted, report.said[target].answered)
        else:
            n += report.said[target].answered
        absent |= report.units == 0
        census &= report.complete
        few |= (report.units > 0) & ~report.enough
        for item in items:
            thin |= report.said["measure", item].answered < report.item_minimum
    reason = np.select([absent, few, thin], ["scoring.source_missing", "scoring.too_few", "scoring.item_too_few"], "")
    n = np.where((n == 0) & np.isfinite(counted), counted, n)  # a register's n is what it counted
    if not parts:
        nothing = np.full(size, np.nan)
        parts = [(1.0, Said(nothing, nothing, nothing, n, method=""))]
    return _score(parts, n, reason.astype(object), confidence_level, census=census, recovered=recovered)


def needed_items(instrument: Instrument, items: Sequence[str]) -> dict[str, list[str]]:
    """Return, by source, which items are scored from it."""
    needed: dict[str, list[str]] = {}
    for item in items:
        needed.setdefault(instrument.by_item[item].primary.source, []).append(item)
    return needed


def _score(
    parts: Sequence[tuple[float, Said]],
    n: Floats,
    reason: Objects,
    confidence_level: float,
    *,
    census: NDArray[np.bool_] | None = None,
    recovered: str = RECOVERED,
) -> Score:
    """Add up independent sources, their intervals by the method of variance estimates recovery.

    The distance from the sum to a limit is the root of the summed squares of the parts' weighted distances to
    theirs (Zou & Donner 2008), so that a part near a bound keeps its skewness. With one part it is its interval.
    """
    estimate, variance, uncertain, below, above = (np.zeros(len(n)) for _ in range(5))
    for weight, said in parts:
        low, high = score_interval(said.estimate, said.kappa, t_quantile(said.df, confidence_level))
        estimate += weight * said.estimate
        part = weight**2 * error_variance(said.estimate, said.kappa)
        variance += part
        uncertain += part**2 / said.df
        below += (weight * (said.estimate - low)) ** 2
        above += (weight * (high - said.estimate)) ** 2
    low, high = np.clip(estimate - np.sqrt(below), 0, 1), np.clip(estimate + np.sqrt(above), 0, 1)
    estimate = np.clip(estimate, 0.0, 1.0)  # sums of weights reach 1 only to the last bit
    with np.errstate(divide="ignore", invalid="ignore"):
        df = parts[0][1].df if len(parts) == 1 else np.where(uncertain > 0, variance**2 / uncertain, np.inf)
    hidden = reason != ""
    flag = np.where(hidden, "", gravest_said([said for _, said in parts])).astype(object)

    def shown(values: Floats) -> Floats:
        return np.where(hidden, np.nan, values)

    return Score(
        estimate=shown(estimate),
        std_error=shown(np.sqrt(variance)),
        low=shown(low),
        high=shown(high),
        kappa=shown(parts[0][1].kappa),
        df=shown(df),
        n=n,
        reason=reason,
        flag=flag,
        method=parts[0][1].method if len(parts) == 1 else recovered,
        census=(np.zeros(len(n), dtype=bool) if census is None else census) & ~hidden,
    )
