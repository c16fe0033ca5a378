"""The table of what score intervals hold: complete, honest, redone in part by the commit."""

import subprocess

import numpy as np
import pytest

STUDIES = {"assumed": 300, "period": 15, "departure": 20}
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


def test_a_period_is_held_by_its_own_interval(table):
    for row in of_kind(table, "period"):
        if row["cell"] == "period_as_way":
            continue
        assert float(row["mc_high"]) >= 0.93 or float(row["flagged"]) > 0.5, row
    census = [row for row in of_kind(table, "period") if row["cell"] == "period_census"]
    assert {float(row["coverage"]) for row in census} == {1.0}
    assert {float(row["mean_width"]) for row in census} == {0.0}


def test_an_interval_of_a_period_does_not_hold_the_way_of_working(table):
    as_way = {row["id"]: row for row in of_kind(table, "period") if row["cell"] == "period_as_way"}
    assert float(as_way["total_core"]["mc_high"]) < 0.8


def test_what_departures_do_is_in_the_table(script, table):
    """How far score and interval go wrong; the guides print it, and no flag pretends to see what cannot be seen."""
    rows = {(row["cell"], row["id"]): row for row in of_kind(table, "departure")}
    assert {cell for cell, _ in rows} == set(script.DEPARTURES)
    for weak, strong in (("severity_06", "severity_12"), ("halo_02", "halo_06"), ("hidden_05", "hidden_30")):
        covered = [float(rows[cell, "total_core"]["coverage"]) for cell in (weak, strong)]
        assert covered[1] < covered[0] < 0.95
    for weak, strong, name in (("chosen_10", "chosen_33", "total_core"), ("silence_05", "silence_10", "de")):
        bias = [float(rows[cell, name]["bias"]) for cell in (weak, strong)]
        assert 1 < bias[0] < bias[1]
    for cell in ("hidden_05", "hidden_30"):
        assert float(rows[cell, "total_core"]["flagged"]) == 1.0
    for cell in ("tails_5", "tails_3"):
        assert not outside(rows[cell, "total_core"])


@pytest.fixture(scope="module")
def grid(calibration_script):
    return calibration_script("make_grid")


def test_the_grid_holds_the_level_or_its_numbers_say_that_they_do_not(grid, calibration_script):
    rows = calibration_script("coverage_table").read_table(grid.TABLE)
    found = [grid.Cell(int(r["n"]), *(float(r[name]) for name in ("ceiling", "icc", "missing"))) for r in rows]
    assert found == grid.cells()
    for row in rows:
        assert int(row["studies"]) >= grid.STUDIES
        touches = float(row["mc_high"]) >= 0.93 and float(row["mc_low"]) <= 0.975
        assert touches or float(row["flagged"]) > 0.5, row


@pytest.mark.slow
def test_cells_of_the_grid_drawn_by_the_commit_are_redone(grid, calibration_script):
    rows = calibration_script("coverage_table").read_table(grid.TABLE)
    draw = int(head()[:8] or "20", 16)
    for place in {(draw + 29 * k) % len(rows) for k in range(4)}:
        again, row = grid.row(grid.cells()[place], 100, seed=draw), rows[place]
        errors = [(float(one["mc_high"]) - float(one["mc_low"])) / (2 * 1.96) for one in (again, row)]
        gap = abs(float(again["coverage"]) - float(row["coverage"]))
        assert gap <= STANDARD_ERRORS * np.hypot(*errors), (again, row)


def head():
    return subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("kind", STUDIES)
def test_a_cell_of_each_kind_drawn_by_the_commit_is_redone(script, table, kind):
    cells = sorted({row["cell"] for row in of_kind(table, kind)})
    draw = int(head()[:8] or "20", 16)
    name = cells[draw % len(cells)]
    instrument = script.lowered(script.load_instrument("ibic"))
    found = script.found_in(script.CELLS[name], instrument, studies=STUDIES[kind], seed=draw, jobs=2)
    redone = {(row["level"], row["id"]): row for row in found}
    for row in (row for row in table if row["cell"] == name):
        mine = redone[row["level"], row["id"]]
        error = np.hypot(float(row["std_error"]), mine["std_error"])
        gap = abs(mine["coverage"] - float(row["coverage"]))
        assert gap <= STANDARD_ERRORS * error + 1e-12, (name, row, mine)
