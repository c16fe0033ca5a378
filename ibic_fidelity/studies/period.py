"""Studies of a finite population: some of this period's eligible files, and what all would have given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Frame, Responses, SourceTable
from ibic_fidelity.scoring.estimands import THIS_PERIOD
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import Study, simulate_study


def simulate_period(
    design: StudyDesign, population: int, *, seed: int = 0, instrument: Instrument | None = None
) -> Study:
    """Simulate a study whose truth is this period's: the mean of all eligible files, as their raters see them.

    Parameters
    ----------
    design : StudyDesign
        What the study looks like; no file is rated twice.
    population : int
        Eligible files in each site and area, of which `design.files` are drawn by chance.
    seed, instrument
        As in `simulate_study`.

    Returns
    -------
    Study
        `truth` holds the scores of the whole population with no answer blank: plain means, in which nothing is
        estimated. Register and documents are what they are, and the only ones.
    """
    if population < design.files:
        raise UsageError("studies.period", value=population, files=design.files)
    whole = replace(design, files=population, double_rated=0.0)
    there = simulate_study(replace(whole, missing=0.0), seed=seed, instrument=instrument)
    census = _counted(there.responses, there.instrument, population)
    seen = _counted(
        simulate_study(whole, seed=seed, instrument=there.instrument).responses, there.instrument, population
    )
    tables = {
        source: _drawn(table, design.files, seed)
        if there.instrument.by_source[source].kind == "audit" and not there.instrument.by_source[source].single
        else census.tables[source]
        for source, table in seen.tables.items()
    }
    return replace(there, responses=replace(seen, tables=tables), truth=_truth(census, there.instrument), design=design)


def _drawn(table: SourceTable, files: int, seed: int) -> SourceTable:
    """Return files drawn by chance in each site and area."""
    rng = stream(seed, "studies/period", table.source)
    group = table.site.codes.astype(np.int64) * len(table.service_area.labels) + table.service_area.codes
    order = np.lexsort((rng.random(table.n), group))
    place = np.arange(table.n) - np.searchsorted(group[order], group[order])
    return table.take(np.sort(order[place < files]))


def _counted(responses: Responses, instrument: Instrument, population: int) -> Responses:
    """Return responses whose register says how many eligible files there were."""
    audits = {source.id for source in instrument.sources if source.kind == "audit" and not source.single}
    eligible = {key: population if key[-1] in audits else n for key, n in responses.frame.eligible.items()}
    return replace(responses, frame=Frame(eligible, responses.frame.invited))


def _truth(census: Responses, instrument: Instrument) -> Records:
    """Return the scores of a census in the columns of a planted truth."""
    rows = score_municipalities(census, instrument, estimand=THIS_PERIOD).rows
    rows = rows.where(rows["level"] != "triangulating")
    name = {"item": "item", "component": "component", "total": "statistic"}
    return Records.of(
        site=rows["site"], service_area=rows["service_area"], level=rows["level"],
        id=np.array([row[name[row["level"]]] for row in rows.rows()], dtype=object),
        value=rows["estimate"].astype(float),
    )  # fmt: skip
