import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning, UsageError

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
# printed to five (four) decimals
PRINTED = 5e-6
PRINTED_FOUR = 5e-5

quick = settings(max_examples=50, deadline=None, derandomize=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore::ibic_fidelity.errors.UndefinedStatisticWarning"  # tested by name below
)


def items(lq2002, name):
    return np.column_stack([column for item, column in lq2002.items() if item.startswith(name)])


def floats(values):
    return np.array([np.nan if value is None else value for value in values])


@pytest.mark.witness(
    statistic="within_group_agreement",
    definition="rwg of the scale mean, rwg(j), awg and AD over items, uniform null",
    reference="R multilevel::rwg, rwg.j, awg, ad.m 2.7",
    tolerance=CLOSED_FORM,
    data="lq2002",
)
@pytest.mark.parametrize("name", ["LEAD", "TSIG", "HOSTIL"])
def test_agrees_with_multilevel_for_scales(reference, lq2002, name):
    expected = reference["lq2002"][name]
    low, high = expected["low"], expected["high"]
    result = pm.within_group_agreement(items(lq2002, name), lq2002["COMPID"], low=low, high=high)
    assert list(result.groups) == reference["lq2002"]["groups"]
    assert result.group_n.tolist() == reference["lq2002"]["n"]
    for index in ("rwg", "rwg_j", "awg", "ad"):
        np.testing.assert_allclose(getattr(result, index).estimate, floats(expected[index]), rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="within_group_agreement",
    definition="rwg, awg and AD of one item; rwg with a skewed null",
    reference="R multilevel::rwg, awg, ad.m 2.7; null variance .90 of LeBreton & Senter (2008) Table 2",
    tolerance=CLOSED_FORM,
    data="lq2002",
)
@pytest.mark.parametrize("name", ["LEAD", "TSIG", "HOSTIL"])
def test_agrees_with_multilevel_for_one_item(reference, lq2002, name):
    expected = reference["lq2002"][name]
    limits = {"low": expected["low"], "high": expected["high"]}
    x, groups = items(lq2002, name)[:, 0], lq2002["COMPID"]
    result = pm.within_group_agreement(x, groups, **limits)
    for index, theirs in (("rwg", "rwg_item"), ("rwg_j", "rwg_item"), ("awg", "awg_item"), ("ad", "ad_item")):
        np.testing.assert_allclose(getattr(result, index).estimate, floats(expected[theirs]), rtol=0, atol=CLOSED_FORM)
    skewed = pm.within_group_agreement(x, groups, null="moderately_skewed", **limits)
    np.testing.assert_allclose(skewed.rwg.estimate, floats(expected["rwg_skewed"]), rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="within_group_agreement",
    definition="rwg, rwg(j), awg of LEAD, uniform null",
    reference="R multilevel as recorded by hand: companies 2–4, mean, median",
    tolerance=PRINTED,
    data="lq2002",
)
def test_recorded_figures_of_lq2002(lq2002):
    result = pm.within_group_agreement(items(lq2002, "LEAD"), lq2002["COMPID"], low=1, high=5)
    assert result.group_n[:3].tolist() == [24, 37, 45]
    assert result.rwg.estimate[:3].tolist() == pytest.approx([0.62146, 0.74574, 0.71328], abs=PRINTED)
    assert (result.rwg.mean, result.rwg.median) == pytest.approx((0.7032, 0.7104), abs=PRINTED_FOUR)
    assert result.rwg_j.estimate[:3].tolist() == pytest.approx([0.80753, 0.89594, 0.86001], abs=PRINTED)
    assert result.rwg_j.mean == pytest.approx(0.8678, abs=PRINTED_FOUR)
    assert result.awg.estimate[0] == pytest.approx(0.29258, abs=PRINTED)
    assert result.awg.mean == pytest.approx(0.3837, abs=PRINTED_FOUR)


@pytest.mark.witness(
    statistic="within_group_agreement",
    definition="rwg depends on the group's variance alone",
    reference="R multilevel::rwg 2.7",
    tolerance=CLOSED_FORM,
    data="bh1996 (size, mean and sd of each of 99 groups)",
)
def test_agrees_with_multilevel_on_bh1996(reference):
    expected = reference["bh1996"]["LEAD"]
    y, groups = [], []
    for group, (n, mean, sd) in enumerate(zip(expected["n"], expected["mean"], expected["sd"], strict=True)):
        z = np.arange(n, dtype=float)
        y.append(mean + sd * (z - z.mean()) / z.std(ddof=1))  # other answers, the same mean and sd
        groups += [group] * n
    # the made-up answers may leave 1–5, so the limits are wider and the null variance is given
    result = pm.within_group_agreement(np.concatenate(y), groups, low=-5, high=11, null=2.0)
    np.testing.assert_allclose(result.rwg.estimate, floats(expected["rwg"]), rtol=0, atol=CLOSED_FORM)


def test_hand_examples():
    """Variances .30 and 2.5 of a null of 2.0; rwg(3) of four raters."""
    result = pm.within_group_agreement([4, 4, 5, 4, 5, 1, 3, 5, 2, 4], ["a"] * 5 + ["b"] * 5, low=1, high=5)
    assert result.rwg.estimate.tolist() == pytest.approx([0.85, 0.0])
    assert result.rwg.truncated.tolist() == [False, True]
    assert result.variance.tolist() == pytest.approx([0.30, 2.5])
    assert result.ad.estimate.tolist() == pytest.approx([0.48, 1.2])
    x = [[4, 4, 5], [4, 5, 5], [5, 4, 4], [4, 4, 4]]
    three = pm.within_group_agreement(x, ["a"] * 4, low=1, high=5)
    assert three.rwg_j.estimate[0] == pytest.approx(0.94898, abs=PRINTED)


@pytest.mark.parametrize(
    ("null", "variance"),
    [
        ("uniform", 2.0),
        ("slightly_skewed", 1.34),
        ("moderately_skewed", 0.90),
        ("heavily_skewed", 0.44),
        (1.04, 1.04),
    ],
)
def test_null_variances_are_those_of_lebreton_and_senter(null, variance):
    """LeBreton & Senter (2008), Table 2, five answers, printed to two decimals."""
    result = pm.within_group_agreement([3, 3, 4, 3], ["a"] * 4, low=0, high=4, null=null)
    assert result.null_variance == pytest.approx(variance, abs=1e-12)
    assert result.rwg.estimate[0] == pytest.approx(1 - 0.25 / variance)
    assert result.null == (null if isinstance(null, str) else "given variance")


def test_skewed_nulls_and_broken_limits_are_refused():
    with pytest.raises(UsageError, match="defined for five answers, and the scale has 7"):
        pm.within_group_agreement([4, 4, 5], ["a"] * 3, low=1, high=7, null="slightly_skewed")
    with pytest.raises(UsageError, match="whole-number limits"):
        pm.within_group_agreement([0.4, 0.4, 0.5], ["a"] * 3, low=0, high=0.5)
    for bad in (0, -1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="`null` is"):
            pm.within_group_agreement([4, 4, 5], ["a"] * 3, low=1, high=7, null=bad)
    for bad in ("flat", True, None):
        with pytest.raises(UsageError, match="one of uniform, slightly_skewed"):
            pm.within_group_agreement([4, 4, 5], ["a"] * 3, low=1, high=7, null=bad)


def test_awg_needs_enough_raters_and_a_mean_inside():
    """Five answers need four raters; a mean of 4.4 from five is beyond (5·4 + 1)/5 = 4.2; all 5 is 1."""
    x = [4, 4, 5, *(4, 4, 5, 4, 5), *(5, 5, 5, 5), *(2, 3, 3, 4)]
    groups = ["few"] * 3 + ["high"] * 5 + ["top"] * 4 + ["well"] * 4
    with pytest.warns(UndefinedStatisticWarning, match="fewer than 4 members") as caught:
        result = pm.within_group_agreement(x, groups, low=1, high=5)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    awg = dict(zip(result.groups, result.awg.estimate, strict=True))
    assert math.isnan(awg["few"])
    assert math.isnan(awg["high"])
    assert awg["top"] == 1
    assert awg["well"] == pytest.approx(1 - 2 * (2 / 3) / ((6 * 3 - 9 - 5) * 4 / 3))
    assert result.awg.n_groups == 2
    assert result.awg_items.tolist() == [0, 0, 1, 1]
    reasons = result.table.query("statistic == 'awg'")["reason"].tolist()
    assert ["fewer than 4" in reasons[0], "too close" in reasons[1], *reasons[2:]] == [True, True, "", ""]


def test_awg_is_defined_exactly_on_its_limit():
    """Four answer 0.1 and one 0.5 on 0.1–0.5: the mean is (L(n − 1) + H)/n itself, whatever the rounding."""
    result = pm.within_group_agreement([0.1, 0.1, 0.1, 0.1, 0.5], ["a"] * 5, low=0.1, high=0.5, null=0.02)
    assert result.awg.estimate[0] == pytest.approx(-1, abs=1e-12)


def test_groups_of_one_are_undefined_and_counted():
    with pytest.warns(UndefinedStatisticWarning, match=r"1 group\(s\) have one member"):
        result = pm.within_group_agreement([[4, 3], [4, 5], [5, 5]], [1, 1, 2], low=1, high=5)
    assert np.isnan(result.ad.estimate).tolist() == [False, True]
    assert np.isnan(result.rwg.estimate).tolist() == [False, True]
    assert np.isnan(result.rwg_j.estimate).tolist() == [False, True]
    assert result.rwg.n_groups == 1
    with pytest.warns(UndefinedStatisticWarning, match="No members are left"):
        empty = pm.within_group_agreement(np.empty((0, 2)), np.empty(0), low=1, high=5)
    assert math.isnan(empty.rwg.mean)
    with pytest.warns(UndefinedStatisticWarning):
        gone = pm.within_group_agreement([np.nan, 4], ["a", None], low=1, high=5, missing="listwise")
    assert (gone.n, gone.n_dropped, gone.groups) == (0, 2, ())


def test_truncation_is_flagged_but_no_warning():
    x = np.array([[1, 5], [5, 1], [1, 5], [5, 1]])
    result = pm.within_group_agreement(x, ["a"] * 4, low=1, high=5)
    assert result.rwg.estimate[0] == 1  # the means of the items all are 3 …
    assert result.rwg_j.estimate[0] == 0  # … while the answers differ as much as they can
    assert [flag.code for flag in result.flags] == ["psychometrics.truncated"]


def test_all_alike_is_full_agreement():
    result = pm.within_group_agreement([3.1] * 4 + [0.7] * 5, ["a"] * 4 + ["b"] * 5, low=0, high=4)
    for index in (result.rwg, result.rwg_j):
        assert index.estimate.tolist() == [1, 1]
    assert result.ad.estimate.tolist() == [0, 0]


def test_listwise_equals_dropping_first(lq2002):
    x, groups = items(lq2002, "TSIG")[:200].copy(), lq2002["COMPID"][:200].copy()
    x[3, 1] = x[40, 2] = groups[77] = np.nan
    keep = ~np.isnan(x).any(axis=1) & ~np.isnan(groups)
    before = x.copy()
    dropped = pm.within_group_agreement(x, groups, low=1, high=5, missing="listwise")
    first = pm.within_group_agreement(x[keep], groups[keep], low=1, high=5)
    assert (dropped.n, dropped.n_dropped) == (197, 3)
    for name in ("rwg", "rwg_j", "awg", "ad"):
        np.testing.assert_array_equal(getattr(dropped, name).estimate, getattr(first, name).estimate)
    np.testing.assert_array_equal(x, before)


@settings(quick)
@given(
    st.integers(2, 24).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=n, max_size=n),
            st.lists(st.sampled_from("abc"), min_size=n, max_size=n),
            st.permutations(range(n)),
        )
    ),
    st.integers(-7, 7),
)
def test_ranges_order_and_the_scales_origin(case, origin):
    x, groups, order = np.array(case[0], dtype=float), np.array(case[1]), list(case[2])
    one = pm.within_group_agreement(x, groups, low=1, high=5)
    other = pm.within_group_agreement(x[order][:, [2, 0, 1]], groups[order], low=1, high=5)
    moved = pm.within_group_agreement(x + origin, groups, low=1 + origin, high=5 + origin)
    turned = pm.within_group_agreement(6 - x, groups, low=1, high=5)
    for name in ("rwg", "rwg_j", "awg", "ad"):
        values = getattr(one, name).estimate
        for result in (other, moved, turned):
            np.testing.assert_allclose(getattr(result, name).estimate, values, rtol=0, atol=1e-12)
    for index in (one.rwg, one.rwg_j):
        known = index.estimate[~np.isnan(index.estimate)]
        assert np.all((known >= 0) & (known <= 1))
    awg = one.awg.estimate[~np.isnan(one.awg.estimate)]
    assert np.all((awg >= -1 - 1e-12) & (awg <= 1))
    ad = one.ad.estimate[~np.isnan(one.ad.estimate)]
    assert np.all((ad >= 0) & (ad <= 2))


def test_table_and_summary(lq2002):
    result = pm.within_group_agreement(items(lq2002, "LEAD"), lq2002["COMPID"], low=1, high=5)
    assert result.table.columns.tolist() == ["statistic", "n", "estimate", "reason", "group", "truncated"]
    assert len(result.table) == 4 * 49
    assert "rwg(j): mean .87" in result.summary()
    assert "awg: mean .38" in result.summary()
    with pytest.raises(ValueError, match="read-only"):
        result.rwg.estimate[0] = 1
