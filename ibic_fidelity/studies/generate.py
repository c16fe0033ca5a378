"""Answers from a planted world: files under assessors, linked raters, surveys, registers, holes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Source
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import Frame, Responses, SourceTable, source_table
from ibic_fidelity.studies.answers import (
    Ints,
    SharedParts,
    answers,
    asked_of,
    audit_rows,
    document_rows,
    register_table,
    sites_of,
    survey_rows,
)
from ibic_fidelity.studies.departures import NONE, Departures
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.selection import chosen_files, those_who_answer, without_assessors
from ibic_fidelity.studies.truth import World, plant_world, truth_table

ELIGIBLE_FACTOR = (2.0, 6.0)  # eligible files for each audited one


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A simulated study.

    Attributes
    ----------
    responses : Responses
        The answers, marked as synthetic.
    truth : Records
        site, service_area, level, id, value (0–100) of every item, component and total: the planted way
        of working, over all assessors, files and raters that might have been.
    outcomes : Records
        site, service_area, outcome, value: the planted level of every outcome that a component measures.
    instrument, design, seed : Instrument, StudyDesign, int
        From what it was made.
    """

    responses: Responses
    truth: Records
    outcomes: Records
    instrument: Instrument
    design: StudyDesign
    seed: int


def simulate_study(
    design: StudyDesign,
    *,
    seed: int = 0,
    instrument: Instrument | None = None,
    departures: Departures = NONE,
) -> Study:
    """Simulate a study with a known truth.

    Parameters
    ----------
    design : StudyDesign
        What the study looks like.
    seed : int
        The same design and seed give the same study, to the bit.
    instrument : Instrument, optional
        Read already; by default the design's is loaded.
    departures : Departures
        Where the study leaves what scoring assumes. The truth stays the planted one.

    Returns
    -------
    Study
        ``.responses``, ``.truth``, ``.outcomes``.

    Notes
    -----
    An answer is yes where a standard normal latent value is below a threshold. The latent value is a sum
    of assessor, file, item in file, rater severity and rater error (`LatentShares`), so that answers in a
    file, files of an assessor, and ratings by a rater go together, while the expected answer over all of
    them is exactly the planted level.

    Examples
    --------
    >>> study = simulate_study(StudyDesign(n_sites=3), seed=1)
    >>> study.responses.synthetic, len(study.responses.sites)
    (True, 3)
    """
    instrument = instrument if instrument is not None else load_instrument(design.instrument)
    sites = sites_of(instrument, design.n_sites)
    world = plant_world(design, instrument, sites, seed, departures)
    eligible = eligible_units(design, world, seed)
    tables = {}
    for source in instrument.sources:
        table = _source(source, instrument, design, world, eligible, seed, departures)
        if table is not None and table.n:
            tables[source.id] = table
    made_of = (design.as_dict(), seed, instrument.sha256, *((departures,) if departures.planted else ()))
    fingerprint = sha256(repr(made_of).encode())
    responses = Responses(
        tables=tables,
        frame=frame_of(instrument, design, world, eligible),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_sha256=instrument.sha256,
        data_sha256=fingerprint,
        synthetic=True,
    )
    truth = truth_table(world, instrument, design, eligible, departures)
    return Study(responses, truth, _outcomes(truth, instrument), instrument, design, seed)


def _source(
    source: Source,
    instrument: Instrument,
    design: StudyDesign,
    world: World,
    eligible: Ints,
    seed: int,
    departures: Departures,
) -> SourceTable | None:
    files = source.kind == "audit" and not source.single
    drawn = design
    if files and departures.left_out:  # the files to choose from
        drawn = replace(design, files=round(design.files / (1 - departures.left_out)))
    if source.id == "user" and departures.silence:
        drawn = replace(design, response_rate=1.0)
    table = _answered(source, instrument, drawn, world, eligible, seed, departures)
    if table is None or not departures.planted:
        return table
    if files and departures.left_out:
        table = chosen_files(table, instrument, design.files)
    if files and departures.hidden_assessors:
        table = without_assessors(table)
    if source.id == "user" and departures.silence:
        rng = stream(seed, "studies/silence")
        table = those_who_answer(table, instrument, design.response_rate, departures.silence, rng)
    return table


def _answered(
    source: Source,
    instrument: Instrument,
    design: StudyDesign,
    world: World,
    eligible: Ints,
    seed: int,
    departures: Departures,
) -> SourceTable | None:
    rng = stream(seed, "studies/source", source.id)
    asked = instrument.measures_of(source.id)
    if source.kind == "register":
        return register_table(source, asked, instrument, world, eligible, rng)
    if not asked:
        return None
    if source.kind == "audit":
        rows = document_rows(design, world) if source.single else audit_rows(design, world, rng)
    else:
        rows = survey_rows(source, design, world, rng)
    if not len(rows.group):
        return None
    latent = SharedParts.draw(rows, source, instrument, design, rng, departures).latent
    columns: list[NDArray[np.int8]] = []
    for item, measure in asked:
        columns += answers(item, measure, instrument, design, world, rows, latent, rng)
    return source_table(source.id, instrument.columns_of(source.id), np.stack(columns, axis=1), rows.keys(world))


def eligible_units(design: StudyDesign, world: World, seed: int) -> Ints:
    """Draw how many files there were to take in each group."""
    rng = stream(seed, "studies/eligible")
    factor = rng.uniform(*ELIGIBLE_FACTOR, len(world.sites))
    return np.round(float(design.files) * factor).astype(np.int64)


def frame_of(instrument: Instrument, design: StudyDesign, world: World, eligible: Ints) -> Frame:
    """Return how many units there were to take, and how many were asked, in each group."""
    there: dict[tuple[str, str, str, str], int] = {}
    invited: dict[tuple[str, str, str, str], int] = {}
    for g, (site, area) in enumerate(zip(world.sites, world.areas, strict=True)):
        for source in instrument.sources:
            if source.eligible is not None:
                there[site, area, "", source.id] = int(eligible[g])
            asked = 1 if source.single else asked_of(source.id, design)
            if source.invited is not None and source.kind == "survey" and (asked or not source.apart):
                invited[site, area, "", source.id] = asked
    return Frame(there, invited)


def _outcomes(truth: Records, instrument: Instrument) -> Records:
    rows: dict[str, list[Any]] = {name: [] for name in ("site", "service_area", "outcome", "value")}
    for outcome in instrument.outcomes:
        if outcome.component is None:
            continue
        mine = truth.where((truth["level"] == "component") & (truth["id"] == outcome.component))
        rows["site"] += mine["site"].tolist()
        rows["service_area"] += mine["service_area"].tolist()
        rows["outcome"] += [outcome.id] * len(mine)
        rows["value"] += mine["value"].tolist()
    return Records.of(**rows)
