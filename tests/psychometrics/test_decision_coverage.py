"""The table of coverage of decision studies and alpha at two levels: complete, honest, made again in part."""

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream

STUDIES = 300
#: Two shares that differ by more than this many standard errors do not come from one method
STANDARD_ERRORS = 4.0
SEED = 20261126


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_decision_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def test_the_table_has_every_setting_once_with_its_truth(script, rows):
    expected = [
        (name, scale.method, scale.groups, script.alpha_truth(scale, name))
        for scale in script.scales()
        for name in ("alpha_within", "alpha_between")
    ]
    expected += [
        (name, "generalized", setting.sites, script.truth(setting)[name])
        for setting in script.settings()
        for name in setting.statistics
    ]
    found = [(row["statistic"], row["method"], int(row["sites"]), float(row["truth"])) for row in rows]
    assert found == expected
    for row in rows:
        low, coverage, high = (float(row[name]) for name in ("mc_low", "coverage", "mc_high"))
        assert low <= coverage <= high
        assert (row["within"] == "yes") == (float(row["required_low"]) <= coverage <= float(row["required_high"]))


def test_what_is_not_flagged_covers_as_required(rows):
    """Within Monte Carlo error of .93–.975."""
    for row in rows:
        if float(row["flagged"]) < 0.5:
            assert float(row["mc_high"]) >= 0.93, row
            assert float(row["mc_low"]) <= 0.975, row


def test_what_covers_too_little_is_flagged(rows):
    short = [row for row in rows if float(row["mc_high"]) < 0.93]
    assert short
    assert min(float(row["flagged"]) for row in short) > 0.9


def test_the_truth_of_yes_and_no_by_half_a_million_draws(script):
    setting = script.Setting("file : site", (0.15, 0.85), 20_000, (25,), data="yes .8")
    y, _ = script.ratings(setting, np.random.default_rng(1))
    table = y.reshape(20_000, 25)
    within = table.var(axis=1, ddof=1).mean()
    assert within == pytest.approx(0.85, rel=0.02)
    assert table.mean(axis=1).var() - within / 25 == pytest.approx(0.15, rel=0.05)


def study_of(setting, rng):
    """Draw normal ratings of a balanced design and give them to the public function."""
    inner = dict(zip([f for f in ("file", "rater") if f in setting.design], setting.n, strict=True))
    shape = (setting.sites, *inner.values())
    at = dict(zip(("site", *inner), (axis.ravel() for axis in np.indices(shape)), strict=True))
    sd = np.sqrt(setting.components)
    y = sd[0] * rng.standard_normal(setting.sites)[at["site"]] + sd[-1] * rng.standard_normal(math.prod(shape))
    if len(sd) == 3:
        y = y + sd[1] * rng.standard_normal(shape[1])[at["rater"]]
    return pm.generalizability_study(y, at, design=setting.design, estimator="ANOVA", interval="none")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "sites", "parts"),
    [("site x rater", 12, (0.30, 0.20, 0.50)), ("file : site", 24, (0.05, 0.95)), ("file : site", 100, (0.15, 0.85))],
)
def test_public_functions_cover_as_the_table_says(script, rows, design, sites, parts):
    setting = next(
        one
        for one in script.settings()
        if (one.design, one.sites, one.components, one.data) == (design, sites, parts, "normal")
    )
    rng = stream(SEED, setting.name)
    truth, held = script.truth(setting), dict.fromkeys(setting.statistics, 0)
    for _ in range(STUDIES):
        study = study_of(setting, rng).decision
        for name in setting.statistics:
            if name.startswith("needed"):
                ci = study.needed(setting.needed).ci
                low, high = ci.low, ci.high
            else:
                low, high = study.low[name][0], study.high[name][0]
            held[name] += low <= truth[name] <= high
    for name, count in held.items():
        row = next(
            row
            for row in rows
            if (row["statistic"], row["design"], row["sites"], row["data"]) == (name, design, str(sites), "normal")
            and row["components"] == " ".join(f"{part:g}" for part in parts)
        )
        expected = float(row["coverage"])
        error = math.sqrt(expected * (1 - expected) * (1 / STUDIES + 1 / script.STUDIES))
        assert abs(count / STUDIES - expected) < STANDARD_ERRORS * error, name


@pytest.mark.slow
def test_alpha_at_two_levels_covers_as_the_table_says(script, rows):
    at = next(i for i, scale in enumerate(script.scales()) if (scale.groups, scale.between) == (24, 0.15))
    scale = script.scales()[at]
    x, sizes = script.answers(scale, STUDIES, stream(SEED, scale.name))
    groups = np.repeat(np.arange(scale.groups), sizes)
    made = [pm.multilevel_alpha(one, groups) for one in x]
    for place, name in enumerate(("within", "between")):
        expected = float(rows[2 * at + place]["coverage"])
        truth = script.alpha_truth(scale, f"alpha_{name}")
        intervals = [getattr(one, f"{name}_ci") for one in made]
        share = np.mean([ci.low <= truth <= ci.high for ci in intervals])
        error = math.sqrt(expected * (1 - expected) * (1 / STUDIES + 1 / script.STUDIES))
        assert abs(share - expected) < STANDARD_ERRORS * error
