import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
# identities between two of our own routes, a few thousand roundings apart
IDENTITY = 1e-10

SCALES = ("A", "C", "E", "N", "O", "three")

# pingouin 0.7.0, read_dataset("cronbach_wide_missing") (GPL-3): 12 rows, 9 complete
CRONBACH_WIDE_MISSING = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0],
        [np.nan, 0, 1, 1, np.nan, 1, 1, 1, 1, 0, 0],
        [1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0],
        [1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0],
        [0, 1, np.nan, 0, 1, 1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0],
        [1, 0, 0, 1, 0, 1, 0, 0, np.nan, 0, 0],
        [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ]
)

answers = hnp.arrays(
    np.float64, st.tuples(st.integers(4, 12), st.integers(2, 6)), elements=st.integers(1, 5).map(float)
).filter(lambda x: np.ptp(x.sum(axis=1)) > 0 and np.all(np.ptp(x, axis=0) > 0))
quick = settings(max_examples=50, deadline=None, derandomize=True)


def scale(data, fixture):
    """Return the items of a bfi scale, reversed ones reversed (1–6)."""
    return np.column_stack([7 - data[item] if item in fixture["reversed"] else data[item] for item in fixture["items"]])


@pytest.mark.witness(
    statistic="cronbach_alpha",
    definition="raw and standardised alpha, Feldt interval, complete rows",
    reference="R psych::alpha 2.2.9; Feldt (1965); Feldt, Woodruff & Salih (1987)",
    tolerance=CLOSED_FORM,
    data="bfi",
)
@pytest.mark.parametrize("name", SCALES)
def test_agrees_with_psych_after_listwise_deletion(reference, bfi, name):
    expected = reference["alpha"][name]
    result = pm.cronbach_alpha(scale(bfi, expected), missing="listwise")
    assert result.n == expected["n"]
    assert result.n_dropped == 2800 - expected["n"]
    assert result.estimate == pytest.approx(expected["raw"], abs=CLOSED_FORM)
    assert result.standardized == pytest.approx(expected["std"], abs=CLOSED_FORM)
    assert result.mean_inter_item_correlation == pytest.approx(expected["average_r"], abs=CLOSED_FORM)
    assert [result.ci.low, result.ci.high] == pytest.approx(expected["feldt"], abs=CLOSED_FORM)
    narrow = pm.cronbach_alpha(scale(bfi, expected), missing="listwise", confidence_level=0.9)
    assert [narrow.ci.low, narrow.ci.high] == pytest.approx(expected["feldt90"], abs=CLOSED_FORM)


@pytest.mark.witness(
    statistic="cronbach_alpha",
    definition="Feldt interval after listwise deletion uses the complete rows' n",
    reference="R psych::alpha 2.2.9 as printed, .53–.95 (not pingouin 0.7's [.581, .933])",
    tolerance=0.0005,
    data="cronbach_wide_missing",
)
def test_listwise_interval_is_not_that_of_pingouin():
    import pingouin as pg

    x = CRONBACH_WIDE_MISSING
    ours = pm.cronbach_alpha(x, missing="listwise")
    assert (ours.n, ours.n_dropped) == (9, 3)
    assert [ours.ci.low, ours.ci.high] == pytest.approx([0.533, 0.947], abs=0.0005)
    frame = pg.read_dataset("cronbach_wide_missing")
    np.testing.assert_array_equal(frame.to_numpy(dtype=float), x)
    theirs, wrong = pg.cronbach_alpha(frame, nan_policy="listwise")
    assert ours.estimate == pytest.approx(theirs, abs=IDENTITY)
    assert wrong.tolist() == [0.581, 0.933]


def test_agrees_with_pingouin_on_complete_data(bfi, reference):
    import pandas as pd
    import pingouin as pg

    x = scale(bfi, reference["alpha"]["E"])
    x = x[~np.isnan(x).any(axis=1)][:300]
    theirs, limits = pg.cronbach_alpha(pd.DataFrame(x))
    ours = pm.cronbach_alpha(x)
    assert ours.estimate == pytest.approx(theirs, abs=IDENTITY)
    assert [ours.ci.low, ours.ci.high] == pytest.approx(limits, abs=0.0005)  # pingouin rounds to three


def test_listwise_equals_dropping_the_rows_first():
    x = CRONBACH_WIDE_MISSING
    dropped, first = pm.cronbach_alpha(x, missing="listwise"), pm.cronbach_alpha(x[~np.isnan(x).any(axis=1)])
    for field in ("estimate", "n", "k", "standardized", "mean_inter_item_correlation", "ci"):
        assert getattr(dropped, field) == getattr(first, field)


@quick
@given(answers)
def test_is_the_consistency_icc_of_the_mean(x):
    """Alpha = ICC(C,k) = (MS rows − MS residual) / MS rows of the two-way analysis of variance."""
    n, k = x.shape
    rows, columns, grand = x.mean(axis=1), x.mean(axis=0), x.mean()
    ms_rows = k * np.square(rows - grand).sum() / (n - 1)
    residual = x - rows[:, None] - columns[None, :] + grand
    ms_residual = np.square(residual).sum() / ((n - 1) * (k - 1))
    expected = (ms_rows - ms_residual) / ms_rows
    assert pm.cronbach_alpha(x).estimate == pytest.approx(expected, rel=IDENTITY, abs=IDENTITY)


def test_is_kuder_richardson_20_for_right_and_wrong():
    x = CRONBACH_WIDE_MISSING[~np.isnan(CRONBACH_WIDE_MISSING).any(axis=1)]
    p, k = x.mean(axis=0), x.shape[1]
    kr20 = k / (k - 1) * (1 - (p * (1 - p)).sum() / x.sum(axis=1).var(ddof=0))
    assert pm.cronbach_alpha(x).estimate == pytest.approx(kr20, abs=IDENTITY)
    assert pm.cronbach_alpha(x.astype(bool)).estimate == pytest.approx(kr20, abs=IDENTITY)


@quick
@given(answers, st.randoms(use_true_random=False), st.floats(0.1, 50), st.floats(-100, 100))
def test_order_and_positive_linear_maps_change_nothing(x, random, slope, intercept):
    rows, columns = list(range(x.shape[0])), list(range(x.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    result = pm.cronbach_alpha(x)
    assert result.estimate <= 1
    shuffled = pm.cronbach_alpha(x[rows][:, columns])
    assert shuffled.estimate == pytest.approx(result.estimate, rel=1e-12, abs=1e-12)
    mapped = pm.cronbach_alpha(intercept + slope * x)
    assert mapped.estimate == pytest.approx(result.estimate, rel=1e-7, abs=1e-7)
    assert result.ci.low <= result.estimate <= result.ci.high or math.isclose(result.estimate, 1)


def test_two_items_are_enough_and_parallel_items_give_one():
    x = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    result = pm.cronbach_alpha(x)
    assert (result.estimate, result.ci.low, result.ci.high) == (1.0, 1.0, 1.0)


def test_constant_items_are_kept():
    x = np.array([[1, 2, 3], [2, 2, 3], [4, 2, 5], [5, 2, 4]])
    with pytest.warns(UndefinedStatisticWarning, match="standardised alpha") as caught:
        result = pm.cronbach_alpha(x)
    assert caught[0].filename == __file__
    assert result.k == 3
    assert result.constant_items == ("2",)
    assert math.isnan(result.standardized)
    two = pm.cronbach_alpha(x[:, [0, 2]]).estimate
    assert result.estimate == pytest.approx(two * (3 / 2) / (2 / 1), abs=IDENTITY)


@pytest.mark.parametrize(
    ("x", "code"),
    [
        (np.full((5, 3), 4.0), "psychometrics.sum_constant"),
        (np.full((5, 3), 0.1) + np.array([0.0, 0.2, 0.7]), "psychometrics.sum_constant"),
        (np.column_stack([[1.1, 2.3, 5.7], [4.9, 3.7, 0.3]]), "psychometrics.sum_constant"),
        (np.array([[1.0, 2.0, 3.0]]), "psychometrics.too_few_respondents"),
        (np.empty((0, 3)), "psychometrics.too_few_respondents"),
        (np.column_stack([[1.0, 2.0, 3.0], [np.nan] * 3]), "psychometrics.too_few_respondents"),
    ],
    ids=["all equal", "all rows alike", "sum cancels", "one row", "no row", "all-missing item"],
)
def test_undefined_is_nan_with_a_warning_at_the_caller(x, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.cronbach_alpha(x, missing="listwise")
    assert caught[0].message.code == code
    assert caught[0].filename == __file__
    assert result.reason.code == code
    assert math.isnan(result.estimate)
    assert math.isnan(result.ci.low)
    assert math.isnan(result.ci.high)
    assert "not defined" in result.summary()


def test_result_is_complete_and_the_table_has_the_declared_columns(shrout_fleiss):
    result = pm.cronbach_alpha(shrout_fleiss)
    assert (result.n, result.k, result.n_dropped, result.items) == (6, 4, 0, ("1", "2", "3", "4"))
    table = result.table
    assert table.columns.tolist() == [
        "statistic", "n", "estimate", "ci_low", "ci_high", "ci_level", "method", "reason", "k",
    ]  # fmt: skip
    assert table["method"].tolist() == ["Feldt", "Feldt, adjusted", "", ""]
    assert table["estimate"].tolist()[0] == result.estimate
    assert "Cronbach's alpha .91, 95% interval .68–.99 (Feldt)" in result.summary()
    with pytest.raises(AttributeError):
        result.estimate = 1.0


def test_an_array_loads_neither_pandas_nor_matplotlib_nor_scipy_stats():
    code = """
import sys, numpy as np
from ibic_fidelity import psychometrics as pm
x = np.array([[1, 2, 2], [2, 3, 1], [4, 4, 5], [5, 3, 4]])
pm.cronbach_alpha(x); pm.item_analysis(x)
pm.group_mean_reliability(x[:, 0], [1, 1, 2, 2]); pm.group_mean_reliability(x[:, 0], [1, 1, 1, 2])
pm.within_group_agreement(x, [1, 1, 1, 1], low=1, high=5)
print([name for name in ("pandas", "matplotlib", "scipy.stats") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_adjusted_interval_has_the_distribution_free_variance(bfi, reference):
    """The inflation times Feldt's variance of log(1 − alpha) is the jackknife's, up to 1/n."""
    from ibic_fidelity.psychometrics.consistency.internal_consistency import variance_inflation

    x = scale(bfi, reference["alpha"]["A"])
    x = x[~np.isnan(x).any(axis=1)][:400]
    n, k = x.shape
    logs = np.array([np.log(1 - pm.cronbach_alpha(np.delete(x, i, axis=0)).estimate) for i in range(n)])
    jackknife = (n - 1) / n * np.square(logs - logs.mean()).sum()
    feldt = 2 / (n - 1) + 2 / ((n - 1) * (k - 1))
    assert float(variance_inflation(x)) * feldt == pytest.approx(jackknife, rel=0.02)
    result = pm.cronbach_alpha(x)
    width, adjusted = (np.log(1 - ci.low) - np.log(1 - ci.high) for ci in (result.ci, result.ci_adjusted))
    assert adjusted / width == pytest.approx(math.sqrt(float(variance_inflation(x))), rel=0.02)


def piled(share_at_top, seed=3):
    """Return answers 0–4 of 200 respondents to four items that correlate, a share of each at 4."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(200, 1)) + rng.normal(size=(200, 4))
    ranks = latent.argsort(axis=0).argsort(axis=0) / 200
    cuts = np.linspace(0, 1 - share_at_top, 5)[1:]
    return np.searchsorted(cuts, ranks, side="right").astype(float)


@pytest.mark.parametrize(
    ("x", "codes"),
    [
        (piled(0.2), []),
        (piled(0.4), ["psychometrics.feldt_too_narrow"]),
        (piled(0.8), ["psychometrics.alpha_interval_not_reliable"]),
        (
            np.vstack([np.zeros((3, 3)), np.ones((3, 3)), np.eye(3)]),
            ["psychometrics.alpha_interval_not_reliable"],
        ),
    ],
    ids=["spread out", "skewed", "ceiling", "two values"],
)
def test_intervals_that_cover_too_little_are_flagged(x, codes):
    result = pm.cronbach_alpha(x)
    assert [flag.code for flag in result.flags] == codes
    for flag in result.flags:
        assert flag.text("en") in result.summary()
        assert flag.text("en") in result.table["reason"][0]
    assert result.ci_adjusted.low <= result.ci.low
    assert result.ci.high <= result.ci_adjusted.high


@pytest.mark.witness(
    statistic="cronbach_alpha",
    definition="alpha and Feldt interval of complete data",
    reference="pingouin.cronbach_alpha 0.7.0, its interval rounded to three decimals",
    tolerance=0.0005,
    data="bfi, cronbach_wide_missing",
)
@pytest.mark.parametrize("name", SCALES)
def test_feldt_interval_agrees_with_pingouin_to_its_rounding(reference, bfi, name):
    import pandas as pd
    import pingouin as pg

    x = scale(bfi, reference["alpha"][name])
    x = x[~np.isnan(x).any(axis=1)]
    theirs, limits = pg.cronbach_alpha(pd.DataFrame(x))
    ours = pm.cronbach_alpha(x)
    assert ours.estimate == pytest.approx(theirs, abs=IDENTITY)
    assert [ours.ci.low, ours.ci.high] == pytest.approx(limits.tolist(), abs=0.0005 + 1e-12)
    _, limits = pg.cronbach_alpha(pd.DataFrame(x[:60]), ci=0.9)
    ours = pm.cronbach_alpha(x[:60], confidence_level=0.9)
    assert [ours.ci.low, ours.ci.high] == pytest.approx(limits.tolist(), abs=0.0005 + 1e-12)
    # with the rows dropped first pingouin, too, has the right interval
    wide = CRONBACH_WIDE_MISSING[~np.isnan(CRONBACH_WIDE_MISSING).any(axis=1)]
    assert pg.cronbach_alpha(pd.DataFrame(wide))[1].tolist() == [0.533, 0.947]


def test_bootstrap_is_that_of_the_rows_drawn(bfi):
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    x = x[~np.isnan(x).any(axis=1)][:150]
    result = pm.cronbach_alpha(x, bootstrap=60, rng=np.random.default_rng(1))
    drawn = np.random.default_rng(1).integers(0, 150, (60, 150))
    expected = np.quantile([pm.cronbach_alpha(x[rows]).estimate for rows in drawn], [0.025, 0.975])
    assert [result.ci_bootstrap.low, result.ci_bootstrap.high] == pytest.approx(expected.tolist(), abs=IDENTITY)
    assert (result.n_replicates, result.n_undefined) == (60, 0)
    plain = pm.cronbach_alpha(x)
    assert (plain.ci_bootstrap, plain.n_replicates, plain.ci) == (None, 0, result.ci)
    assert pm.cronbach_alpha(x, bootstrap=60).ci_bootstrap == pm.cronbach_alpha(x, bootstrap=60, rng=0).ci_bootstrap
    assert result.table["method"].tolist() == ["Feldt", "Feldt, adjusted", result.ci_bootstrap.method, "", ""]
    assert "(percentile bootstrap of units)" in result.summary()


def test_bootstrap_counts_samples_whose_sum_does_not_vary():
    x = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1], [2, 3, 1]])
    with pytest.warns(UndefinedStatisticWarning):  # the third item is constant
        result = pm.cronbach_alpha(x, bootstrap=500)
    # all four draws among the first three rows, or all of them the last
    assert result.n_undefined / 500 == pytest.approx(0.75**4 + 0.25**4, abs=0.07)
    assert "psychometrics.bootstrap_few_respondents" in [flag.code for flag in result.flags]
