"""What a decision study says to those who plan: how many files and raters, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ibic_fidelity.dossier.rated_rows import Floats, RatedRows
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.parts import Site, Source
from ibic_fidelity.psychometrics.generalizability.decision_results import DecisionStudy, NeededConditions
from ibic_fidelity.psychometrics.generalizability.decisions import decide
from ibic_fidelity.psychometrics.generalizability.study_results import GeneralizabilityStudy

UNITS = (2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100)
RATERS = (1, 2, 3, 4, 5, 6, 8)
#: Units a site that a plan can ask for.
FEASIBLE = 60
#: Units that nobody reads: above it only that is said.
BEYOND = 400
#: Sites below which nothing is advised: hardly anything is known of the variance between them.
LEAST_SITES = 5
#: Of the error that more units leave, from which a source of it is named.
NAMED = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What would be reached with other numbers.

    Attributes
    ----------
    unit : str
        The facet that is counted over a whole site: "file" or "respondent".
    goal : float
        The Φ that is sought.
    n_units, n_raters, n_clusters : float
        Units, raters and clusters of an average site, means; 0 where there are none.
    n_sites : int
        Sites in the data.
    audit : bool
        Whether raters are part of the error, told apart or not.
    observed : DecisionStudy
        At these numbers.
    grid : DecisionStudy
        Over numbers of units, and of raters who share a site's files.
    needed : NeededConditions
        Units that reach the goal, with as many raters as observed.
    needed_by_raters : dict of int to NeededConditions
        The same for other numbers of raters.
    ceiling : dict of str to float
        Of the error that is left with any number of units: the share of raters and of clusters.
    """

    unit: str
    goal: float
    n_units: float
    n_raters: float
    n_clusters: float
    n_sites: int
    audit: bool
    observed: DecisionStudy
    grid: DecisionStudy
    needed: NeededConditions
    needed_by_raters: dict[int, NeededConditions]
    ceiling: dict[str, float]


def planned(study: GeneralizabilityStudy, rows: RatedRows, y: Floats, goal: float) -> Plan:
    """Return decision studies of a site's mean over units with a value, each unit seen by one rater."""
    counts = rows.conditions(y)
    split = {rows.unit: "rater"} if rows.rated else None
    others = {name: counts[name] for name in (rows.cluster,) if name in counts}

    def at(units: float | tuple[int, ...], raters: float | tuple[int, ...]) -> DecisionStudy:
        n = {**others, **({"rater": raters} if rows.rated else {})}
        return decide(
            study.components, n=n, object_of_measurement=study.object_of_measurement, cut=None, assume_zero=(),
            given=None, confidence_level=study.decision.confidence_level, total={rows.unit: units}, split=split,
            whole=False,
        )  # fmt: skip

    units, raters = counts[rows.unit], counts.get("rater", 0.0)
    observed = at(units, raters)
    return Plan(
        unit=rows.unit,
        goal=goal,
        n_units=units,
        n_raters=raters,
        n_clusters=counts.get(rows.cluster, 0.0),
        n_sites=study.components.levels[study.object_of_measurement],
        audit=rows.audit,
        observed=observed,
        grid=at(UNITS, RATERS),
        needed=observed.needed(rows.unit, target=goal),
        needed_by_raters={n: at(max(units, n), n).needed(rows.unit, target=goal) for n in RATERS if rows.rated},
        ceiling=_ceiling(study, rows, counts),
    )


def error_parts(study: GeneralizabilityStudy, rows: RatedRows, counts: Mapping[str, float]) -> dict[str, float]:
    """Return the variance that each source of error gives the mean of an average site, each unit seen by one rater."""
    made = study.way_of_working()
    parts = {}
    for source, variance in zip(made.sources, made.variance.tolist(), strict=True):
        facets = source.split(" × ")
        parts[source] = variance / (
            counts[rows.unit] if rows.unit in facets else math.prod(counts[facet] for facet in facets)
        )
    return parts


def _ceiling(study: GeneralizabilityStudy, rows: RatedRows, counts: Mapping[str, float]) -> dict[str, float]:
    """Return the shares of raters and clusters in the error that more units do not lower."""
    parts = error_parts(study, rows, counts)
    left = {source: part for source, part in parts.items() if source in {"rater", rows.cluster}}
    whole = sum(left.values())
    return {source: part / whole for source, part in left.items()} if whole > 0.0 else {}


def advice_of(plan: Plan, source: Source, target: Mapping[str, str], site: Site) -> Message:
    """Return in one sentence what the numbers of units and raters are enough for, or would have to be."""
    phi, needed = float(plan.observed.phi[0]), plan.needed
    said: dict[str, Any] = {
        "target": dict(target), "units": source.units.as_dict(), "site": site.one.as_dict(),
        "n": float(plan.n_units), "phi": phi, "low": float(plan.observed.low["phi"][0]),
        "high": float(plan.observed.high["phi"][0]), "goal": plan.goal,
    }  # fmt: skip
    nothing = _nothing_known(plan)
    if nothing:
        return Message(nothing, said | {"sites": plan.n_sites, "least": LEAST_SITES})
    said |= {"needed": _counted(needed.estimate), "span": _span(needed), "limit": needed.limit}
    if needed.estimate <= plan.n_units:
        return Message("dossier.advice_enough", said)
    if not plan.n_raters:
        return Message(_plain(needed), said)
    return _of_raters(plan, said | {"raters": float(plan.n_raters), "ceiling": _ceiling_words(plan)})


def _nothing_known(plan: Plan) -> str:
    """Return the code of why nothing can be advised, empty where something can."""
    if plan.n_sites < LEAST_SITES:
        return "dossier.advice_few_sites"
    if math.isnan(float(plan.observed.phi[0])) or math.isnan(plan.needed.estimate):
        return "dossier.advice_unlinked" if plan.n_raters else "dossier.advice_unknown"
    return "dossier.advice_no_raters" if plan.audit and not plan.n_raters else ""


def _of_raters(plan: Plan, said: dict[str, Any]) -> Message:
    """Return advice where more units, or more raters who share them, are needed."""
    reached = math.isfinite(plan.needed.estimate)
    if plan.needed.estimate <= FEASIBLE:
        return Message("dossier.advice_more_rated", said)
    for number, other in plan.needed_by_raters.items():
        if number > plan.n_raters and other.estimate <= FEASIBLE:
            shared = {"more_raters": number, "shared": _counted(other.estimate), "span": _span(other)}
            code = Message("dossier.advice_fewer_shared", said | shared)
            return code if reached else Message("dossier.advice_more_raters", said | shared)
    return Message("dossier.advice_far_rated", said) if reached else Message("dossier.advice_out_of_reach", said)


def _plain(needed: NeededConditions) -> str:
    """Return the code of advice where there are no raters."""
    if needed.estimate <= FEASIBLE:
        return "dossier.advice_more"
    return "dossier.advice_far" if math.isfinite(needed.estimate) else "dossier.advice_out_of_reach_plain"


def _ceiling_words(plan: Plan) -> Message:
    """Return what keeps Φ down however many units there are."""
    named = [source for source, share in plan.ceiling.items() if share >= NAMED]
    if len(named) == 1:
        return Message("dossier.ceiling_rater" if named[0] == "rater" else "dossier.ceiling_cluster")
    return Message("dossier.ceiling_both" if named else "dossier.ceiling_none")


def _counted(value: float) -> Message:
    """Return a number of units in words; one that nobody could read is not given to the unit."""
    if value > BEYOND:
        return Message("dossier.beyond", {"n": BEYOND})
    return Message("dossier.about", {"n": int(value)})


def _span(needed: NeededConditions) -> Message:
    """Return the interval of a number of units in words."""
    low, high = needed.ci.low, needed.ci.high
    if math.isfinite(high):
        return Message("dossier.span", {"least": int(low), "most": int(high)})
    return Message("dossier.span_open", {"least": int(low)}) if math.isfinite(low) else Message("dossier.span_none")
