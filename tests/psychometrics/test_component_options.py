"""Further fixed facets, and intervals of the parametric bootstrap."""

import json
import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning, UsageError
from ibic_fidelity.psychometrics.generalizability._limits import BOOTSTRAP, PROFILE

# two optimisers of one criterion
OPTIMISER = 1e-4
CRITERION = 1e-6
DESIGN = "unit : (site x source) x item"


@pytest.mark.witness(
    statistic="variance_components",
    definition="REML with source and item fixed, respondents nested in site and source, holes",
    reference="lme4 of R, lmer",
    tolerance="components 1e-4 relative, criterion 1e-6 relative",
    data="tests/reference/fixed_facets.json",
)
def test_source_as_a_fixed_facet_is_lme4s(request):
    known = json.loads((request.config.rootpath / "tests/reference/fixed_facets.json").read_text(encoding="utf-8"))
    data = known["data"]
    made = pm.variance_components(data["y"], data, design=DESIGN, fixed=("source",), interval="none")
    by_key = {frozenset(name.split(":")): value for name, value in known["components"].items()}
    residual = by_key.pop(frozenset({"Residual"}))
    assert made.fixed == ("source", "item")
    assert made.criterion == pytest.approx(known["criterion"], rel=CRITERION)
    assert made.estimate[-1] == pytest.approx(residual, rel=OPTIMISER)
    for key, value in by_key.items():
        assert made.of(*key) == pytest.approx(value, rel=OPTIMISER), key


def balanced(n_sites=12, seed=3):
    site, source, unit, item = (axis.ravel() for axis in np.indices((n_sites, 2, 5, 3)))
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_sites)[site] + rng.normal(size=(n_sites, 2))[site, source] + item * source
    y = y + rng.normal(size=(n_sites, 2, 5))[site, source, unit] + rng.normal(size=(n_sites, 3))[site, item]
    y = y + 0.7 * rng.normal(size=(n_sites, 2, 3))[site, source, item] + rng.normal(size=len(site))
    return y, {"site": site, "source": source, "unit": unit, "item": item}


def test_with_two_fixed_facets_reml_is_the_analysis_of_variance_where_balanced():
    y, facets = balanced()
    same = {"design": DESIGN, "fixed": ("source",), "interval": "none"}
    by_squares = pm.variance_components(y, facets, estimator="ANOVA", **same)
    by_likelihood = pm.variance_components(y, facets, **same)
    assert (by_squares.untruncated > 0).all()
    np.testing.assert_allclose(by_likelihood.estimate, by_squares.estimate, rtol=OPTIMISER)


def test_what_a_site_has_on_fixed_sources_is_its_score_not_error():
    y, facets = balanced()
    fixed = pm.generalizability_study(y, facets, design=DESIGN, fixed=("source",), estimator="ANOVA")
    free = pm.generalizability_study(y, facets, design=DESIGN, estimator="ANOVA")
    assert fixed.decision.phi[0] > free.decision.phi[0]
    error = (
        fixed.components.of("site", "source", "unit") / 10 + fixed.components.of("site", "source", "unit", "item") / 30
    )
    assert fixed.decision.absolute_error[0] == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"fixed": ("rater",)}, "facet_unknown"),
        ({"fixed": ("item",), "items": "random"}, "components_fixed_random"),
        ({"fixed": ("unit",)}, "facet_unknown"),
        ({"fixed": 3}, "facet_unknown"),
        ({"interval": "bootstrap", "bootstrap": 10}, "components_bootstrap_few"),
        ({"estimator": "ANOVA", "interval": "bootstrap"}, "anova_no_profile"),
        ({"interval": "bootstrap", "bootstrap": -1}, "bootstrap"),
        ({"interval": "bootstrap", "rng": "x"}, "rng"),
    ],
)
def test_options_that_are_refused(options, code):
    y, facets = balanced(4)
    with pytest.raises(UsageError) as caught:
        pm.variance_components(y, facets, design=DESIGN, **options)
    assert caught.value.code == f"psychometrics.{code}"


def files(n_sites=10, n_files=6, site_sd=0.7, seed=5):
    site, file, item = (axis.ravel() for axis in np.indices((n_sites, n_files, 3)))
    rng = np.random.default_rng(seed)
    y = site_sd * rng.normal(size=n_sites)[site] + rng.normal(size=(n_sites, n_files))[site, file]
    return y + rng.normal(size=len(site)), {"site": site, "file": file, "item": item}


def test_the_bootstrap_is_that_of_its_seed_and_is_said():
    y, facets = files()
    options = {"design": "(file : site) x item", "interval": "bootstrap", "bootstrap": 60}
    one, same, other = (pm.variance_components(y, facets, **options, rng=seed) for seed in (1, 1, 2))
    assert [ci.low for ci in one.ci] == [ci.low for ci in same.ci]
    assert one.ci[0].high != other.ci[0].high
    assert {ci.method for ci in one.ci} == {BOOTSTRAP}
    assert "psychometrics.components_bootstrap" in {flag.code for flag in one.flags}
    np.testing.assert_array_equal(one.estimate, pm.variance_components(y, facets, design=options["design"]).estimate)


def test_bootstrap_percentiles_are_those_of_the_mean_squares():
    """One facet in balanced sites: components are known functions of two independent χ²."""
    y, facets = files(n_sites=12, n_files=8, site_sd=1.0)
    y, facets = y[facets["item"] == 0], {name: codes[facets["item"] == 0] for name, codes in facets.items()}
    made = pm.variance_components(y, facets, design="file : site", interval="bootstrap", bootstrap=1500)
    site, residual = made.estimate
    rng = np.random.default_rng(0)
    between = (8 * site + residual) * rng.chisquare(11, 400_000) / 11
    within = residual * rng.chisquare(84, 400_000) / 84
    low, high = np.quantile(np.maximum((between - within) / 8, 0), [0.025, 0.975])
    assert made.ci[0].low == pytest.approx(low, abs=0.12 * site)  # 1,500 replicates: 4 Monte Carlo errors
    assert made.ci[0].high == pytest.approx(high, abs=0.25 * site)


def test_a_component_of_less_than_two_degrees_of_freedom_has_the_profiles_limits():
    y, facets = files(n_sites=8, site_sd=0.25, seed=14)
    made = pm.variance_components(y, facets, design="(file : site) x item")
    df = 2 * (made.estimate / made.std_error) ** 2
    assert 0 < df[0] < 2
    assert made.ci[0].method == PROFILE
    assert math.isfinite(made.ci[0].high)
    assert made.ci[0].high < 100 * made.estimate.sum()


def test_all_facets_cannot_be_fixed():
    y, facets = balanced(4)
    with pytest.raises(UsageError) as caught:
        pm.variance_components(y, facets, design="site x item", fixed=("site",))
    assert caught.value.code == "psychometrics.components_all_fixed"


@pytest.mark.parametrize("rater", [None, "same"])
def test_answers_that_depend_on_the_item_alone_or_raters_who_agree_have_no_residual_and_no_crash(rater):
    site, file, item = (axis.ravel() for axis in np.indices((6, 4, 3)))
    facets = {"site": site, "file": file, "item": item}
    y = item * 1.0
    if rater is not None:
        y = np.random.default_rng(1).integers(0, 2, len(site)).astype(float)
        y = np.concatenate([y, y])
        facets = {name: np.concatenate([codes, codes]) for name, codes in facets.items()}
        facets["rater"] = np.repeat([0, 1], len(site))
    design = "(file : site) x item" if rater is None else "(file : site) x rater x item"
    with pytest.warns(UndefinedStatisticWarning):
        made = pm.variance_components(y, facets, design=design)
    codes = {reason.code for reason in made.reasons if reason is not None}
    assert codes & {"psychometrics.no_variation", "psychometrics.components_no_residual"}
