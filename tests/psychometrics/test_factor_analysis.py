import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics.exploratory._order import matched
from ibic_fidelity.psychometrics.exploratory._rotation import OBLIQUE, random_starts, rotate
from ibic_fidelity.psychometrics.exploratory.scoring_factors import score_weights

ROOT = Path(__file__).parents[2]
# two optimisers; psych's minres stops at a relative fall of the criterion of about 1e-9
OPTIMISER = 1e-4
# the same of χ² and what is made of it
RELATIVE = 1e-4
CLOSED = 1e-8
TABLES = ("bfi", "harman74", "ability", "thurstone")
EXTRACTIONS = {"minres": "minres", "ml": "ml", "pa": "principal-axis"}
ROTATIONS = ("varimax", "promax", "oblimin", "geomin", "bifactor", "biquartimin")
ITEMS = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]


@pytest.fixture(scope="module")
def reference():
    return json.loads((ROOT / "tests/reference/exploratory.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers(bfi):
    x = np.column_stack([bfi[item] for item in ITEMS])
    return x[~np.isnan(x).any(axis=1)]


@pytest.fixture(scope="module")
def table(reference, answers):
    """Return a function from a table's name to what is given to every function: x and its options."""

    def of(name):
        if name == "bfi":
            return answers, {}
        figures = reference["matrices"][name]
        return np.array(figures["r"]), {"given": "correlations", "n": figures["n"]}

    return of


def beside(result, target):
    """Return loadings and factor correlations in the order and signs of other loadings (k, m)."""
    order, signs = (part[0] for part in matched(result.loadings[None], np.asarray(target)))
    return result.loadings[:, order] * signs, result.factor_correlations[np.ix_(order, order)] * np.outer(signs, signs)


@pytest.mark.witness(
    statistic="exploratory_factor_analysis",
    definition="minres, ML, principal axis: loadings, uniquenesses, χ², p, RMSEA and interval, TLI, RMSR, BIC",
    reference="R psych::fa 2.2.9",
    tolerance=OPTIMISER,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("fm", EXTRACTIONS)
@pytest.mark.parametrize("name", TABLES)
def test_extraction_and_fit_agree_with_psych(reference, table, name, fm):
    expected = reference["fits"][name][fm]
    x, options = table(name)
    m = reference["m"][name]
    made = pm.exploratory_factor_analysis(x, n_factors=m, extraction=EXTRACTIONS[fm], rotation=None, **options)
    loadings, _ = beside(made, expected["loadings"])
    np.testing.assert_allclose(loadings, expected["loadings"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(made.uniquenesses, expected["uniquenesses"], rtol=0, atol=OPTIMISER)
    assert (made.df, made.n) == (expected["df"], reference["n"][name])
    for ours, theirs in ((made.chi_square, "chi_square"), (made.tli, "tli"), (made.rmsr, "rmsr"),
                         (made.rmsr_corrected, "crms"), (made.bic, "bic")):  # fmt: skip
        assert ours == pytest.approx(expected[theirs], rel=RELATIVE)
    assert made.p_value == pytest.approx(expected["p"], abs=RELATIVE)
    # psych divides χ² by n in the estimate, and by n − 1 in the limits
    of_n = math.sqrt(max(made.chi_square / (made.df * made.n) - 1 / (made.n - 1), 0))
    assert of_n == pytest.approx(expected["rmsea_of_n"], rel=RELATIVE)
    assert made.rmsea_ci.low == pytest.approx(expected["ci_low"], abs=1e-5)
    assert made.rmsea_ci.high == pytest.approx(expected["ci_high"], abs=1e-5)


@pytest.mark.witness(
    statistic="exploratory_factor_analysis",
    definition="rotations: loadings and factor correlations",
    reference="R GPArotation (GPFoblq, GPForth, best of 6 starts), stats::varimax, psych::kaiser",
    tolerance=OPTIMISER,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("name", TABLES)
def test_rotations_agree(reference, table, name, rotation):
    expected = reference["fits"][name]["minres"]["rotations"][rotation]
    x, options = table(name)
    made = pm.exploratory_factor_analysis(x, n_factors=reference["m"][name], rotation=rotation, **options)
    loadings, phi = beside(made, expected["loadings"])
    np.testing.assert_allclose(loadings, expected["loadings"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(phi, expected["phi"], rtol=0, atol=OPTIMISER)


@pytest.mark.parametrize("fm", ["ml", "pa"])
@pytest.mark.parametrize("name", TABLES)
def test_oblimin_of_other_extractions_agrees(reference, table, name, fm):
    expected = reference["fits"][name][fm]["rotations"]["oblimin"]
    x, options = table(name)
    made = pm.exploratory_factor_analysis(x, n_factors=reference["m"][name], extraction=EXTRACTIONS[fm], **options)
    loadings, phi = beside(made, expected["loadings"])
    np.testing.assert_allclose(loadings, expected["loadings"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(phi, expected["phi"], rtol=0, atol=OPTIMISER)


@pytest.mark.parametrize(("rotation", "theirs"), [("oblimin", "quartimin"), ("varimax", "varimax")])
def test_rotations_agree_with_the_library(answers, rotation, theirs):
    from factor_analyzer.rotator import Rotator

    plain = pm.exploratory_factor_analysis(answers, n_factors=5, rotation=None)
    made = pm.exploratory_factor_analysis(answers, n_factors=5, rotation=rotation)
    expected = Rotator(method=theirs, tol=1e-10, max_iter=5000).fit_transform(plain.loadings.copy())
    np.testing.assert_allclose(beside(made, expected)[0], expected, rtol=0, atol=1e-5)


@pytest.mark.witness(
    statistic="exploratory_factor_analysis",
    definition="communalities and variance under oblique rotation; score weights; determinacy R²",
    reference="R psych::fa, factor.scores 2.2.9 (Thurstone, Bartlett, tenBerge)",
    tolerance=CLOSED,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.witness(
    statistic="factor_scores",
    definition="communalities and variance under oblique rotation; score weights; determinacy R²",
    reference="R psych::fa, factor.scores 2.2.9 (Thurstone, Bartlett, tenBerge)",
    tolerance=CLOSED,
    data="bfi, Harman74.cor, ability.cov, Thurstone",
)
@pytest.mark.parametrize("name", TABLES)
def test_oblique_communalities_and_scores_agree(reference, table, answers, name):
    expected = reference["scores"][name]
    matrix = np.corrcoef(answers, rowvar=False) if name == "bfi" else table(name)[0]
    loadings, phi = np.array(expected["loadings"]), np.array(expected["phi"])
    for method, theirs in (("regression", "regression"), ("bartlett", "bartlett"), ("ten-berge", "ten_berge")):
        weights = score_weights(matrix, loadings, phi, method)
        np.testing.assert_allclose(weights, expected[theirs], rtol=0, atol=CLOSED)
    x, options = table(name)
    made = pm.exploratory_factor_analysis(x, n_factors=loadings.shape[1], **options)
    order, signs = (part[0] for part in matched(made.loadings[None], loadings))
    assert (np.abs(signs) == 1).all()
    np.testing.assert_allclose(made.communalities, expected["communalities"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(made.variance[order], expected["variance"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(made.determinacy_squared[order], expected["R2"], rtol=0, atol=OPTIMISER)
    np.testing.assert_allclose(made.minimum_correlation, 2 * made.determinacy_squared - 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["regression", "bartlett", "ten-berge"])
def test_scores_do_what_their_method_promises(answers, method):
    fit = pm.exploratory_factor_analysis(answers, n_factors=5)
    made = pm.factor_scores(answers, fit, method=method)
    between = np.corrcoef(made.scores, rowvar=False)
    np.testing.assert_allclose(between, made.score_correlations, rtol=0, atol=1e-9)
    if method == "regression":
        np.testing.assert_allclose(made.validity, fit.determinacy, rtol=0, atol=1e-9)
    elif method == "bartlett":  # unbiased: the model's scores come back
        np.testing.assert_allclose(fit.loadings.T @ made.weights, np.eye(5), rtol=0, atol=1e-9)
    else:
        np.testing.assert_allclose(between, fit.factor_correlations, rtol=0, atol=1e-9)


def test_principal_axis_ends_where_minres_does(answers):
    fits = [
        pm.exploratory_factor_analysis(answers, n_factors=5, extraction=how) for how in ("minres", "principal-axis")
    ]
    np.testing.assert_allclose(fits[0].loadings, fits[1].loadings, rtol=0, atol=1e-6)


def test_polychoric_factors_have_residuals_and_no_test(answers):
    made = pm.exploratory_factor_analysis(answers[:, :10], n_factors=2, correlation="polychoric")
    assert math.isnan(made.chi_square)
    assert math.isnan(made.rmsea)
    assert 0 < made.rmsr < 0.1
    assert "psychometrics.no_test_of_polychoric" in [flag.code for flag in made.flags]
    plain = pm.exploratory_factor_analysis(answers[:, :10], n_factors=2)
    assert made.communalities.sum() > plain.communalities.sum()


def test_two_items_of_one_factor_and_their_frames(answers):
    made = pm.exploratory_factor_analysis(answers[:, :5], n_factors=1)
    assert made.n_starts == 0
    assert made.table["statistic"].tolist()[0] == "chi_square"
    assert made.item_table.shape == (5, 4)
    assert made.factor_table.shape == (1, 7)
    assert "1 factor(s) of 5 items (minres, oblimin, pearson)" in made.summary()


PLANTED = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.5]]))


def planted(phi):
    made = PLANTED @ (np.full((3, 3), phi) + (1 - phi) * np.eye(3)) @ PLANTED.T
    np.fill_diagonal(made, 1)
    return made


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(0.0, 0.7), st.randoms(use_true_random=False))
def test_a_planted_pattern_is_found_whatever_the_order_and_signs(phi, random):
    """Items in another order or turned give the same factors; a planted simple structure comes back exactly."""
    order = list(range(12))
    random.shuffle(order)
    signs = np.array([random.choice([-1.0, 1.0]) for _ in order])
    matrix = planted(phi)[np.ix_(order, order)] * np.outer(signs, signs)
    made = pm.exploratory_factor_analysis(matrix, n_factors=3, given="correlations")
    assert made.converged
    loadings, between = beside(made, PLANTED[order] * signs[:, None])
    np.testing.assert_allclose(loadings, PLANTED[order] * signs[:, None], rtol=0, atol=2e-6)
    np.testing.assert_allclose(between[np.triu_indices(3, 1)], phi, rtol=0, atol=1e-5)
    np.testing.assert_allclose(made.residuals - np.diag(np.diag(made.residuals)), 0, atol=1e-6)


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_rotation_changes_no_fit(answers, rotation):
    made = pm.exploratory_factor_analysis(answers, n_factors=5, rotation=rotation)
    plain = pm.exploratory_factor_analysis(answers, n_factors=5, rotation=None)
    np.testing.assert_allclose(made.residuals, plain.residuals, rtol=0, atol=1e-9)
    np.testing.assert_allclose(made.variance.sum(), plain.variance.sum(), rtol=0, atol=1e-9)
    if rotation not in OBLIQUE:
        np.testing.assert_array_equal(made.factor_correlations, np.eye(5))


def test_the_same_factors_come_out_from_other_starts(answers):
    fits = [pm.exploratory_factor_analysis(answers, n_factors=5, rotation="geomin", rng=seed) for seed in (1, 2)]
    np.testing.assert_allclose(fits[0].loadings, fits[1].loadings, rtol=0, atol=1e-5)
    assert (np.diff(fits[0].variance) <= 1e-9).all()
    assert ((fits[0].loadings ** 3).sum(axis=0) > 0).all()


def test_local_minima_are_told(reference, table):
    x, options = table("thurstone")
    made = pm.exploratory_factor_analysis(x, n_factors=3, rotation="bifactor", **options)
    assert 0 < made.n_starts_at_best < made.n_starts
    assert "psychometrics.rotation_minima" in [flag.code for flag in made.flags]


def test_gradients_are_those_of_the_criteria():
    from ibic_fidelity.psychometrics.exploratory._rotation import _CRITERIA

    loadings = np.random.default_rng(1).normal(size=(1, 6, 3))
    for criterion in _CRITERIA.values():
        _, by = criterion(loadings)
        found = np.empty_like(loadings)
        for at in np.ndindex(*loadings.shape):
            step = np.zeros_like(loadings)
            step[at] = 1e-6
            found[at] = (criterion(loadings + step)[0][0] - criterion(loadings - step)[0][0]) / 2e-6
        np.testing.assert_allclose(by, found, rtol=0, atol=1e-6)


def test_factors_that_become_one_stop_nothing():
    loadings = np.random.default_rng(1).normal(size=(1, 6, 2))
    made = rotate(loadings, "oblimin", np.array([[[1.0, 1.0], [0.0, 0.0]]]), rounds=3)
    assert made.loadings.shape == (1, 6, 2)
    assert random_starts(2, 1, np.random.default_rng(0)).shape == (1, 2, 2)


def test_listwise_is_dropping_rows_first(bfi, answers):
    x = np.column_stack([bfi[item] for item in ITEMS])
    dropped = pm.exploratory_factor_analysis(x, n_factors=5, missing="listwise")
    np.testing.assert_array_equal(dropped.loadings, pm.exploratory_factor_analysis(answers, n_factors=5).loadings)
    assert (dropped.n, dropped.n_dropped) == (len(answers), len(x) - len(answers))
