"""Bad input of the exploratory room: one row a case, with what comes of it."""

# ruff: noqa: E501 - one row a case

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

RNG = np.random.default_rng(5)
TRAIT = RNG.normal(size=(60, 1))
GOOD = 0.7 * TRAIT + RNG.normal(size=(60, 7))
GROUPS = 0.5 * TRAIT + np.repeat(RNG.normal(size=(60, 3)), 3, axis=1) + 0.7 * RNG.normal(size=(60, 9))
CUT = np.digitize(GROUPS, [-1.0, 0.0, 1.0])
R = np.corrcoef(GOOD.T)
CONSTANT = np.column_stack([GOOD[:, :6], np.full(60, 2.0)])
TWINS = GOOD[:, [0, 1, 2, 3, 4, 5, 5]]
SUM = np.column_stack([GOOD[:, :6], GOOD[:, :6].sum(axis=1)])
FEW = GOOD[:5]
SPARSE = np.where(np.random.default_rng(1).random(GOOD.shape) < 0.95, np.nan, GOOD)
ONE_ROW, NO_ROWS, EQUAL = GOOD[:1], np.empty((0, 7)), np.full((40, 7), 3.0)
ONE_CATEGORY = np.column_stack([CUT[:, :8], np.ones(60)])
CROSSED = np.array([[1, 0.9, -0.9, 0.1], [0.9, 1, 0.9, 0.1], [-0.9, 0.9, 1, 0.1], [0.1, 0.1, 0.1, 1.0]])


def factors(x, **options):
    return pm.exploratory_factor_analysis(x, **{"n_factors": 2, **options})


def ml(x, **options):
    return factors(x, extraction="ml", **options)


def parallel(x, **options):
    return pm.parallel_analysis(x, n_replicates=20, **options)


def omega(x, **options):
    return pm.hierarchical_omega(x, **options)


def kmo(x, **options):
    return pm.sampling_adequacy(x, **options)


def bartlett(x, **options):
    return pm.bartlett_sphericity(x, **options)


def partial(x, **options):
    return pm.minimum_average_partial(x, **options)


def figure(result):
    for name in ("estimate", "chi_square"):
        if hasattr(result, name) and not isinstance(result, pm.FactorAnalysis):
            return getattr(result, name)
    if isinstance(result, pm.FactorAnalysis):
        return result.rmsr
    return math.nan if result.n_components < 0 else result.n_components


ALL = {
    "kmo": kmo,
    "bartlett": bartlett,
    "factors": factors,
    "ml": ml,
    "parallel": parallel,
    "omega": omega,
    "map": partial,
}
CASES = {"constant item": (CONSTANT, "omega_constant_items"), "all equal": (EQUAL, "omega_constant_items"),
         "one respondent": (ONE_ROW, "too_few_for_correlations"), "no respondent": (NO_ROWS, "too_few_for_correlations"),
         "95 % missing": (SPARSE, "too_few_for_correlations")}  # fmt: skip
SINGULAR = {"two identical items": TWINS, "an item is the sum of the others": SUM, "fewer respondents than items": FEW}
UNDEFINED = [(f"{name}, {case}", f, x, code) for name, f in ALL.items() for case, (x, code) in CASES.items()]
UNDEFINED += [
    (f"{name}, {case}", ALL[name], x, "matrix_singular")
    for name in ("kmo", "bartlett", "ml")
    for case, x in SINGULAR.items()
]
UNDEFINED += [
    (
        f"{f.__name__}, polychoric, one category used",
        lambda x, f=f, **o: f(x, correlation="polychoric", **o),
        ONE_CATEGORY,
        "omega_constant_items",
    )
    for f in (kmo, factors, parallel, omega, partial)
]
UNDEFINED += [
    ("kmo, nothing correlates", lambda x, **o: kmo(np.eye(4), given="correlations", **o), GOOD, "nothing_correlates")
]


@pytest.mark.parametrize(("function", "x", "code"), [row[1:] for row in UNDEFINED], ids=[row[0] for row in UNDEFINED])
def test_undefined_is_nan_with_one_warning_at_the_caller(function, x, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(x, missing="listwise")
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}"]
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert math.isnan(figure(result))
    assert "not defined" in result.summary()
    assert len(result.table)


DEFINED = [
    *((f"factors, {case}", factors, x, {"matrix_singular", "no_test_of_fit"}) for case, x in SINGULAR.items()),
    *((f"parallel, {case}", parallel, x, {"matrix_singular"}) for case, x in SINGULAR.items()),
    *((f"map, {case}", partial, x, {"matrix_singular"}) for case, x in SINGULAR.items()),
    ("omega, two identical items", omega, TWINS, {"matrix_singular"}),
    ("factors, Heywood", lambda x: factors(x, n_factors=1, given="correlations", n=100), [[1, 0.9, 0.8, 0.1], [0.9, 1, 0.5, 0.1], [0.8, 0.5, 1, 0.1], [0.1, 0.1, 0.1, 1]], {"efa_heywood"}),
    ("principal axis, Heywood", lambda x: factors(x, n_factors=1, extraction="principal-axis", given="correlations", n=100), [[1, 0.9, 0.8, 0.1], [0.9, 1, 0.5, 0.1], [0.8, 0.5, 1, 0.1], [0.1, 0.1, 0.1, 1]], {"efa_heywood"}),
    ("factors, not positive definite", lambda x: factors(x, n_factors=1, given="correlations", n=100), CROSSED, {"matrix_singular"}),
    ("factors, no n", lambda x: factors(x, given="correlations"), R, {"no_test_without_n"}),
    ("factors, one factor too many", lambda x: factors(x, n_factors=3), GOOD, {"factor_weak"}),
    ("factors, polychoric", lambda x: factors(x, correlation="polychoric"), CUT, {"no_test_of_polychoric"}),
    ("omega, negative loadings", omega, GROUPS * [1, 1, 1, 1, 1, 1, -1, -1, -1], {"omega_negative_loadings"}),
    ("omega, two factors", lambda x: omega(x, n_factors=2, two_factors="equal"), GOOD, {"general_factor_assumed"}),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x", "codes"), [row[1:] for row in DEFINED], ids=[row[0] for row in DEFINED])
def test_what_can_be_told_is_told_with_a_flag(function, x, codes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = function(x)
    assert result.reason is None
    assert {f"psychometrics.{code}" for code in codes} <= {flag.code for flag in result.flags}
    assert math.isfinite(figure(result))
    assert all(flag.text(lang) in result.summary() for flag in result.flags for lang in ("en",))
    assert all(flag.text("sv") for flag in result.flags)


def test_a_heywood_case_is_named():
    made = factors(
        [[1, 0.9, 0.8, 0.1], [0.9, 1, 0.5, 0.1], [0.8, 0.5, 1, 0.1], [0.1, 0.1, 0.1, 1]],
        n_factors=1,
        given="correlations",
    )
    assert made.heywood_items == ("1",)
    assert made.uniquenesses[0] < 0.0051


TABLE_CASES = [
    ("text", [["1", "2", "3", "4"]] * 3, ArgumentTypeError, "not_a_number", "`x` holds '1' in row 1"),
    ("infinite", np.where(GOOD.max() == GOOD, np.inf, GOOD), UsageError, "infinite", "infinite value"),
    ("one item", GOOD[:, :1], UsageError, "too_few_items", r"1 item\(s\)"),
    ("one dimension", [1, 2, 3], UsageError, "not_a_table", "1 dimension"),
    ("unequal rows", [[1, 2], [1]], ArgumentTypeError, "unequal_rows", "unequal length"),
    ("same names", pd.DataFrame(GOOD, columns=list("abcdefa")), UsageError, "labels_twice", "called a"),
    ("missing", SPARSE, UsageError, "missing_values", "missing"),
]  # fmt: skip


@pytest.mark.parametrize("function", ALL.values(), ids=ALL)
@pytest.mark.parametrize(
    ("x", "kind", "code", "text"), [row[1:] for row in TABLE_CASES], ids=[row[0] for row in TABLE_CASES]
)
def test_a_bad_table_is_refused(function, x, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        function(x)
    assert caught.value.code == f"psychometrics.{code}"


FIT = factors(GOOD)
CALLS = [
    (lambda: factors(R[:, :5], given="correlations"), "not_square", "7 row"),
    (lambda: factors(GOOD.T @ GOOD, given="correlations"), "not_correlations", "row 1, column 1"),
    (lambda: factors(R + np.triu(np.full((7, 7), 0.1), 1), given="correlations"), "not_correlations", "row 1, column 2"),
    (lambda: factors(np.where(R[0, 1] == R, np.nan, R), given="correlations"), "not_correlations", "nan"),
    (lambda: factors(R, given="matrix"), "unknown_choice", "answers, correlations"),
    (lambda: factors(R, given="correlations", n=2), "n_of_matrix", "`n` is 2"),
    (lambda: factors(R, given="correlations", n=12.5), "n_of_matrix", "12.5"),
    (lambda: bartlett(R, given="correlations"), "n_of_matrix", "`n` is None"),
    (lambda: parallel(R, given="correlations", method="normal"), "n_of_matrix", "`n` is None"),
    (lambda: factors(GOOD, n=60), "n_is_counted", "`n` is 60"),
    (lambda: factors(GOOD, n_factors=0), "factors_number", "`n_factors` is 0"),
    (lambda: factors(GOOD, n_factors=4), "factors_number", "from 1 to 3"),
    (lambda: factors(GOOD, n_factors=True), "factors_number", "True"),
    (lambda: factors(GOOD[:, :2], n_factors=1), "factors_number", "2 items"),
    (lambda: factors(GOOD, extraction="pca"), "unknown_choice", "minres, ml, principal-axis"),
    (lambda: factors(GOOD, rotation="quartimax"), "unknown_choice", "oblimin, varimax"),
    (lambda: factors(GOOD, correlation="spearman"), "unknown_choice", "pearson, polychoric"),
    (lambda: factors(GOOD, missing="available"), "unknown_choice", "raise, listwise"),
    (lambda: factors(GOOD, n_starts=0), "starts", "`n_starts` is 0"),
    (lambda: factors(GOOD, rng="x"), "rng", "'x'"),
    (lambda: factors(GOOD, confidence_level=95), "confidence_level", "95"),
    (lambda: factors(GOOD, correlation="polychoric"), "not_categories", "whole"),
    (lambda: pm.parallel_analysis(GOOD, n_replicates=5), "replicates", "`n_replicates` is 5"),
    (lambda: parallel(GOOD, quantile=95), "quantile", "`quantile` is 95"),
    (lambda: parallel(GOOD, method="horn"), "unknown_choice", "permutation, normal"),
    (lambda: parallel(R, given="correlations", n=60), "parallel_of_matrix", "no answers to permute"),
    (lambda: parallel(R, given="correlations", n=60, method="normal", correlation="polychoric"), "parallel_of_matrix", "permute"),
    (lambda: parallel(GOOD[:, :2]), "too_few_items", "at least 3"),
    (lambda: partial(GOOD[:, :2]), "too_few_items", "at least 3"),
    (lambda: omega(GOOD, n_factors=1), "general_factor_of_one", "`n_factors` is 1"),
    (lambda: omega(GOOD, n_factors=2), "general_factor_of_two", "equal, first, second"),
    (lambda: omega(GOOD, two_factors="equal"), "two_factors_not_needed", "3 factors"),
    (lambda: omega(GOOD, n_factors=2, two_factors="third"), "unknown_choice", "equal, first, second"),
    (lambda: omega(R, given="correlations", bootstrap=20), "bootstrap_of_matrix", "need answers"),
    (lambda: omega(CUT, correlation="polychoric", bootstrap=20), "bootstrap_of_matrix", "pearson"),
    (lambda: omega(R, given="correlations", clusters=list("abcdefg")), "bootstrap_of_matrix", "answers"),
    (lambda: omega(GOOD, bootstrap=-1), "bootstrap", "-1"),
    (lambda: pm.schmid_leiman(factors(GOOD, rotation="varimax"), two_factors="equal"), "not_oblique", "'varimax'"),
    (lambda: pm.schmid_leiman(FIT), "general_factor_of_two", "two_factors"),
    (lambda: pm.schmid_leiman(R), "not_a_fit", "'ndarray'"),
    (lambda: pm.factor_scores(GOOD, R), "not_a_fit", "'ndarray'"),
    (lambda: pm.factor_scores(GOOD[:, :5], FIT), "items_of_fit", "5 column"),
    (lambda: pm.factor_scores(GOOD, FIT, method="sum"), "unknown_choice", "regression, bartlett"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "text"), CALLS)
def test_a_bad_call_is_refused(call, code, text):
    with pytest.raises(UsageError, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


def test_scores_of_a_singular_matrix_and_of_holes():
    with pytest.warns(UndefinedStatisticWarning, match="no weights"):
        made = pm.factor_scores(TWINS, factors(TWINS))
    assert np.isnan(made.scores).all()
    assert made.n == 0
    holes = GOOD.copy()
    holes[3, 2] = np.nan
    scored = pm.factor_scores(holes, FIT, missing="listwise")
    assert np.isnan(scored.scores[3]).all()
    assert (scored.n, scored.n_dropped) == (59, 1)
    np.testing.assert_allclose(scored.scores[4:], pm.factor_scores(GOOD, FIT).scores[4:], rtol=0, atol=1e-12)
    of_matrix = pm.factor_scores(GOOD, factors(R, given="correlations"))
    assert np.isfinite(of_matrix.scores).all()
    with pytest.warns(UndefinedStatisticWarning):
        assert np.isnan(pm.factor_scores(GOOD[:1], factors(R, given="correlations")).scores).all()
