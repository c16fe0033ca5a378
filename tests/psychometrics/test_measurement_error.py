import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
# identities between two of our own routes, a few thousand roundings apart
IDENTITY = 1e-10
# one decimal in the paper, whose limits are at 2, not 1.96, standard deviations
ONE_DECIMAL = 0.05

DEFINITIONS = ("agreement", "consistency", "differences")
tables = hnp.arrays(
    np.float64, st.tuples(st.integers(3, 12), st.integers(2, 6)), elements=st.integers(1, 9).map(float)
).filter(lambda x: np.ptp(x.mean(axis=1)) > 0.4 and np.ptp(x - x.mean(axis=1)[:, None] - x.mean(axis=0)) > 0.4)
quick = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def raters(request):
    path = request.config.rootpath / "tests/reference/raters.json"
    return json.loads(path.read_text(encoding="utf-8"))


def limits_of(ci):
    return [ci.low, ci.high]


def columns(rows, definition):
    return np.array(rows)[:, :2] if definition == "differences" else np.array(rows)


@pytest.mark.witness(
    statistic="standard_error_of_measurement",
    definition="agreement (Graybill–Wang interval), consistency, differences (chi-square intervals), at .95 and .90",
    reference="R stats::aov, qchisq",
    tolerance=CLOSED_FORM,
    data="Shrout & Fleiss (1979); 40 targets × 5 raters, drawn",
)
@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("level", [95, 90])
@pytest.mark.parametrize("data", ["shrout_fleiss", "drawn"])
def test_standard_error_agrees_with_r(raters, data, level, definition):
    expected = raters[data][f"sem{level}"][definition]
    x = columns(raters[data]["rows"], definition)
    result = pm.standard_error_of_measurement(x, definition=definition, confidence_level=level / 100)
    assert result.estimate == pytest.approx(expected["sem"], rel=CLOSED_FORM)
    assert result.df == pytest.approx(expected["df"], rel=CLOSED_FORM)
    assert limits_of(result.ci) == pytest.approx([expected["low"], expected["high"]], rel=CLOSED_FORM)


@pytest.mark.witness(
    statistic="smallest_detectable_change",
    definition="individual and group level from each standard error",
    reference="R stats::aov, qnorm",
    tolerance=CLOSED_FORM,
    data="Shrout & Fleiss (1979); 40 targets × 5 raters, drawn",
)
@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("data", ["shrout_fleiss", "drawn"])
def test_smallest_change_agrees_with_r(raters, data, definition):
    expected = raters[data]["sem95"][definition]["sdc"]
    x = columns(raters[data]["rows"], definition)
    result = pm.smallest_detectable_change(x, definition=definition)
    assert result.estimate == pytest.approx(expected, rel=CLOSED_FORM)
    assert result.group == pytest.approx(expected / math.sqrt(len(x)), rel=CLOSED_FORM)
    assert (result.n, result.group_size) == (len(x), len(x))


@pytest.mark.witness(
    statistic="limits_of_agreement",
    definition="mean and standard deviation of the differences",
    reference="Bland & Altman (1986), Lancet 327, 307–310",
    tolerance=ONE_DECIMAL,
    data="peak flow, 17 persons",
)
def test_limits_agree_with_the_printed_example(raters):
    data = raters["limits"]["peak_flow"]
    result = pm.limits_of_agreement(data["a"], data["b"])
    assert result.estimate == pytest.approx(-2.1, abs=ONE_DECIMAL)
    assert result.standard_deviation == pytest.approx(38.8, abs=ONE_DECIMAL)
    two = 2 * result.standard_deviation
    assert [result.estimate - two, result.estimate + two] == pytest.approx([-79.7, 75.5], abs=0.15)


@pytest.mark.witness(
    statistic="limits_of_agreement",
    definition="bias (t), limits with exact noncentral t intervals, regression of difference on mean",
    reference="R stats::qt with ncp, t.test, lm",
    tolerance=CLOSED_FORM,
    data="peak flow, 17 persons; 40 targets drawn",
)
@pytest.mark.parametrize("data", ["peak_flow", "drawn"])
def test_limits_agree_with_r(raters, data):
    expected = raters["limits"][data]
    result = pm.limits_of_agreement(expected["a"], expected["b"], confidence_level=expected["level"])
    assert result.n == len(expected["a"])
    for ours, name in (
        (result.estimate, "bias"), (result.standard_deviation, "sd"), (result.lower, "lower"), (result.upper, "upper"),
        (result.slope, "slope"), (result.intercept, "intercept"), (result.slope_t, "t"), (result.slope_p_value, "p"),
        (limits_of(result.ci), "bias_ci"), (limits_of(result.lower_ci), "lower_ci"),
        (limits_of(result.upper_ci), "upper_ci"), (limits_of(result.slope_ci), "slope_ci"),
    ):  # fmt: skip
        assert ours == pytest.approx(expected[name], rel=CLOSED_FORM, abs=CLOSED_FORM)


@pytest.mark.parametrize("n", [2, 3, 17, 400, 20_000])
def test_exact_limits_are_quantiles_of_the_noncentral_t(n):
    """By scipy.stats, of which the package loads none; R's qt is normal above a noncentrality of 37.6."""
    from scipy.stats import nct

    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, n))
    d = a - b
    z = 1.959963984540054
    edge = nct.ppf([0.025, 0.975], n - 1, z * math.sqrt(n)) * d.std(ddof=1) / math.sqrt(n)
    if n == 2:
        with pytest.warns(UndefinedStatisticWarning, match="proportional bias"):
            result = pm.limits_of_agreement(a, b)
    else:
        result = pm.limits_of_agreement(a, b)
    assert limits_of(result.upper_ci) == pytest.approx(list(d.mean() + edge), rel=1e-9)
    assert limits_of(result.lower_ci) == pytest.approx(list(d.mean() - edge[::-1]), rel=1e-9)


@quick
@given(tables, st.floats(0.5, 0.99), st.integers(1, 50))
def test_identities_of_the_standard_error(x, level, size):
    sem = {d: pm.standard_error_of_measurement(x, definition=d, confidence_level=level) for d in DEFINITIONS[:2]}
    for definition, total in (("agreement", "raters"), ("consistency", None)):
        one = sem[definition]
        variance = one.variance_targets + one.variance_residual + (one.variance_raters if total else 0.0)
        icc = pm.intraclass_correlation(x, definition=definition).estimate
        assert np.square(one.estimate) == pytest.approx(variance * (1 - icc), rel=1e-9)
        assert one.intraclass_correlation == pytest.approx(icc, rel=1e-9, abs=IDENTITY)
        from_icc = one.standard_deviation * math.sqrt(1 - one.intraclass_correlation)
        assert one.estimate == pytest.approx(from_icc, rel=1e-9, abs=IDENTITY)
        assert one.ci.low <= one.estimate <= one.ci.high
        change = pm.smallest_detectable_change(x, definition=definition, group_size=size, confidence_level=level)
        factor = 1.959963984540054 * math.sqrt(2)
        assert change.estimate == pytest.approx(factor * one.estimate, rel=IDENTITY)
        assert limits_of(change.ci) == pytest.approx([factor * limit for limit in limits_of(one.ci)], rel=IDENTITY)
        assert change.group == pytest.approx(change.estimate / math.sqrt(size), rel=IDENTITY)
        assert change.measurement_error.estimate == one.estimate
    two = x[:, :2]
    if np.ptp(two) > 0:
        consistency, differences = (
            pm.standard_error_of_measurement(two, definition=d) for d in ("consistency", "differences")
        )
        assert differences.estimate == consistency.estimate
        expected = np.std(two[:, 0] - two[:, 1], ddof=1) / math.sqrt(2)
        assert differences.estimate == pytest.approx(expected, abs=IDENTITY)


@quick
@given(tables, st.randoms(use_true_random=False), st.floats(0.1, 50), st.floats(-100, 100))
def test_order_shift_and_scale_of_the_standard_error(x, random, slope, intercept):
    rows, order = list(range(x.shape[0])), list(range(x.shape[1]))
    random.shuffle(rows)
    random.shuffle(order)
    for definition in DEFINITIONS[:2]:
        one = pm.standard_error_of_measurement(x, definition=definition).estimate
        mapped = pm.standard_error_of_measurement(intercept - slope * x[rows][:, order], definition=definition).estimate
        assert mapped == pytest.approx(slope * one, rel=1e-7)
    level = np.arange(x.shape[1]) * 10.0
    still = pm.standard_error_of_measurement(x + level, definition="consistency").estimate
    assert still == pytest.approx(one, rel=1e-9)


@quick
@given(tables, st.floats(0.1, 50), st.floats(-100, 100))
def test_turning_the_pair_turns_the_limits(x, slope, shift):
    a, b = x[:, 0], x[:, 1] + np.arange(len(x)) ** 2 / 7
    result, turned = pm.limits_of_agreement(a, b), pm.limits_of_agreement(b, a)
    assert limits_of(turned.upper_ci) == pytest.approx(
        [-result.lower_ci.high, -result.lower_ci.low], rel=1e-9, abs=1e-9
    )
    assert (turned.slope_p_value, turned.slope) == pytest.approx((result.slope_p_value, -result.slope), rel=1e-9)
    mapped = pm.limits_of_agreement(slope * a + shift, slope * b)
    assert mapped.upper == pytest.approx(slope * result.upper + shift, rel=1e-7, abs=1e-7)
    assert mapped.slope_t == pytest.approx(result.slope_t, rel=1e-6, abs=1e-6)
    assert result.lower_ci.low < result.lower < result.lower_ci.high
    assert result.upper_ci.low < result.upper < result.upper_ci.high
    spread = np.var(a, ddof=1) - np.var(b, ddof=1)
    assert result.slope * np.var((a + b) / 2, ddof=1) == pytest.approx(spread / 2, rel=1e-9, abs=1e-9)


def test_listwise_equals_dropping_first(raters):
    x = np.array(raters["drawn"]["rows"])
    x[[3, 11, 11], [0, 1, 4]] = np.nan
    full = x[~np.isnan(x).any(axis=1)]
    for function in (pm.standard_error_of_measurement, pm.smallest_detectable_change):
        dropped, first = function(x, missing="listwise"), function(full)
        assert (dropped.estimate, dropped.ci, dropped.n) == (first.estimate, first.ci, first.n)
    dropped, first = (
        pm.limits_of_agreement(x[:, 0], x[:, 1], missing="listwise"),
        pm.limits_of_agreement(*x[~np.isnan(x[:, :2]).any(axis=1)][:, :2].T),
    )
    assert (dropped.n, dropped.n_dropped) == (38, 2)
    for field in ("estimate", "ci", "lower", "lower_ci", "upper_ci", "slope", "slope_p_value"):
        assert getattr(dropped, field) == getattr(first, field)


def sem(x, **options):
    return pm.standard_error_of_measurement(x, **options)


def sdc(x, **options):
    return pm.smallest_detectable_change(x, **options)


def loa(a, b=(1, 2, 3), **options):
    return pm.limits_of_agreement(a, list(b), **options)


X = [[1, 2], [3, 5], [4, 4]]


@pytest.mark.parametrize(
    ("call", "kind", "code", "text"),
    [
        (lambda: sem([[1], [2]]), UsageError, "one_rater_column", r"1 rater\(s\)"),
        (lambda: sem([[1, 2, 3], [2, 3, 5]], definition="differences"), UsageError, "two_occasions", "has 3 columns"),
        (lambda: sem([[1, None], [2, 3]]), UsageError, "missing_values", "row 1, column 2"),
        (lambda: sem([[1, math.inf], [2, 3]]), UsageError, "infinite", "row 1, column 2"),
        (lambda: sem([[1, "a"], [2, 3]]), ArgumentTypeError, "not_a_number", "'a' in row 1"),
        (lambda: sem(X, definition="one-way"), UsageError, "unknown_choice", "agreement, consistency, differences"),
        (lambda: sem(X, missing="available"), UsageError, "unknown_choice", "raise, listwise"),
        (lambda: sem(X, confidence_level=1), UsageError, "confidence_level", "between 0 and 1"),
        (lambda: sdc(X, group_size=0), UsageError, "group_size", "`group_size` is 0"),
        (lambda: sdc(X, group_size=2.5), UsageError, "group_size", "2.5"),
        (lambda: sdc(X, group_size=math.nan), UsageError, "group_size", "nan"),
        (lambda: sdc(X, group_size=math.inf), UsageError, "group_size", "inf"),
        (lambda: sdc(X, group_size="ten"), UsageError, "group_size", "ten"),
        (lambda: sdc(X, change_level=1.96), UsageError, "level_between", "`change_level` is 1.96"),
        (lambda: loa([1, 2]), UsageError, "pairs_unequal", r"`a` has 2 value\(s\) and `b` has 3"),
        (lambda: loa(X), UsageError, "not_a_vector", "`a` has 2 dimension"),
        (lambda: loa([1, None, 3]), UsageError, "missing_values", "row 2, column a"),
        (lambda: loa([1, 2, 3], [1, 2, math.inf]), UsageError, "infinite", "`b` holds an infinite value in row 3"),
        (lambda: loa([1, 2, "x"]), ArgumentTypeError, "not_a_number", "'x' in row 3"),
        (lambda: loa([1, 2, 3], limits_level=0), UsageError, "level_between", "`limits_level` is 0"),
        (lambda: loa([1, 2, 3], missing="drop"), UsageError, "unknown_choice", "raise, listwise"),
    ],
)
def test_bad_input_is_refused(call, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


@pytest.mark.parametrize(
    ("x", "code"), [([[1, 2]], "too_few_targets"), ([], "too_few_targets"), ([[4, 4]] * 3, "no_variation")]
)
@pytest.mark.parametrize("function", [pm.standard_error_of_measurement, pm.smallest_detectable_change])
def test_undefined_error_is_nan_with_a_warning_at_the_caller(function, x, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(np.array(x, dtype=float).reshape(-1, 2))
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert all(math.isnan(value) for value in (result.estimate, *limits_of(result.ci)))
    assert "not defined" in result.summary()
    assert "target" in result.table["reason"][0] or "same" in result.table["reason"][0]


@pytest.mark.parametrize(
    ("a", "b", "code", "defined"),
    [
        ([], [], "too_few_pairs", False),
        ([1], [2], "too_few_pairs", False),
        ([1, 4], [2, 3], "means_constant", True),
        ([1, 2, 5], [2, 3, 6], "means_constant", True),
        ([1, 2, 5], [5, 4, 1], "means_constant", True),
    ],
    ids=["none", "one", "two", "same difference", "same mean"],
)
def test_undefined_limits_and_slopes(a, b, code, defined):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.limits_of_agreement(np.array(a, dtype=float), np.array(b, dtype=float))
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert math.isfinite(result.upper_ci.high) is math.isfinite(result.estimate) is defined
    assert math.isnan(result.slope)
    assert math.isnan(result.slope_p_value)
    assert result.reason.text("en") in result.summary()


def test_two_occasions_without_error_have_none():
    result = pm.standard_error_of_measurement([[1.1, 1.1], [2.2, 2.2], [5.5, 5.5]])
    assert (result.estimate, result.ci.low, result.ci.high) == (0.0, 0.0, 0.0)


def test_a_perfect_line_has_p_zero():
    result = pm.limits_of_agreement([2, 4, 8, 16], [1, 2, 4, 8])
    assert result.slope == pytest.approx(2 / 3, abs=IDENTITY)
    assert result.slope_p_value == pytest.approx(0.0, abs=1e-12)


def test_results_are_frozen_and_make_tables(raters):
    x = pd.DataFrame(raters["drawn"]["rows"]).iloc[:, :2]
    error = pm.standard_error_of_measurement(x, definition="differences")
    change = pm.smallest_detectable_change(x, group_size=10)
    limits = pm.limits_of_agreement(x[0], x[1])
    head = ["statistic", "n", "estimate", "ci_low", "ci_high", "ci_level", "method", "reason"]
    assert error.table.columns.tolist() == [*head, "n_raters"]
    assert error.table["statistic"].tolist() == ["sem_differences"]
    assert change.table.columns.tolist() == [*head, "group_size"]
    assert change.table["group_size"].tolist() == [1, 10]
    assert limits.table.columns.tolist() == [*head, "p_value"]
    assert limits.table["statistic"].tolist() == ["bias", "lower_limit", "upper_limit", "proportional_bias"]
    assert "for the mean of 10; 40 targets" in change.summary()
    assert "95% limits of agreement" in limits.summary()
    assert "Proportional bias: slope" in limits.summary()
    for result in (error, change, limits):
        with pytest.raises(AttributeError):
            result.estimate = 1.0


@pytest.mark.parametrize("n", [5, 20])
def test_exact_intervals_of_the_limits_cover(n):
    """1,000 studies, each limit's interval at .90 within three binomial standard errors."""
    rng = np.random.default_rng(n)
    held = np.zeros(2)
    for _ in range(1000):
        result = pm.limits_of_agreement(rng.normal(size=n), rng.normal(size=n), confidence_level=0.9)
        true = 1.959963984540054 * math.sqrt(2)
        held += [ci.low <= t <= ci.high for ci, t in ((result.lower_ci, -true), (result.upper_ci, true))]
    assert np.all(np.abs(held / 1000 - 0.9) <= 3 * math.sqrt(0.9 * 0.1 / 1000))


@pytest.mark.parametrize(("n", "k", "ratio"), [(30, 3, 0.25), (100, 2, 1.0), (100, 5, 2.0), (100, 2, 0.0)])
def test_the_interval_of_the_agreement_error_covers(n, k, ratio):
    """4,000 studies, within .93–.975 and three binomial standard errors, also where Satterthwaite's covers .67."""
    from ibic_fidelity.psychometrics.intraclass._mean_squares import MeanSquares
    from ibic_fidelity.psychometrics.intraclass.measurement_error import error_limits

    rng = np.random.default_rng([n, k])
    x = math.sqrt(ratio) * rng.normal(size=(4000, 1, k)) + rng.normal(size=(4000, n, k))
    low, high = error_limits(MeanSquares.of(x), "agreement", 0.95)
    one = pm.standard_error_of_measurement(x[0]).ci
    assert (one.low, one.high) == pytest.approx((low[0], high[0]), rel=IDENTITY)
    coverage = np.mean((low <= math.sqrt(1 + ratio)) & (math.sqrt(1 + ratio) <= high))
    assert 0.93 - 0.0121 <= coverage <= 0.975 + 0.0074


def test_heavy_tails_are_flagged():
    """Laplace errors: the residual variance and the limits of agreement spread more than normal theory says."""
    rng = np.random.default_rng(3)
    heavy, plain = rng.laplace(size=(300, 3)), rng.normal(size=(300, 3))
    for x, expected in ((heavy, True), (plain, False)):
        error, change = pm.standard_error_of_measurement(x), pm.smallest_detectable_change(x)
        limits = pm.limits_of_agreement(x[:, 0], x[:, 1])
        codes = [[flag.code for flag in result.flags] for result in (error, change, limits)]
        error_code, limits_code = "psychometrics.error_interval_too_narrow", "psychometrics.limits_interval_too_narrow"
        assert codes == ([[error_code], [error_code], [limits_code]] if expected else [[], [], []])
        for result in (error, change, limits):
            assert ("not reliable" in result.summary()) is expected
            assert ("not reliable" in result.table["reason"][0]) is expected


def test_ratings_at_the_ceiling_are_flagged():
    rng = np.random.default_rng(1)
    x = np.minimum(np.round(4 + rng.normal(size=(60, 1)) + 0.5 * rng.normal(size=(60, 3))), 4)
    assert pm.standard_error_of_measurement(x).flags


def test_the_spread_of_limits_is_one_for_normal_differences():
    from ibic_fidelity.psychometrics.intraclass.agreement_limits import spread_of_limits

    d = np.random.default_rng(2).normal(size=400_000)
    assert float(spread_of_limits(d, 1.96)) == pytest.approx(1.0, abs=0.02)
    three = np.random.default_rng(2).laplace(size=400_000)
    expected = math.sqrt((1 + 1.96**2 * 5 / 4) / (1 + 1.96**2 / 2))
    assert float(spread_of_limits(three, 1.96)) == pytest.approx(expected, abs=0.05)
