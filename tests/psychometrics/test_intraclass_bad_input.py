"""What intraclass correlations and measurement error make of bad tables: one row a case, a code or NaN with one."""

# ruff: noqa: E501 - one row a case

import math
import warnings

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

NAN = math.nan
GOOD = np.array([[1.0, 2.0, 4.0], [2.0, 3.0, 3.0], [4.0, 4.0, 5.0], [5.0, 3.0, 4.0]])
#: two raters who share no target
APART = np.array([[1.0, NAN], [3.0, NAN], [NAN, 2.0], [NAN, 5.0]])
#: two raters on the first three targets, two others on the last three
UNLINKED = np.array(
    [[1, 2, NAN, NAN], [3, 5, NAN, NAN], [2, 2, NAN, NAN], [NAN, NAN, 4, 3], [NAN, NAN, 1, 3], [NAN, NAN, 5, 5.0]]
)
#: a chain: raters linked, but no residual left
CHAIN = np.array([[1.0, 2.0, NAN], [NAN, 3.0, 5.0], [4.0, NAN, NAN]])
#: rater 2 is always one above rater 1
SHIFTED = np.array([[1.0, 2.0, NAN], [3.0, 4.0, 6.0], [5.0, 6.0, 8.0], [2.0, NAN, 5.0]])


def sparse(share=0.9, n=40, k=8, seed=11):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    x[rng.random((n, k)) < share] = NAN
    return x


def icc(x, **options):
    return pm.intraclass_correlation(x, **{"missing": "available", **options})


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        pytest.param(lambda: icc([[1], [2], [3]]), UsageError, "one_rater_column", id="one rater"),
        pytest.param(lambda: icc(np.empty((4, 0))), UsageError, "one_rater_column", id="no rater"),
        pytest.param(lambda: icc([1, 2, 3]), UsageError, "not_a_table", id="a vector"),
        pytest.param(lambda: icc(np.ones((2, 2, 2))), UsageError, "not_a_table", id="three dimensions"),
        pytest.param(lambda: icc([[1, 2], [3]]), ArgumentTypeError, "unequal_rows", id="ragged"),
        pytest.param(lambda: icc([[1, "bra"], [3, 4]]), ArgumentTypeError, "not_a_number", id="text"),
        pytest.param(lambda: icc([[1, math.inf], [3, 4]]), UsageError, "infinite", id="infinite"),
        pytest.param(lambda: icc(GOOD, missing="pairwise"), UsageError, "unknown_choice", id="unknown missing"),
        pytest.param(lambda: icc(APART, missing="raise"), UsageError, "missing_values", id="holes under raise"),
        pytest.param(lambda: icc(GOOD, bootstrap=-1), UsageError, "bootstrap", id="negative bootstrap"),
        pytest.param(lambda: icc(GOOD, bootstrap=10.5), UsageError, "bootstrap", id="bootstrap no whole number"),
        pytest.param(lambda: icc(GOOD, bootstrap=10, rng="a"), UsageError, "rng", id="rng"),
        pytest.param(lambda: pm.group_mean_reliability([1, 2, 3], list("aab"), estimator="ML"), UsageError, "unknown_choice", id="estimator"),
        pytest.param(lambda: pm.group_mean_reliability([1, 2, math.inf], list("aab"), estimator="REML"), UsageError, "infinite", id="groups infinite"),
        pytest.param(lambda: pm.standard_error_of_measurement([[1], [2]]), UsageError, "one_rater_column", id="error of one rater"),
        pytest.param(lambda: pm.standard_error_of_measurement([[1, 2], [3]]), ArgumentTypeError, "unequal_rows", id="error ragged"),
        pytest.param(lambda: pm.limits_of_agreement([1, 2, 3], [1, 2]), UsageError, "pairs_unequal", id="unequal pairs"),
        pytest.param(lambda: pm.limits_of_agreement([1, 2, -math.inf], [1, 2, 3]), UsageError, "infinite", id="pairs infinite"),
    ],
)  # fmt: skip
def test_wrong_use_is_an_error_with_a_code(call, kind, code):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


@pytest.mark.parametrize("unit", ["single", "average"])
@pytest.mark.parametrize(
    ("x", "definition", "code"),
    [
        pytest.param([[1.0, 2.0, 4.0]], "agreement", "too_few_targets", id="one target"),
        pytest.param([[1.0, NAN, 4.0]], "consistency", "too_few_targets", id="one target with a hole"),
        pytest.param(np.full((4, 3), NAN), "agreement", "too_few_targets", id="nothing but holes"),
        pytest.param(np.empty((0, 3)), "one-way", "too_few_targets", id="no target"),
        pytest.param(np.full((5, 3), 4.0), "agreement", "no_variation", id="all equal"),
        pytest.param([[4.0, 4.0, NAN], [4.0, NAN, 4.0], [4.0, 4.0, 4.0]], "one-way", "no_variation", id="all equal with holes"),
        pytest.param(APART, "agreement", "targets_rated_once", id="raters without overlap"),
        pytest.param(APART, "consistency", "targets_rated_once", id="raters without overlap, consistency"),
        pytest.param(APART, "one-way", "targets_rated_once", id="raters without overlap, one-way"),
        pytest.param([[1.0, NAN], [3.0, NAN], [2.0, NAN]], "agreement", "targets_rated_once", id="one rater with ratings"),
        pytest.param(UNLINKED, "agreement", "raters_not_linked", id="unlinked parts"),
        pytest.param(CHAIN, "agreement", "raters_do_not_overlap", id="a chain"),
        pytest.param(CHAIN, "consistency", "raters_do_not_overlap", id="a chain, consistency"),
        pytest.param(SHIFTED, "agreement", "reml_no_residual", id="raters differ by a shift only"),
        pytest.param([[1.0, 1.0, NAN], [3.0, NAN, 3.0], [NAN, 2.0, 2.0]], "one-way", "reml_no_residual", id="targets agree fully"),
    ],
)  # fmt: skip
def test_what_cannot_be_estimated_is_nan_with_a_reason(x, definition, unit, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = icc(x, definition=definition, unit=unit, bootstrap=10)
    assert len(caught) == 1
    assert caught[0].message.code == f"psychometrics.{code}"
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert all(math.isnan(value) for value in (result.estimate, result.ci.low, result.ci.high))
    assert result.ci_bootstrap is None
    assert not result.flags
    assert "not defined" in result.summary()
    assert result.reason.text("en") in result.table["reason"][0]


@pytest.mark.parametrize(
    ("x", "definition", "flag"),
    [
        pytest.param(sparse(0.4, 10, 4), "consistency", "icc_holes_few_df", id="few overlaps"),
        pytest.param(np.column_stack([GOOD, np.full(4, 4.0)]), "consistency", "", id="a rater with one value only"),
        pytest.param(np.column_stack([[1.0, 3.0, NAN, 5.0], [2.0, 3.0, 3.0, 4.0]]), "agreement", "agreement_two_raters", id="two raters with a hole"),
    ],
)  # fmt: skip
def test_weak_tables_have_an_estimate_and_a_flag(x, definition, flag):
    result = icc(x, definition=definition)
    assert result.ci.low <= result.estimate <= result.ci.high
    codes = [one.code.removeprefix("psychometrics.") for one in result.flags]
    assert flag in codes if flag else not codes


@pytest.mark.parametrize("seed", range(4))
def test_ninety_per_cent_holes_end_in_a_flag_or_in_a_reason(seed):
    x = sparse(0.9, seed=seed)
    one_way = icc(x, definition="one-way")
    assert one_way.ci.low <= one_way.estimate <= one_way.ci.high
    assert one_way.n_holes > 0.7 * one_way.n * one_way.n_raters
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        agreement = icc(x)
    codes = {flag.code for flag in agreement.flags} | {one.message.code for one in caught}
    expected = {"icc_holes_few_df", "raters_not_linked", "raters_do_not_overlap"}
    assert codes & {f"psychometrics.{code}" for code in expected}
    assert math.isnan(agreement.estimate) is bool(caught)
    assert not agreement.ci.low < -1.0


def test_a_rater_with_one_value_and_holes():
    x = np.column_stack([GOOD, np.full(4, 4.0)])
    x[1, 2] = NAN
    result = icc(x)
    assert result.method == "REML"
    assert math.isfinite(result.estimate)


@pytest.mark.parametrize("estimator", ["ANOVA", "REML"])
@pytest.mark.parametrize(
    ("y", "groups", "code"),
    [
        pytest.param([1, 2, 3, 4], [101, 102, 103, 104], "only_single_members", id="group is the respondents' id"),
        pytest.param([1, 2, 3, 4], list("aaaa"), "too_few_groups", id="one group"),
        pytest.param([], [], "too_few_groups", id="nobody"),
        pytest.param([2, 2, 2, 2], list("aabb"), "no_variation", id="all equal"),
    ],
)  # fmt: skip
def test_groups_that_say_nothing_are_nan_with_a_reason(y, groups, code, estimator):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.group_mean_reliability(np.array(y, dtype=float), groups, estimator=estimator)
    assert caught[0].message.code == f"psychometrics.{code}"
    assert caught[0].filename == __file__
    assert all(math.isnan(value) for value in (result.icc1, result.icc2, result.design_effect, result.icc1_ci.low))
    assert np.isnan(result.group_reliabilities).all()
    assert np.isnan(result.group_std_errors).all()
    if code == "only_single_members":
        assert "respondents' id" in result.summary()


@pytest.mark.parametrize(
    ("x", "code"),
    [
        pytest.param([[1.0, 2.0]], "too_few_targets", id="one target"),
        pytest.param([[3.0, 3.0]] * 4, "no_variation", id="all equal"),
        pytest.param([[1.0, NAN], [NAN, 2.0]], "too_few_targets", id="no complete target"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("function", [pm.standard_error_of_measurement, pm.smallest_detectable_change])
def test_an_error_that_cannot_be_estimated_is_nan(function, x, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(x, missing="listwise")
    assert caught[0].message.code == f"psychometrics.{code}"
    assert math.isnan(result.estimate)
    assert not result.flags
