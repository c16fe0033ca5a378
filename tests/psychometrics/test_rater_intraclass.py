import json
import math
import subprocess
import sys

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
# R irr's figures to five decimals
PRINTED = 5e-6
# the paper's table
TWO_DECIMALS = 0.005

FORMS = [(definition, unit) for unit in ("single", "average") for definition in ("one-way", "agreement", "consistency")]
NAMES = ["ICC(1)", "ICC(A,1)", "ICC(C,1)", "ICC(k)", "ICC(A,k)", "ICC(C,k)"]
DATA = ("shrout_fleiss", "drawn")

tables = hnp.arrays(
    np.float64, st.tuples(st.integers(3, 12), st.integers(2, 6)), elements=st.integers(1, 9).map(float)
).filter(lambda x: np.ptp(x.mean(axis=1)) > 0.4 and np.ptp(x - x.mean(axis=1)[:, None] - x.mean(axis=0)) > 0.4)
quick = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def raters(request):
    path = request.config.rootpath / "tests/reference/raters.json"
    return json.loads(path.read_text(encoding="utf-8"))


def icc(x, definition="agreement", unit="single", **options):
    return pm.intraclass_correlation(x, definition=definition, unit=unit, **options)


def close(result, other, tolerance=IDENTITY):
    ours = [result.estimate, result.ci.low, result.ci.high]
    assert ours == pytest.approx([other.estimate, other.ci.low, other.ci.high], rel=tolerance, abs=tolerance)


@pytest.mark.witness(
    statistic="intraclass_correlation",
    definition="six forms, two decimals",
    reference="Shrout & Fleiss (1979), Table 4",
    tolerance=TWO_DECIMALS,
    data="Shrout & Fleiss (1979)",
)
def test_agrees_with_the_printed_table(shrout_fleiss):
    found = [icc(shrout_fleiss, *form).estimate for form in FORMS]
    assert found == pytest.approx([0.17, 0.29, 0.71, 0.44, 0.62, 0.91], abs=TWO_DECIMALS)


@pytest.mark.witness(
    statistic="intraclass_correlation",
    definition="six forms with intervals (average agreement: estimate only, irr has other degrees of freedom)",
    reference="R irr::icc",
    tolerance=PRINTED,
    data="Shrout & Fleiss (1979)",
)
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (("one-way", "single"), (0.16574, -0.13293, 0.72256)),
        (("agreement", "single"), (0.28976, 0.01879, 0.76108)),
        (("consistency", "single"), (0.71484, 0.34246, 0.94586)),
        (("one-way", "average"), (0.44280, -0.88444, 0.91242)),
        (("agreement", "average"), (0.62005, None, None)),
        (("consistency", "average"), (0.90932, 0.67567, 0.98589)),
    ],
)
def test_agrees_with_irr(shrout_fleiss, form, expected):
    result = icc(shrout_fleiss, *form)
    for ours, theirs in zip((result.estimate, result.ci.low, result.ci.high), expected, strict=True):
        assert theirs is None or ours == pytest.approx(theirs, abs=PRINTED)


@pytest.mark.witness(
    statistic="intraclass_correlation",
    definition="six forms, McGraw & Wong intervals at .95 and .90, F tests",
    reference="R psych::ICC 2.2.9",
    tolerance=CLOSED_FORM,
    data="Shrout & Fleiss (1979); 40 targets × 5 raters, drawn",
)
@pytest.mark.parametrize("level", [95, 90])
@pytest.mark.parametrize("data", DATA)
def test_agrees_with_psych(raters, data, level):
    expected = raters[data][f"icc{level}"]
    assert expected["type"] == ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
    results = [icc(raters[data]["rows"], *form, confidence_level=level / 100) for form in FORMS]
    assert [result.form for result in results] == NAMES
    for name, get in {
        "icc": lambda r: r.estimate, "low": lambda r: r.ci.low, "high": lambda r: r.ci.high, "f": lambda r: r.f_value,
        "df1": lambda r: r.df1, "df2": lambda r: r.df2,
    }.items():  # fmt: skip
        assert [get(result) for result in results] == pytest.approx(expected[name], abs=CLOSED_FORM)
    assert [result.p_value for result in results] == pytest.approx(expected["p"], rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("data", DATA)
def test_mean_squares_are_those_of_aov(raters, data):
    result = icc(raters[data]["rows"])
    for name, expected in raters[data]["squares"].items():
        assert getattr(result, f"mean_square_{name}") == pytest.approx(expected, rel=CLOSED_FORM)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pandas to pingouin
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("rounded", [False, True])
def test_agrees_with_pingouin_on_complete_data(raters, data, rounded):
    """Six forms and their intervals; as it comes, pingouin rounds the intervals to two decimals."""
    import pingouin as pg

    rows = np.array(raters[data]["rows"], dtype=float)
    frame = pd.DataFrame(rows).reset_index(names="target").melt(id_vars="target", var_name="rater", value_name="y")
    before = pg.options["round.column.CI95"]
    if not rounded:
        pg.options["round.column.CI95"] = None
    try:
        theirs = pg.intraclass_corr(frame, targets="target", raters="rater", ratings="y").set_index("Type")
    finally:
        pg.options["round.column.CI95"] = before
    limits = theirs.columns[-1]
    for form, name in zip(FORMS, ["ICC(1,1)", *NAMES[1:3], "ICC(1,k)", *NAMES[4:]], strict=True):
        ours = icc(rows, *form)
        assert ours.estimate == pytest.approx(theirs.loc[name, "ICC"], abs=CLOSED_FORM)
        tolerance = TWO_DECIMALS * (1 + 1e-9) if rounded else CLOSED_FORM
        assert [ours.ci.low, ours.ci.high] == pytest.approx(list(theirs.loc[name, limits]), abs=tolerance)
        assert ours.f_value == pytest.approx(theirs.loc[name, "F"], rel=CLOSED_FORM)


@quick
@given(tables)
def test_average_consistency_is_alpha_with_feldts_interval(x):
    x = x + np.arange(x.shape[1]) * (np.arange(x.shape[0])[:, np.newaxis] == 0)  # no constant item
    close(icc(x, "consistency", "average"), pm.cronbach_alpha(x))


@quick
@given(tables)
def test_one_way_is_the_reliability_of_group_means(x):
    n, k = x.shape
    groups = pm.group_mean_reliability(x.ravel(), np.repeat(np.arange(n), k))
    for unit, estimate, ci in (("single", groups.icc1, groups.icc1_ci), ("average", groups.icc2, groups.icc2_ci)):
        ours = icc(x, "one-way", unit)
        expected = [estimate, ci.low, ci.high]
        assert [ours.estimate, ours.ci.low, ours.ci.high] == pytest.approx(expected, rel=IDENTITY, abs=IDENTITY)


@quick
@given(tables, st.data())
def test_a_raters_level_changes_agreement_only(x, data):
    level = np.array(data.draw(st.lists(st.integers(-50, 50), min_size=x.shape[1], max_size=x.shape[1])), dtype=float)
    close(icc(x + level, "consistency"), icc(x, "consistency"), 1e-9)
    flat = icc(x - x.mean(axis=0))
    if np.ptp(level) > 20 and icc(x).estimate > 0.1:
        assert icc(x - x.mean(axis=0) + level).estimate < flat.estimate


@quick
@given(tables, st.randoms(use_true_random=False), st.floats(0.1, 50), st.floats(-100, 100), st.sampled_from(FORMS))
def test_order_and_linear_maps_change_nothing(x, random, slope, intercept, form):
    rows, columns = list(range(x.shape[0])), list(range(x.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    single = icc(x, form[0])
    close(icc(x[rows][:, columns], form[0]), single, 1e-9)
    close(icc(intercept - slope * x, form[0]), single, 1e-6)
    assert single.estimate <= 1
    assert single.ci.low <= single.ci.high
    if single.estimate > 0:
        k = x.shape[1]
        stepped = k * single.estimate / (1 + (k - 1) * single.estimate)
        assert icc(x, form[0], "average").estimate == pytest.approx(stepped, rel=1e-9)
        assert single.ci.low <= single.estimate <= single.ci.high


def test_perfect_agreement_is_one_and_a_constant_shift_is_not():
    x = np.column_stack([[1.1, 2.2, 3.3, 5.5]] * 3)
    for form in FORMS:
        result = icc(x, *form)
        assert (result.estimate, result.ci.low, result.ci.high, result.p_value) == (1.0, 1.0, 1.0, 0.0)
    shifted = x + np.array([0.0, 1.0, 5.0])
    assert icc(shifted, "consistency").estimate == 1.0
    assert 0 < icc(shifted).estimate < 0.5
    assert icc(shifted).ci.low < icc(shifted).estimate < icc(shifted).ci.high < 1


def test_two_targets_and_two_raters_are_enough():
    result = icc([[1, 2], [4, 6]])
    assert (result.n, result.n_raters, result.df1, result.df2) == (2, 2, 1, 1)
    assert 0 < result.estimate < 1
    assert -1 <= result.ci.low < result.estimate < result.ci.high <= 1
    # MS: targets 12.25, raters 2.25, residual .25
    assert result.estimate == pytest.approx((12.25 - 0.25) / (12.25 + 0.25 + (2.25 - 0.25)), abs=IDENTITY)


@pytest.mark.parametrize("form", FORMS)
def test_listwise_equals_dropping_first(raters, form):
    x = np.array(raters["drawn"]["rows"])
    x[[3, 11, 11], [0, 2, 4]] = np.nan
    dropped, first = icc(x, *form, missing="listwise"), icc(x[~np.isnan(x).any(axis=1)], *form)
    assert (dropped.n, dropped.n_dropped, first.n_dropped) == (38, 2, 0)
    for field in ("estimate", "ci", "n", "f_value", "p_value", "mean_square_residual", "flags"):
        assert getattr(dropped, field) == getattr(first, field)


@pytest.mark.parametrize(
    ("x", "options", "kind", "code", "text"),
    [
        ([[1], [2], [3]], {}, UsageError, "one_rater_column", r"`x` has 1 rater\(s\)"),
        (np.empty((3, 0)), {}, UsageError, "one_rater_column", r"`x` has 0 rater\(s\)"),
        ([1, 2, 3], {}, UsageError, "not_a_table", "1 dimension"),
        ([[1, 2], [3, None]], {}, UsageError, "missing_values", "row 2, column 2"),
        ([[1, 2], [3, math.inf]], {"missing": "listwise"}, UsageError, "infinite", "row 2, column 2"),
        ([[1, 2], [3, "bra"]], {}, ArgumentTypeError, "not_a_number", "'bra' in row 2, column 2"),
        ([[1, 2], [3]], {}, ArgumentTypeError, "unequal_rows", "unequal length"),
        ([[1, 2], [3, 4]], {"definition": "absolute"}, UsageError, "unknown_choice", "agreement, consistency, one-way"),
        ([[1, 2], [3, 4]], {"unit": "mean"}, UsageError, "unknown_choice", "single, average"),
        ([[1, 2], [3, 4]], {"missing": "pairwise"}, UsageError, "unknown_choice", "raise, listwise, available"),
        ([[1, 2], [3, 4]], {"confidence_level": 95}, UsageError, "confidence_level", "95"),
    ],
    ids=[
        "one rater", "no rater", "vector", "hole", "infinite", "text", "ragged", "definition", "unit", "missing",
        "level",
    ],
)  # fmt: skip
def test_bad_input_is_refused(x, options, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        pm.intraclass_correlation(x, **options)
    assert caught.value.code == f"psychometrics.{code}"


@pytest.mark.parametrize(
    ("x", "form", "code"),
    [
        ([[1.0, 2.0]], ("agreement", "single"), "too_few_targets"),
        (np.empty((0, 3)), ("one-way", "average"), "too_few_targets"),
        ([[1.0, np.nan], [2.0, 3.0], [np.nan, 1.0]], ("consistency", "single"), "too_few_targets"),
        (np.full((5, 3), 0.1), ("agreement", "single"), "no_variation"),
        (np.full((5, 3), 0.1) + np.array([0.0, 0.2, 0.7]), ("agreement", "single"), "targets_alike"),
        (np.full((5, 3), 0.1) + np.array([0.0, 0.2, 0.7]), ("consistency", "single"), "targets_alike"),
        ([[1.1, 4.9], [2.3, 3.7], [5.7, 0.3]], ("consistency", "average"), "target_means_equal"),
        ([[1.1, 4.9], [2.3, 3.7], [5.7, 0.3]], ("one-way", "average"), "target_means_equal"),
        ([[1.0, 2.0], [2.0, 1.0]], ("agreement", "single"), "target_means_equal"),
    ],
)
def test_undefined_is_nan_with_a_warning_at_the_caller(x, form, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.intraclass_correlation(x, definition=form[0], unit=form[1], missing="listwise")
    assert caught[0].message.code == f"psychometrics.{code}"
    assert caught[0].filename == __file__
    assert result.reason.code == f"psychometrics.{code}"
    assert all(math.isnan(value) for value in (result.estimate, result.ci.low, result.ci.high))
    assert "not defined" in result.summary()


def test_one_way_is_defined_where_targets_are_alike():
    x = np.zeros((5, 3)) + np.array([0.0, 2.0, 7.0])
    assert icc(x, "one-way").estimate == pytest.approx(-1 / 2, abs=IDENTITY)


def test_result_table_and_summary(shrout_fleiss):
    result = icc(pd.DataFrame(shrout_fleiss, columns=["Eva", "Bo", "Ali", "Ida"]))
    assert (result.n, result.n_raters, result.raters) == (6, 4, ("Eva", "Bo", "Ali", "Ida"))
    table = result.table
    assert table.columns.tolist() == [
        "statistic", "n", "estimate", "ci_low", "ci_high", "ci_level", "method", "reason", "n_raters",
    ]  # fmt: skip
    assert table["statistic"].tolist() == ["ICC(A,1)"] * 3
    made = (result.ci, result.ci_modified, result.ci_adjusted)
    assert table["method"].tolist() == [f"ANOVA; {ci.method}" for ci in made]
    assert pm.intraclass_correlation(shrout_fleiss, definition="consistency").ci_modified is None
    assert "ICC(A,1) .29, 95% interval .02–.76 (F, Satterthwaite df (McGraw & Wong)), .03–.76 (mod" in result.summary()
    with pytest.raises(AttributeError):
        result.estimate = 1.0


def test_ratings_at_the_ceiling_are_flagged():
    x = np.array([[4, 4, 4, 3], [4, 2, 4, 4], [1, 4, 0, 3]])
    result = icc(x)
    assert [flag.code for flag in result.flags] == ["psychometrics.icc_interval_not_reliable"]
    assert "Interval not reliable" in result.summary()
    assert "Interval not reliable" in result.table["reason"][0]


def studies(n, k, variances, seed=0):
    """Yield tables (n, k) of normal ratings with variances of targets, raters and the rest."""
    rng = np.random.default_rng([n, k, seed])
    of_targets, of_raters, of_rest = (math.sqrt(variance) for variance in variances)
    while True:
        x = of_targets * rng.normal(size=(n, 1)) + of_raters * rng.normal(size=(1, k))
        yield x + of_rest * rng.normal(size=(n, k))


@pytest.mark.parametrize(
    ("n", "k", "variances", "least", "most"),
    [(100, 2, (1.0, 0.5, 0.5), 0.66, 1.0), (100, 5, (1.0, 0.5, 0.2), 0.66, 1.0), (30, 3, (1.0, 0.02, 1.0), 0.0, 0.05)],
    ids=["covers .79", "covers .88", "covers .95"],
)
def test_agreement_of_few_raters_who_differ_is_flagged(n, k, variances, least, most):
    code = "psychometrics.agreement_interval_few_raters"
    made = [x for x, _ in zip(studies(n, k, variances), range(100), strict=False)]
    flagged = [code in {flag.code for flag in icc(x).flags} for x in made]
    assert least <= sum(flagged) / len(flagged) <= most
    others = {flag.code for x in made for flag in icc(x, "consistency").flags}
    assert others <= {"psychometrics.icc_targets_not_normal"}


def test_arrays_load_neither_pandas_nor_scipy_stats():
    code = """
import sys, numpy as np
from ibic_fidelity import psychometrics as pm
x = np.array([[1, 2, 2], [2, 3, 1], [4, 4, 5], [5, 3, 4]])
pm.intraclass_correlation(x); pm.standard_error_of_measurement(x); pm.smallest_detectable_change(x)
pm.limits_of_agreement(x[:, 0], x[:, 1])
print([name for name in ("pandas", "matplotlib", "scipy.stats") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


STUDIES = 400
#: Of the binomial distribution, so that a method at the edge of what is required fails once in a thousand
STANDARD_ERRORS = 3.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "k", "variances"),
    [
        (30, 3, (1.0, 0.25, 1.0)),
        (30, 5, (1.0, 0.1, 0.5)),
        (50, 8, (0.3, 0.2, 1.0)),
        (15, 4, (1.0, 0.05, 0.2)),
    ],
)
def test_the_agreement_interval_covers_as_required(n, k, variances):
    truth = variances[0] / sum(variances)
    held = 0
    for x, _ in zip(studies(n, k, variances), range(STUDIES), strict=False):
        ci = pm.intraclass_correlation(x).ci
        held += ci.low <= truth <= ci.high
    coverage = held / STUDIES
    low, high = (limit + sign * STANDARD_ERRORS * math.sqrt(limit * (1 - limit) / STUDIES)
                 for limit, sign in ((0.93, -1), (0.975, 1)))  # fmt: skip
    assert low <= coverage <= high
