"""The interval of a mean index over groups: by hand, honest about what it lacks, and its table of coverage."""

import math

import numpy as np
import pytest
from scipy.stats import t

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.within_group import mean_limits

IDENTITY = 1e-9


def test_symmetric_indices_have_students_interval():
    x = np.array([0.2, 0.4, 0.5, 0.6, 0.8])
    half = t.ppf(0.975, 4) * x.std(ddof=1) / math.sqrt(5)
    low, high = mean_limits(x, 0.95)
    assert [low, high] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-5)


def test_halls_transformation_by_hand():
    """The limit is where the transformed statistic is the quantile of t."""
    x = np.array([0.1, 0.7, 0.8, 0.85, 0.9, 0.9])
    n, s = len(x), x.std(ddof=1)
    skew = np.mean((x - x.mean()) ** 3) / s**3
    for limit, side in zip(mean_limits(x, 0.95), (1, -1), strict=True):
        away = math.sqrt(n) * (x.mean() - limit) / s
        g = away + skew * away**2 / (3 * math.sqrt(n)) + skew**2 * away**3 / (27 * n) + skew / (6 * math.sqrt(n))
        assert g == pytest.approx(side * t.ppf(0.975, n - 1), abs=IDENTITY)


def test_groups_without_the_index_are_left_out_and_one_group_has_no_interval():
    x = np.array([0.1, 0.7, 0.8, 0.85])
    with_a_hole = mean_limits(np.append(x, np.nan), 0.95)
    assert np.ravel(with_a_hole) == pytest.approx(np.ravel(mean_limits(x, 0.95)), abs=IDENTITY)
    assert np.isnan(mean_limits(np.array([0.4, np.nan]), 0.95)).all()
    assert np.ravel(mean_limits(np.full(4, 0.5), 0.95)) == pytest.approx([0.5, 0.5], abs=IDENTITY)


def test_few_groups_are_flagged_and_named():
    rng = np.random.default_rng(3)
    x, groups = rng.integers(1, 6, (60, 3)), np.repeat(np.arange(4), 15)
    result = pm.within_group_agreement(x, groups, low=1, high=5)
    (flag,) = (flag for flag in result.flags if flag.code == "psychometrics.agreement_mean_uncertain")
    assert set(flag.params["indices"]) == {"rwg", "rwg_j", "awg", "ad"}
    assert 0 <= result.ad.mean_ci.low < result.ad.mean < result.ad.mean_ci.high
    assert 0 <= result.rwg_j.mean_ci.low <= result.rwg_j.mean <= result.rwg_j.mean_ci.high <= 1


@pytest.fixture(scope="module")
def rows(calibration_script):
    script = calibration_script("make_within_group_coverage")
    return script, calibration_script("coverage_table").read_table(script.TABLE)


def test_the_table_is_whole_and_what_falls_short_is_mostly_flagged(rows):
    script, lines = rows
    assert len(lines) == len(script.cells()) * len(script.INDICES)
    for line in lines:
        if line["within"] == "no":
            assert float(line["flagged"]) > 0.6
        if float(line["flagged"]) < 0.1:
            assert 0.93 <= float(line["coverage"]) <= 0.975


@pytest.mark.slow
def test_public_function_covers_as_the_table_says(rows):
    script, lines = rows
    cell = next(cell for cell in script.cells() if (cell.data, cell.groups, cell.members) == ("middle", 24, 20))
    wanted = {"data": "middle", "groups": "24", "members": "20"}
    rng = stream(20261125, "within group")
    drawn = {name: np.reshape(value, (300, 24)) for name, value in script.indices(cell, 300 * 24, rng).items()}
    for line in (line for line in lines if wanted.items() <= line.items()):
        low, high = mean_limits(drawn[line["statistic"]], 0.95)
        held = np.mean((low <= float(line["truth"])) & (float(line["truth"]) <= high))
        expected = float(line["coverage"])
        assert abs(held - expected) < 4 * math.sqrt(expected * (1 - expected) * (1 / 300 + 1 / script.STUDIES))
