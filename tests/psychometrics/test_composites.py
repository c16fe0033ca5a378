"""Reliability of two items and of composites of subscales."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.consistency._moments import covariances, ratio_variances
from ibic_fidelity.psychometrics.consistency.composites import error_matrix, one_minus_ratio
from ibic_fidelity.psychometrics.consistency.two_items import stepped_up, z_error_ratio

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
IDENTITY = 1e-10


def frame_of(data, items):
    return pd.DataFrame({item: data[item] for item in items})


@pytest.mark.witness(
    statistic="spearman_brown",
    definition="correlation, doubled and fivefold reliability, Fisher interval stepped up",
    reference="R psych::alpha 2.2.9 (std.alpha of two items), stats::cor.test; the formula written in the R script",
    tolerance=CLOSED_FORM,
    data="bfi",
)
@pytest.mark.parametrize("name", ["a", "b"])
def test_spearman_brown_agrees_with_r(consistency, bfi, name):
    expected = consistency["spearman_brown"][name]
    x = frame_of(bfi, expected["items"])
    result = pm.spearman_brown(x, missing="listwise", confidence_level=expected["level"])
    assert result.n == expected["n"]
    assert result.correlation == pytest.approx(expected["r"], abs=CLOSED_FORM)
    assert result.estimate == pytest.approx(expected["std_alpha"], abs=CLOSED_FORM)
    assert result.estimate == pytest.approx(expected["doubled"], abs=CLOSED_FORM)
    assert [result.ci.low, result.ci.high] == pytest.approx(expected["doubled_ci"], abs=CLOSED_FORM)
    five = pm.spearman_brown(x, length=5, missing="listwise", confidence_level=expected["level"])
    assert five.estimate == pytest.approx(expected["fivefold"], abs=CLOSED_FORM)
    assert [five.ci.low, five.ci.high] == pytest.approx(expected["fivefold_ci"], abs=CLOSED_FORM)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(-0.9, 0.95), st.floats(0.5, 3), st.floats(0.5, 3))
def test_prophecy_composes_and_is_alpha_of_equal_variances(r, one, other):
    both = stepped_up(float(stepped_up(abs(r), one)), other)
    assert both == pytest.approx(float(stepped_up(abs(r), one * other)), abs=1e-12)
    x = np.random.default_rng(1).normal(size=(30, 2))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(x.T @ x)).T @ np.linalg.cholesky([[1, r], [r, 1]]).T
    assert pm.spearman_brown(x).estimate == pytest.approx(pm.cronbach_alpha(x).estimate, abs=1e-9)
    assert pm.spearman_brown(x, length=1).estimate == pytest.approx(r, abs=1e-9)


def test_spearman_brown_is_never_below_alpha(bfi):
    for one, other in (("N1", "N2"), ("C1", "C2"), ("O1", "O3")):
        x = frame_of(bfi, [one, other]).dropna()
        assert pm.spearman_brown(x).estimate >= pm.cronbach_alpha(x).estimate


def test_spearman_brown_limits_where_the_formula_ends():
    x = np.array([[1, 3], [2, 3], [3, 1], [4, 2], [5, 1.5], [6, 2.5]])
    result = pm.spearman_brown(x, length=3)
    assert result.correlation < 0
    assert result.ci.low == -math.inf
    x[:, 1] = [6, 5, 4, 3, 2, 2]
    with pytest.warns(UndefinedStatisticWarning, match="too negative") as caught:
        result = pm.spearman_brown(x, length=4, bootstrap=20)
    assert caught[0].filename == __file__
    assert result.reason.code == "psychometrics.prophecy_undefined"
    assert math.isnan(result.estimate)
    assert math.isnan(result.ci.low)
    assert result.n_undefined == 20
    few = pm.spearman_brown([[1, 2], [2, 2], [3, 4]])
    assert few.estimate > 0
    assert math.isnan(few.ci.low)


def test_the_adjusted_error_of_z_is_the_jackknife_s(bfi):
    x = frame_of(bfi, ["N1", "N2"]).dropna().to_numpy()[:400]
    n = len(x)
    z = np.array([np.arctanh(np.corrcoef(np.delete(x, i, axis=0).T)[0, 1]) for i in range(n)])
    jackknife = math.sqrt((n - 1) / n * np.square(z - z.mean()).sum())
    assert float(z_error_ratio(x[None])[0]) / math.sqrt(n) == pytest.approx(jackknife, rel=0.02)


@pytest.mark.witness(
    statistic="stratified_alpha",
    definition="1 − Σ s²(1 − α)/s² of the sum, each stratum's alpha and variance",
    reference="Cronbach, Schönemann & McKie (1965), written in the R script with psych::alpha 2.2.9 for the strata",
    tolerance=CLOSED_FORM,
    data="bfi, lq2002",
)
@pytest.mark.parametrize("name", ["lq2002", "bfi"])
def test_stratified_alpha_agrees_with_r(consistency, bfi, lq2002, name):
    expected = consistency["stratified"][name]
    items = [item for stratum in expected["strata"].values() for item in stratum]
    x = frame_of(lq2002 if name == "lq2002" else bfi, items)
    result = pm.stratified_alpha(x, expected["strata"], missing="listwise")
    assert (result.n, result.strata) == (expected["n"], tuple(expected["strata"]))
    assert result.estimate == pytest.approx(expected["alpha"], abs=CLOSED_FORM)
    assert result.stratum_alphas.tolist() == pytest.approx(expected["alphas"], abs=CLOSED_FORM)
    assert result.stratum_variances.tolist() == pytest.approx(expected["variances"], rel=CLOSED_FORM)
    label = {item: stratum for stratum, members in expected["strata"].items() for item in members}
    by_label = pm.stratified_alpha(x, [label[item] for item in items], missing="listwise")
    assert by_label.estimate == pytest.approx(result.estimate, abs=IDENTITY)
    assert sorted(by_label.strata) == sorted(result.strata)


def test_one_stratum_is_alpha_and_strata_raise_it(bfi):
    x = frame_of(bfi, [*(f"N{i}" for i in range(1, 6)), *(f"C{i}" for i in range(1, 4))]).dropna()
    alpha = pm.cronbach_alpha(x)
    whole = pm.stratified_alpha(x, ["all"] * 8)
    assert whole.estimate == pytest.approx(alpha.estimate, abs=IDENTITY)
    assert whole.estimate == pytest.approx(float(whole.stratum_alphas[0]), abs=IDENTITY)
    # the distribution-free variances of two routes
    values = x.to_numpy()
    n = len(values)
    from ibic_fidelity.psychometrics.consistency.internal_consistency import variance_inflation

    free = float(ratio_variances(values[None], error_matrix((np.arange(8),), 8))[1][0])
    assert free == pytest.approx(float(variance_inflation(values)) * (2 / (n - 1) + 2 / ((n - 1) * 7)), rel=1e-3)
    assert pm.stratified_alpha(x, {"N": x.columns[:5], "C": x.columns[5:]}).estimate > alpha.estimate


def test_normal_theory_variance_of_one_stratum_of_parallel_items_is_feldt_s():
    n, k = 60, 6
    z = np.random.default_rng(1).normal(size=(n, k))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / (n - 1))).T
    x = z @ np.linalg.cholesky(np.full((k, k), 0.4) + 0.6 * np.eye(k)).T
    normal, _ = ratio_variances(x[None], error_matrix((np.arange(k),), k))
    assert float(normal[0]) == pytest.approx(2 / (n - 1) + 2 / ((n - 1) * (k - 1)), rel=1e-9)


def test_both_variances_are_those_of_log_one_minus_alpha_over_samples():
    """4,000 samples of 300 normal respondents: the mean variance is the variance of the estimates."""
    rng = np.random.default_rng(9)
    group = np.array([0, 0, 0, 1, 1, 1])
    latent = np.where(np.eye(6, dtype=bool), 1.0, np.where(group[:, None] == group, 0.5, 0.3))
    x = rng.normal(size=(4000, 300, 6)) @ np.linalg.cholesky(latent).T
    error = error_matrix((np.arange(3), np.arange(3, 6)), 6)
    logs = np.log(1 - one_minus_ratio(covariances(x), error))
    for variance in ratio_variances(x, error):
        assert variance.mean() == pytest.approx(logs.var(), rel=0.1)  # 4,000 samples tell a variance to 2.2 %


@pytest.mark.parametrize("kind", ["spearman", "stratified"])
def test_listwise_and_bootstrap(bfi, kind):
    if kind == "spearman":
        x = np.column_stack([bfi["N1"], bfi["N2"]])

        def call(table, **options):
            return pm.spearman_brown(table, **options)
    else:
        x = np.column_stack([bfi[f"N{i}"] for i in range(1, 5)])

        def call(table, **options):
            return pm.stratified_alpha(table, [1, 1, 2, 2], **options)

    dropped = call(x, missing="listwise", bootstrap=60, rng=7)
    first = call(x[~np.isnan(x).any(axis=1)], bootstrap=60, rng=7)
    assert (dropped.estimate, dropped.ci, dropped.ci_adjusted, dropped.ci_bootstrap) == (
        first.estimate, first.ci, first.ci_adjusted, first.ci_bootstrap,
    )  # fmt: skip
    assert (dropped.n, dropped.n_dropped) == (first.n, 2800 - first.n)
    small = x[~np.isnan(x).any(axis=1)][:80]
    stream = np.random.default_rng(7)
    ours = call(small, bootstrap=50, rng=stream)
    drawn = np.random.default_rng(7).integers(0, 80, (50, 80))
    expected = np.quantile([call(small[row]).estimate for row in drawn], [0.025, 0.975])
    assert [ours.ci_bootstrap.low, ours.ci_bootstrap.high] == pytest.approx(expected.tolist(), abs=IDENTITY)
    assert "psychometrics.bootstrap_few_respondents" in [flag.code for flag in ours.flags]
    assert "percentile bootstrap" in ours.summary()
    assert ours.table["method"].tolist()[:3] == [ours.ci.method, ours.ci_adjusted.method, ours.ci_bootstrap.method]


def test_a_stratum_that_does_not_vary_is_named():
    x = np.array([[1, 5, 2, 3], [2, 4, 3, 3], [4, 2, 5, 4], [5, 1, 4, 5], [3, 3, 1, 2]])  # items 1 and 2 cancel
    with pytest.warns(UndefinedStatisticWarning, match="stratum a") as caught:
        result = pm.stratified_alpha(x, ["a", "a", "b", "b"])
    assert caught[0].filename == __file__
    assert math.isnan(result.stratum_alphas[0])
    assert math.isfinite(result.estimate)
    assert result.flags[0].code == "psychometrics.stratum_constant"
