import csv
import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics.generalizability._design import TERMS, nested_design
from ibic_fidelity.psychometrics.generalizability._reml import Point, fit_nested_reml, reml_criterion

# the dense oracle inverts V; a few thousand roundings apart
DENSE = 1e-9
# both optimisers stop short of the optimum
CRITERION = 1e-6
COMPONENTS = 1e-4
KEYS = {
    "site": "s",
    "site_item": "si",
    "assessor": "sa",
    "file": "saf",
    "file_item": "safi",
    "rater": "r",
    "rater_item": "ri",
    "rater_file": "safr",
    "rater_site": "sr",
    "item": "i",
}
LONG = {"site": "s", "assessor": "a", "file": "f", "rater": "r", "item": "i"}
WITHIN = ("site", "site_item", "file", "file_item", "rater", "rater_item", "rater_file")
SPREAD = {
    "site": 0.3,
    "site_item": 0.15,
    "assessor": 0.2,
    "file": 0.25,
    "file_item": 0.25,
    "rater": 0.2,
    "rater_item": 0.1,
    "rater_file": 0.15,
    "rater_site": 0.1,
    "item": 0.5,
}


def codes(rng, *, sites=5, files=4, items=4, raters=4, missing=0.2, twice=0.1):
    """Return integer codes of an audit with holes; rater `raters` reads in the first site alone."""
    rows = []
    for s in range(sites):
        readers = rng.choice(raters, size=min(raters, int(rng.integers(1, 4))), replace=False)
        readers = np.append(readers, raters) if s == 0 else readers
        for f, r, i in itertools.product(range(int(rng.integers(2, files + 1))), readers, range(items)):
            times = sum(rng.random() >= missing for _ in range(1 + (rng.random() < twice)))
            rows += [(s, f % 2, f, r, i)] * times
    return dict(zip("safri", np.array(rows).T, strict=True))


def levels(of, term):
    return np.unique(np.stack([of[k] for k in KEYS[term]]), axis=1, return_inverse=True)[1].ravel()


def ratings(rng, of, spread):
    y = rng.normal(size=len(of["s"])) + of["i"]
    for term, variance in spread.items():
        level = levels(of, term)
        y = y + math.sqrt(variance) * rng.normal(size=level.max() + 1)[level]
    return y


def design(y, of, terms, **options):
    return nested_design(y, **{name: of[key] for name, key in LONG.items()}, terms=terms, **options)


def dense(y, of, terms, values, *, item_means):
    """Return criterion, gradient and y'PVPVPy from V itself."""
    n = len(y)
    parts = []
    for term in terms:
        level = levels(of, term)
        parts.append((level[:, None] == level).astype(float))
    parts.append(np.eye(n))
    v = sum(x * part for x, part in zip(values, parts, strict=True))
    x = np.eye(of["i"].max() + 1)[of["i"]] if item_means else np.ones((n, 1))
    inverse = np.linalg.inv(v)
    inner = x.T @ inverse @ x
    p = inverse - inverse @ x @ np.linalg.solve(inner, x.T @ inverse)
    py = p @ y
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1]
    criterion = (n - x.shape[1]) * math.log(2 * math.pi) + logs + y @ py
    gradient = [np.vdot(p, part) - py @ part @ py for part in parts]
    worked = np.stack([part @ py for part in parts])
    return criterion, np.array(gradient), worked @ p @ worked.T


def subsets(item_means):
    terms = [term for term in TERMS if not (item_means and term == "item")]
    return [chosen for k in range(len(terms) + 1) for chosen in itertools.combinations(terms, k)]


@pytest.mark.parametrize("item_means", [True, False])
def test_criterion_gradient_and_information_are_those_of_v_itself_for_every_subset_of_terms(item_means):
    rng = np.random.default_rng(1)
    of = codes(rng, sites=3, items=3)
    y = ratings(rng, of, SPREAD)
    for terms in subsets(item_means):
        values = rng.gamma(1.0, size=len(terms) + 1)
        values[:-1] *= rng.random(len(terms)) < 0.8  # some at the boundary
        criterion, gradient, information = dense(y, of, terms, values, item_means=item_means)
        point = Point(design(y, of, terms, item_means=item_means), values)
        assert point.criterion == pytest.approx(criterion, rel=DENSE), terms
        assert point.gradient == pytest.approx(gradient, rel=DENSE, abs=DENSE * np.abs(gradient).max()), terms
        assert point.curvature == pytest.approx(information, rel=DENSE, abs=DENSE * np.abs(information).max()), terms


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from([(1, 1), (2, 5), (7, 2)]), st.booleans())
def test_criterion_and_gradient_of_any_shape(seed, shape, item_means):
    rng = np.random.default_rng(seed)
    of = codes(rng, sites=shape[0] + 2, raters=shape[1], files=6, items=shape[0])
    terms = tuple(t for t in TERMS if rng.random() < 0.7 and not (item_means and t == "item"))
    y = ratings(rng, of, SPREAD)
    values = rng.gamma(0.5, size=len(terms) + 1) + 1e-3
    items = np.unique(of["i"], return_inverse=True)[1]
    criterion, gradient, _ = dense(y, of | {"i": items}, terms, values, item_means=item_means)
    point = Point(design(y, of, terms, item_means=item_means), values)
    assert point.criterion == pytest.approx(criterion, rel=DENSE, abs=DENSE)
    assert point.gradient == pytest.approx(gradient, rel=DENSE, abs=DENSE * np.abs(gradient).max())


def test_the_gradient_is_that_of_finite_differences():
    rng = np.random.default_rng(3)
    of = codes(rng, sites=6)
    made = design(ratings(rng, of, SPREAD), of, TERMS[:-1])
    values = np.array([*list(SPREAD.values())[:-1], 0.8])
    gradient = Point(made, values).gradient
    found = optimize.approx_fprime(values, lambda v: Point(made, v).criterion, 1e-6)
    assert found == pytest.approx(gradient, rel=1e-4, abs=1e-4)


@pytest.fixture(scope="module")
def lme4(request):
    root = request.config.rootpath / "tests/reference"
    models = json.loads((root / "generalizability.json").read_text(encoding="utf-8"))["models"]
    with (root / "data/fidelity_ratings.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    audits = {}
    for name in {row["audit"] for row in rows}:
        mine = [row for row in rows if row["audit"] == name]
        of = {key: np.array([int(row[long]) for row in mine]) for long, key in LONG.items()}
        audits[name] = (np.array([float(row["y"]) for row in mine]), of)
    return models, audits


@pytest.mark.witness(
    statistic="variance components of ratings nested in sites",
    definition="REML; items fixed or random; with and without file×item, assessor, rater×site",
    reference="R lme4 lmer",
    tolerance=COMPONENTS,
    data="drawn in make_generalizability.R",
)
@pytest.mark.parametrize("index", range(10))
def test_agrees_with_lme4(lme4, index):
    models, audits = lme4
    model = models[index]
    y, of = audits[model["audit"]]
    fit = fit_nested_reml(design(y, of, model["terms"], item_means=model["items"] == "fixed"))
    assert fit.converged
    assert fit.criterion == pytest.approx(model["criterion"], rel=CRITERION)
    expected = model["components"]
    found = {name: fit.components[name] for name in expected}
    assert found == pytest.approx(expected, rel=COMPONENTS, abs=1e-6)
    assert fit.means == pytest.approx(model["means"], rel=1e-5)


@pytest.fixture(scope="module")
def audit():
    """24 sites × 10 files × 2 raters of 6 × 12 items, a fifth missing."""
    rng = np.random.default_rng(24)
    kept = rng.random(24 * 10 * 2 * 12) >= 0.2
    site, file, slot, item = (a.ravel()[kept] for a in np.indices((24, 10, 2, 12)))
    of = {"s": site, "a": file % 3, "f": file, "r": (site + slot * (1 + site // 6)) % 6, "i": item}
    return ratings(rng, of, {term: SPREAD[term] for term in WITHIN}), of


def test_agrees_with_mixedlm(audit):
    import mixedlm
    import pandas as pd

    y, of = audit
    frame = pd.DataFrame({"y": y, "item": of["i"].astype(str)})
    for term in WITHIN:
        frame[f"g_{term}"] = levels(of, term).astype(str)
    made = mixedlm.lmer("y ~ item" + "".join(f" + (1 | g_{term})" for term in WITHIN), frame)
    expected = {term: float(next(iter(made.VarCorr().groups[f"g_{term}"].variance.values()))) for term in WITHIN} | {
        "residual": float(made.sigma) ** 2
    }
    fit = fit_nested_reml(design(y, of, WITHIN))
    assert fit.criterion == pytest.approx(float(made.REMLcrit()), rel=CRITERION)
    assert fit.components == pytest.approx(expected, rel=COMPONENTS)
    assert fit.n_evaluations <= 12


def test_the_order_of_rows_and_the_names_of_codes_change_nothing(audit):
    y, of = audit
    fit = fit_nested_reml(design(y, of, (*WITHIN, "assessor")))
    rng = np.random.default_rng(5)
    order = rng.permutation(len(y))
    names = {key: rng.permutation(10**6)[: c.max() + 1] - 1000 for key, c in of.items()}
    names["f"] = names["f"] * 10**9  # too wide to be counted
    other = fit_nested_reml(design(y[order], {k: names[k][c[order]] for k, c in of.items()}, (*WITHIN, "assessor")))
    assert other.criterion == pytest.approx(fit.criterion, rel=1e-10)
    assert other.components == pytest.approx(fit.components, rel=1e-8)
    assert np.sort(other.means) == pytest.approx(np.sort(fit.means), rel=1e-8)


def test_files_and_raters_of_one_site_may_share_codes_with_those_of_another(audit):
    y, of = audit
    fit = fit_nested_reml(design(y, of, WITHIN))
    assert fit_nested_reml(design(y, of | {"f": of["s"] * 10 + of["f"]}, WITHIN)).components == fit.components


@pytest.mark.parametrize(("offset", "tolerance"), [(1e3, 1e-9), (1e6, 1e-7), (1e9, 1e-5)])
@pytest.mark.parametrize("item_means", [True, False])
def test_a_large_offset_leaves_the_components_alone(audit, offset, tolerance, item_means):
    y, of = audit
    y = np.round(y, 3)
    fit = fit_nested_reml(design(y, of, WITHIN, item_means=item_means))
    moved = fit_nested_reml(design(y + offset, of, WITHIN, item_means=item_means))
    # a rating of 1e9 is held to 1e-7 only, and rounded to that when the offset is added
    assert moved.components == pytest.approx(fit.components, rel=tolerance)
    assert moved.means == pytest.approx(fit.means + offset, rel=1e-12)


def test_the_unit_of_ratings_scales_components_by_its_square(audit):
    y, of = audit
    fit = fit_nested_reml(design(y, of, WITHIN))
    scaled = fit_nested_reml(design(1e-6 * y, of, WITHIN))
    assert scaled.converged
    assert {k: 1e12 * v for k, v in scaled.components.items()} == pytest.approx(fit.components, rel=1e-8)


def test_a_component_at_the_boundary_is_told_and_its_slope_is_upwards(audit):
    y, of = audit
    means = np.bincount(of["s"], weights=y) / np.bincount(of["s"])
    fit = fit_nested_reml(design(y - means[of["s"]], of, WITHIN))
    assert fit.converged
    assert "site" in fit.boundary
    assert fit.components["site"] == 0.0
    assert fit.gradient[0] > 0.0
    assert np.isnan(fit.covariance[0]).all()
    assert np.isfinite(np.diagonal(fit.covariance)[1:]).sum() == len(fit.components) - len(fit.boundary)
    without = fit_nested_reml(design(y - means[of["s"]], of, WITHIN[1:]))
    assert without.criterion == pytest.approx(fit.criterion, rel=1e-9)


def test_a_poor_start_ends_in_the_same_place(audit):
    y, of = audit
    made = design(y, of, WITHIN)
    fit = fit_nested_reml(made)
    for start in (1e-4, 1.0, 30.0):
        other = fit_nested_reml(made, start=dict.fromkeys(WITHIN, start) | {"residual": 1.0})
        assert other.components == pytest.approx(fit.components, rel=1e-4)


def test_no_nearby_point_is_better_and_a_held_component_stays(audit):
    y, of = audit
    made = design(y, of, WITHIN)
    fit = fit_nested_reml(made)
    assert reml_criterion(made, fit.components) == pytest.approx(fit.criterion, rel=1e-12)
    assert fit.gradient_norm < 1e-3
    for share in (0.8, 1.25):
        value = share * fit.components["file"]
        held = fit_nested_reml(made, held={"file": value}, start=fit.components)
        assert held.converged
        assert held.components["file"] == value
        alone = reml_criterion(made, fit.components | {"file": value})
        assert fit.criterion < held.criterion <= alone


def test_what_cannot_be_told_apart_has_no_information():
    rng = np.random.default_rng(8)
    of = codes(rng, sites=12, twice=0.0)
    first = np.unique(levels(of, "file_item"), return_index=True)[1]
    of = {key: c[first] for key, c in of.items()}
    y = ratings(rng, of, {"site": 0.5, "file": 0.5})
    one = fit_nested_reml(design(y, of, ("site", "file")))
    assert one.least_eigenvalue > 1e-3
    assert fit_nested_reml(design(y, of, ("site", "file", "file_item"))).least_eigenvalue < 1e-9


@pytest.mark.parametrize(("single", "taken"), [("s", {"site", "site_item"}), ("r", {"rater", "rater_item"})])
def test_what_the_means_take_in_whole_is_not_estimable(single, taken):
    rng = np.random.default_rng(9)
    of = codes(rng, sites=8, files=6)
    of[single] = np.zeros_like(of[single])
    terms = ("site", "site_item", "file", "rater", "rater_item")
    y = ratings(rng, of, {term: SPREAD[term] for term in terms})
    fit = fit_nested_reml(design(y, of, terms))
    assert fit.converged
    # raters of a single site, or sites read by a single rater, remain
    assert set(fit.not_estimable) == taken
    assert fit.least_eigenvalue == 0.0
    without = fit_nested_reml(design(y, of, [term for term in terms if term not in taken]))
    assert {t: v for t, v in fit.components.items() if t not in taken} == pytest.approx(without.components, rel=1e-4)


@pytest.mark.parametrize("residual", [1e-2, 1e-4, 1e-6])
def test_a_tiny_residual_ends_without_a_crash(residual):
    rng = np.random.default_rng(10)
    of = codes(rng, sites=10)
    y = ratings(rng, of, {}) * residual
    for term in ("site", "file", "rater"):
        level = levels(of, term)
        y = y + rng.normal(size=level.max() + 1)[level]
    fit = fit_nested_reml(design(y, of, ("site", "file", "rater")))
    assert fit.converged or residual < 1e-2
    assert all(value >= 0.0 for value in fit.components.values())


def test_the_information_is_near_the_curvature_of_the_criterion(audit):
    y, of = audit
    made = design(y, of, WITHIN)
    fit = fit_nested_reml(made)
    values = np.array(list(fit.components.values()))
    step = 1e-4 * values
    observed = np.array(
        [
            (Point(made, values + e).gradient - Point(made, values - e).gradient) / (2 * e.sum())
            for e in np.diag(step)
        ]
    ) / 2.0  # fmt: skip
    expected = np.sqrt(np.diagonal(np.linalg.inv(observed)))
    assert np.sqrt(np.diagonal(fit.covariance)) == pytest.approx(expected, rel=0.1)


def test_codes_of_another_length_are_refused(audit):
    y, of = audit
    with pytest.raises(UsageError) as caught:
        nested_design(y, site=of["s"][:-1], file=of["f"], item=of["i"], terms=("site",))
    assert caught.value.message.code == "psychometrics.lengths_differ"


def test_without_raters_and_without_terms():
    rng = np.random.default_rng(2)
    y = rng.normal(3.0, 2.0, 60)
    site, item = np.repeat(np.arange(10), 6), np.tile(np.arange(3), 20)
    made = nested_design(y, site=site, file=site, item=item, terms=(), item_means=False)
    fit = fit_nested_reml(made)
    assert fit.components["residual"] == pytest.approx(y.var(ddof=1), rel=1e-12)
    assert fit.means == pytest.approx([y.mean()], rel=1e-12)
    balanced = fit_nested_reml(nested_design(y, site=site, file=site, item=item, terms=("site",), item_means=False))
    between = 6 * y.reshape(10, 6).mean(axis=1).var(ddof=1)
    within = y.reshape(10, 6).var(axis=1, ddof=1).mean()
    anova = {"site": max(0.0, (between - within) / 6), "residual": within}
    if between < within:
        anova["residual"] = y.var(ddof=1)
    assert balanced.components == pytest.approx(anova, rel=1e-6)


@pytest.mark.slow
def test_planted_components_come_back():
    replicates = 150
    found = []
    planted = {term: SPREAD[term] for term in WITHIN} | {"residual": 1.0}
    for seed in range(replicates):
        rng = np.random.default_rng([2016, seed])
        kept = rng.random(20 * 6 * 2 * 8) >= 0.2
        site, file, slot, item = (a.ravel()[kept] for a in np.indices((20, 6, 2, 8)))
        of = {"s": site, "a": file, "f": file, "r": (site + slot * (1 + site // 8)) % 8, "i": item}
        fit = fit_nested_reml(design(ratings(rng, of, {t: SPREAD[t] for t in WITHIN}), of, WITHIN))
        assert fit.converged
        found.append(list(fit.components.values()))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(replicates)
    away = (mean - np.array(list(planted.values()))) / error
    # eight components; estimates cut off at 0 have a little upward bias
    assert np.abs(away).max() < 3.5, dict(zip(planted, away, strict=True))
