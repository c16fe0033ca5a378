import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr as normal
from scipy.special import ndtri, owens_t

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics.correlation._binormal import density, distribution
from ibic_fidelity.psychometrics.correlation._polychoric import (
    _log_likelihood,
    cell_probabilities,
    fit_pairs,
    matrices_of,
)
from ibic_fidelity.psychometrics.correlation._polyserial import (
    moment_influence,
    polyserial_influence,
)
from ibic_fidelity.psychometrics.correlation._saying import smoothed_matrix
from ibic_fidelity.psychometrics.correlation._tables import count_pairs, thresholds_of
from ibic_fidelity.psychometrics.correlation._tails import tail_terms

CORRELATION = 1e-6
THRESHOLD = 1e-12
COVARIANCE = 1e-6
# psych integrates over boxes of its own
PSYCH = 5e-5


def table_of(bfi, items, missing=False):
    x = np.column_stack([bfi[item] for item in items])
    return x if missing else x[~np.isnan(x).any(axis=1)]


def halves_of(x):
    return (x > 3).astype(int)


def cut(z, shares):
    return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), z)


def agrees(result, expected):
    """Compare correlations, thresholds and n times the covariance with lavaan's."""
    at = np.triu_indices(result.k, 1)
    assert result.n == expected["n"]
    np.testing.assert_allclose(result.estimate[at], expected["correlations"], rtol=0, atol=CORRELATION)
    np.testing.assert_allclose(np.concatenate(result.thresholds), expected["thresholds"], rtol=0, atol=THRESHOLD)
    if "covariance" in expected:
        scaled = result.n * (np.array(expected["covariance"], dtype=float) - result.asymptotic_covariance)
        assert np.abs(scaled).max() < COVARIANCE
        errors = np.sqrt(np.diag(np.array(expected["covariance"], dtype=float)))
        cuts = len(expected["thresholds"])
        np.testing.assert_allclose(result.std_error[at], errors[cuts:], rtol=1e-6)
        np.testing.assert_allclose(np.concatenate(result.threshold_std_errors), errors[:cuts], rtol=1e-9)


@pytest.mark.witness(
    statistic="polychoric_correlation",
    definition="25 items: correlations, thresholds, 1,025 elements of the 425 × 425 covariance",
    reference="R lavaan::lavCor 0.6-14 and its NACOV",
    tolerance=CORRELATION,
    data="bfi",
)
def test_agrees_with_lavaan_on_all_items_of_bfi(correlation, bfi):
    expected = correlation["bfi"]
    result = pm.polychoric_correlation(table_of(bfi, expected["items"]))
    assert (result.n, result.k) == (2436, 25)
    agrees(result, expected)
    made = result.asymptotic_covariance
    rows, columns = np.array(expected["rows"]) - 1, np.array(expected["columns"]) - 1
    assert np.abs(result.n * (made[rows, columns] - expected["covariances"])).max() < COVARIANCE
    np.testing.assert_allclose(np.diag(made), expected["variances"], rtol=1e-6)
    assert len(result.covariance_names) == len(made) == 425


@pytest.mark.witness(
    statistic="polychoric_correlation",
    definition="full covariance of thresholds and correlations; pairwise missing; sparse tables with and without .5 in"
    " empty cells; standard errors",
    reference="R lavaan::lavCor 0.6-14 and its NACOV",
    tolerance=CORRELATION,
    data="bfi; 60 seeded respondents with 41 empty cells",
)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("N", {}),
        ("N_pairwise", {"missing": "available"}),
        ("sparse", {}),
        ("sparse_adjusted", {"adjust": 0.5}),
        ("two", {}),
        ("halves", {}),
    ],
)
def test_agrees_with_lavaan(correlation, bfi, name, options):
    expected = correlation[name]
    if name.startswith("N"):
        x = table_of(bfi, expected["items"], missing=name == "N_pairwise")
    elif name == "halves":
        x = halves_of(table_of(bfi, expected["items"]))
    else:
        x = np.array(correlation[name.removesuffix("_adjusted")]["data"])
    agrees(pm.polychoric_correlation(x, **options), expected)


@pytest.mark.witness(
    statistic="polychoric_correlation",
    definition="pairwise missing, and one pair by polycor",
    reference="R psych::polychoric 2.2.9, polycor::polychor",
    tolerance=PSYCH,
    data="bfi",
)
def test_agrees_with_psych_and_polycor_where_answers_are_missing(correlation, bfi):
    expected = correlation["N_pairwise"]
    result = pm.polychoric_correlation(table_of(bfi, expected["items"], missing=True), missing="available")
    at = np.triu_indices(5, 1)
    np.testing.assert_allclose(result.estimate[at], expected["psych"], rtol=0, atol=PSYCH)
    assert result.n_pairs[at].tolist() == expected["pairs"]
    two = pm.polychoric_correlation(table_of(bfi, [f"N{i}" for i in range(1, 6)])[:, :2])
    assert two.estimate[0, 1] == pytest.approx(correlation["two_step"]["polycor"], abs=PSYCH)


@pytest.mark.witness(
    statistic="tetrachoric_correlation",
    definition="five items in halves; one empty cell, the margins kept, and none filled",
    reference="R psych::tetrachoric 2.2.9, lavaan::lavCor 0.6-14",
    tolerance=PSYCH,
    data="bfi; 30 seeded respondents",
)
def test_tetrachoric_agrees_with_psych_and_lavaan(correlation, bfi):
    at = np.triu_indices(5, 1)
    x = halves_of(table_of(bfi, correlation["halves"]["items"]))
    result = pm.tetrachoric_correlation(x)
    np.testing.assert_allclose(result.estimate[at], correlation["halves"]["psych"], rtol=0, atol=PSYCH)
    sparse = np.array(correlation["two"]["data"])
    filled = pm.tetrachoric_correlation(sparse)
    agrees(filled, correlation["two"])
    assert set(filled.adjustment[at]) == {0.0, 0.5}
    assert (filled.adjustment[at] == 0.5).tolist() == (filled.empty_cells[at] == 1).tolist()
    bare = pm.tetrachoric_correlation(sparse[:, 2:], adjust=0)
    expected = correlation["two_unadjusted"]["correlations"]
    assert (bare.estimate[0, 1], bare.boundary[0, 1]) == (1.0, True)
    assert expected[0] == 0.999  # where lavaan's search is stopped
    np.testing.assert_allclose([bare.estimate[0, 2], bare.estimate[1, 2]], expected[1:], atol=CORRELATION)


@pytest.mark.witness(
    statistic="polyserial_correlation",
    definition="two-step estimate at the maximum of the likelihood; lavaan's covariance where its search gets there",
    reference="R polycor::polyserial 0.8-1, lavaan::lavCor 0.6-14, stats::optimize of the formula",
    tolerance=CORRELATION,
    data="bfi: age with A1–A5",
)
def test_polyserial_agrees_with_polycor_lavaan_and_the_formula(correlation, bfi):
    expected = correlation["mixed"]
    x = table_of(bfi, ["age", *expected["items"]])
    result = pm.polyserial_correlation(x[:, 0], x[:, 1:])
    np.testing.assert_allclose(result.estimate[0], expected["maximum"], rtol=0, atol=CORRELATION)
    np.testing.assert_allclose(result.estimate[0], expected["polycor"], rtol=0, atol=PSYCH)
    assert result.estimate[0, 0] == pytest.approx(expected["lavaan"][0], abs=CORRELATION)
    np.testing.assert_allclose(result.std_error[0], np.sqrt(expected["polycor_variance"]), rtol=0.05)
    # lavaan's covariance is that of the covariance of age with A1
    values, codes = x[:, 0], x[:, 1].astype(int) - 1
    sd, rho = values.std(), result.estimate[0, 0]
    z, cuts = (values - values.mean()) / sd, result.thresholds[0]
    moments = moment_influence(z, sd)
    influence = polyserial_influence(z, sd, codes, cuts, rho)
    of_covariance = rho / (2 * sd) * moments[1] + sd * influence
    assert np.square(of_covariance).sum() == pytest.approx(expected["covariance"][27][27], rel=1e-6)
    assert math.sqrt(np.square(influence).sum()) == pytest.approx(result.std_error[0, 0], rel=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.999999, 0.999999))
def test_the_bivariate_normal_agrees_with_owens_t(a, b, rho):
    a, b = (value if abs(value) > 1e-6 else 1e-6 for value in (a, b))
    root = math.sqrt((1 - rho) * (1 + rho))
    expected = 0.5 * (normal(a) + normal(b)) - owens_t(a, (b - rho * a) / (a * root))
    expected -= owens_t(b, (a - rho * b) / (b * root)) + (0.5 if a * b < 0 else 0.0)
    got = distribution(np.array([[a]]), np.array([[b]]), np.array([rho]))[0, 0, 0]
    assert got == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("rho", [-0.95, -0.5, 0.0, 0.3, 0.72, 0.93])
def test_the_density_is_the_derivative(rho):
    a, b, step = np.array([[-1.2, 0.1, 1.0]]), np.array([[-0.4, 0.6]]), 1e-5
    ends = [distribution(a, b, np.array([rho + sign * step])) for sign in (1, -1)]
    value, slope = density(a, b, np.array([rho]))
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), value, rtol=1e-6, atol=1e-9)
    near = [density(a, b, np.array([rho + sign * step]))[0] for sign in (1, -1)]
    np.testing.assert_allclose((near[0] - near[1]) / (2 * step), value * slope, rtol=1e-5, atol=1e-8)


def test_exact_tables_give_back_the_planted_correlation():
    """Expected counts of a bivariate normal are fitted exactly, near ±1 too."""
    cuts = np.array([[-0.8, 0.1, 0.9]])
    for rho in (-0.995, -0.7, 0.0, 0.2, 0.9, 0.99, 0.999):
        grid = np.zeros((1, 5, 5))
        grid[:, 1:-1, 1:-1] = distribution(cuts, cuts, np.array([rho]))
        grid[:, 1:-1, -1] = grid[:, -1, 1:-1] = normal(cuts)
        grid[:, -1, -1] = 1.0
        table = 1e6 * np.diff(np.diff(grid, axis=1), axis=2)
        table[table < 1e-4] = 0.0
        fit = fit_pairs(table, cuts, cuts)
        assert fit.rho[0] == pytest.approx(rho, abs=1e-6)
        assert fit.converged[0]


@pytest.mark.parametrize("rho", [-0.93, -0.6, 0.6, 0.85, 0.97])
def test_tails_are_told_as_by_differences_where_these_can_tell(rho):
    cuts, step = np.array([[-1.0, 0.2, 1.1]]), 1e-6
    middle, above, below = (
        cell_probabilities(cuts, 1.1 * cuts, np.array([rho + shift])) for shift in (0.0, step, -step)
    )
    at = (middle < 1e-2) & (middle > 1e-8)
    assert at.any()
    log_p, by_rho, _ = tail_terms(at, cuts, 1.1 * cuts, np.array([rho]))
    np.testing.assert_allclose(np.exp(log_p), middle[at], rtol=1e-6)
    np.testing.assert_allclose(by_rho, ((above - below) / (2 * step))[at] / middle[at], rtol=1e-4)


@pytest.mark.parametrize(
    ("diagonal", "outliers"), [((200, 300, 200), 1), ((500, 500, 500), 1), ((20_000, 30_000, 20_000), 2)]
)
def test_one_outlier_among_equal_answers_is_fitted(diagonal, outliers):
    """The estimate is a maximum of the likelihood, though the outlier's cell has next to no probability there."""
    table = np.diag(np.array(diagonal, dtype=float))
    table[2, 0] = outliers
    a, b = thresholds_of(table.sum(axis=1))[None], thresholds_of(table.sum(axis=0))[None]
    fit = fit_pairs(table[None], a, b)
    assert (bool(fit.converged[0]), bool(fit.boundary[0])) == (True, False)
    free = 1 - fit.rho[0]
    near = [1 - free * factor for factor in (4.0, 1.05, 1.0, 0.95, 0.25)]
    values = [_log_likelihood(table[None], a, b, np.array([rho]))[0] for rho in near]
    assert int(np.argmax(values)) == 2


def test_four_equal_halves_have_the_closed_form():
    for share in (0.05, 0.2, 0.4):
        x = np.repeat(
            [[0, 0], [0, 1], [1, 0], [1, 1]],
            np.round(1000 * np.array([share, 0.5 - share] * 2)[[0, 1, 1, 0]]).astype(int),
            axis=0,
        )
        result = pm.tetrachoric_correlation(x)
        assert result.estimate[0, 1] == pytest.approx(-math.cos(2 * math.pi * share), abs=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(20, 80))
def test_order_of_rows_and_items_names_of_codes_and_reversal(seed, levels, n):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 1)) + rng.normal(size=(n, 3))
    x = np.searchsorted(np.linspace(-1, 1, levels - 1), latent)
    x[:levels] = np.arange(levels)[:, None]  # every category is in use
    result = pm.polychoric_correlation(x)
    order, columns = rng.permutation(n), rng.permutation(3)
    other = pm.polychoric_correlation(x[order][:, columns])
    np.testing.assert_allclose(other.estimate, result.estimate[np.ix_(columns, columns)], atol=1e-7)
    np.testing.assert_allclose(other.std_error, result.std_error[np.ix_(columns, columns)], rtol=1e-4, atol=1e-7)
    coded = pm.polychoric_correlation(np.array([3, 7, 8, 20, 21])[x])
    np.testing.assert_array_equal(coded.estimate, result.estimate)
    turned = pm.polychoric_correlation(x * np.array([-1, 1, 1]))
    np.testing.assert_allclose(turned.estimate[0, 1:], -result.estimate[0, 1:], atol=1e-7)
    np.testing.assert_allclose(turned.estimate[1, 2], result.estimate[1, 2], atol=1e-7)


def test_standard_errors_are_those_of_the_covariance_and_listwise_is_dropping_rows(bfi):
    items = [f"E{i}" for i in range(1, 6)]
    frame = pd.DataFrame({item: bfi[item] for item in items})
    result = pm.polychoric_correlation(frame, missing="listwise")
    dropped = pm.polychoric_correlation(frame.dropna())
    assert (result.n_dropped, dropped.n_dropped) == (len(frame) - len(frame.dropna()), 0)
    np.testing.assert_array_equal(result.estimate, dropped.estimate)
    np.testing.assert_array_equal(result.asymptotic_covariance, dropped.asymptotic_covariance)
    at = np.triu_indices(5, 1)
    cuts = sum(len(cut) for cut in result.thresholds)
    np.testing.assert_allclose(np.sqrt(np.diag(result.asymptotic_covariance))[cuts:], result.std_error[at], rtol=1e-10)
    bare = pm.polychoric_correlation(frame, missing="listwise", asymptotic_covariance=False)
    assert bare.asymptotic_covariance is None
    np.testing.assert_array_equal(bare.std_error, result.std_error)
    assert result.covariance_names[:5] == ("E1|1", "E1|2", "E1|3", "E1|4", "E1|5")
    assert result.covariance_names[cuts:][:5] == ("E1~~E2", "E1~~E3", "E1~~E4", "E1~~E5", "E2~~E3")


def test_small_integers_give_the_same_and_are_counted_in_blocks():
    rng = np.random.default_rng(2)
    x = cut(rng.normal(size=(20_000, 1)) + rng.normal(size=(20_000, 4)), [0.2, 0.3, 0.3, 0.2]).astype(np.int8)
    small, large = (pm.polychoric_correlation(y) for y in (x, x.astype(float)))
    np.testing.assert_array_equal(small.estimate, large.estimate)
    counted = count_pairs(x, 4)
    for pair, (i, j) in enumerate(zip(*np.triu_indices(4, 1), strict=True)):
        by_hand = np.zeros((4, 4))
        np.add.at(by_hand, (x[:, i], x[:, j]), 1)
        np.testing.assert_array_equal(counted.tables[pair], by_hand)


def test_a_batch_of_tables_is_each_of_them():
    rng = np.random.default_rng(6)
    batch = [np.searchsorted([-0.5, 0.4], rng.normal(size=(80, 1)) + rng.normal(size=(80, 4))) for _ in range(3)]
    counted = [count_pairs(x.astype(np.int8), 3) for x in batch]
    made = matrices_of(np.stack([one.tables for one in counted]), np.stack([one.margins for one in counted]))
    for x, matrix in zip(batch, made, strict=True):
        np.testing.assert_allclose(matrix, pm.polychoric_correlation(x).estimate, atol=1e-6)


@pytest.mark.witness(
    statistic="polychoric_correlation",
    definition="smoothing of a matrix that is not positive definite",
    reference="R psych::cor.smooth 2.2.9",
    tolerance=1e-8,
    data="a matrix of four correlations that contradict each other",
)
def test_smoothing_agrees_with_psych(correlation):
    fixture = correlation["smooth"]
    np.testing.assert_allclose(smoothed_matrix(np.array(fixture["matrix"])), fixture["psych"], rtol=0, atol=1e-8)


def test_smoothing_is_asked_for_and_said():
    x = not_positive_definite()
    raw, smooth = pm.polychoric_correlation(x), pm.polychoric_correlation(x, smooth=True)
    assert raw.smallest_eigenvalue < 0
    assert raw.smoothing == ""
    assert [flag.code for flag in raw.flags] == ["psychometrics.not_positive_definite"]
    np.testing.assert_array_equal(smooth.estimate, smoothed_matrix(raw.estimate))
    assert np.linalg.eigvalsh(smooth.estimate)[0] > 0
    np.testing.assert_allclose(np.diag(smooth.estimate), 1.0)
    assert smooth.smallest_eigenvalue == raw.smallest_eigenvalue
    assert "psychometrics.smoothed" in [flag.code for flag in smooth.flags]
    assert "eigenvalues below" in smooth.smoothing
    np.testing.assert_array_equal(smooth.std_error, raw.std_error)


def not_positive_definite():
    """Return answers whose pairwise correlations contradict each other."""
    rng = np.random.default_rng(11)
    for _ in range(200):
        z = rng.normal(size=(25, 1)) + 0.5 * rng.normal(size=(25, 6))
        x = np.searchsorted([-1.0, 1.0], z)
        if (np.ptp(x, axis=0) == 2).all():
            result = pm.polychoric_correlation(x)
            if result.smallest_eigenvalue < -0.01 and not result.boundary.any():
                return x
    raise AssertionError


def test_the_table_and_the_summary(bfi):
    items = ["N1", "N2", "N3"]
    result = pm.polychoric_correlation(pd.DataFrame({i: bfi[i] for i in items}), missing="available")
    made = result.table
    assert made["item"].tolist() == ["N1", "N1", "N2"]
    assert made["other_item"].tolist() == ["N2", "N3", "N3"]
    assert (made["ci_low"] < made["estimate"]).all()
    assert (made["estimate"] < made["ci_high"]).all()
    assert len(result.threshold_table) == 15
    assert result.threshold_table["below"].tolist()[:2] == [1.0, 2.0]
    assert "3 of 3 pairs" in result.summary()
    assert not result.estimate.flags.writeable
    age = pm.polyserial_correlation(bfi["age"], pd.DataFrame({i: bfi[i] for i in items}), missing="available")
    assert age.table["item"].tolist() == items
    assert "1 continuous variable" in age.summary()


def test_thresholds_are_those_of_all_answers_where_pairs_are_used(bfi):
    x = table_of(bfi, ["N1", "N2", "N3"], missing=True)
    result = pm.polychoric_correlation(x, missing="available")
    known = x[~np.isnan(x[:, 0]), 0].astype(int)
    np.testing.assert_allclose(result.thresholds[0], thresholds_of(np.bincount(known)[1:].astype(float)), atol=1e-14)
    assert result.n_pairs[0, 0] == known.size


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.4, 0.8])
def test_a_planted_correlation_is_recovered_without_bias(rho):
    rng = np.random.default_rng(21)
    studies, n = 1500, 400
    z = rng.normal(size=(studies, n))
    other = rho * z + math.sqrt(1 - rho**2) * rng.normal(size=(studies, n))
    a, b = cut(z, [0.1, 0.2, 0.3, 0.4]), cut(other, [0.5, 0.3, 0.2])
    tables = np.zeros((studies, 4, 4))
    for one, first, second in zip(tables, a, b, strict=True):
        np.add.at(one, (first, second), 1)
    fit = fit_pairs(tables, thresholds_of(tables.sum(axis=2)), thresholds_of(tables.sum(axis=1)))
    assert fit.converged.all()
    assert fit.rho.mean() == pytest.approx(rho, abs=4 * fit.rho.std() / math.sqrt(studies) + 0.001)
