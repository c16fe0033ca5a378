import math

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics.consistency._green_yang import (
    Scores,
    fit_least_squares,
    loading_gradient,
    omega_gradient,
    sum_reliability,
)
from ibic_fidelity.psychometrics.correlation._binormal import INFINITE

# two optimisers
OPTIMISER = 1e-6
IDENTITY = 1e-9
SCALES = ("A", "C", "N", "N_halves", "three")


def scale(fixture, name, bfi):
    """Return the items of a scale, reversed ones reversed, or in halves."""
    if name in {"N_halves", "three"}:  # made of complete rows of all five items
        x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
        x = x[~np.isnan(x).any(axis=1)]
        return x[:, :3] if name == "three" else (x > 3).astype(float)
    x = np.column_stack([7 - bfi[i] if i in {"A1", "C4", "C5"} else bfi[i] for i in fixture["items"]])
    return x[~np.isnan(x).any(axis=1)]


def scores_of(result):
    """Return thresholds and steps of a polychoric result."""
    width = max(len(cut) for cut in result.thresholds)
    thresholds, steps = np.full((1, result.k, width), INFINITE), np.zeros((result.k, width))
    for i, (cut, used) in enumerate(zip(result.thresholds, result.categories, strict=True)):
        thresholds[0, i, : len(cut)], steps[i, : len(cut)] = cut, np.diff(used)
    return Scores(thresholds, steps)


def weights_of(result, estimator):
    off = ~np.eye(result.k, dtype=bool)
    return (
        np.where(off, 1.0 / np.where(off, result.std_error, 1.0) ** 2, 1.0)
        if estimator == "DWLS"
        else np.ones(off.shape)
    )


@pytest.mark.witness(
    statistic="categorical_omega",
    definition="Green & Yang's omega of the sum by ULS and DWLS, correlations found and implied; loadings and their"
    " standard errors",
    reference="R semTools::compRelSEM 0.5-6, lavaan::cfa 0.6-14 (ULSMV, WLSMV)",
    tolerance=OPTIMISER,
    data="bfi",
)
@pytest.mark.parametrize("estimator", ["ULS", "DWLS"])
@pytest.mark.parametrize("name", SCALES)
def test_omega_agrees_with_semtools(correlation, bfi, name, estimator):
    fixture = correlation["reliability"][name]
    expected = fixture[estimator]
    x = scale(fixture, name, bfi)
    result = pm.categorical_omega(x, estimator=estimator)
    assert result.n == fixture["n"]
    assert result.estimate == pytest.approx(expected["omega"], abs=OPTIMISER)
    assert result.estimate_model_implied == pytest.approx(expected["omega_implied"], abs=OPTIMISER)
    np.testing.assert_allclose(result.loadings, expected["loadings"], rtol=0, atol=OPTIMISER)
    # the delta method up to the loadings: lavaan's robust errors, without the residuals, divisor n − 1
    poly = pm.polychoric_correlation(x)
    gradient = loading_gradient(poly.estimate, weights_of(poly, estimator), result.loadings, observed=False)
    cuts = sum(len(cut) for cut in poly.thresholds)
    errors = np.sqrt(np.diag(gradient @ poly.asymptotic_covariance[cuts:, cuts:] @ gradient.T))
    np.testing.assert_allclose(errors * math.sqrt(poly.n / (poly.n - 1)), expected["se"], rtol=2e-5)


@pytest.mark.witness(
    statistic="ordinal_alpha",
    definition="alpha of the polychoric matrix",
    reference="R psych::alpha 2.2.9, semTools::compRelSEM(tau.eq = TRUE, ord.scale = FALSE) 0.5-6",
    tolerance=OPTIMISER,
    data="bfi",
)
@pytest.mark.parametrize("name", SCALES)
def test_ordinal_alpha_agrees_with_psych_and_semtools(correlation, bfi, name):
    fixture = correlation["reliability"][name]
    result = pm.ordinal_alpha(scale(fixture, name, bfi))
    assert result.estimate == pytest.approx(fixture["ordinal_alpha"], abs=OPTIMISER)
    assert result.estimate == pytest.approx(fixture["ULS"]["alpha"], abs=OPTIMISER)
    assert "not of their sum" in result.definition


@pytest.mark.parametrize("estimator", ["ULS", "DWLS"])
def test_the_delta_method_is_the_covariance_with_numerical_derivatives(correlation, bfi, estimator):
    """The standard error by the respondents' influences is g'Vg, g by differences of the estimate itself."""
    x = scale(correlation["reliability"]["A"], "A", bfi)
    poly = pm.polychoric_correlation(x)
    scores, weights, step = scores_of(poly), weights_of(poly, estimator), 1e-5

    def omega(thresholds, matrix):
        fit = fit_least_squares(matrix[None], weights)
        return float(sum_reliability(Scores(thresholds, scores.steps), matrix[None], fit).found[0])

    gradient = []
    for i, cut in enumerate(poly.thresholds):
        for t in range(len(cut)):
            ends = [scores.thresholds.copy() for _ in range(2)]
            ends[0][0, i, t] += step
            ends[1][0, i, t] -= step
            gradient.append((omega(ends[0], poly.estimate) - omega(ends[1], poly.estimate)) / (2 * step))
    for i, j in zip(*np.triu_indices(5, 1), strict=True):
        ends = [poly.estimate.copy() for _ in range(2)]
        for end, sign in zip(ends, (1, -1), strict=True):
            end[i, j] = end[j, i] = end[i, j] + sign * step
        gradient.append((omega(scores.thresholds, ends[0]) - omega(scores.thresholds, ends[1])) / (2 * step))
    gradient = np.array(gradient)
    expected = math.sqrt(gradient @ poly.asymptotic_covariance @ gradient)
    result = pm.categorical_omega(x, estimator=estimator)
    assert result.std_error == pytest.approx(expected, rel=1e-6)
    by_cut, by_pair = omega_gradient(scores, poly.estimate, weights, result.loadings)
    np.testing.assert_allclose(np.concatenate([by_cut.ravel(), by_pair]), gradient, atol=1e-8)


def test_the_error_of_ordinal_alpha_is_that_of_its_correlations(bfi):
    x = np.column_stack([bfi[f"E{i}"] for i in (3, 4, 5)])
    x = x[~np.isnan(x).any(axis=1)]
    result, poly = pm.ordinal_alpha(x), pm.polychoric_correlation(x)
    cuts = sum(len(cut) for cut in poly.thresholds)
    g = np.full(3, 2 * 9 / 2 / poly.estimate.sum() ** 2)
    assert result.std_error == pytest.approx(math.sqrt(g @ poly.asymptotic_covariance[cuts:, cuts:] @ g), rel=1e-9)
    np.testing.assert_array_equal(result.correlations, poly.estimate)


def test_scores_count_as_they_are_given(bfi):
    """Omega is of the sum as scored: linear maps change nothing, unequal steps do, an unused category does not."""
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    x = x[~np.isnan(x).any(axis=1)]
    result = pm.categorical_omega(x)
    assert pm.categorical_omega(3 * x - 2).estimate == pytest.approx(result.estimate, abs=IDENTITY)
    stretched = pm.categorical_omega(np.array([1, 2, 3, 4, 5, 10])[x.astype(int) - 1])
    assert abs(stretched.estimate - result.estimate) > 0.001


def test_the_model_variance_of_the_sum_is_that_of_the_answers(bfi):
    """With the correlations found, item variances are those of the answers and omega's denominator near the sum's."""
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    x = x[~np.isnan(x).any(axis=1)]
    scores = scores_of(pm.polychoric_correlation(x))
    np.testing.assert_allclose(scores.variances()[0], x.var(axis=0), rtol=1e-10)
    first, second = np.triu_indices(5, 1)
    rho = pm.polychoric_correlation(x).estimate[first, second][None]
    total = scores.variances().sum() + 2 * scores.covariances(first, second, rho).sum()
    assert total == pytest.approx(x.sum(axis=1).var(), rel=0.01)


def test_a_sum_of_many_fine_answers_is_as_reliable_as_the_normal_values():
    rng = np.random.default_rng(5)
    z = 0.7 * rng.normal(size=(4000, 1)) + math.sqrt(0.51) * rng.normal(size=(4000, 6))
    x = np.clip(np.round(2.5 * z), -8, 8)
    result, continuous = pm.categorical_omega(x), pm.mcdonald_omega(z)
    assert result.estimate == pytest.approx(continuous.estimate, abs=0.01)
    coarse = (z > 1.0).astype(int)
    assert pm.categorical_omega(coarse).estimate < pm.ordinal_alpha(coarse).estimate - 0.1
    assert pm.categorical_omega(coarse).estimate == pytest.approx(pm.cronbach_alpha(coarse).estimate, abs=0.02)


def test_the_bootstrap_is_seeded_and_agrees_with_the_delta_method():
    rng = np.random.default_rng(6)
    x = np.digitize(rng.normal(size=(250, 1)) + rng.normal(size=(250, 4)), [-1.0, 0.0, 1.0])
    for function in (pm.ordinal_alpha, pm.categorical_omega):
        result, again = (function(x, bootstrap=150, rng=3) for _ in range(2))
        assert result.ci_bootstrap == again.ci_bootstrap
        assert result.ci_bootstrap.low == pytest.approx(result.ci.low, abs=0.03)
        assert result.ci_bootstrap.high == pytest.approx(result.ci.high, abs=0.03)
        assert len(result.table.query("method != ''")) == 2


def test_tables_and_summaries(bfi):
    frame = pd.DataFrame({f"N{i}": bfi[f"N{i}"] for i in range(1, 6)})
    result = pm.categorical_omega(frame, missing="listwise")
    assert result.table["statistic"].tolist() == ["categorical_omega", "categorical_omega_model_implied", "srmr"]
    assert result.item_table["item"].tolist() == list(frame)
    assert "SRMR" in result.summary()
    assert result.n_dropped == int(frame.isna().any(axis=1).sum())
    alpha = pm.ordinal_alpha(frame, missing="listwise")
    assert "not of their sum" in alpha.summary()
    assert alpha.estimate == pm.ordinal_alpha(frame.dropna()).estimate


@pytest.mark.slow
def test_a_planted_reliability_is_recovered():
    """The share of the variance of the sum that a second, parallel sum shares with it."""
    loadings, cuts = np.array([0.8, 0.7, 0.6, 0.5]), [-0.5, 0.7]
    rng = np.random.default_rng(9)
    trait = rng.normal(size=(400_000, 1))
    unique = np.sqrt(1 - loadings**2)
    two = [np.searchsorted(cuts, trait * loadings + unique * rng.normal(size=(400_000, 4))) for _ in range(2)]
    truth = float(np.corrcoef(two[0].sum(axis=1), two[1].sum(axis=1))[0, 1])
    assert pm.categorical_omega(two[0][:100_000]).estimate == pytest.approx(truth, abs=0.004)
    made = [pm.categorical_omega(x).estimate for x in two[0].reshape(1000, 400, 4)]
    assert np.mean(made) == pytest.approx(truth, abs=4 * np.std(made) / math.sqrt(1000) + 0.002)
