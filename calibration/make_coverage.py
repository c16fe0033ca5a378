"""Coverage of score intervals, made offline, seeded and resumable: 2,000 pilots, 1,000 studies for other cells.

    python calibration/make_coverage.py [--jobs 2] [--cell NAME ...]

Writes calibration/coverage.csv, one row a cell and target; cells that stand there already are kept, so
that an interrupted run goes on where it stopped. A slow test draws a cell by the commit and redoes it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from ibic_fidelity.foundation.files import write_file
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.studies.coverage import interval_coverage
from ibic_fidelity.studies.design import LatentShares, StudyDesign

TABLE = Path(__file__).with_name("coverage.csv")
SEED = 1_000_000
STUDIES = {"pilot": 2000, "sites_100": 400}
STUDIES_ELSE = 1000
PRACTICE = ("core", "extended")
FIGURES = ("intervals", "shown", "coverage", "std_error", "mean_width", "bias", "flagged", "coverage_unflagged")
COLUMNS = ("cell", "seed", "studies", "level", "id", *FIGURES)

#: The pilot is what data/synthetic holds in kind; every other cell changes one thing.
AUDIT = {"users": 0, "relatives": 0, "providers": 0, "managers": 1}
CELLS: dict[str, StudyDesign] = {
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


def practice_rows(instrument: Instrument) -> set[tuple[str, str]]:
    """Return the targets that a table row is kept for: components of practice, and totals."""
    components = {("component", part.id) for part in instrument.components if part.dimension in PRACTICE}
    return components | {("total", total.id) for total in instrument.totals}


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
    wanted = practice_rows(instrument)
    for cell in options.cell:
        if any(row["cell"] == cell for row in rows):
            continue
        seed = SEED * (1 + list(CELLS).index(cell))
        n_studies = STUDIES.get(cell, STUDIES_ELSE)
        found = interval_coverage(CELLS[cell], instrument, n_studies=n_studies, seed=seed, n_jobs=options.jobs)
        for row in found.rows():
            if (row["level"], row["id"]) in wanted:
                plain = {
                    name: f"{value:.5f}" if isinstance(value, float) else str(value) for name, value in row.items()
                }
                rows.append({"cell": cell, "seed": str(seed), **plain})
        order = {name: i for i, name in enumerate(CELLS)}
        rows.sort(key=lambda row: order[row["cell"]])
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
        write_file(TABLE, "\n".join(lines) + "\n", force=True)
        print(cell, "done", file=sys.stderr)


if __name__ == "__main__":
    main()
