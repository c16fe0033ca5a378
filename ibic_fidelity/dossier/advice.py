"""What a decision study says to those who plan: how many files and raters, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ibic_fidelity.dossier.rated_rows import RatedRows
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.parts import Site, Source
from ibic_fidelity.psychometrics.generalizability.decision_results import DecisionStudy, NeededConditions
from ibic_fidelity.psychometrics.generalizability.decisions import decision_study
from ibic_fidelity.psychometrics.generalizability.study_results import GeneralizabilityStudy

UNITS = (2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100)
RATERS = (1, 2, 3, 4, 5, 6, 8)
#: Units a site that a plan can ask for.
FEASIBLE = 60


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What would be reached with other numbers.

    Attributes
    ----------
    unit : str
        The facet that is counted over a whole site: "file" or "respondent".
    goal : float
        The Φ that is sought.
    n_units, n_raters : int
        Units and raters of an average site, whole numbers; raters 0 where there are none.
    observed : DecisionStudy
        At these numbers.
    grid : DecisionStudy
        Over numbers of units, and of raters who share a site's files.
    needed : NeededConditions
        Units that reach the goal, with as many raters as observed.
    needed_by_raters : dict of int to NeededConditions
        The same for other numbers of raters.
    """

    unit: str
    goal: float
    n_units: int
    n_raters: int
    observed: DecisionStudy
    grid: DecisionStudy
    needed: NeededConditions
    needed_by_raters: dict[int, NeededConditions]


def planned(study: GeneralizabilityStudy, rows: RatedRows, goal: float) -> Plan:
    """Return decision studies of a site's mean over units of the source, each unit seen by one rater."""
    counts = {name: max(1, round(value)) for name, value in rows.conditions().items()}
    split = {rows.unit: "rater"} if rows.rated else None
    others = {name: counts[name] for name in (rows.cluster,) if name in counts}

    def at(units: int | list[int], raters: int | list[int]) -> DecisionStudy:
        n = {**others, **({"rater": raters} if rows.rated else {})}
        return decision_study(study, n=n, total={rows.unit: units}, split=split)

    raters = counts.get("rater", 0)
    by_raters = {}
    for number in sorted({*RATERS, raters}) if rows.rated else ():
        by_raters[number] = at(max(counts[rows.unit], number), number).needed(rows.unit, target=goal)
    observed = at(counts[rows.unit], raters)
    return Plan(
        unit=rows.unit,
        goal=goal,
        n_units=counts[rows.unit],
        n_raters=raters,
        observed=observed,
        grid=at(list(UNITS), list(RATERS)),
        needed=by_raters[raters] if rows.rated else observed.needed(rows.unit, target=goal),
        needed_by_raters=by_raters,
    )


def advice_of(plan: Plan, source: Source, target: Mapping[str, str], site: Site) -> Message:
    """Return in one sentence what the numbers of units and raters are enough for, or would have to be."""
    phi = float(plan.observed.phi[0])
    limits = [float(side["phi"][0]) for side in (plan.observed.low, plan.observed.high)]
    said: dict[str, Any] = {
        "target": dict(target), "units": source.units.as_dict(), "site": site.one.as_dict(), "n": plan.n_units,
        "phi": phi, "low": limits[0], "high": limits[1], "goal": plan.goal,
    }  # fmt: skip
    needed = plan.needed
    if math.isnan(phi) or math.isnan(needed.estimate):
        return Message("dossier.advice_unknown", said)
    said |= {"needed": _counted(needed.estimate), "span": _span(needed)}
    if needed.estimate <= plan.n_units:
        return Message("dossier.advice_enough", said)
    said |= {"raters": plan.n_raters, "limit": needed.limit}
    if needed.estimate <= FEASIBLE:
        return Message("dossier.advice_more_rated" if plan.n_raters else "dossier.advice_more", said)
    for number, other in plan.needed_by_raters.items():
        if number > plan.n_raters and other.estimate <= FEASIBLE:
            shared = {"more_raters": number, "needed": _counted(other.estimate), "span": _span(other)}
            return Message("dossier.advice_more_raters", said | shared)
    return Message("dossier.advice_far" if math.isfinite(needed.estimate) else "dossier.advice_out_of_reach", said)


def _counted(value: float) -> int:
    return int(value) if math.isfinite(value) else 0


def _span(needed: NeededConditions) -> Message:
    """Return the interval of a number of units in words."""
    low, high = needed.ci.low, needed.ci.high
    if math.isfinite(high):
        return Message("dossier.span", {"least": int(low), "most": int(high)})
    return Message("dossier.span_open", {"least": int(low)}) if math.isfinite(low) else Message("dossier.span_none")
