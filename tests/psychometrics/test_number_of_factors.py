"""KMO, Bartlett's test, parallel analysis, MAP; Schmid–Leiman and omega hierarchical."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm

ROOT = Path(__file__).parents[2]
TABLES = ("bfi", "harman74", "ability", "thurstone")
ITEMS = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
CLOSED = 1e-8
# psych's minres and oblimin stop earlier than ours
OPTIMISER = 1e-4
# means of 60 and of 200 replicates
MONTE_CARLO = 0.006
# one factor of unrelated answers varies by .1 from replicate to replicate, and minres of them has several minima
MONTE_CARLO_FACTORS = 0.04


@pytest.fixture(scope="module")
def reference():
    return json.loads((ROOT / "tests/reference/exploratory.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(bfi):
    x = np.column_stack([bfi[item] for item in ITEMS])
    return x[~np.isnan(x).any(axis=1)]


@pytest.fixture(scope="module")
def matrix_of(reference, answers):
    return lambda name: np.corrcoef(answers.T) if name == "bfi" else np.array(reference["matrices"][name]["r"])


@pytest.mark.witness(
    statistic="sampling_adequacy",
    definition="KMO of all items and of each; Bartlett's χ², df and p",
    reference="R psych::KMO, cortest.bartlett 2.2.9",
    tolerance=CLOSED,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.witness(
    statistic="bartlett_sphericity",
    definition="KMO of all items and of each; Bartlett's χ², df and p",
    reference="R psych::KMO, cortest.bartlett 2.2.9",
    tolerance=CLOSED,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("name", TABLES)
def test_adequacy_agrees_with_psych(reference, matrix_of, name):
    expected = reference["adequacy"][name]
    kmo = pm.sampling_adequacy(matrix_of(name), given="correlations")
    assert kmo.estimate == pytest.approx(expected["overall"], abs=CLOSED)
    np.testing.assert_allclose(kmo.of_items, expected["items"], rtol=0, atol=CLOSED)
    test = pm.bartlett_sphericity(matrix_of(name), given="correlations", n=reference["n"][name])
    assert test.chi_square == pytest.approx(expected["chi_square"], rel=CLOSED)
    assert (test.df, test.p_value) == (expected["df"], pytest.approx(expected["p"], abs=CLOSED))


def test_adequacy_agrees_with_the_library(answers):
    from factor_analyzer import calculate_bartlett_sphericity, calculate_kmo

    of_items, overall = calculate_kmo(answers)
    kmo = pm.sampling_adequacy(answers)
    assert kmo.estimate == pytest.approx(overall, abs=1e-10)
    np.testing.assert_allclose(kmo.of_items, of_items, rtol=0, atol=1e-10)
    assert pm.bartlett_sphericity(answers).chi_square == pytest.approx(
        calculate_bartlett_sphericity(answers)[0], rel=1e-10
    )


@pytest.mark.witness(
    statistic="minimum_average_partial",
    definition="average squared partial correlations; of power four by the formula",
    reference="R psych::vss 2.2.9; Velicer, Eaton & Fava (2000)",
    tolerance=CLOSED,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("name", TABLES)
def test_map_agrees(reference, matrix_of, name):
    expected = reference["map"][name]
    made = pm.minimum_average_partial(matrix_of(name), given="correlations")
    theirs = np.array([math.nan if value is None else value for value in expected["power2"]], dtype=float)
    both = min(len(theirs), len(made.averages) - 1)  # theirs begin with one component
    np.testing.assert_allclose(made.averages[1 : both + 1], theirs[:both], rtol=0, atol=CLOSED)
    np.testing.assert_allclose(made.averages_power4, expected["power4"], rtol=0, atol=CLOSED)


@pytest.mark.witness(
    statistic="parallel_analysis",
    definition="eigenvalues of the correlation matrix, and with communalities of one minres factor",
    reference="R eigen; psych::fa(nfactors = 1)$values 2.2.9",
    tolerance=1e-6,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("name", TABLES)
def test_scree_agrees_with_psych(reference, matrix_of, name):
    expected = reference["scree"][name]
    n = reference["n"][name]
    made = pm.parallel_analysis(matrix_of(name), given="correlations", n=n, method="normal", n_replicates=20)
    np.testing.assert_allclose(made.components, expected["components"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(made.factors, expected["factors"], rtol=0, atol=1e-6)


@pytest.mark.witness(
    statistic="parallel_analysis",
    definition="numbers of components and factors, and mean eigenvalues of replicates (resampled there, permuted here)",
    reference="R psych::fa.parallel(sim = FALSE, n.iter = 60) 2.2.9",
    tolerance=MONTE_CARLO_FACTORS,
    data="bfi",
)
@pytest.mark.parametrize("method", ["permutation", "normal"])
def test_parallel_agrees_with_psych(reference, answers, method):
    expected = reference["parallel"]
    made = pm.parallel_analysis(answers, method=method)
    assert (made.n_components, made.n_factors) == (expected["n_components"], expected["n_factors"])
    assert np.abs(made.component_means - expected["component_mean"]).max() < MONTE_CARLO
    assert np.abs(made.factor_means - expected["factor_mean"]).max() < MONTE_CARLO_FACTORS


@pytest.mark.parametrize("method", ["permutation", "normal"])
def test_polychoric_parallel_analysis(answers, method):
    x = answers[:800, :10]
    made = pm.parallel_analysis(x, correlation="polychoric", method=method, n_replicates=30)
    again = pm.parallel_analysis(x, correlation="polychoric", method=method, n_replicates=30)
    np.testing.assert_array_equal(made.component_quantiles, again.component_quantiles)
    assert (made.n_components, made.n_undefined, made.reason) == (2, 0, None)
    plain = pm.parallel_analysis(x, n_replicates=30)
    assert made.component_means[0] > plain.component_means[0]  # polychoric correlations vary more
    assert made.table.shape == (10, 7)
    assert "10 items, 800 respondents" in made.summary()


@pytest.mark.parametrize(("phi", "m"), [(0.0, 3), (0.3, 3)])
def test_planted_factors_are_counted(phi, m):
    pattern = np.kron(np.eye(m), np.full((4, 1), 0.7))
    r = pattern @ (np.full((m, m), phi) + (1 - phi) * np.eye(m)) @ pattern.T
    np.fill_diagonal(r, 1)
    made = pm.parallel_analysis(r, given="correlations", n=500, method="normal", n_replicates=50)
    assert (made.n_components, made.n_factors) == (m, m)
    of_partials = pm.minimum_average_partial(r, given="correlations")
    assert of_partials.n_components == m
    assert of_partials.n_components_power4 == (m if phi == 0 else 1)  # the fourth power misses correlated ones


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.permutations(list(range(6))))
def test_order_of_items_changes_nothing(order):
    x = np.random.default_rng(3).normal(size=(80, 6)) + np.random.default_rng(4).normal(size=(80, 1))
    assert pm.sampling_adequacy(x[:, order]).estimate == pytest.approx(pm.sampling_adequacy(x).estimate, abs=1e-12)
    expected = pm.minimum_average_partial(x).averages
    np.testing.assert_allclose(pm.minimum_average_partial(x[:, order]).averages, expected, rtol=0, atol=1e-8)


@pytest.mark.witness(
    statistic="hierarchical_omega",
    definition="omega hierarchical and total, of groups, ECV, Schmid–Leiman loadings; two factors by each option",
    reference="R psych::omega 2.2.9",
    tolerance=OPTIMISER,
    data="bfi, ability.cov, Thurstone",
)
@pytest.mark.witness(
    statistic="schmid_leiman",
    definition="omega hierarchical and total, of groups, ECV, Schmid–Leiman loadings; two factors by each option",
    reference="R psych::omega 2.2.9",
    tolerance=OPTIMISER,
    data="bfi, ability.cov, Thurstone",
)
@pytest.mark.parametrize("name", ["thurstone", "bfi", "two_equal", "two_first", "two_second"])
def test_hierarchy_agrees_with_psych(reference, name):
    expected = reference["omega"][name]
    two = {"two_equal": "equal", "two_first": "first", "two_second": "second"}.get(name)
    options = {"given": "correlations", "n_factors": expected["m"], "two_factors": two}
    made = pm.hierarchical_omega(expected["r"], n=expected["n"], **options)
    assert made.estimate == pytest.approx(expected["omega_h"], abs=OPTIMISER)
    assert made.omega_total == pytest.approx(expected["omega_total"], abs=OPTIMISER)
    assert made.common_variance_share == pytest.approx(expected["ecv"], abs=OPTIMISER)
    np.testing.assert_allclose(made.solution.general, expected["general"], rtol=0, atol=OPTIMISER)
    ours = np.sort(np.abs(made.solution.group), axis=1)
    np.testing.assert_allclose(ours, np.sort(np.abs(expected["group"]), axis=1), rtol=0, atol=2 * OPTIMISER)
    theirs = np.array(expected["of_groups"], dtype=float)[1:]
    found = np.column_stack([made.group_total, made.group_general, made.group_specific])
    by = np.argsort(theirs[:, 0])
    np.testing.assert_allclose(found[np.argsort(found[:, 0])], theirs[by], rtol=0, atol=OPTIMISER)


def test_schmid_leiman_keeps_what_the_factors_explain(answers):
    fit = pm.exploratory_factor_analysis(answers, n_factors=5, rotation="geomin")
    made = pm.schmid_leiman(fit)
    own = np.square(made.group).sum(axis=1) + np.square(made.general)
    reproduced = made.general[:, None] * made.general + made.group @ made.group.T
    assert own.shape == (25,)
    # Φ is γγ' off the diagonal only where one factor fits it
    assert np.abs(reproduced - fit.loadings @ fit.factor_correlations @ fit.loadings.T).max() < 0.15
    assert made.table.shape == (25, 9)
    assert "Schmid–Leiman, 5 group factors" in made.summary()


def test_a_planted_general_factor_is_found():
    pattern = np.kron(np.eye(3), np.full((4, 1), 0.7))
    r = pattern @ (np.full((3, 3), 0.49) + 0.51 * np.eye(3)) @ pattern.T
    np.fill_diagonal(r, 1)
    made = pm.hierarchical_omega(r, given="correlations")
    np.testing.assert_allclose(made.solution.general, 0.49, rtol=0, atol=1e-5)
    np.testing.assert_allclose(made.solution.higher_order, 0.7, rtol=0, atol=1e-5)
    assert made.estimate == pytest.approx((12 * 0.49) ** 2 / r.sum(), abs=1e-5)
    assert made.uncontaminated_share == pytest.approx(1 - 3 * 12 / 132)


def test_bootstrap_of_rows_and_of_clusters():
    rng = np.random.default_rng(2)
    general = rng.normal(size=(600, 1))
    x = 0.6 * general + np.repeat(rng.normal(size=(600, 3)), 3, axis=1) * 0.5 + 0.6 * rng.normal(size=(600, 9))
    made = pm.hierarchical_omega(x, bootstrap=60, rng=1)
    again = pm.hierarchical_omega(x, bootstrap=60, rng=1)
    assert made.ci_bootstrap == again.ci_bootstrap
    assert made.ci_bootstrap.low < made.estimate < 1
    assert made.ci_bootstrap.method == "basic bootstrap of units"
    assert made.table["statistic"].tolist()[0] == "omega_hierarchical"
    assert "Omega hierarchical (Schmid–Leiman" in made.summary()
    clustered = pm.hierarchical_omega(x, bootstrap=60, clusters=np.repeat(np.arange(60), 10), rng=1)
    assert clustered.n_clusters == 60
    assert clustered.ci_bootstrap.method == "basic bootstrap of clusters"
    few = pm.hierarchical_omega(x[:300], bootstrap=30)
    assert "psychometrics.omega_h_few" in [flag.code for flag in few.flags]
