"""What was scored as the rows of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.bands import band_of, gate_status, held_band
from ibic_fidelity.scoring.components import Score
from ibic_fidelity.scoring.estimands import THIS_PERIOD, Estimand
from ibic_fidelity.scoring.grouping import Group
from ibic_fidelity.scoring.sources import COMPLETE, SourceReport


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One target with its names, ready to become rows."""

    level: str
    source: str
    component: str
    item: str
    statistic: str
    score: Score


def score_rows(groups: Sequence[Group], scored: Sequence[Scored], estimand: Estimand) -> Records:
    """Return one row a group and target, group by group."""
    size, k = len(groups), len(scored)

    def repeated(values: Sequence[Any]) -> NDArray[Any]:
        return np.tile(np.array(values, dtype=object), size)

    def stacked(name: str, factor: float = 1.0) -> NDArray[Any]:
        columns = np.stack([getattr(one.score, name) for one in scored], axis=1).ravel()
        return columns if factor == 1.0 else columns * factor

    low, std_error, df = stacked("low", 100), stacked("std_error", 100), stacked("df").astype(float)
    method = np.where(np.isfinite(low.astype(float)), repeated([one.score.method for one in scored]), "")
    if estimand == THIS_PERIOD:
        method[std_error == 0] = COMPLETE
    return Records.of(
        site=np.repeat(np.array([group[0] for group in groups], dtype=object), k),
        service_area=np.repeat(np.array([group[2] for group in groups], dtype=object), k),
        wave=np.repeat(np.array([group[1] for group in groups], dtype=object), k),
        estimand=np.full(size * k, estimand, dtype=object),
        level=repeated([one.level for one in scored]),
        source=repeated([one.source for one in scored]),
        component=repeated([one.component for one in scored]),
        item=repeated([one.item for one in scored]),
        statistic=repeated([one.statistic for one in scored]),
        n=stacked("n").astype(np.int64),
        estimate=stacked("estimate", 100),
        std_error=std_error,
        df=np.where(np.isfinite(df), df, np.nan),
        ci_low=low,
        ci_high=stacked("high", 100),
        method=method,
        reason=stacked("reason"),
        flag=stacked("flag"),
        census=stacked("census"),
    )


def gates_and_bands(groups: Sequence[Group], scored: Sequence[Scored], instrument: Instrument) -> dict[str, Records]:
    """Return one row a gate, and one a total with its band, with and without gates."""
    primary = {one.item: one.score for one in scored if one.level == "item"}
    held = np.zeros(len(groups), dtype=bool)
    gates: list[dict[str, Any]] = []
    for item in instrument.items:
        if item.gate is None or item.id not in primary:
            continue
        score = primary[item.id]
        below, status = gate_status(score, item.gate.cut)
        held |= status == "held"
        gates += [
            {
                "site": site, "service_area": area, "wave": wave, "item": item.id,
                "estimate": 100 * score.estimate[g], "cut": 100 * item.gate.cut,
                "probability_below": below[g], "status": status[g],
            }
            for g, (site, wave, area) in enumerate(groups)
        ]  # fmt: skip
    names = np.array([*(band.id for band in instrument.bands), ""], dtype=object)
    bands: list[dict[str, Any]] = []
    for one in scored:
        if one.level != "total" or not instrument.bands:
            continue
        position = band_of(one.score.estimate, instrument.bands)
        gated = held_band(position, held)
        bands += [
            {
                "site": site, "service_area": area, "wave": wave, "statistic": one.statistic,
                "band": names[position[g]], "band_with_gates": names[gated[g]],
            }
            for g, (site, wave, area) in enumerate(groups)
        ]  # fmt: skip
    gate_names = ("site", "service_area", "wave", "item", "estimate", "cut", "probability_below", "status")
    band_names = ("site", "service_area", "wave", "statistic", "band", "band_with_gates")
    return {"gates": _records(gates, gate_names), "bands": _records(bands, band_names)}


def missing_rows(groups: Sequence[Group], reports: Sequence[SourceReport]) -> Records:
    """Return one row a group and answer column: answers, and what is missing in what way."""
    names = ("site", "service_area", "wave", "source", "column", "rows", "answered", "blank", "dont_know",
             "not_applicable", "not_asked")  # fmt: skip
    found = [(report, column, counts) for report in reports for column, counts in report.missing.items()]
    sizes = [counts.shape[1] for *_, counts in found]
    place = np.concatenate([report.nest.group for report, *_ in found])
    kinds = np.concatenate([counts for *_, counts in found], axis=1)
    site, wave, area = (np.array([group[j] for group in groups], dtype=object)[place] for j in range(3))
    source = np.repeat(np.array([report.source.id for report, *_ in found], dtype=object), sizes)
    column = np.repeat(np.array([column for _, column, _ in found], dtype=object), sizes)
    values = (site, area, wave, source, column, kinds.sum(axis=0), *kinds)
    return Records.of(**dict(zip(names, values, strict=True)))


def response_rows(groups: Sequence[Group], reports: Sequence[SourceReport]) -> Records:
    """Return one row a group and source: units, of how many."""
    rows = []
    for report in reports:
        asked = report.invited if report.source.invited is not None else report.eligible
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = report.units / asked
        for place, (site, wave, area) in enumerate(groups):
            rows.append(
                {
                    "site": site, "service_area": area, "wave": wave, "source": report.source.id,
                    "n": int(report.units[place]), "eligible": report.eligible[place],
                    "invited": report.invited[place], "share_taken": rate[place],
                    "census": bool(report.census[place]), "enough": bool(report.enough[place]),
                    "design_effect": report.design_effect[place],
                }
            )  # fmt: skip
    names = (
        "site",
        "service_area",
        "wave",
        "source",
        "n",
        "eligible",
        "invited",
        "share_taken",
        "census",
        "enough",
        "design_effect",
    )
    return _records(rows, names)


def spread_rows(reports: Sequence[SourceReport]) -> Records:
    """Return the pooled spread behind every interval."""
    names = ("source", "level", "target", "within", "between", "raters", "df_within", "df_between", "df_raters",
             "raters_from", "occasions", "df_occasions", "calibrated", "between_truncated", "flag")  # fmt: skip
    return _records([row for report in reports for row in report.spread], names)


def _records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Records:
    return Records.of(**{name: [row[name] for row in rows] for name in names})


def joined(parts: Sequence[Records]) -> Records:
    """Return rows of several groupings in one, ordered by site and wave, whole sites before their areas."""
    first = parts[0]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in first.columns}
    keys = [columns[name].astype(str) for name in ("service_area", "wave", "site")]
    order = np.lexsort(keys) if len(columns["site"]) else np.zeros(0, dtype=np.intp)
    return Records.of(**{name: column[order] for name, column in columns.items()})
