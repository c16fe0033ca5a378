import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.consistency._moments import correlations, covariance_kernel, covariances
from ibic_fidelity.psychometrics.consistency._omega import fit_tables, omega_total, omega_variances
from ibic_fidelity.psychometrics.consistency._one_factor import fit_one_factor

# two optimisers; lavaan stops where its gradient is below about 1e-6
OPTIMISER = 1e-5
# identities between two of our own routes
IDENTITY = 1e-9

SCALES = ("A", "C", "E", "N", "O", "three", "LEAD", "TSIG", "HOSTIL")


def scale(fixture, bfi, lq2002):
    """Return the items of a scale as a frame, reversed ones of bfi reversed (1–6)."""
    data = {"bfi": bfi, "lq2002": lq2002}[fixture["data"]]
    return pd.DataFrame({i: 7 - data[i] if i in fixture["reversed"] else data[i] for i in fixture["items"]})


def with_covariance(covariance, n=60, seed=1):
    """Return data whose sample covariance matrix (divisor n − 1) is exactly the given one."""
    z = np.random.default_rng(seed).normal(size=(n, len(covariance)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / (n - 1))).T
    return z @ np.linalg.cholesky(covariance).T


@pytest.mark.witness(
    statistic="mcdonald_omega",
    definition="omega total by ML, model-implied and observed variance; loadings, uniquenesses, χ², RMSEA",
    reference="R lavaan::cfa 0.6-14, semTools::compRelSEM 0.5-6",
    tolerance=OPTIMISER,
    data="bfi, lq2002",
)
@pytest.mark.parametrize("name", SCALES)
def test_agrees_with_lavaan_and_semtools(consistency, bfi, lq2002, name):
    expected = consistency["omega"][name]
    result = pm.mcdonald_omega(scale(expected, bfi, lq2002), missing="listwise")
    assert (result.n, result.df) == (expected["n"], expected["df"])
    assert result.estimate == pytest.approx(expected["model_implied"], abs=OPTIMISER)
    assert result.estimate_observed_variance == pytest.approx(expected["observed"], abs=OPTIMISER)
    np.testing.assert_allclose(result.loadings, expected["loadings"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(result.uniquenesses, expected["uniquenesses"], rtol=0, atol=OPTIMISER)
    assert result.chi_square == pytest.approx(expected["chi_square"], rel=OPTIMISER, abs=OPTIMISER)
    if result.df:
        assert result.rmsea == pytest.approx(expected["rmsea"], abs=OPTIMISER)
        assert result.p_value == pytest.approx(expected["p"], rel=1e-3)
    else:
        assert math.isnan(result.rmsea)


@pytest.mark.witness(
    statistic="mcdonald_omega",
    definition="delta-method standard error of omega, by expected information and distribution-free",
    reference="R lavaan::parameterEstimates 0.6-14, omega as defined parameter, default and robust.huber.white",
    tolerance=OPTIMISER,
    data="bfi, lq2002",
)
@pytest.mark.parametrize("name", SCALES)
def test_standard_errors_agree_with_lavaan(consistency, bfi, lq2002, name):
    expected = consistency["omega"][name]
    x = scale(expected, bfi, lq2002).dropna().to_numpy()
    normal, free = omega_variances(x[None], fit_tables(x[None]))
    assert math.sqrt(normal[0]) == pytest.approx(expected["se"], abs=OPTIMISER)
    assert math.sqrt(free[0]) == pytest.approx(expected["se_robust"], abs=OPTIMISER)
    assert pm.mcdonald_omega(x).std_error == pytest.approx(expected["se"], abs=OPTIMISER)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(3, 9), st.floats(0.3, 3), st.lists(st.floats(0.2, 4), min_size=9, max_size=9))
def test_is_alpha_where_items_are_tau_equivalent(k, common, unique):
    x = with_covariance(np.full((k, k), common) + np.diag(unique[:k]))
    result = pm.mcdonald_omega(x)
    assert result.estimate == pytest.approx(pm.cronbach_alpha(x).estimate, abs=IDENTITY)
    assert result.estimate_observed_variance == pytest.approx(result.estimate, abs=IDENTITY)
    assert result.chi_square == pytest.approx(0, abs=1e-8)


def test_planted_loadings_are_found_exactly_and_alpha_is_below():
    loadings, unique = np.array([0.9, 0.2, 0.7, 0.5]), np.array([0.4, 0.9, 0.3, 1.2])
    x = with_covariance(np.outer(loadings, loadings) + np.diag(unique), n=80)
    result = pm.mcdonald_omega(x)
    shrink = math.sqrt(79 / 80)  # maximum likelihood divides by n
    np.testing.assert_allclose(result.loadings, loadings * shrink, atol=IDENTITY)
    np.testing.assert_allclose(result.uniquenesses, unique * shrink**2, atol=IDENTITY)
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + unique.sum())
    assert result.estimate == pytest.approx(omega, abs=IDENTITY)
    assert pm.cronbach_alpha(x).estimate < omega


@pytest.mark.slow
def test_a_planted_omega_is_recovered_without_bias():
    loadings = np.array([0.8, 0.7, 0.6, 0.5, 0.4])
    truth = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    rng = np.random.default_rng(3)
    trait, own = rng.normal(size=(2000, 400, 1)), rng.normal(size=(2000, 400, 5))
    of = fit_tables(trait * loadings + own * np.sqrt(1 - loadings**2))
    omegas = omega_total(of.fit, of.sd)
    assert of.defined.all()
    assert omegas.mean() == pytest.approx(truth, abs=4 * omegas.std() / math.sqrt(2000) + 0.001)  # bias is of order 1/n


def test_order_and_linear_maps_of_all_items_change_nothing(bfi):
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])[:300]
    x = x[~np.isnan(x).any(axis=1)]
    result = pm.mcdonald_omega(x)
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(len(x)), rng.permutation(5)
    assert pm.mcdonald_omega(x[rows][:, columns]).estimate == pytest.approx(result.estimate, abs=IDENTITY)
    np.testing.assert_allclose(pm.mcdonald_omega(3 * x - 7).loadings, 3 * result.loadings, atol=1e-7)


def test_listwise_equals_dropping_the_rows_first(bfi):
    x = np.column_stack([bfi[f"C{i}"] for i in range(1, 6)])
    x[:, 3:] = 7 - x[:, 3:]
    dropped = pm.mcdonald_omega(x, missing="listwise", bootstrap=50, rng=3)
    first = pm.mcdonald_omega(x[~np.isnan(x).any(axis=1)], bootstrap=50, rng=3)
    assert (dropped.estimate, dropped.ci, dropped.ci_adjusted) == (first.estimate, first.ci, first.ci_adjusted)
    assert (dropped.ci_bootstrap, dropped.n, first.n_dropped) == (first.ci_bootstrap, first.n, 0)
    assert dropped.n_dropped == 2800 - first.n


def test_bootstrap_replicates_are_fits_of_the_rows_drawn(bfi):
    """A few replicates, each against its own fit from its own start."""
    x = np.column_stack([bfi[f"E{i}"] for i in range(1, 6)])
    x[:, :2] = 7 - x[:, :2]
    x = x[~np.isnan(x).any(axis=1)][:200]
    drawn = np.random.default_rng(2).integers(0, 200, (20, 200))
    counts = np.array([np.bincount(row, minlength=200) for row in drawn], dtype=float)
    np.testing.assert_allclose(covariance_kernel(x)(counts), covariances(x[drawn]), atol=1e-12)
    from ibic_fidelity.psychometrics.consistency._omega import omega_kernel

    fast = omega_kernel(x, fit_tables(x[None]))(counts)
    exact = [pm.mcdonald_omega(x[row]).estimate for row in drawn]
    np.testing.assert_allclose(fast, exact, atol=1e-4)  # a thousandth of a standard error of omega is enough
    one = pm.mcdonald_omega(x, bootstrap=200, rng=5)
    again = pm.mcdonald_omega(x, bootstrap=200, rng=5)
    assert one.ci_bootstrap == again.ci_bootstrap
    assert one.n_replicates == 200
    assert one.ci_bootstrap.low < one.estimate < one.ci_bootstrap.high


def test_the_fit_is_a_stationary_point_of_the_discrepancy():
    rng = np.random.default_rng(8)
    matrices, _, regular = correlations(covariances(rng.normal(size=(50, 60, 6)) + rng.normal(size=(50, 60, 1))))
    fit = fit_one_factor(matrices)
    assert regular.all()
    assert fit.converged.all()
    implied = fit.loadings[:, :, None] * fit.loadings[:, None, :] + fit.uniquenesses[:, :, None] * np.eye(6)
    inverse = np.linalg.inv(implied)
    gradient = inverse - inverse @ matrices @ inverse
    np.testing.assert_allclose(np.diagonal(gradient, axis1=1, axis2=2), 0, atol=1e-8)
    np.testing.assert_allclose((gradient @ fit.loadings[..., None])[..., 0], 0, atol=1e-8)
    value = np.linalg.slogdet(implied)[1] + np.trace(matrices @ inverse, axis1=1, axis2=2)
    np.testing.assert_allclose(fit.discrepancy, value, atol=1e-10)


def test_heywood_cases_misfit_and_reversed_items_are_flagged():
    heywood = np.array([[1.0, 0.7, 0.7], [0.7, 1.0, 0.4], [0.7, 0.4, 1.0]])
    result = pm.mcdonald_omega(with_covariance(heywood))  # the first loading squared is .7 x .7 / .4
    assert result.heywood_items == ("1",)
    assert [flag.code for flag in result.flags] == ["psychometrics.omega_heywood"]
    assert result.uniquenesses[0] == pytest.approx((1 - 0.49 / 0.4) * 59 / 60, abs=1e-8)
    assert "With three items the fit" in result.summary()
    two = np.kron(np.eye(2), np.full((3, 3), 0.6)) + 0.2 + 0.4 * np.eye(6)
    result = pm.mcdonald_omega(with_covariance(two, n=200))
    assert "psychometrics.one_factor_does_not_fit" in [flag.code for flag in result.flags]
    assert result.rmsea > 0.08
    loadings = np.array([0.8, 0.7, -0.6, 0.7])
    result = pm.mcdonald_omega(with_covariance(np.outer(loadings, loadings) + 0.5 * np.eye(4)))
    assert result.flags[0].code == "psychometrics.omega_negative_loadings"
    assert result.flags[0].params["items"] == ("3",)


def test_a_model_without_solution_is_nan_with_its_reason():
    """An item that shares nothing with one other and much with the third: its loading runs to infinity."""
    covariance = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, -0.01], [0.5, -0.01, 1.0]])
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.mcdonald_omega(with_covariance(covariance), bootstrap=10)
    assert caught[0].filename == __file__
    assert result.reason.code == "psychometrics.omega_no_solution"
    assert math.isnan(result.estimate)
    assert math.isnan(result.ci.low)
    assert math.isnan(result.ci_bootstrap.low)
    assert (result.n_replicates, result.n_undefined) == (10, 10)
    assert "not defined" in result.summary()


def test_few_respondents_flag_the_bootstrap_and_count_what_is_not_defined():
    x = np.random.default_rng(0).normal(size=(12, 1)) + np.random.default_rng(1).normal(size=(12, 4))
    result = pm.mcdonald_omega(x, bootstrap=400, rng=1)
    codes = [flag.code for flag in result.flags]
    assert "psychometrics.bootstrap_few_respondents" in codes
    assert result.n_undefined > 0
    assert "psychometrics.agreement_replicates_undefined" in codes


def test_tables_have_the_declared_columns(bfi):
    x = pd.DataFrame({f"N{i}": bfi[f"N{i}"] for i in range(1, 6)})
    result = pm.mcdonald_omega(x, missing="listwise", bootstrap=20)
    assert result.table.columns.tolist() == [
        "statistic", "n", "estimate", "ci_low", "ci_high", "ci_level", "method", "reason", "k",
    ]  # fmt: skip
    assert result.table["statistic"].tolist() == [
        *["omega_total"] * 3, "omega_total_observed_variance", "chi_square", "df", "p_value", "rmsea",
    ]  # fmt: skip
    assert result.item_table.columns.tolist() == ["item", "loading", "standardized_loading", "uniqueness"]
    assert result.item_table["item"].tolist() == list(x.columns)
    assert result.definition in result.summary()
    assert "One factor does not fit (RMSEA 0.163)" in result.summary()
    with pytest.raises(ValueError, match="read-only"):
        result.loadings[0] = 1
