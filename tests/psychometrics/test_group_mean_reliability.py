import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as f_distribution

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
# R's uniroot with tol 1e-14 on dense matrices of 203 rows: the inversions cost about six digits
ROOT_OF_DENSE_GLS = 1e-8
# printed in the paper and in R psych to five decimals
PRINTED = 5e-6

quick = settings(max_examples=50, deadline=None, derandomize=True)


@st.composite
def grouped(draw):
    """Two to six groups of one to six members, at least one of two, with variation within."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=6).filter(lambda s: max(s) > 1))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    y = np.array(draw(st.lists(st.integers(-20, 20), min_size=len(groups), max_size=len(groups))), dtype=float)
    within = sum(np.ptp(y[groups == g]) for g in range(len(sizes)))
    means = [y[groups == g].mean() for g in range(len(sizes))]
    if within == 0 or np.ptp(means) < 1e-9:
        y[groups == int(np.argmax(sizes))] += np.arange(max(sizes)) ** 2 * 7.3
        y[0] += 11.1
    return y, groups


def scales(lq2002):
    return {
        name: np.column_stack([column for item, column in lq2002.items() if item.startswith(name)]).mean(axis=1)
        for name in ("LEAD", "TSIG", "HOSTIL")
    }


@pytest.mark.witness(
    statistic="group_mean_reliability",
    definition="ICC(1) with the mean group size, ICC(2), one-way ANOVA, unequal groups",
    reference="R multilevel::ICC1, ICC2 2.7",
    tolerance=CLOSED_FORM,
    data="lq2002",
)
@pytest.mark.parametrize(
    ("name", "printed"),
    [("LEAD", (0.08796, 0.80075)), ("TSIG", (0.08038, 0.78461)), ("HOSTIL", (0.05400, 0.70406))],
)
def test_agrees_with_multilevel_on_lq2002(reference, lq2002, name, printed):
    expected = reference["lq2002"][name]["icc"]
    result = pm.group_mean_reliability(scales(lq2002)[name], lq2002["COMPID"])
    assert (result.n, result.n_groups, result.groups[:2]) == (2042, 49, (2, 3))
    assert result.icc1 == pytest.approx(expected["icc1"], abs=CLOSED_FORM)
    assert result.icc2 == pytest.approx(expected["icc2"], abs=CLOSED_FORM)
    assert result.icc1_anova == pytest.approx(expected["icc1_anova"], abs=CLOSED_FORM)
    assert [result.mean_square_between, result.mean_square_within] == pytest.approx(expected["ms"], abs=CLOSED_FORM)
    assert result.effective_group_size == pytest.approx(expected["n0"], abs=CLOSED_FORM)
    assert (result.icc1, result.icc2) == pytest.approx(printed, abs=PRINTED)


@pytest.mark.witness(
    statistic="group_mean_reliability",
    definition="ICC(1) with the mean group size, ICC(2), one-way ANOVA, unequal groups",
    reference="R multilevel::ICC1, ICC2 2.7",
    tolerance=CLOSED_FORM,
    data="bh1996 (size, mean and sd of each of 99 groups)",
)
@pytest.mark.parametrize("name", ["LEAD", "COHES", "WBEING", "HRS"])
def test_agrees_with_multilevel_on_bh1996(reference, name):
    expected = reference["bh1996"][name]
    y, groups = [], []
    for group, (n, mean, sd) in enumerate(zip(expected["n"], expected["mean"], expected["sd"], strict=True)):
        z = np.arange(n, dtype=float)
        y.append(mean + sd * (z - z.mean()) / z.std(ddof=1))  # other answers, the same mean and sd
        groups += [group] * n
    result = pm.group_mean_reliability(np.concatenate(y), groups)
    assert (result.n, result.n_groups) == (7382, 99)
    assert result.icc1 == pytest.approx(expected["icc"]["icc1"], abs=CLOSED_FORM)
    assert result.icc2 == pytest.approx(expected["icc"]["icc2"], abs=CLOSED_FORM)
    if name == "HRS":
        assert (result.icc1, result.icc2) == pytest.approx((0.13311, 0.91967), abs=PRINTED)


@pytest.mark.witness(
    statistic="group_mean_reliability",
    definition="exact F interval for equal groups",
    reference="Shrout & Fleiss (1979) Table 2; R psych::ICC 2.2.9, ICC(1,1) and ICC(1,k)",
    tolerance=CLOSED_FORM,
    data="Shrout & Fleiss (1979)",
)
def test_is_the_one_way_icc_of_shrout_and_fleiss(reference, shrout_fleiss):
    result = pm.group_mean_reliability(shrout_fleiss.ravel(), np.repeat(np.arange(6), 4))
    expected = reference["shrout_fleiss"]
    assert [result.icc1, result.icc2] == pytest.approx(expected["icc"], abs=CLOSED_FORM)
    assert [result.icc1_ci.low, result.icc2_ci.low] == pytest.approx(expected["low"], abs=CLOSED_FORM)
    assert [result.icc1_ci.high, result.icc2_ci.high] == pytest.approx(expected["high"], abs=CLOSED_FORM)
    assert (result.icc1, result.icc2) == pytest.approx((0.16574, 0.44280), abs=PRINTED)
    assert (result.icc1_ci.low, result.icc1_ci.high) == pytest.approx((-0.13293, 0.72256), abs=PRINTED)
    assert (result.icc2_ci.low, result.icc2_ci.high) == pytest.approx((-0.88444, 0.91242), abs=PRINTED)
    assert result.icc1 == result.icc1_anova
    assert result.icc1_ci.method == "exact F (equal groups)"


@pytest.mark.witness(
    statistic="group_mean_reliability",
    definition="Wald's exact interval for unequal groups",
    reference="Wald (1940), solved in R by dense generalised least squares and uniroot",
    tolerance=ROOT_OF_DENSE_GLS,
    data="lq2002, companies 2–10",
)
@pytest.mark.parametrize("name", ["LEAD", "TSIG", "HOSTIL"])
def test_unequal_groups_have_walds_interval(reference, lq2002, name):
    expected = reference["wald"][name]
    few = lq2002["COMPID"] <= reference["wald"]["largest_company"]
    y, groups = scales(lq2002)[name][few], lq2002["COMPID"][few]
    ci = pm.group_mean_reliability(y, groups, confidence_level=expected["level"]).icc1_ci
    assert [ci.low, ci.high] == pytest.approx(expected["icc1"], abs=ROOT_OF_DENSE_GLS)
    assert ci.method == "exact F (Wald 1940)"


def test_nearly_equal_groups_have_nearly_the_f_interval(shrout_fleiss):
    """The two routes of the interval meet: one member more of a huge balanced study moves little."""
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(30), 60)
    y = rng.normal(size=30)[groups] * 0.5 + rng.normal(size=groups.size)
    equal = pm.group_mean_reliability(y, groups)
    unequal = pm.group_mean_reliability(np.append(y, equal.icc1), np.append(groups, 0))
    assert unequal.icc1_ci.method != equal.icc1_ci.method
    assert unequal.icc1_ci.low == pytest.approx(equal.icc1_ci.low, abs=0.002)
    assert unequal.icc1_ci.high == pytest.approx(equal.icc1_ci.high, abs=0.002)


@quick
@given(grouped(), st.sampled_from([0.8, 0.95]))
def test_limits_solve_their_equation(case, level):
    """At each limit the weighted sum of squares has the F quantile (or the limit is the end of the range)."""
    y, groups = case
    result = pm.group_mean_reliability(y, groups, confidence_level=level)
    sizes = np.bincount(groups)
    means = np.bincount(groups, weights=y) / sizes
    for rho, p in ((result.icc1_ci.low, (1 + level) / 2), (result.icc1_ci.high, (1 - level) / 2)):
        theta = rho / (1 - rho)
        weights = sizes / (1 + sizes * theta)
        centre = (weights * means).sum() / weights.sum()
        value = (weights * np.square(means - centre)).sum() / result.df_between / result.mean_square_within
        quantile = f_distribution.ppf(p, result.df_between, result.df_within)
        at_the_end = theta == pytest.approx(-1 / sizes.max(), abs=1e-9)
        assert at_the_end or value == pytest.approx(quantile, rel=1e-6)
    assert result.icc1_ci.low <= result.icc1_ci.high


@quick
@given(grouped(), st.randoms(use_true_random=False), st.floats(0.1, 50), st.floats(-100, 100))
def test_order_names_and_linear_maps_change_nothing(case, random, slope, intercept):
    y, groups = case
    order = list(range(len(y)))
    random.shuffle(order)
    one = pm.group_mean_reliability(y, groups)
    other = pm.group_mean_reliability(y[order], groups[order])
    renamed = pm.group_mean_reliability(y, [f"{'zyxwvu'[g]}" for g in groups])
    mapped = pm.group_mean_reliability(intercept + slope * y, groups)
    for result, close in ((other, 1e-12), (renamed, 1e-12), (mapped, 1e-6)):
        assert result.icc1 == pytest.approx(one.icc1, rel=close, abs=close)
        assert result.icc2 == pytest.approx(one.icc2, rel=max(close, 1e-10), abs=max(close, 1e-10))
        assert result.icc1_ci.low == pytest.approx(one.icc1_ci.low, rel=1e-6, abs=1e-6)
        assert result.icc1_ci.high == pytest.approx(one.icc1_ci.high, rel=1e-6, abs=1e-6)
    assert one.icc1 <= 1
    assert one.icc2 <= 1


def test_listwise_equals_dropping_first_for_holes_in_both():
    y = np.array([1, 2, np.nan, 4, 5, 7, 3, 2])
    groups = np.array(["a", "a", "a", "b", "b", None, "c", "c"], dtype=object)
    keep = np.array([True, True, False, True, True, False, True, True])
    dropped = pm.group_mean_reliability(y, groups, missing="listwise")
    first = pm.group_mean_reliability(y[keep], groups[keep])
    assert (dropped.n, dropped.n_dropped) == (6, 2)
    for field in ("icc1", "icc2", "icc1_ci", "icc2_ci", "design_effect", "groups", "mean_group_size"):
        assert getattr(dropped, field) == getattr(first, field)


def test_a_group_that_loses_all_members_is_gone():
    result = pm.group_mean_reliability([1, 2, 3, 5, np.nan], ["a", "a", "b", "b", "c"], missing="listwise")
    assert result.groups == ("a", "b")


def test_negative_icc_is_not_cut():
    result = pm.group_mean_reliability([1, 9, 2, 8, 1, 10], ["a", "a", "b", "b", "c", "c"])
    assert result.icc1 < -0.9
    assert result.icc2 < -10
    assert result.design_effect < 1
    assert result.icc1_ci.low >= -1


def test_design_effect_uses_the_sizes():
    y, groups = [1, 2, 4, 4, 9, 8], ["a", "a", "b", "b", "b", "c"]
    result = pm.group_mean_reliability(y, groups)
    assert result.n_single == 1
    assert result.design_effect == pytest.approx(1 + ((4 + 9 + 1) / 6 - 1) * result.icc1)
    assert result.effective_group_size == pytest.approx((6 - 14 / 6) / 2)


@pytest.mark.parametrize(
    ("y", "groups", "code"),
    [
        ([1.0, 2.0, 4.0], ["a", "a", "a"], "psychometrics.too_few_groups"),
        ([], [], "psychometrics.too_few_groups"),
        ([1.0, 2.0, 4.0], ["a", "b", "c"], "psychometrics.only_single_members"),
        ([0.1, 0.1, 0.1, 0.1], ["a", "a", "b", "b"], "psychometrics.no_variation"),
    ],
)
def test_undefined_is_nan_with_a_warning_at_the_caller(y, groups, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.group_mean_reliability(np.array(y, dtype=float), np.array(groups, dtype=object))
    assert caught[0].message.code == code
    assert caught[0].filename == __file__
    assert result.reason.code == code
    for value in (result.icc1, result.icc2, result.icc1_ci.low, result.icc2_ci.high, result.design_effect):
        assert math.isnan(value)
    assert "not defined" in result.summary()


def test_equal_group_means_leave_icc2_undefined():
    with pytest.warns(UndefinedStatisticWarning, match="means of the 2 groups are equal"):
        result = pm.group_mean_reliability([1, 3, 0, 4], [1, 1, 2, 2])
    assert result.icc1 == -1
    assert math.isnan(result.icc2)


def test_no_variation_within_is_full_reliability():
    for groups in ([1, 1, 2, 2, 3, 3], [1, 1, 1, 2, 2, 3]):
        y = np.array(groups, dtype=float) * 0.1
        result = pm.group_mean_reliability(y, groups)
        assert (result.icc1, result.icc2) == pytest.approx((1, 1))
        assert (result.icc1_ci.low, result.icc1_ci.high) == pytest.approx((1, 1))


def test_groups_are_read_from_what_people_have():
    y = [1, 2, 4, 4, 9, 8]
    kinds = [
        ["b", "b", "a", "a", "c", "c"],
        pd.Series(["b", "b", "a", "a", "c", "c"]),
        pd.Categorical(["b", "b", "a", "a", "c", "c"], categories=["x", "b", "a", "c"]),
        pd.array([2, 2, 1, 1, 3, 3], dtype="Int64"),
        np.array([2.0, 2, 1, 1, 3, 3]),
        (2, 2, 1, 1, 3, 3),
    ]
    results = [pm.group_mean_reliability(y, groups) for groups in kinds]
    assert len({result.icc1 for result in results}) == 1
    assert [result.groups for result in results] == [("a", "b", "c")] * 3 + [(1, 2, 3)] * 3


def test_table(shrout_fleiss):
    result = pm.group_mean_reliability(shrout_fleiss.ravel(), np.repeat(np.arange(6), 4))
    assert result.table.columns.tolist() == [
        "statistic", "n", "estimate", "ci_low", "ci_high", "ci_level", "method", "reason", "n_groups",
    ]  # fmt: skip
    assert result.table["statistic"].tolist() == ["icc1", "icc2", "icc1_anova", "design_effect"] * 2
    assert "24 members of 6 groups" in result.summary()


def test_interval_of_values_at_the_ceiling_is_flagged():
    y = np.array([4, 4, 4, 3, 4, 2, 4, 4, 1, 4, 0, 3], dtype=float)
    result = pm.group_mean_reliability(y, np.repeat([1, 2, 3], 4))
    assert [flag.code for flag in result.flags] == ["psychometrics.icc_interval_not_reliable"]
    assert "58% of the values" in result.summary()
    assert "Interval not reliable" in result.table["reason"][0]
    spread = pm.group_mean_reliability(np.arange(12) % 5 + y / 10, np.repeat([1, 2, 3], 4))
    assert spread.flags == ()
