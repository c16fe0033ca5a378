"""Variance components against printed tables, lme4 and NIST, and what must hold of them."""

import csv
import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics._engines.mixedlm import MixedModel
from ibic_fidelity.psychometrics.generalizability import _fits

# both optimisers stop short of the optimum
COMPONENTS, CRITERION = 1e-4, 1e-6
# ends of profiles, found to 5e-5 standard errors here and to 1e-8 there
LIMITS = 1e-4
# only the order of summation differs
SAME = 1e-10
# Brennan (2001), table 3.2: ten persons, three tasks, four raters each
BRENNAN = np.array(
    [
        [5, 6, 5, 5, 5, 3, 4, 5, 6, 7, 3, 3],
        [9, 3, 7, 7, 7, 5, 5, 5, 7, 7, 5, 2],
        [3, 4, 3, 3, 5, 3, 3, 5, 6, 5, 1, 6],
        [7, 5, 5, 3, 3, 1, 4, 3, 5, 3, 3, 5],
        [9, 2, 9, 7, 7, 7, 3, 7, 2, 7, 5, 3],
        [3, 4, 3, 5, 3, 3, 6, 3, 4, 5, 1, 2],
        [7, 3, 7, 7, 7, 5, 5, 7, 5, 5, 5, 4],
        [5, 8, 5, 7, 7, 5, 5, 4, 3, 2, 1, 1],
        [9, 9, 8, 8, 6, 6, 6, 5, 5, 8, 1, 1],
        [4, 4, 4, 3, 3, 5, 6, 5, 5, 7, 1, 1],
    ]
)


def frame(path):
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def root(request):
    return request.config.rootpath / "tests/reference"


@pytest.fixture(scope="module")
def lme4(root):
    return json.loads((root / "variance_components.json").read_text(encoding="utf-8"))


@pytest.fixture
def brennan():
    p, t, r = (axis.ravel() for axis in np.indices((10, 3, 4)))
    return BRENNAN.ravel(), {"p": p, "t": t, "r": r}


@pytest.fixture(scope="module")
def audit():
    """An audit with holes: linked raters, uneven sites."""
    rng = np.random.default_rng(5)
    site, file, slot, item = (a.ravel() for a in np.indices((10, 6, 2, 5)))
    kept = (rng.random(len(site)) > 0.2) & (file < rng.integers(3, 7, 10)[site])
    site, file, slot, item = site[kept], file[kept], slot[kept], item[kept]
    rater = (site + slot * (1 + site // 5)) % 5
    y = item + rng.normal(size=len(site)) + rng.normal(size=10)[site] + 0.7 * rng.normal(size=60)[site * 6 + file]
    y += 0.6 * rng.normal(size=5)[rater] + 0.5 * rng.normal(size=50)[site * 5 + item]
    return y, {"site": site, "file": file, "rater": rater, "item": item}


def components(result):
    return dict(zip([effect.name for effect in result.effects], result.estimate.tolist(), strict=True))


@pytest.mark.witness(
    statistic="variance_components",
    definition="p × (r : t): mean squares and their expectations",
    reference="Brennan (2001), Generalizability theory, p. 116",
    tolerance="half a unit of the last printed digit",
    data="Brennan's table 3.2",
)
@pytest.mark.parametrize("estimator", ["ANOVA", "REML"])
def test_brennan_prints_these_components(brennan, estimator):
    result = pm.variance_components(*brennan, design="p x (r : t)", estimator=estimator, interval="none")
    printed = {"p": 0.4731, "t": 0.3252, "r : t": 0.6475, "p × t": 0.5596, "p × r : t": 2.3803}
    # the book's p and residual are cut, not rounded: 0.47315, 2.38025
    assert components(result) == pytest.approx(printed, abs=6e-5)
    assert result.of("t", "r") == result.estimate[2]


def test_mean_squares_and_degrees_of_freedom_of_brennans_table(brennan):
    result = pm.variance_components(*brennan, design="p x (r : t)", estimator="ANOVA")
    assert result.mean_square_df.tolist() == [9, 2, 9, 18, 81]
    assert result.mean_squares == pytest.approx([10.29630, 24.10000, 8.85556, 4.61852, 2.38025], abs=5e-6)
    # the residual's interval is the exact one of a mean square
    assert result.std_error[-1] == pytest.approx(result.estimate[-1] * math.sqrt(2 / 81), rel=SAME)


@pytest.mark.witness(
    statistic="variance_components",
    definition="crossed and nested factors: REML; limits where its profile is χ²(1) above the least",
    reference="R lme4 1.1.31, lmer; limits from its deviance function",
    tolerance="1e-4 relative, criterion 1e-6",
    data="Penicillin, Pastes",
)
@pytest.mark.parametrize("engine", ["nested REML", "mixedlm"])
@pytest.mark.parametrize(
    ("name", "answer", "design", "order"),
    [
        ("penicillin", "diameter", "plate x sample", ("plate", "sample", "residual")),
        ("pastes", "strength", "rep : cask : batch", ("batch", "batch:cask", "residual")),
    ],
)
def test_components_criterion_and_profile_limits_of_lme4(root, lme4, monkeypatch, engine, name, answer, design, order):
    if engine == "mixedlm":
        monkeypatch.setattr(_fits, "_terms", lambda *_: None)
    data, expected = frame(root / f"data/{name}.csv"), lme4[name]
    y = [float(value) for value in data[answer]]
    result = pm.variance_components(y, data, design=design, interval="profile")
    assert result.engine == engine
    assert result.estimate == pytest.approx([expected["components"][one] for one in order], rel=COMPONENTS)
    assert result.criterion == pytest.approx(expected["criterion"], rel=CRITERION)
    assert result.mean == pytest.approx(expected["mean"], rel=SAME)
    for ci, one in zip(result.ci, order, strict=True):
        assert (ci.low, ci.high) == pytest.approx(expected["limits"][one], rel=LIMITS)
        assert ci.method == "profile likelihood"


@pytest.mark.slow
@pytest.mark.witness(
    statistic="variance_components",
    definition="restricted maximum likelihood",
    reference="R lme4 1.1.31, lmer",
    tolerance="1e-4 relative, criterion 1e-6",
    data="InstEval",
)
def test_components_of_insteval(lme4):
    mixedlm = pytest.importorskip("mixedlm")
    expected = lme4["insteval"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas says what mixedlm's reader should no longer do
        data = mixedlm.load_insteval()
    y = data["y"].to_numpy(dtype=float)
    if (len(y), y.sum()) != (expected["n"], expected["sum"]):
        pytest.skip("mixedlm.load_insteval() is not lme4's InstEval")
    result = pm.variance_components(y, data, design="s x (d : dept)", omit=["s x dept"], interval="none")
    order = ("s", "dept", "d", "residual")
    assert result.estimate == pytest.approx([expected["components"][one] for one in order], rel=COMPONENTS)
    assert result.criterion == pytest.approx(expected["criterion"], rel=CRITERION)


@pytest.mark.witness(
    statistic="variance_components",
    definition="unbalanced audits: restricted maximum likelihood, items fixed or random",
    reference="R lme4 1.1.31, lmer",
    tolerance="1e-4 relative, criterion 1e-6",
    data="fidelity_ratings.csv, drawn in the script",
)
@pytest.mark.parametrize(
    ("name", "items", "extra"), [("small", "fixed", ()), ("large", "fixed", ()), ("small", "random", ("item",))]
)
def test_unbalanced_audits_of_lme4(root, name, items, extra):
    models = json.loads((root / "generalizability.json").read_text(encoding="utf-8"))["models"]
    terms = ["site", "site_item", "file", "file_item", "rater", "rater_item", "rater_file", *extra]
    expected = next(m for m in models if (m["audit"], m["items"], m["terms"]) == (name, items, terms))
    data = frame(root / "data/fidelity_ratings.csv")
    rows = [i for i, audit in enumerate(data["audit"]) if audit == name]
    data = {key: [column[i] for i in rows] for key, column in data.items()}
    y = [float(value) for value in data["y"]]
    result = pm.variance_components(
        y, data, design="(file : site) x rater x item", items=items, omit=("site x rater", "site x rater x item"),
        interval="none",
    )  # fmt: skip
    names = {
        "site": ("site",), "site_item": ("site", "item"), "file": ("site", "file"), "rater": ("rater",),
        "file_item": ("site", "file", "item"), "rater_item": ("rater", "item"), "item": ("item",),
        "rater_file": ("site", "file", "rater"), "residual": ("site", "file", "rater", "item"),
    }  # fmt: skip
    found = {term: result.of(*names[term]) for term in expected["components"]}
    assert found == pytest.approx(expected["components"], rel=COMPONENTS, abs=1e-6)
    assert result.criterion == pytest.approx(expected["criterion"], rel=CRITERION)
    assert ("psychometrics.components_items_random" in {flag.code for flag in result.flags}) == (items == "random")


def nist_files():
    import scipy.stats

    return sorted((Path(scipy.stats.__file__).parent / "tests/data/nist_anova").glob("*.dat"))


def nist(path):
    """Return group, value, certified between and within mean squares."""
    lines = path.read_text(encoding="latin-1").splitlines()
    number = re.compile(r"Certified Values|Between|Within")
    rows = [line.split() for line in lines if number.match(line.strip()) and len(line.split()) >= 4]
    between = next(row for row in rows if row[0] == "Between")
    within = next(row for row in rows if row[0] == "Within")
    first = int(re.search(r"Data\s*:?\s*\(?lines\s+(\d+)", "\n".join(lines))[1])
    data = np.array([[float(part) for part in line.split()] for line in lines[first - 1 :] if line.strip()])
    return data[:, 0].astype(int), data[:, 1], float(between[-2]), float(within[-1])


@pytest.mark.witness(
    statistic="variance_components",
    definition="one-way analysis of variance",
    reference="NIST Statistical Reference Datasets, certified values",
    tolerance="1e-9 relative; with offsets of 1e6 (1e12) what float64 keeps of the data, 1e-7 (1e-2)",
    data="SmLs01-09, AtmWtAg, SiRstv",
)
@pytest.mark.skipif(not nist_files(), reason="this scipy has no test data")
@pytest.mark.parametrize("path", nist_files(), ids=lambda path: path.stem)
def test_certified_mean_squares_of_nist(path):
    group, y, between, within = nist(path)
    order = np.argsort(group, kind="stable")
    group, y = group[order], y[order]
    rep = np.arange(len(y)) - np.searchsorted(group, group)
    result = pm.variance_components(
        y, {"rep": rep, "group": group}, design="rep : group", estimator="ANOVA", interval="none"
    )
    tolerance = {"SmLs04": 1e-7, "SmLs05": 1e-7, "SmLs06": 1e-7, "SmLs07": 1e-2, "SmLs08": 1e-2, "SmLs09": 1e-2}
    assert result.mean_squares == pytest.approx([between, within], rel=tolerance.get(path.stem, 1e-9))


@pytest.mark.parametrize("items", ["fixed", "random"])
def test_engines_agree_on_an_audit_with_holes(audit, monkeypatch, items):
    options = {"design": "(file : site) x rater x item", "omit": ("site x rater x item",), "items": items}
    ours = pm.variance_components(*audit, **options)
    monkeypatch.setattr(_fits, "_terms", lambda *_: None)
    theirs = pm.variance_components(*audit, **options)
    assert (ours.engine, theirs.engine) == ("nested REML", "mixedlm")
    assert theirs.criterion == pytest.approx(ours.criterion, rel=CRITERION)
    assert theirs.estimate == pytest.approx(ours.estimate, rel=1e-3, abs=2e-4)


def test_reml_is_anova_where_balanced_and_no_estimate_is_negative():
    rng = np.random.default_rng(0)
    site, file, item = (a.ravel() for a in np.indices((8, 5, 4)))
    y = rng.normal(size=8)[site] + rng.normal(size=40)[site * 5 + file] + rng.normal(size=32)[site * 4 + item]
    y = y + item + rng.normal(size=len(site))
    facets = {"site": site, "file": file, "item": item}
    squares = pm.variance_components(y, facets, design="(file : site) x item", estimator="ANOVA")
    reml = pm.variance_components(y, facets, design="(file : site) x item")
    assert (squares.estimate > 0).all()
    assert reml.estimate == pytest.approx(squares.estimate, rel=1e-6)
    assert reml.std_error == pytest.approx(squares.std_error, rel=1e-3)
    assert squares.fixed == ("item",)
    assert squares.of("item") != squares.of("item")  # a fixed facet's own effect has no component
    assert squares.levels == {"file": 40, "site": 8, "item": 4}
    assert squares.mean_levels == {"file": 5.0, "site": 8.0, "item": 4.0}


def test_order_of_rows_names_of_codes_and_an_offset_change_nothing(audit):
    y, facets = audit
    options = {"design": "(file : site) x rater x item", "omit": ("site x rater x item", "site x rater")}
    plain = pm.variance_components(y, facets, **options)
    order = np.random.default_rng(1).permutation(len(y))
    named = {name: np.array([f"{name}{code}" for code in codes[order]]) for name, codes in facets.items()}
    moved = pm.variance_components(y[order] + 1000.0, named, **options)
    assert moved.estimate == pytest.approx(plain.estimate, rel=1e-5, abs=1e-8)
    assert moved.criterion == pytest.approx(plain.criterion, rel=1e-9)


def test_available_is_dropping_the_rows_first(audit):
    y, facets = audit
    holes = np.array(y)
    holes[::7] = np.nan
    kept = ~np.isnan(holes)
    options = {"design": "(file : site) x rater x item", "omit": ("site x rater x item", "site x rater")}
    some = pm.variance_components(holes, facets, **options)
    none = pm.variance_components(y[kept], {name: codes[kept] for name, codes in facets.items()}, **options)
    assert some.n_dropped == np.sum(~kept)
    assert some.n == none.n
    assert some.estimate.tolist() == none.estimate.tolist()
    assert [(ci.low, ci.high) for ci in some.ci] == [(ci.low, ci.high) for ci in none.ci]


def test_a_component_at_zero_has_the_interval_of_its_profile():
    rng = np.random.default_rng(4)
    site, file, item = (a.ravel() for a in np.indices((6, 4, 5)))
    y = rng.normal(size=len(site))
    y -= np.array([y[site == s].mean() for s in range(6)])[site]
    result = pm.variance_components(y, {"site": site, "file": file, "item": item}, design="(file : site) x item")
    assert result.estimate[0] == 0.0
    assert math.isnan(result.std_error[0])
    assert result.ci[0].method == "profile likelihood"
    assert result.ci[0].low == 0.0 < result.ci[0].high < math.inf
    assert "psychometrics.reml_boundary" in {flag.code for flag in result.flags}
    squares = pm.variance_components(
        y, {"site": site, "file": file, "item": item}, design="(file : site) x item", estimator="ANOVA"
    )
    assert squares.untruncated[0] < 0.0 == squares.estimate[0]
    assert squares.ci[0].method == "modified large sample"
    assert "psychometrics.components_negative" in {flag.code for flag in squares.flags}


def test_pooling_an_effect_is_leaving_it_out_of_the_model(brennan):
    y, facets = brennan
    pooled = pm.variance_components(y, facets, design="p x (r : t)", omit=["p x t"], estimator="ANOVA")
    whole = pm.variance_components(y, facets, design="p x (r : t)", estimator="ANOVA")
    squares = whole.mean_squares * whole.mean_square_df
    assert pooled.mean_square_df[-1] == 99
    assert pooled.mean_squares[-1] == pytest.approx((squares[3] + squares[4]) / 99, rel=SAME)
    assert [effect.name for effect in pooled.effects] == ["p", "t", "r : t", "p × r : t"]


def test_table_and_summary(audit):
    result = pm.variance_components(
        *audit, design="(file : site) x rater x item", omit=("site x rater x item", "site x rater")
    )
    table = result.table
    assert list(table["effect"]) == [effect.name for effect in result.effects]
    assert table["share"].sum() == pytest.approx(1.0)
    assert (table["ci_low"] <= table["estimate"]).all()
    assert "site × item" in result.summary()
    assert "item fixed" in result.summary()


def test_the_information_by_differences_is_that_of_the_nested_engine(audit, monkeypatch):
    options = {"design": "(file : site) x item"}
    y, facets = audit
    ours = pm.variance_components(y, facets, **options)
    monkeypatch.setattr(_fits, "_terms", lambda *_: None)
    theirs = pm.variance_components(y, facets, **options)
    # average and observed information differ where the design is not balanced
    assert theirs.std_error == pytest.approx(ours.std_error, rel=0.15)


def test_mixed_model_without_an_estimate_says_why():
    made = MixedModel.fit(np.ones(6), {"a": np.array([0, 0, 1, 1, 2, 2])})
    assert made.reason.code == "psychometrics.no_variation"
    assert np.isnan(made.values).all()


def test_profile_limits_of_both_engines_agree_with_a_component_at_zero(monkeypatch):
    rng = np.random.default_rng(12)
    site, file, item = (a.ravel() for a in np.indices((7, 5, 4)))
    kept = rng.random(len(site)) > 0.15
    site, file, item = site[kept], file[kept], item[kept]
    y = item + rng.normal(size=7)[site] + rng.normal(size=35)[site * 5 + file] + rng.normal(size=len(site))
    facets = {"site": site, "file": file, "item": item}
    ours = pm.variance_components(y, facets, design="(file : site) x item", interval="profile")
    monkeypatch.setattr(_fits, "_terms", lambda *_: None)
    theirs = pm.variance_components(y, facets, design="(file : site) x item", interval="profile")
    assert (ours.estimate == 0.0).any()
    assert theirs.estimate == pytest.approx(ours.estimate, rel=1e-3, abs=1e-6)
    for one, other in zip(ours.ci, theirs.ci, strict=True):
        assert (other.low, other.high) == pytest.approx((one.low, one.high), rel=1e-3, abs=1e-5)


@pytest.mark.witness(
    statistic="generalizability_study",
    definition="Eρ² and Φ of p × (r : t) from the ratings, items random",
    reference="Brennan (2001), table 3.2; R gtheory",
    tolerance=5e-6,
    data="Brennan's table 3.2",
)
def test_the_study_of_brennans_ratings_has_the_printed_coefficients(brennan):
    study = pm.generalizability_study(
        *brennan, design="p x (r : t)", estimator="ANOVA", object_of_measurement="p", interval="none"
    )
    decision = study.decision
    assert decision.erho2.item() == pytest.approx(0.55144, abs=5e-6)
    assert decision.phi.item() == pytest.approx(0.46370, abs=5e-6)
