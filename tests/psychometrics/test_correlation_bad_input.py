"""Bad input of correlations of ordered answers and of ordinal reliability: one row a case, with what comes of it."""

# ruff: noqa: E501 - one row a case

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

RNG = np.random.default_rng(5)
GOOD = np.digitize(RNG.normal(size=(80, 1)) + RNG.normal(size=(80, 4)), [-1.0, 0.3, 1.2])
HALVES = (GOOD > 1).astype(int)
CONSTANT = np.column_stack([GOOD[:, :3], np.full(80, 2)])
TWINS = GOOD[:, [0, 1, 2, 2]]
SUM = np.column_stack([GOOD[:, :3], GOOD[:, :3].sum(axis=1)])
HOLE = np.array([0, 1, 4, 5])[GOOD]
FEW = GOOD[[0, 1, 2]]
ONE_ROW, NO_ROWS, EQUAL = GOOD[:1], GOOD[:0], np.full((80, 4), 3)
SPARSE = np.where(RNG.random((400, 4)) < 0.95, np.nan, np.digitize(RNG.normal(size=(400, 4)), [-0.5, 0.5]))
NEVER = GOOD.astype(float)
NEVER[:40, 0] = NEVER[40:, 1] = np.nan
NOBODY = np.column_stack([GOOD[:, :3], np.full(80, np.nan)])
PERFECT = np.repeat(np.arange(4), 20)[:, None][:, [0, 0]]
OPPOSITE = PERFECT * [1, -1]
CORNER = np.repeat([[0, 0], [0, 1], [1, 1]], [30, 10, 20], axis=0)
OUTLIER = np.vstack([np.repeat(np.arange(3), 500)[:, None][:, [0, 0]], [[2, 0]]])
MINUS = -GOOD
LARGE = GOOD + 1_000_000


def poly(x, **options):
    return pm.polychoric_correlation(x, **options)


def codes(messages):
    return [message.code.removeprefix("psychometrics.") for message in messages]


# case, data, options, pairs without an estimate, reasons, flags
CASES = [
    ("good", GOOD, {}, 0, [], []),
    ("constant item", CONSTANT, {}, 3, ["items_one_category"], []),
    ("all items constant", EQUAL, {}, 6, ["items_one_category"], []),
    ("empty middle category", HOLE, {}, 0, [], []),
    ("codes 1-based", GOOD + 1, {}, 0, [], []),
    ("negative codes", MINUS, {}, 0, [], []),
    ("large codes", LARGE, {}, 0, [], []),
    ("two identical items", TWINS, {}, 0, [], ["polychoric_boundary", "not_positive_definite"]),
    ("an item is the sum of others", SUM, {}, 0, [], ["not_positive_definite"]),
    ("a perfect table", PERFECT, {}, 0, [], ["polychoric_boundary", "not_positive_definite"]),
    ("a perfect table, reversed", OPPOSITE, {}, 0, [], ["polychoric_boundary", "not_positive_definite"]),
    ("two-by-two, one empty cell", CORNER, {}, 0, [], ["empty_cells_adjusted"]),
    ("two-by-two, one empty cell, not filled", CORNER, {"adjust": 0}, 0, [], ["polychoric_boundary", "not_positive_definite"]),
    ("one gross outlier", OUTLIER, {}, 0, [], []),
    ("one respondent", ONE_ROW, {}, 6, ["items_one_category"], []),
    ("no respondent", NO_ROWS, {}, 6, ["items_one_category"], []),
    ("95 % missing", SPARSE, {"missing": "available"}, None, None, None),
    ("95 % missing, listwise", SPARSE, {"missing": "listwise"}, 6, ["items_one_category"], []),
    ("two items that nobody answered both of", NEVER, {"missing": "available"}, 1, ["pair_does_not_vary"], []),
    ("an item that nobody answered", NOBODY, {"missing": "available"}, 3, ["items_one_category"], []),
    ("a lone smoothing without need", GOOD, {"smooth": True}, 0, [], []),
    ("smoothing with an undefined pair", CONSTANT, {"smooth": True}, 3, ["items_one_category"], ["not_smoothed"]),
    ("smoothing of twins", TWINS, {"smooth": True}, 0, [], ["polychoric_boundary", "not_positive_definite", "smoothed"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("x", "options", "lost", "reasons", "flags"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_case_is_nan_or_flagged_as_it_should(x, options, lost, reasons, flags):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = poly(x, **options)
    at = np.triu_indices(result.k, 1)
    undefined = np.isnan(result.estimate[at])
    if lost is not None:
        assert undefined.sum() == lost
        assert list(dict.fromkeys(codes(r for r in result.reasons if r))) == reasons
        assert codes(result.flags) == flags
    assert [warning.message.code for warning in caught] == ["psychometrics.pairs_undefined"] * bool(undefined.any())
    assert all(warning.filename == __file__ for warning in caught)
    assert [reason is not None for reason in result.reasons] == undefined.tolist()
    boundary = result.boundary[at]
    if not result.smoothing:
        assert (np.abs(result.estimate[at][boundary]) == 1.0).all()
    assert np.isnan(result.std_error[at][undefined | boundary]).all()
    assert np.isfinite(result.std_error[at][~(undefined | boundary)]).all()
    within = ~(undefined | boundary)
    assert (result.ci_low[at][within] <= result.estimate[at][within] + 1e-12).all() or result.smoothing
    variances = np.diag(result.asymptotic_covariance)[-len(at[0]) :]
    np.testing.assert_array_equal(np.isnan(variances), undefined | boundary)
    assert len(result.table) == len(at[0])
    assert result.summary()


def test_a_gross_outlier_among_equal_answers_is_no_boundary():
    result = poly(OUTLIER)
    assert 0.9 < result.estimate[0, 1] < 1.0
    assert result.converged.all()


def test_with_fewer_respondents_than_items_nothing_breaks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        result = poly(FEW)
        pm.categorical_omega(FEW)
        pm.ordinal_alpha(FEW)
    assert result.estimate.shape == (4, 4)
    assert np.nanmax(np.abs(result.estimate)) <= 1.0


REFUSED = [
    ("fractions", poly, (GOOD + 0.5,), {}, UsageError, "not_categories", "0.5"),
    ("21 categories", poly, (np.column_stack([np.arange(80) % 21, GOOD[:, 0]]),), {}, UsageError, "too_many_categories", "21"),
    ("text", poly, ([["1", "2"]] * 3,), {}, ArgumentTypeError, "not_a_number", "'1' in row 1"),
    ("infinite", poly, (np.where(GOOD == 3, np.inf, GOOD),), {}, UsageError, "infinite", "infinite"),
    ("missing", poly, (SPARSE,), {}, UsageError, "missing_values", "missing"),
    ("one item", poly, (GOOD[:, :1],), {}, UsageError, "too_few_items", "at least 2"),
    ("one item of small integers", poly, (GOOD[:, :1].astype(np.int8),), {}, UsageError, "too_few_items", "at least 2"),
    ("a vector", poly, (GOOD[:, 0],), {}, UsageError, "not_a_table", "1 dimension"),
    ("columns twice", poly, (pd.DataFrame(GOOD, columns=list("aabc")),), {}, UsageError, "labels_twice", "a"),
    ("policy", poly, (GOOD,), {"missing": "pairwise"}, UsageError, "unknown_choice", "pairwise"),
    ("confidence", poly, (GOOD,), {"confidence_level": 95}, UsageError, "confidence_level", "95"),
    ("adjust, too large", poly, (GOOD,), {"adjust": 1.0}, UsageError, "adjust", "1.0"),
    ("adjust, text", poly, (GOOD,), {"adjust": "yes"}, UsageError, "adjust", "yes"),
    ("adjust, three", poly, (GOOD,), {"adjust": (0.5, 0, 0)}, UsageError, "adjust", "0.5"),
    ("tetrachoric of four categories", pm.tetrachoric_correlation, (GOOD,), {}, UsageError, "not_two_categories", "4 categories"),
    ("polyserial, lengths", pm.polyserial_correlation, (GOOD[:9, 0], GOOD), {}, UsageError, "lengths_differ", "80"),
    ("polyserial, fractions in y", pm.polyserial_correlation, (GOOD, GOOD / 2), {}, UsageError, "not_categories", "0.5"),
    ("polyserial, missing x", pm.polyserial_correlation, (SPARSE[:80], GOOD), {}, UsageError, "missing_values", "`x`"),
    ("polyserial, missing y", pm.polyserial_correlation, (GOOD, SPARSE[:80]), {}, UsageError, "missing_values", "`y`"),
    ("alpha, pairwise", pm.ordinal_alpha, (GOOD,), {"missing": "available"}, UsageError, "unknown_choice", "available"),
    ("omega, estimator", pm.categorical_omega, (GOOD,), {"estimator": "ML"}, UsageError, "unknown_choice", "ML"),
    ("omega, replicates", pm.categorical_omega, (GOOD,), {"bootstrap": -1}, UsageError, "bootstrap", "-1"),
    ("omega, fractions", pm.categorical_omega, (GOOD / 2,), {}, UsageError, "not_categories", "0.5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "data", "options", "error", "code", "said"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_wrong_use_is_an_error_that_tells_what(function, data, options, error, code, said):
    with pytest.raises(error) as raised:
        function(*data, **options)
    assert raised.value.code == f"psychometrics.{code}"
    assert said in str(raised.value)


RELIABILITY = [
    ("alpha, constant item", pm.ordinal_alpha, CONSTANT, "items_one_category"),
    ("alpha, two identical items", pm.ordinal_alpha, TWINS, "ordinal_boundary"),
    ("alpha, one respondent", pm.ordinal_alpha, ONE_ROW, "too_few_respondents"),
    ("alpha, no respondent", pm.ordinal_alpha, NO_ROWS, "too_few_respondents"),
    ("alpha, nobody is complete", pm.ordinal_alpha, NOBODY, "too_few_respondents"),
    ("omega, constant item", pm.categorical_omega, CONSTANT, "items_one_category"),
    ("omega, two identical items", pm.categorical_omega, TWINS, "ordinal_boundary"),
    ("omega, a perfect table", pm.categorical_omega, np.column_stack([PERFECT, GOOD[:, 0]]), "ordinal_boundary"),
    ("omega, two items", pm.categorical_omega, GOOD[:, :2], "omega_not_identified"),
    ("omega, one respondent", pm.categorical_omega, ONE_ROW, "too_few_respondents"),
    ("omega, no respondent", pm.categorical_omega, NO_ROWS, "too_few_respondents"),
    ("omega, an item is the sum of others", pm.categorical_omega, SUM, "categorical_omega_improper"),
]  # fmt: skip


@pytest.mark.parametrize("bootstrap", [0, 5])
@pytest.mark.parametrize(
    ("function", "x", "code"), [case[1:] for case in RELIABILITY], ids=[case[0] for case in RELIABILITY]
)
def test_undefined_reliability_is_nan_with_one_warning(function, x, code, bootstrap):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(x, missing="listwise", bootstrap=bootstrap)
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}"]
    assert caught[0].filename == __file__
    assert math.isnan(result.estimate)
    assert math.isnan(result.ci.low)
    assert result.reason.code == f"psychometrics.{code}"
    assert "is not defined" in result.summary()
    assert result.reason.text("en") in result.table["reason"].tolist()[0]
    assert (result.n_replicates, result.n_undefined) == (bootstrap, bootstrap)


FLAGGED = [
    ("alpha, empty cells of two-valued answers", pm.ordinal_alpha, np.column_stack([CORNER, RNG.integers(0, 2, (60, 1))]), "ordinal_adjusted"),
    ("omega, two factors", pm.categorical_omega, np.digitize(np.repeat(RNG.normal(size=(300, 2)), 3, axis=1) + RNG.normal(size=(300, 6)), [0.0, 1.0]), "one_factor_residuals"),
    ("omega, an item not reversed", pm.categorical_omega, GOOD * [1, 1, 1, -1], "omega_negative_loadings"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x", "code"), [case[1:] for case in FLAGGED], ids=[case[0] for case in FLAGGED])
def test_what_weakens_reliability_is_flagged(function, x, code):
    result = function(x)
    assert code in codes(result.flags)
    assert math.isfinite(result.estimate)


def test_weights_of_few_respondents_are_flagged():
    assert "weights_few" in codes(pm.categorical_omega(GOOD, estimator="DWLS").flags)
    assert "weights_few" not in codes(pm.categorical_omega(GOOD).flags)


SERIAL = [
    ("constant x", np.ones(80), GOOD[:, 0], "pair_does_not_vary"),
    ("constant y", GOOD[:, 0] + 0.5, np.ones(80), "pair_does_not_vary"),
    ("two respondents", [1.0, 2.0], [0, 1], "pair_too_few"),
    ("nobody has both", np.where(np.arange(80) < 40, np.nan, 1.0), np.where(np.arange(80) < 40, 1.0, np.nan), "pair_too_few"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "y", "code"), [case[1:] for case in SERIAL], ids=[case[0] for case in SERIAL])
def test_a_polyserial_correlation_that_is_not_defined(x, y, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.polyserial_correlation(x, y, missing="available")
    assert caught[0].filename == __file__
    assert codes(result.reasons) == [code]
    assert np.isnan([result.estimate, result.std_error, result.ci_low]).all()
    assert result.summary()


def test_a_polyserial_correlation_in_perfect_order_is_flagged():
    result = pm.polyserial_correlation(np.arange(40.0), np.repeat([0, 1], 20))
    assert result.estimate[0, 0] == 1.0
    assert codes(result.flags) == ["polychoric_boundary"]
    assert np.isnan(result.std_error[0, 0])
