import json
import math
from pathlib import Path

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics.generalizability._two_levels import two_level_kernel

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
REFERENCE = json.loads((Path(__file__).parents[1] / "reference/levels.json").read_text(encoding="utf-8"))["lq2002"]


def answers(seed=0, groups=40, size=15, k=4, *, between=0.3, common=0.7, within=0.4):
    """Items that share `common` of their variance between groups, and `within` of that inside them."""
    rng = np.random.default_rng(seed)
    of_groups = math.sqrt(common) * rng.normal(size=(groups, 1)) + math.sqrt(1 - common) * rng.normal(size=(groups, k))
    own = math.sqrt(within) * rng.normal(size=(groups, size, 1))
    own = own + math.sqrt(1 - within) * rng.normal(size=(groups, size, k))
    x = math.sqrt(between) * of_groups[:, None] + math.sqrt(1 - between) * own
    return x.reshape(-1, k), np.repeat(np.arange(groups), size)


@pytest.mark.witness(
    statistic="multilevel_alpha",
    definition="alpha of the covariances within and between groups of unequal size, ICC(2)",
    reference="R stats::manova, psych::alpha",
    tolerance=CLOSED_FORM,
    data="lq2002",
)
@pytest.mark.parametrize("name", ["LEAD", "TSIG", "HOSTIL"])
def test_agrees_with_manova_and_psych_on_lq2002(lq2002, name):
    expected = REFERENCE[name]
    x = np.column_stack([column for item, column in lq2002.items() if item.startswith(name)])
    made = pm.multilevel_alpha(x, lq2002["COMPID"])
    assert (made.n, made.n_groups) == (expected["n"], expected["groups"])
    assert made.effective_group_size == pytest.approx(expected["size"], abs=CLOSED_FORM)
    assert made.within == pytest.approx(expected["alpha_within"], abs=CLOSED_FORM)
    assert made.between == pytest.approx(expected["alpha_between"], abs=CLOSED_FORM)
    assert made.icc2 == pytest.approx(expected["icc2"], abs=CLOSED_FORM)
    assert made.within_covariance == pytest.approx(np.array(expected["within"]), abs=CLOSED_FORM)
    assert made.between_covariance == pytest.approx(np.array(expected["between"]), abs=CLOSED_FORM)


def test_icc2_is_that_of_the_scales_mean():
    x, groups = answers()
    made, scale = pm.multilevel_alpha(x, groups), pm.group_mean_reliability(x.mean(axis=1), groups)
    assert made.icc2 == pytest.approx(scale.icc2)
    assert made.icc1 == pytest.approx(scale.icc1)
    assert (made.icc2_ci.low, made.icc2_ci.high) == pytest.approx((scale.icc2_ci.low, scale.icc2_ci.high))


def test_within_is_alpha_of_deviations_from_group_means():
    x, groups = answers(1)
    means = np.array([x[groups == g].mean(axis=0) for g in range(40)])
    made = pm.multilevel_alpha(x, groups)
    assert made.within == pytest.approx(pm.cronbach_alpha(x - means[groups]).estimate, abs=CLOSED_FORM)


def test_without_variance_within_between_is_alpha_of_the_group_means():
    x, groups = answers(2)
    means = np.array([x[groups == g].mean(axis=0) for g in range(40)])
    nearly = means[groups] + 1e-7 * x
    made = pm.multilevel_alpha(nearly, groups)
    assert made.between == pytest.approx(pm.cronbach_alpha(means).estimate, abs=1e-5)
    assert made.icc2 == pytest.approx(1.0, abs=1e-6)


def test_planted_alphas_come_back():
    """Mean over 60 studies, within four standard errors: .727 within, .903 between."""
    found = []
    for seed in range(60):
        made = pm.multilevel_alpha(*answers(seed, groups=60))
        found.append([made.within, made.between])
    planted = [4 * 0.4 / (1 + 3 * 0.4), 4 * 0.7 / (1 + 3 * 0.7)]
    errors = np.std(found, axis=0, ddof=1) / math.sqrt(60)
    # log(1 − alpha) is what is nearly unbiased; alpha between is low by about .002 here
    assert np.all(np.abs(np.mean(found, axis=0) - planted) < 4 * errors + [0, 0.003])


def test_a_replicate_is_alpha_of_the_groups_drawn():
    x, groups = answers(3, groups=8, size=5)
    sizes = np.full(8, 5)
    drawn = np.array([0, 0, 3, 4, 4, 4, 6, 7])
    counts = np.bincount(drawn, minlength=8).astype(float)[None]
    rows = np.concatenate([np.flatnonzero(groups == g) for g in drawn])
    new = np.repeat(np.arange(8), 5)
    redone = pm.multilevel_alpha(x[rows], new)
    within, between = two_level_kernel(x, sizes)(counts)[0]
    assert within == pytest.approx(redone.within)
    # mean squares between are rescaled by J/(J − 1)
    s_w, s_b = redone.within_covariance, redone.between_covariance * 5 + redone.within_covariance
    rescaled = (s_b * 8 / 7 - s_w) / 5
    assert between == pytest.approx(4 / 3 * (1 - np.trace(rescaled) / rescaled.sum()))


def test_bootstrap_and_order_of_rows():
    x, groups = answers(4)
    made = pm.multilevel_alpha(x, groups, bootstrap=400, rng=1)
    order = np.random.default_rng(0).permutation(len(x))
    again = pm.multilevel_alpha(x[order], groups[order])
    assert again.between == pytest.approx(made.between)
    assert made.between_ci_bootstrap.low < made.between < made.between_ci_bootstrap.high
    assert made.within_ci_bootstrap.low < made.within < made.within_ci_bootstrap.high
    assert abs(made.within_ci_bootstrap.low - made.within_ci.low) < 0.05
    assert (made.n_replicates, made.n_undefined) == (400, 0)
    assert made.table["statistic"].tolist() == ["alpha_within", "alpha_between"] * 2 + ["icc2"]
    assert "alpha within groups" in made.summary()
    assert [flag.code for flag in made.flags] == ["psychometrics.multilevel_bootstrap_few"]


def test_listwise_is_dropping_the_rows_first():
    x, groups = answers(5)
    holes = x.copy()
    holes[::7, 1] = np.nan
    kept = ~np.isnan(holes).any(axis=1)
    one = pm.multilevel_alpha(holes, groups, missing="listwise", bootstrap=50)
    other = pm.multilevel_alpha(x[kept], groups[kept], bootstrap=50)
    assert (one.within, one.between, one.within_ci, one.between_ci) == (
        other.within, other.between, other.within_ci, other.between_ci,
    )  # fmt: skip
    assert one.between_ci_bootstrap == other.between_ci_bootstrap
    assert one.n_dropped == (~kept).sum()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (answers(6, groups=12), "multilevel_few_groups"),
        (answers(8, between=0.06, size=10), "multilevel_low_reliability"),
        ((np.minimum(answers(6)[0], -0.2), answers(6)[1]), "multilevel_piled_up"),
        ((np.repeat(answers(6, common=1.0)[0][:, :1], 4, axis=1) + answers(7, between=0.0)[0], answers(6)[1]),
         "multilevel_above_one"),
    ],
)  # fmt: skip
def test_what_makes_intervals_unreliable_is_flagged(data, code):
    made = pm.multilevel_alpha(*data)
    assert f"psychometrics.{code}" in [flag.code for flag in made.flags]
    assert all(flag.text("sv") and flag.text("en") in made.summary() for flag in made.flags)
