import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning, UsageError

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8

answers = hnp.arrays(
    np.float64, st.tuples(st.integers(4, 12), st.integers(3, 6)), elements=st.integers(1, 5).map(float)
).filter(
    lambda x: (
        np.all(np.ptp(x, axis=0) > 0)
        and np.all(np.ptp(x.sum(axis=1, keepdims=True) - x, axis=0) > 0)
        and np.ptp(x.sum(axis=1)) > 0
    )
)
quick = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.mark.witness(
    statistic="item_analysis",
    definition="mean, sd, skewness G1, item-rest correlation, alpha if item deleted, complete rows",
    reference="R psych::alpha (alpha.drop, r.drop) and psych::describe(type = 2) 2.2.9",
    tolerance=CLOSED_FORM,
    data="bfi",
)
@pytest.mark.parametrize("name", ["A", "C", "E", "N", "O", "three"])
def test_agrees_with_psych(reference, bfi, name):
    expected = reference["alpha"][name]
    items = expected["items"]
    frame = pd.DataFrame({i: 7 - bfi[i] if i in expected["reversed"] else bfi[i] for i in items})
    result = pm.item_analysis(frame, missing="listwise", low=1, high=6)
    assert result.items == tuple(items)
    assert set(result.n.tolist()) == {expected["n"]}
    assert result.alpha == pytest.approx(expected["raw"], abs=CLOSED_FORM)
    pairs = {
        "mean": "mean", "sd": "sd", "skewness": "skew2",
        "item_rest_correlation": "r_drop", "alpha_if_deleted": "alpha_drop",
    }  # fmt: skip
    for ours, theirs in pairs.items():
        np.testing.assert_allclose(getattr(result, ours), expected[theirs], rtol=0, atol=CLOSED_FORM)
    np.testing.assert_allclose(result.missing_share, frame.isna().mean().to_numpy())
    np.testing.assert_allclose(result.skewness, frame.dropna().skew().to_numpy(), atol=CLOSED_FORM)


def test_listwise_equals_dropping_the_rows_first(bfi):
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    dropped = pm.item_analysis(x, missing="listwise")
    first = pm.item_analysis(x[~np.isnan(x).any(axis=1)])
    for name in ("n", "mean", "sd", "skewness", "floor_share", "ceiling_share", "item_rest_correlation"):
        np.testing.assert_array_equal(getattr(dropped, name), getattr(first, name))
    assert dropped.alpha == first.alpha
    assert (dropped.n_rows, dropped.n_complete, first.n_rows) == (2800, first.n_complete, first.n_complete)


def test_available_describes_each_item_by_its_own_answers(bfi):
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    result = pm.item_analysis(x, missing="available")
    np.testing.assert_array_equal(result.n, (~np.isnan(x)).sum(axis=0))
    np.testing.assert_allclose(result.mean, np.nanmean(x, axis=0))
    np.testing.assert_allclose(result.sd, np.nanstd(x, axis=0, ddof=1))
    listwise = pm.item_analysis(x, missing="listwise")
    np.testing.assert_array_equal(result.item_rest_correlation, listwise.item_rest_correlation)
    assert result.alpha == listwise.alpha == pm.cronbach_alpha(x, missing="listwise").estimate


@settings(quick)
@given(answers)
def test_figures_by_their_definitions(x):
    result = pm.item_analysis(x)
    for i in range(x.shape[1]):
        rest = np.delete(x, i, axis=1)
        r = np.corrcoef(x[:, i], rest.sum(axis=1))[0, 1]
        assert result.item_rest_correlation[i] == pytest.approx(r, abs=1e-10)
        assert result.alpha_if_deleted[i] == pytest.approx(pm.cronbach_alpha(rest).estimate, abs=1e-10)
        assert result.floor_share[i] == np.mean(x[:, i] == x.min())
        assert result.ceiling_share[i] == np.mean(x[:, i] == x.max())
    assert result.limits == "observed"


@settings(quick)
@given(answers, st.randoms(use_true_random=False))
def test_order_changes_nothing(x, random):
    rows, columns = list(range(x.shape[0])), list(range(x.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one, other = pm.item_analysis(x), pm.item_analysis(x[rows][:, columns])
    for name in ("mean", "sd", "skewness", "item_rest_correlation", "alpha_if_deleted"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name)[columns], atol=1e-12)


def test_floor_and_ceiling_are_those_of_the_scale():
    x = np.array([[1, 2], [1, 3], [2, 4], [4, 5]])
    with pytest.warns(UndefinedStatisticWarning):  # two items: alpha if deleted is not defined
        result = pm.item_analysis(x, low=1, high=5)
    assert result.limits == "given"
    assert result.floor_share.tolist() == [0.5, 0.0]
    assert result.ceiling_share.tolist() == [0.0, 0.25]
    with pytest.warns(UndefinedStatisticWarning):
        own = pm.item_analysis(x, low=[1, 2], high=[4, 5])
    assert own.floor_share.tolist() == [0.5, 0.25]


def test_flags_name_constant_reversed_and_empty_items():
    frame = pd.DataFrame(
        {
            "ut1": pd.array([1, 2, 3, 4, 5, None], dtype="Int64"),
            "ut2": pd.array([1, 2, 4, 4, 5, 3], dtype="Int64"),
            "ut3": pd.array([5, 4, 3, 2, 2, 2], dtype="Int64"),
            "ut4": pd.array([3, 3, 3, 3, 3, 3], dtype="Int64"),
            "ut5": pd.array([None] * 6, dtype="Int64"),
        }
    )
    before = frame.copy()
    with pytest.warns(UndefinedStatisticWarning, match="Nobody answered ut5") as caught:
        result = pm.item_analysis(frame, missing="available", low=1, high=5)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert {(flag.code.split(".")[1], flag.params["item"]) for flag in result.flags} == {
        ("item_negative_rest", "ut3"),
        ("item_constant", "ut4"),
        ("item_all_missing", "ut5"),
    }
    assert result.in_scale.tolist() == [True, True, True, True, False]
    assert result.n_complete == 5
    assert math.isnan(result.item_rest_correlation[3])
    assert result.sd[3] == 0
    assert math.isnan(result.mean[4])
    assert result.missing_share.tolist() == pytest.approx([1 / 6, 0, 0, 0, 1])
    assert result.table.set_index("item").loc["ut4", "reason"] == "All who answered ut4 gave the same answer."
    pd.testing.assert_frame_equal(frame, before)


def test_rest_that_does_not_vary_is_named():
    x = np.array([[1, 2, 4], [2, 3, 3], [3, 3, 3], [4, 1, 5]])  # items 2 and 3 cancel
    with pytest.warns(UndefinedStatisticWarning):
        result = pm.item_analysis(x)
    assert [flag.code for flag in result.flags_of("1")] == ["psychometrics.item_rest_undefined"]
    assert math.isnan(result.item_rest_correlation[0])


@pytest.mark.parametrize(
    ("x", "code"),
    [
        (np.full((5, 3), 4.0), "psychometrics.sum_constant"),
        (np.array([[1.0, 2.0, 3.0]]), "psychometrics.too_small_for_all"),
        (np.empty((0, 3)), "psychometrics.too_small_for_all"),
        (np.column_stack([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [np.nan] * 3]), "psychometrics.item_all_missing"),
    ],
    ids=["all equal", "one row", "no row", "all-missing item"],
)
def test_undefined_is_nan_with_one_warning(x, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.item_analysis(x, missing="listwise")
    assert len(caught) == 1
    assert code in {flag.code for flag in result.flags}
    assert np.isnan(result.item_rest_correlation).all()
    assert math.isnan(result.alpha)


def test_limits_must_both_be_given_and_hold(shrout_fleiss):
    with pytest.raises(UsageError, match="`low` is given without"):
        pm.item_analysis(shrout_fleiss, low=1)
    with pytest.raises(UsageError, match=r"holds 10 in row 5, column 1, outside 1 to 9"):
        pm.item_analysis(shrout_fleiss, low=1, high=9)
    with pytest.raises(UsageError, match="one for each of the 4 items"):
        pm.item_analysis(shrout_fleiss, low=[1, 1], high=9)


def test_table_and_arrays(shrout_fleiss):
    result = pm.item_analysis(shrout_fleiss, low=1, high=10)
    assert result.table.columns.tolist() == [
        "item", "n", "reason", "mean", "sd", "skewness", "floor_share", "ceiling_share", "missing_share",
        "item_rest_correlation", "item_rest_available", "alpha_if_deleted", "alpha",
    ]  # fmt: skip
    assert result.summary().startswith("4 items, 6 of 6 rows complete, alpha .91.")
    with pytest.raises(ValueError, match="read-only"):
        result.mean[0] = 1


@pytest.mark.witness(
    statistic="item_analysis",
    definition="item-rest correlation, pairwise and over complete rows, share of each answer, missing share",
    reference="R psych::alpha (item.stats r.drop, n; response.freq; alpha.drop) 2.2.9",
    tolerance=CLOSED_FORM,
    data="bfi",
)
@pytest.mark.parametrize("name", ["N", "C"])
def test_missing_answers_and_category_use_agree_with_psych(consistency, bfi, name):
    expected = consistency["items"][name]
    frame = pd.DataFrame({item: bfi[item] for item in expected["items"]})
    result = pm.item_analysis(frame, missing="available", low=1, high=6)
    assert result.n.tolist() == expected["n"]
    np.testing.assert_allclose(result.item_rest_available, expected["r_drop"], atol=CLOSED_FORM)
    np.testing.assert_allclose(result.item_rest_correlation, expected["r_drop_listwise"], atol=CLOSED_FORM)
    np.testing.assert_allclose(result.alpha_if_deleted, expected["alpha_drop_listwise"], atol=CLOSED_FORM)
    assert result.alpha == pytest.approx(expected["alpha_listwise"], abs=CLOSED_FORM)
    assert result.categories.tolist() == expected["levels"]
    np.testing.assert_allclose(result.category_shares, expected["freq"], atol=CLOSED_FORM)
    np.testing.assert_allclose(result.missing_share, expected["miss"], atol=CLOSED_FORM)
    np.testing.assert_array_equal(result.category_counts.sum(axis=1), result.n)
    np.testing.assert_allclose(result.category_shares[:, 0], result.floor_share, atol=CLOSED_FORM)
    np.testing.assert_allclose(result.category_shares[:, -1], result.ceiling_share, atol=CLOSED_FORM)


@settings(quick)
@given(answers)
def test_both_item_rest_correlations_are_one_where_nothing_is_missing(x):
    result = pm.item_analysis(x)
    np.testing.assert_allclose(result.item_rest_available, result.item_rest_correlation, atol=1e-9)


def test_categories_that_nobody_used_are_counted_as_zero():
    x = np.array([[1, 2, 2], [1, 2, 3], [4, 3, 2], [5, 4, 4]])
    result = pm.item_analysis(x, low=1, high=[5, 5, 4])
    assert result.categories.tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(result.category_counts, [[2, 0, 0, 1, 1], [0, 2, 1, 1, 0], [0, 2, 1, 1, np.nan]])
    table = result.category_table
    assert table.columns.tolist() == ["item", "n", "category", "count", "share"]
    assert len(table) == 14
    assert table.query("item == '1' and category == 2")["count"].tolist() == [0]
    assert pm.item_analysis(x).categories.tolist() == [1, 2, 3, 4, 5]
    halves = pm.item_analysis(x / 2)
    assert halves.categories.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5]
    many = pm.item_analysis(np.random.default_rng(1).normal(size=(60, 3)))
    assert many.categories.size == 0
    assert len(many.category_table) == 0


def test_items_without_which_alpha_is_larger_are_named():
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=(80, 1)) + rng.normal(size=(80, 3)), rng.normal(size=80)])
    result = pm.item_analysis(x)
    assert result.alpha_if_deleted[3] > result.alpha
    assert "is larger without: 4 (" in result.summary()
    assert set(result.table["alpha"]) == {result.alpha}
