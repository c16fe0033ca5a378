"""The table of what score intervals hold: complete, honest, redone in part by the commit."""

import subprocess

import numpy as np
import pytest

STUDIES = {"assumed": 300, "period": 30, "departure": 40}
#: Eleven targets a cell: four standard errors keep a chance failure below one in a thousand commits.
STANDARD_ERRORS = 4.0


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_coverage")


@pytest.fixture(scope="module")
def table(script):
    return script.read_table()


def of_kind(table, kind):
    return [row for row in table if row["kind"] == kind]


def outside(row):
    error = float(row["std_error"])
    return not 0.93 - 2 * error <= float(row["coverage"]) <= 0.975 + 2 * error


def test_the_table_has_the_cells_that_scoring_assumes(script, table):
    assert {row["cell"] for row in of_kind(table, "assumed")} == set(script.ASSUMED)
    for row in table:
        cell = script.CELLS[row["cell"]]
        assert (int(row["studies"]), row["kind"], row["estimand"]) == (cell.studies, cell.kind, cell.estimand)
        assert float(row["mc_low"]) <= float(row["coverage"]) <= float(row["mc_high"])


def test_the_way_of_working_is_held_or_its_numbers_say_that_it_is_not(table):
    for row in of_kind(table, "assumed"):
        if outside(row):
            assert float(row["flagged"]) > 0.5, row
            if float(row["flagged"]) < 1:
                assert 0.93 <= float(row["coverage_unflagged"]) <= 0.975, row


def test_scores_are_not_biased_by_how_many_files_there_are(table):
    """With the same truth, doubling the files moves no expected score by more than .2 of 100."""
    by_name = {(row["cell"], row["level"], row["id"]): row for row in table}
    for (cell, level, name), ten in by_name.items():
        if cell == "files_10":
            assert abs(float(ten["bias"]) - float(by_name["files_20", level, name]["bias"])) < 0.2, (level, name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", STUDIES)
def test_a_cell_of_each_kind_drawn_by_the_commit_is_redone(script, table, kind):
    cells = sorted({row["cell"] for row in of_kind(table, kind)})
    if not cells:
        pytest.skip("not made yet")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    draw = int(commit[:8] or "20", 16)
    name = cells[draw % len(cells)]
    instrument = script.lowered(script.load_instrument("ibic"))
    found = script.found_in(script.CELLS[name], instrument, studies=STUDIES[kind], seed=draw, jobs=2)
    redone = {(row["level"], row["id"]): row for row in found}
    for row in (row for row in table if row["cell"] == name):
        mine = redone[row["level"], row["id"]]
        error = np.hypot(float(row["std_error"]), mine["std_error"])
        gap = abs(mine["coverage"] - float(row["coverage"]))
        assert gap <= STANDARD_ERRORS * error + 1e-12, (name, row, mine)
