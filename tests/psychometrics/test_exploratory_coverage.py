"""The tables of calibration/ on factors: their cells are as required or flagged, and come out again."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
STANDARD_ERRORS = 4


def rows(name):
    with (ROOT / "calibration" / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_exploratory_coverage")


def test_intervals_cover_as_required_or_are_flagged():
    """Where RMSEA is 0 its interval can fail on one side only, so that .975 is what it should cover."""
    for row in rows("exploratory_coverage.csv"):
        coverage = float(row["coverage"])
        if float(row["flagged"]) == 1.0:
            continue
        high = 0.99 if float(row["truth"]) == 0.0 else 0.975
        assert 0.93 <= coverage <= high, row


def test_few_respondents_are_flagged_as_the_function_flags_them():
    from ibic_fidelity.psychometrics.exploratory.hierarchical import LEAST

    for row in rows("exploratory_coverage.csv"):
        if row["statistic"] == "omega_h":
            assert (float(row["flagged"]) == 1.0) == (int(row["n"]) < LEAST)


def test_loadings_are_recovered():
    for row in rows("exploratory_recovery.csv"):
        if row["statistic"] in {"loading", "cross_loading"} and int(row["n"]) >= 300:
            assert abs(float(row["bias"])) < 0.03, row


@pytest.mark.slow
@pytest.mark.parametrize(("statistic", "method", "misfit", "phi", "n", "studies"), [
    ("rmsea", "ml", 0.1, 0.3, 200, 300),
    ("rmsea", "minres", 0.1, 0.3, 500, 300),
    ("omega_h", "basic bootstrap", 0.0, 0.6, 1000, 80),
])  # fmt: skip
def test_cells_come_out_again(script, statistic, method, misfit, phi, n, studies):
    wanted = {"statistic": statistic, "method": method, "data": "normal", "misfit": str(misfit), "phi": str(phi),
              "n": str(n)}  # fmt: skip
    (cell,) = [row for row in rows("exploratory_coverage.csv") if wanted.items() <= row.items()]
    made = script.coverage_row(statistic, script.Design("normal", 3, phi, misfit, n), method, studies)
    assert made["truth"] == pytest.approx(float(cell["truth"]), abs=1e-9)
    expected = float(cell["coverage"])
    error = math.sqrt(expected * (1 - expected) * (1 / studies + 1 / int(cell["studies"])))
    assert abs(float(made["coverage"]) - expected) < STANDARD_ERRORS * error


@pytest.mark.slow
def test_numbers_of_factors_come_out_again(script):
    design = script.Design("normal", 3, 0.5, 0.0, 300)
    made = list(script.number_rows(design, "pearson", 25))
    table = {row["method"]: row for row in rows("exploratory_recovery.csv")
             if (row["statistic"], row["data"], row["factors"], row["phi"], row["n"])
             == ("number_of_factors", "normal", "3", "0.5", "300")}  # fmt: skip
    assert len(made) == 4
    for row in made:
        expected = float(table[row["method"]]["right"])
        share = np.clip(expected, 0.02, 0.98)
        error = math.sqrt(share * (1 - share) * (1 / 25 + 1 / 100))
        assert abs(float(row["right"]) - expected) < STANDARD_ERRORS * error
