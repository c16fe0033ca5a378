"""Sources put together: components and totals, and why some are withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.intervals import centre_and_variance, score_interval, t_quantile
from ibic_fidelity.scoring.sources import Said, SourceReport
from ibic_fidelity.scoring.sums import Target

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One target in all groups, on 0–1; `reason` and `flag` are codes or empty."""

    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    kappa: Floats
    df: Floats
    n: Floats
    reason: Objects
    flag: Objects


def measure_score(said: Said, report: SourceReport, confidence_level: float) -> Score:
    """Return the score of one measure of one source."""
    reason = np.full(len(said.estimate), "", dtype=object)
    reason[said.answered < _item_minimum(report)] = "scoring.item_too_few"
    reason[~report.enough] = "scoring.too_few"
    reason[report.units == 0] = "scoring.no_rows"
    if (said.answered == 0).all():
        reason[(report.units > 0)] = "scoring.no_answers"
    return _score([(1.0, said)], said.answered, reason, confidence_level)


def composite_score(
    target: Target,
    reports: Sequence[SourceReport],
    needed: Mapping[str, Sequence[str]],
    confidence_level: float,
) -> Score:
    """Return the score of a component or total over its sources.

    Parameters
    ----------
    target : tuple
        Level and id.
    reports : sequence of SourceReport
        All sources.
    needed : mapping
        For each source that the target needs, the items it needs from it. A source without rows, or an
        item below its minimum, withholds the score: it is never re-weighted over what is missing.
    confidence_level : float
        Of the interval.
    """
    by_source = {report.source.id: report for report in reports}
    size = len(next(iter(by_source.values())).units)
    reason = np.full(size, "", dtype=object)
    parts: list[tuple[float, Said]] = []
    n, counted = np.zeros(size), np.full(size, np.inf)
    for source, items in needed.items():
        report = by_source.get(source)
        if report is None or target not in report.said:
            reason[:] = "scoring.source_missing"
            continue
        parts.append((report.share[target], report.said[target]))
        if report.source.kind == "register":
            counted = np.minimum(counted, report.said[target].answered)
        else:
            n += report.units
        for item in items:
            answered = report.said["measure", item].answered
            reason[(answered < _item_minimum(report)) & (reason == "")] = "scoring.item_too_few"
        reason[(report.units > 0) & ~report.enough] = "scoring.too_few"
        reason[report.units == 0] = "scoring.source_missing"
    n = np.where((n == 0) & np.isfinite(counted), counted, n)  # a register's n is what it counted
    if not parts:
        nothing = np.full(size, np.nan)
        flag = np.full(size, "", dtype=object)
        return Score(nothing, nothing, nothing, nothing, nothing, nothing, n, reason, flag)
    return _score(parts, n, reason, confidence_level)


def needed_items(instrument: Instrument, items: Sequence[str]) -> dict[str, list[str]]:
    """Return, by source, which items are scored from it."""
    needed: dict[str, list[str]] = {}
    for item in items:
        needed.setdefault(instrument.by_item[item].primary.source, []).append(item)
    return needed


def _item_minimum(report: SourceReport) -> float:
    return 1.0 if report.source.kind == "register" else float(report.source.smallest)


def _score(parts: Sequence[tuple[float, Said]], n: Floats, reason: Objects, confidence_level: float) -> Score:
    """Add up independent sources; the interval is a score interval with the effective number of units."""
    estimate = np.sum([weight * said.estimate for weight, said in parts], axis=0)
    estimate = np.clip(estimate, 0.0, 1.0)  # sums of weights reach 1 only to the last bit
    if len(parts) == 1:
        kappa, df = parts[0][1].kappa, parts[0][1].df
    else:
        kappa, df = _joined(parts)
    quantile = t_quantile(df, confidence_level)
    low, high = score_interval(estimate, kappa, quantile)
    _, variance = centre_and_variance(estimate, kappa, quantile)
    hidden = reason != ""
    flags = [said.flag for _, said in parts if said.flag]
    flag = np.where(hidden, "", flags[0] if flags else "").astype(object)

    def shown(values: Floats) -> Floats:
        return np.where(hidden, np.nan, values)

    return Score(
        estimate=shown(estimate),
        std_error=shown(np.sqrt(variance)),
        low=shown(low),
        high=shown(high),
        kappa=shown(kappa),
        df=shown(df),
        n=n,
        reason=reason,
        flag=flag,
    )


def _joined(parts: Sequence[tuple[float, Said]]) -> tuple[Floats, Floats]:
    """Return κ and df of a sum of independent sources, each variance taken at the centre of its interval."""
    centres, variances, dfs = [], [], []
    for weight, said in parts:
        centre, variance = centre_and_variance(said.estimate, said.kappa, np.full_like(said.kappa, 1.96))
        centres.append(weight * centre)
        variances.append(weight**2 * variance)
        dfs.append(said.df)
    centre, variance = np.sum(centres, axis=0), np.sum(variances, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sum([part**2 / df for part, df in zip(variances, dfs, strict=True)], axis=0)
        df = np.where(spread > 0, variance**2 / spread, np.inf)
        return variance / (centre * (1 - centre)), df
