"""The verb: answers and their instrument in, scores of every site and service area out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.origin import check_same_instrument, provenance_of
from ibic_fidelity.scoring.bootstrap import NOTHING, bootstrap_limits, check_bootstrap
from ibic_fidelity.scoring.components import composite_score, measure_score, needed_items
from ibic_fidelity.scoring.estimands import THIS_PERIOD, WAY_OF_WORKING, Estimand, check_estimand
from ibic_fidelity.scoring.grouping import groups_of
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.sources import RECOVERED, RECOVERED_PERIOD, SourceReport, source_report
from ibic_fidelity.scoring.sums import composite_weights
from ibic_fidelity.scoring.tabulation import (
    Scored,
    gates_and_bands,
    joined,
    missing_rows,
    response_rows,
    score_rows,
    spread_rows,
)
from ibic_fidelity.scoring.weighting import check_weights


def score_municipalities(
    responses: Responses,
    instrument: Instrument,
    *,
    confidence_level: float = 0.95,
    estimand: Estimand = WAY_OF_WORKING,
    bootstrap: int = 0,
    seed: int | None = None,
    n_jobs: int = 1,
) -> Scores:
    """Score how closely each site follows the instrument, by service area and in all.

    Items are means of 0–1 values over units (a share is 0–1 continuous, never binned); components are
    weighted means of their items, totals of their components, all times 100. Only primary measures
    enter; triangulating ones are shown beside them.

    Parameters
    ----------
    responses : Responses
        Answers coded by this very instrument.
    instrument : Instrument
        Its components, weights, minimum numbers, gates and bands.
    confidence_level : float
        Of the intervals, between 0 and 1.
    estimand : {"way_of_working", "this_period"}
        What the scores are about; two that are never mixed. The *way of working*: what the site would get with
        other files, assessors, raters and occasions (no finite-population correction); compare, band and rank by
        it. *This period's files and staff*: what all that were eligible would give, as these raters see them.
        Its only error is which of the eligible were taken, so a census has none; where nobody counted the
        eligible its interval is withheld (``scoring.eligible_unknown``), and it has no gates and bands.
    bootstrap : int
        Replicates of a rescaled cluster bootstrap of totals and components (`Scores.bootstrap`) beside the
        linearised intervals, 0 for none. It holds files and assessors, not raters and occasions; of the way of
        working only.
    seed : int, optional
        Of the bootstrap, which needs one.
    n_jobs : int
        Processes of the bootstrap; the bits are the same for any number.

    Returns
    -------
    Scores
        Estimates 0–100 with intervals for that estimand. A score whose
        source is below its minimum, or that lacks an item, is withheld with its reason; totals are never
        re-weighted over what is missing.

    Raises
    ------
    UsageError
        The responses were coded by another instrument or version, there are none, `confidence_level` is no
        level, `estimand` is none, a weight is not a positive number, or the weights of a site sum neither to its
        eligible units nor to those it has (within one per cent; where nobody counted, any sum goes).

    Notes
    -----
    Missing answers: an item's mean is over the units with an answer. A checklist with a blank or
    unknown part has no value for that unit. Variance between occasions is in the intervals where the instrument
    carries it (`Instrument.calibration`); nothing in one collection of data shows it.

    The interval solves (m − θ)² = t² κ θ(1 − θ), the score interval of a proportion (Wilson 1927) with
    1/κ effective units; κ is estimated over all groups together, see `pooled_spread`.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=4), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> scores.core[["site", "n"]].shape
    (4, 2)
    """
    _check(responses, instrument, confidence_level, estimand)
    check_bootstrap(bootstrap, seed, estimand)
    parts = [_score_groups(responses, instrument, confidence_level, estimand, by_area=False)]
    if groups_of(responses, by_area=True):
        parts.append(_score_groups(responses, instrument, confidence_level, estimand, by_area=True))
    options: dict[str, Any] = {"confidence_level": confidence_level, "estimand": estimand}
    if bootstrap:
        options |= {"bootstrap": bootstrap, "seed": seed}
    records = {
        name: joined([part[name] for part in parts]) for name in ("rows", "gates", "bands", "missing", "response")
    }
    notes = dict.fromkeys(note for part in parts for note in part["notes"])
    return Scores(
        **records,
        spread=parts[0]["spread"],
        bootstrap=_bootstrap(parts[0], instrument, confidence_level, bootstrap, seed, n_jobs),
        confidence_level=confidence_level,
        notes=(*notes, *_of_all(responses, instrument, estimand)),
        provenance=provenance_of(responses, instrument, options),
    )


def _bootstrap(
    part: Mapping[str, Any],
    instrument: Instrument,
    confidence_level: float,
    replicates: int,
    seed: int | None,
    n_jobs: int,
) -> Records:
    """Return the limits of whole sites' totals and components from a bootstrap, where one was asked for."""
    if not replicates or seed is None:
        return NOTHING
    weights = composite_weights(instrument)
    targets = {
        (one.level, one.component or one.statistic): (
            weights[one.level, one.component or one.statistic], one.score.reason, one.score.estimate,
        )
        for one in part["scored"]
        if one.level in ("component", "total")
    }  # fmt: skip
    return bootstrap_limits(
        part["reports"], part["groups"], targets, instrument,
        replicates=replicates, confidence_level=confidence_level, seed=seed, n_jobs=n_jobs,
    )  # fmt: skip


def _of_all(responses: Responses, instrument: Instrument, estimand: Estimand) -> tuple[Message, ...]:
    """Return what a reader must know that is of no source."""
    scored = set(responses.sites)
    named = {key[0] for counts in (responses.frame.eligible, responses.frame.invited) for key in counts}
    without = sorted(named - scored)
    said = [Message("scoring.sites_without_data", {"n": len(without), "sites": without})] if without else []
    if estimand == THIS_PERIOD:
        return (*said, Message("scoring.this_period"))
    return (*said, *_of_calibration(instrument))


def _of_calibration(instrument: Instrument) -> tuple[Message, ...]:
    """Return what the intervals hold of occasions, and from what the instrument's calibration is."""
    calibration = instrument.calibration
    said = []
    if calibration is None or all(row.occasion is None for row in calibration.rows):
        said.append(Message("scoring.no_occasions"))
    if calibration is not None:
        code = "scoring.calibrated_synthetic" if calibration.synthetic else "scoring.calibrated"
        said.append(Message(code, {"note": calibration.note.as_dict(), "sites": calibration.sites}))
    return tuple(said)


def _check(responses: Responses, instrument: Instrument, confidence_level: float, estimand: Estimand) -> None:
    given: tuple[object, object] = (responses, instrument)
    if not (isinstance(given[0], Responses) and isinstance(given[1], Instrument)):
        raise ArgumentTypeError("scoring.wrong_kind", got=[type(one).__name__ for one in given])
    if not any(table.n for table in responses.tables.values()):
        raise UsageError("scoring.no_responses")
    if not 0 < confidence_level < 1:
        raise UsageError("scoring.confidence_level", value=repr(confidence_level))
    check_estimand(estimand)
    check_same_instrument(responses, instrument)
    check_weights(responses)


def _score_groups(
    responses: Responses, instrument: Instrument, confidence_level: float, estimand: Estimand, *, by_area: bool
) -> dict[str, Any]:
    groups = groups_of(responses, by_area=by_area)
    places = {group: position for position, group in enumerate(groups)}
    weights = composite_weights(instrument)
    reports = [
        source_report(table, instrument, places, weights, responses.frame, by_area=by_area, estimand=estimand)
        for table in (responses.tables[source.id] for source in instrument.sources if source.id in responses.tables)
    ]
    scored = _measures(reports, instrument, confidence_level)
    recovered = RECOVERED if estimand == WAY_OF_WORKING else RECOVERED_PERIOD
    for (level, name), items in weights.items():
        if not items:
            continue
        sources = needed_items(instrument, list(items))
        score = composite_score((level, name), reports, sources, confidence_level, recovered)
        source = next(iter(sources)) if len(sources) == 1 else ""
        component, statistic = (name, "") if level == "component" else ("", name)
        scored.append(Scored(level, source, component, "", statistic, score))
    return {
        "reports": reports,
        "groups": groups,
        "scored": scored,
        "rows": score_rows(groups, scored, estimand),
        **gates_and_bands(groups, scored if estimand == WAY_OF_WORKING else [], instrument),
        "missing": missing_rows(groups, reports),
        "response": response_rows(groups, reports),
        "spread": spread_rows(reports),
        "notes": [note for report in reports for note in (*report.notes, *_of_weights(report))],
    }


def _of_weights(report: SourceReport) -> tuple[Message, ...]:
    """Return what unequal weights cost."""
    effect = report.design_effect[np.isfinite(report.design_effect)]
    if report.source.kind == "register" or not (effect > 1 + 1e-9).any():
        return ()
    words = {"median": round(float(np.median(effect)), 2), "largest": round(float(effect.max()), 2)}
    return (Message("scoring.weighted", {"source": report.source.label.as_dict(), **words}),)


def _measures(reports: Sequence[SourceReport], instrument: Instrument, confidence_level: float) -> list[Scored]:
    scored = []
    for report in reports:
        for item, measure in instrument.measures_of(report.source.id):
            level = "item" if measure.role == "primary" else "triangulating"
            score = measure_score(report.said["measure", item.id], report, confidence_level)
            scored.append(Scored(level, report.source.id, item.component, item.id, "", score))
    return scored
