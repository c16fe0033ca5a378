"""The table of coverage of variance components: complete, honest about what falls short, and made again in part."""

import math

import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream

STUDIES = 300
#: Two shares that differ by more than this many standard errors do not come from one method
STANDARD_ERRORS = 4.0


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_generalizability_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def test_the_table_has_every_cell_effect_and_method_once(script, rows):
    expected = []
    for cell in script.cells():
        methods = ("Satterthwaite chi-square", *(("profile likelihood",) if cell.raters else ()))
        expected += [
            (cell.design, cell.answers, cell.sites, method, truth) for method in methods for truth in cell.truth
        ]
    found = [(row["design"], row["answers"], int(row["sites"]), row["method"], row["effect"]) for row in rows]
    assert sorted(found) == sorted(expected)
    for row in rows:
        assert float(row["mc_low"]) <= float(row["coverage"]) <= float(row["mc_high"])


def test_what_falls_short_is_flagged_or_within_monte_carlo_error(rows):
    for row in rows:
        apart = float(row["mc_high"]) < float(row["required_low"]) or float(row["mc_low"]) > float(row["required_high"])
        assert not apart or float(row["flagged"]) > 0.66, row


def test_components_of_many_sites_with_normal_answers_are_seldom_flagged(rows):
    for row in rows:
        if row["answers"] == "normal" and row["effect"] == "file : site" and row["sites"] == "24":
            assert float(row["flagged"]) < 0.05


def test_binary_truth_adds_up_to_the_variance_of_the_answers(script):
    for cell in script.cells():
        whole = cell.share * (1 - cell.share) if cell.share else 1.0
        assert sum(cell.truth.values()) == pytest.approx(whole)


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 1, 5])
def test_public_functions_cover_as_the_table_says(script, rows, at):
    cell = script.cells()[at]
    of = script.codes(cell)
    held = dict.fromkeys(cell.truth, 0)
    for y in script.studies(cell, STUDIES, stream(20261123, cell.name)):
        result = pm.variance_components(y, of, design=cell.design, estimator="ANOVA")
        for effect, ci in zip(result.effects, result.ci, strict=True):
            held[effect.name] += ci.low <= cell.truth[effect.name] <= ci.high
    truths = {effect: str(round(truth, 8)) for effect, truth in cell.truth.items()}
    for effect, count in held.items():
        row = next(
            row for row in rows
            if (row["effect"], row["truth"], row["sites"], row["answers"], row["design"])
            == (effect, truths[effect], str(cell.sites), cell.answers, cell.design)
        )  # fmt: skip
        expected = float(row["coverage"])
        error = math.sqrt(expected * (1 - expected) * (1 / STUDIES + 1 / int(row["studies"])))
        assert abs(count / STUDIES - expected) < STANDARD_ERRORS * error


@pytest.mark.slow
def test_the_script_makes_the_rows_of_the_table(script, rows):
    first = script.cells()[3]
    made = [{name: str(value) for name, value in row.items()} for row in script.rows(first)]
    start = sum(len(cell.truth) for cell in script.cells()[:3])
    assert made == rows[start : start + len(made)]


@pytest.fixture(scope="module")
def recovered(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.RECOVERY)


def test_the_table_of_recovery_has_every_cell_and_component_and_phi_where_there_are_no_holes(script, recovered):
    expected = []
    for cell in script.cells():
        names = [*cell.truth, *([] if cell.holes else ["phi"])]
        expected += [(cell.design, cell.answers, cell.sites, name) for name in names]
    found = [(row["design"], row["answers"], int(row["sites"]), row["effect"]) for row in recovered]
    assert sorted(found) == sorted(expected)


def test_components_are_without_bias_where_they_are_seldom_cut_at_zero(recovered):
    for row in recovered:
        if row["effect"] != "phi" and float(row["at_zero"]) < 0.02:
            assert abs(float(row["bias"])) < STANDARD_ERRORS * float(row["mc_error"]), row


def test_phi_is_a_little_low_with_few_sites_and_never_far_off(recovered):
    for row in recovered:
        if row["effect"] == "phi":
            assert -0.07 < float(row["relative_bias"]) < 0.02, row


@pytest.mark.slow
def test_the_script_makes_the_rows_of_recovery(script, recovered):
    made = [{name: str(value) for name, value in row.items()} for row in script.recovery(script.cells()[3])]
    start = sum(len(cell.truth) + (not cell.holes) for cell in script.cells()[:3])
    assert made == recovered[start : start + len(made)]
