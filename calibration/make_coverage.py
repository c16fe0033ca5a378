"""Coverage of score intervals, made offline, seeded and resumable: 2,000 pilots, 1,000 studies for most other cells.

    python calibration/make_coverage.py [--jobs 2] [--cell NAME ...]

Writes calibration/coverage.csv, one row a cell and target; cells that stand there already are kept, so
that an interrupted run goes on where it stopped. A slow test draws cells by the commit and redoes them.

Three kinds of cells: the way of working as scoring assumes it, this period's files (the truth is the mean of all
eligible), and departures from what scoring assumes. The two last have 72 sites a study, which costs little more
than 24, and fewer studies; `commit` is that of the code that made a row.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ibic_fidelity.foundation.files import write_file
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.scoring.estimands import THIS_PERIOD, WAY_OF_WORKING, Estimand
from ibic_fidelity.studies.coverage import interval_coverage
from ibic_fidelity.studies.departures import NONE, Departures
from ibic_fidelity.studies.design import LatentShares, StudyDesign

TABLE = Path(__file__).with_name("coverage.csv")
SEED = 1_000_000
STUDIES = {"pilot": 2000, "sites_100": 400, "severity_06": 150, "severity_12": 150, "halo_02": 150, "halo_06": 150,
           "chosen_10": 60, "chosen_33": 60}  # fmt: skip
STUDIES_ELSE = 1000
STUDIES_OF_72 = 30  # with 72 sites each: 2,160 intervals a cell
PRACTICE = ("core", "extended")
FIGURES = ("intervals", "shown", "coverage", "std_error", "mean_width", "bias", "flagged", "coverage_unflagged")
COLUMNS = ("cell", "kind", "estimand", "seed", "commit", "studies", "level", "id", *FIGURES, "mc_low", "mc_high")
#: Components of users, kept where users enter the story.
EXPERIENCE = ("de", "ml")


@dataclass(frozen=True)
class Cell:
    """One cell: the design, what departs from what scoring assumes, what is estimated, and of how many files.

    `kind` is assumed, period or departure.
    """

    design: StudyDesign
    departures: Departures = NONE
    estimand: Estimand = WAY_OF_WORKING
    population: int | None = None
    studies: int = STUDIES_ELSE
    kind: str = "assumed"


#: The pilot is what data/synthetic holds in kind; every other cell changes one thing.
AUDIT = {"users": 0, "relatives": 0, "providers": 0, "managers": 1}
ASSUMED: dict[str, StudyDesign] = {
    "pilot": StudyDesign(),
    "files_5": StudyDesign(files=5, assessors=2, **AUDIT),
    "files_10": StudyDesign(files=10, assessors=3, **AUDIT),
    "files_20": StudyDesign(files=20, assessors=4, **AUDIT),
    "files_100": StudyDesign(files=100, assessors=10, **AUDIT),
    "level_30": StudyDesign(mean=-0.55, **AUDIT),
    "level_70": StudyDesign(mean=0.6, **AUDIT),
    "level_90": StudyDesign(mean=1.6, **AUDIT),
    "assessor_05": StudyDesign(shares=LatentShares(assessor=0.05), **AUDIT),
    "assessor_30": StudyDesign(shares=LatentShares(assessor=0.30), **AUDIT),
    "three_sites": StudyDesign(n_sites=3, files=20, assessors=4, raters=1, double_rated=0.0, **AUDIT),
    "two_assessors": StudyDesign(files=20, assessors=2, **AUDIT),
    "missing_20": StudyDesign(missing=0.20, **AUDIT),
    "not_applicable_30": StudyDesign(not_applicable=0.30, **AUDIT),
    "not_applicable_uneven": StudyDesign(not_applicable=0.35, uneven=1.0, **AUDIT),
    "rater_06": StudyDesign(shares=LatentShares(rater=0.06), **AUDIT),
    "four_raters": StudyDesign(raters=4, **AUDIT),
    "unlinked": StudyDesign(double_rated=0.0, **AUDIT),
    "sites_8": StudyDesign(n_sites=8, raters=2, **AUDIT),
    "sites_100": StudyDesign(n_sites=100, raters=20, **AUDIT),
}

MANY = {"n_sites": 72, "raters": 24, **AUDIT}
PLAIN = StudyDesign(**MANY)
PERIOD: dict[str, Cell] = {
    "period_5_of_10": Cell(StudyDesign(files=5, assessors=2, **MANY), population=10),
    "period_20_of_200": Cell(StudyDesign(files=20, **MANY), population=200),
    "period_20_of_40": Cell(StudyDesign(files=20, **MANY), population=40),
    "period_25_of_30": Cell(StudyDesign(files=25, **MANY), population=30),
    "period_census": Cell(StudyDesign(files=30, missing=0.0, **MANY), population=30),
    "period_level_90": Cell(StudyDesign(files=20, mean=1.6, **MANY), population=40),
    "period_missing_20": Cell(StudyDesign(files=20, missing=0.20, **MANY), population=40),
    "period_as_way": Cell(StudyDesign(files=30, missing=0.0, **MANY)),
}
DEPARTURES: dict[str, Cell] = {
    "severity_06": Cell(StudyDesign(double_rated=0.0, shares=LatentShares(rater=0.06), **MANY)),
    "severity_12": Cell(StudyDesign(double_rated=0.0, shares=LatentShares(rater=0.12), **MANY)),
    "halo_02": Cell(PLAIN, Departures(halo=0.02)),
    "halo_06": Cell(PLAIN, Departures(halo=0.06)),
    "chosen_10": Cell(PLAIN, Departures(left_out=0.10)),
    "chosen_33": Cell(PLAIN, Departures(left_out=1 / 3)),
    "tails_5": Cell(PLAIN, Departures(tails=5.0)),
    "tails_3": Cell(PLAIN, Departures(tails=3.0)),
    "hidden_05": Cell(StudyDesign(shares=LatentShares(assessor=0.05), **MANY), Departures(hidden_assessors=True)),
    "hidden_30": Cell(StudyDesign(shares=LatentShares(assessor=0.30), **MANY), Departures(hidden_assessors=True)),
    "silence_05": Cell(StudyDesign(**{**MANY, "users": 30}), Departures(silence=0.5)),
    "silence_10": Cell(StudyDesign(**{**MANY, "users": 30}), Departures(silence=1.0)),
}
CELLS: dict[str, Cell] = {
    **{name: Cell(design, studies=STUDIES.get(name, STUDIES_ELSE)) for name, design in ASSUMED.items()},
    **{
        name: replace(cell, kind="period", estimand=THIS_PERIOD, studies=STUDIES_OF_72) for name, cell in PERIOD.items()
    },
    **{
        name: replace(cell, kind="departure", studies=STUDIES.get(name, STUDIES_OF_72))
        for name, cell in DEPARTURES.items()
    },
}


def lowered(instrument: Instrument) -> Instrument:
    """Return the instrument with minimum numbers that let the smallest cells show a figure."""
    sources = tuple(
        source.model_copy(
            update={
                "minimum": min(source.minimum, 3),
                "census_minimum": None,
                "item_minimum": min(source.item_minimum, 2),
            }
        )
        for source in instrument.sources
    )
    return instrument.replaced(sources=sources)


def narrowed(instrument: Instrument, cell: Cell) -> Instrument:
    """Return the instrument with no more than the cell's rows are made of, where the cell is new; it saves half."""
    if cell.kind == "assumed":
        return instrument
    kept = {part.id for part in instrument.components if part.dimension in PRACTICE}
    kept |= set(EXPERIENCE) if cell.departures.silence else set()
    return instrument.replaced(
        components=tuple(part for part in instrument.components if part.id in kept),
        items=tuple(item.model_copy(update={"restates": ()}) for item in instrument.items if item.component in kept),
        outcomes=(),
        gaps=(),
    )


def kept_rows(instrument: Instrument, cell: Cell) -> set[tuple[str, str]]:
    """Return the targets that a table row is kept for: components of practice and totals, of users where they count."""
    if cell.departures.silence:
        return {("component", name) for name in EXPERIENCE}
    components = {("component", part.id) for part in instrument.components if part.dimension in PRACTICE}
    return components | {("total", total.id) for total in instrument.totals}


def found_in(cell: Cell, instrument: Instrument, *, studies: int, seed: int, jobs: int) -> list[dict[str, object]]:
    """Return the rows of a cell."""
    found = interval_coverage(
        cell.design, narrowed(instrument, cell), n_studies=studies, seed=seed, departures=cell.departures,
        estimand=cell.estimand, population=cell.population, n_jobs=jobs,
    )  # fmt: skip
    wanted = kept_rows(instrument, cell)
    return [row for row in found.rows() if (row["level"], row["id"]) in wanted]


def this_commit() -> str:
    """Return the commit that the code is of."""
    made = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def read_table() -> list[dict[str, str]]:
    """Return the rows of the committed table."""
    if not TABLE.exists():
        return []
    with TABLE.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def main() -> None:
    """Make the cells that are lacking."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cell", nargs="*", default=list(CELLS))
    options = parser.parse_args()
    rows = read_table()
    instrument = lowered(load_instrument("ibic"))
    for name in options.cell:
        if any(row["cell"] == name for row in rows):
            continue
        cell, seed = CELLS[name], SEED * (1 + list(CELLS).index(name))
        of_cell = {
            "cell": name, "kind": cell.kind, "estimand": cell.estimand, "seed": str(seed), "commit": this_commit(),
        }  # fmt: skip
        for row in found_in(cell, instrument, studies=cell.studies, seed=seed, jobs=options.jobs):
            half = 1.96 * float(row["std_error"])
            row |= {"mc_low": row["coverage"] - half, "mc_high": min(row["coverage"] + half, 1.0)}
            plain = {key: f"{value:.5f}" if isinstance(value, float) else str(value) for key, value in row.items()}
            rows.append({**of_cell, **plain})
        order = {known: i for i, known in enumerate(CELLS)}
        rows.sort(key=lambda row: order[row["cell"]])
        lines = [",".join(COLUMNS), *(",".join(row[key] for key in COLUMNS) for row in rows)]
        write_file(TABLE, "\n".join(lines) + "\n", force=True)
        print(name, "done", file=sys.stderr)


if __name__ == "__main__":
    main()
