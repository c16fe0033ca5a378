"""Bad input of omega, the lambdas, Spearman–Brown and stratified alpha: one row a case, with what comes of it."""

# ruff: noqa: E501 - one row a case

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

RNG = np.random.default_rng(5)
GOOD = RNG.normal(size=(40, 4)) + RNG.normal(size=(40, 1))
CONSTANT = np.column_stack([GOOD[:, :3], np.full(40, 2.0)])
TWINS = GOOD[:, [0, 1, 2, 2]]
SUM = np.column_stack([GOOD[:, :3], GOOD[:, :3].sum(axis=1)])
FEW = GOOD[:4]
ONE_ROW, EQUAL, NO_ROWS = GOOD[:1], np.full((40, 4), 3.0), np.empty((0, 4))
CANCELS = np.column_stack([GOOD[:, 0], -GOOD[:, 0]])
ALL_MISSING = np.column_stack([GOOD[:, :3], np.full(40, np.nan)])
STRATA = ["a", "a", "b", "b"]


def omega(x, **options):
    return pm.mcdonald_omega(x, **options)


def lambdas(x, **options):
    return pm.guttman_lambda(x, **options)


def two(x, **options):
    return pm.spearman_brown(x, **options)


def composite(x, strata=STRATA, **options):
    return pm.stratified_alpha(x, strata, **options)


def alpha(x, **options):
    return pm.cronbach_alpha(x, **options)


def estimate(result):
    return result.lambda3 if isinstance(result, pm.GuttmanLambda) else result.estimate


UNDEFINED = [
    ("omega, two items", omega, GOOD[:, :2], "omega_not_identified"),
    ("omega, constant item", omega, CONSTANT, "omega_constant_items"),
    ("omega, two identical items", omega, TWINS, "covariances_singular"),
    ("omega, an item is the sum of the others", omega, SUM, "covariances_singular"),
    ("omega, as many respondents as items", omega, FEW, "covariances_singular"),
    ("omega, one respondent", omega, ONE_ROW, "too_few_respondents"),
    ("omega, no respondent", omega, NO_ROWS, "too_few_respondents"),
    ("omega, all equal", omega, EQUAL, "omega_constant_items"),
    ("omega, an item that nobody answered", omega, ALL_MISSING, "too_few_respondents"),
    ("lambda, one respondent", lambdas, ONE_ROW, "too_few_respondents"),
    ("lambda, no respondent", lambdas, NO_ROWS, "too_few_respondents"),
    ("lambda, all equal", lambdas, EQUAL, "sum_constant"),
    ("lambda, the sum cancels", lambdas, CANCELS, "sum_constant"),
    ("Spearman–Brown, one respondent", two, ONE_ROW[:, :2], "too_few_respondents"),
    ("Spearman–Brown, constant item", two, CONSTANT[:, 2:], "item_without_spread"),
    ("Spearman–Brown, all equal", two, EQUAL[:, :2], "item_without_spread"),
    ("Spearman–Brown, r = −1", two, CANCELS, "prophecy_undefined"),
    ("stratified, one respondent", composite, ONE_ROW, "too_few_respondents"),
    ("stratified, no respondent", composite, NO_ROWS, "too_few_respondents"),
    ("stratified, all equal", composite, EQUAL, "sum_constant"),
]  # fmt: skip


@pytest.mark.parametrize("bootstrap", [0, 7])
@pytest.mark.parametrize(("function", "x", "code"), [row[1:] for row in UNDEFINED], ids=[row[0] for row in UNDEFINED])
def test_undefined_is_nan_with_one_warning_at_the_caller(function, x, code, bootstrap):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(x, missing="listwise", bootstrap=bootstrap)
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}"]
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert math.isnan(estimate(result))
    assert "not defined" in result.summary()
    assert result.reason.text("en") in result.table["reason"].tolist()[0]
    assert (result.n_replicates, result.n_undefined) == (bootstrap, bootstrap)
    for ci in (getattr(result, "ci", None), getattr(result, "ci_adjusted", None)):
        assert ci is None or (math.isnan(ci.low) and math.isnan(ci.high))


DEFINED = [
    ("lambda, constant item: lambda 6 only is lost", lambdas, CONSTANT, ["lambda6_undefined"]),
    ("lambda, two identical items", lambdas, TWINS, ["lambda6_undefined"]),
    ("lambda, an item is the sum of the others", lambdas, SUM, ["lambda6_undefined"]),
    ("lambda, as many respondents as items", lambdas, FEW, ["lambda6_undefined"]),
    ("stratified, constant item", composite, CONSTANT, []),
    ("stratified, a stratum of constants", composite, np.column_stack([GOOD[:, :2], EQUAL[:, :2]]), ["stratum_constant"]),
    ("stratified, two identical items", composite, TWINS, []),
    ("stratified, as many respondents as items", composite, FEW, []),
    ("Spearman–Brown, identical items", two, GOOD[:, [0, 0]], []),
    ("alpha, constant item", alpha, CONSTANT, ["standardized_undefined"]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x", "codes"), [row[1:] for row in DEFINED], ids=[row[0] for row in DEFINED])
def test_what_can_be_told_is_told(function, x, codes):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(x, bootstrap=20)
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}" for code in codes]
    assert result.reason is None
    assert math.isfinite(estimate(result))
    assert result.summary()
    assert len(result.table)


TABLES = [
    ("text", [["1", "2", "3", "4"]] * 3, ArgumentTypeError, "not_a_number", "`x` holds '1' in row 1"),
    ("word", [[1, 2, 3, 4], [3, "fyra", 1, 2]], ArgumentTypeError, "not_a_number", "'fyra' in row 2, column 2"),
    ("complex", GOOD + 0j, ArgumentTypeError, "not_a_number", "row 1"),
    ("infinite", np.where(GOOD.max() == GOOD, np.inf, GOOD), UsageError, "infinite", "infinite value"),
    ("one item", GOOD[:, :1], UsageError, "too_few_items", r"1 item\(s\)"),
    ("no item", np.empty((5, 0)), UsageError, "too_few_items", r"0 item\(s\)"),
    ("one dimension", [1, 2, 3], UsageError, "not_a_table", "1 dimension"),
    ("unequal rows", [[1, 2], [1]], ArgumentTypeError, "unequal_rows", "unequal length"),
    ("same names", pd.DataFrame(GOOD, columns=list("abca")), UsageError, "labels_twice", "called a"),
    ("missing", np.where(GOOD.max() == GOOD, np.nan, GOOD), UsageError, "missing_values", "1 missing"),
]  # fmt: skip


@pytest.mark.parametrize("function", [omega, lambdas, two, composite])
@pytest.mark.parametrize(("x", "kind", "code", "text"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_a_bad_table_is_refused(function, x, kind, code, text):
    if function is two and code == "missing_values":
        at = int(np.flatnonzero(np.isnan(x).any(axis=0))[0])
        x = x[:, [at, (at + 1) % 4]]
    with pytest.raises(kind, match=text) as caught:
        function(x)
    assert caught.value.code == f"psychometrics.{code}"


CALLS = [
    (lambda: two(GOOD), "two_items", "`x` has 4 items"),
    (lambda: two(GOOD[:, :2], length=0), "length_factor", "`length` is 0"),
    (lambda: two(GOOD[:, :2], length=math.inf), "length_factor", "`length` is inf"),
    (lambda: two(GOOD[:, :2], length="2"), "length_factor", "`length` is '2'"),
    (lambda: two(GOOD[:, :2], length=True), "length_factor", "`length` is True"),
    (lambda: composite(GOOD, ["a", "a", "b"]), "strata_length", r"`strata` has 3 label\(s\) and `x` has 4"),
    (lambda: composite(GOOD, ["a", "a", "b", None]), "strata_cover", "4 are missing"),
    (lambda: composite(GOOD, {"a": ["1", "2"], "b": ["3"]}), "strata_cover", "4 are missing"),
    (lambda: composite(GOOD, {"a": ["1", "2"], "b": ["2", "3", "4"]}), "strata_cover", "2 are missing or there more"),
    (lambda: composite(GOOD, {"a": [1, 2], "b": [3, 5]}), "strata_unknown", "names 5"),
    (lambda: composite(pd.DataFrame(GOOD, columns=list("abcd")), {"x": ["a", "b"], "y": ["c", "e"]}), "strata_unknown", "a, b, c, d"),
    (lambda: composite(GOOD, {"a": [1, 2, 3], "b": [4]}), "stratum_small", r"stratum b has 1 item\(s\)"),
    (lambda: composite(GOOD, ["a", "a", "a", "b"]), "stratum_small", "stratum b has 1"),
    (lambda: composite(GOOD, {"a": [1, 2, 3, 4], "b": []}), "stratum_small", "stratum b has 0"),
    (lambda: composite(GOOD, {}), "strata_cover", "1, 2, 3, 4 are missing"),
    (lambda: composite(GOOD, "aabb"), "strata_kind", "'aabb'"),
    (lambda: composite(GOOD, 2), "strata_kind", "`strata` is 2"),
    (lambda: composite(GOOD, {"a": "12", "b": "34"}), "strata_kind", "`strata` is"),
    *((lambda f=f, x=x: f(x, missing="available"), "unknown_choice", "raise, listwise") for f, x in ((omega, GOOD), (lambdas, GOOD), (two, GOOD[:, :2]), (composite, GOOD))),
    *((lambda f=f, x=x: f(x, confidence_level=95), "confidence_level", "95") for f, x in ((omega, GOOD), (lambdas, GOOD), (two, GOOD[:, :2]), (composite, GOOD))),
    *((lambda f=f, x=x: f(x, bootstrap=-1), "bootstrap", "-1") for f, x in ((alpha, GOOD), (omega, GOOD), (lambdas, GOOD), (two, GOOD[:, :2]), (composite, GOOD))),
    *((lambda f=f, x=x: f(x, bootstrap=2, rng="x"), "rng", "'x'") for f, x in ((alpha, GOOD), (omega, GOOD), (lambdas, GOOD), (two, GOOD[:, :2]), (composite, GOOD))),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "text"), CALLS)
def test_a_bad_call_is_refused(call, code, text):
    with pytest.raises(UsageError, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


def test_labels_of_two_kinds_are_refused():
    with pytest.raises(ArgumentTypeError) as caught:
        composite(GOOD, ["a", 1, "a", 1])
    assert caught.value.code == "psychometrics.groups_mixed"
