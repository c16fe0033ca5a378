import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UsageError

# the same mean squares summed in another order
REORDERED = 1e-8
UNIVERSE = np.array([[0.30, 0.15, 0.05], [0.15, 0.25, 0.10], [0.05, 0.10, 0.20]])
ERROR = np.array([[0.60, 0.20, 0.10], [0.20, 0.80, 0.30], [0.10, 0.30, 0.70]])
NAMES = ("follow-up", "participation", "planning")


def long(scores):
    """Return ratings, facets and components of scores (sites, files, components) with two items each, ±0.1 apart."""
    sites, files, parts = scores.shape
    site, file, part, twin = (axis.ravel() for axis in np.indices((sites, files, parts, 2)))
    y = scores[site, file, part] + np.where(twin == 0, 0.1, -0.1)
    return y, {"site": site, "file": file, "item": 2 * part + twin}, np.array(NAMES)[part]


def planted(seed, sites=40, files=10):
    rng = np.random.default_rng(seed)
    of_site = rng.multivariate_normal(np.zeros(3), UNIVERSE, sites)
    return of_site[:, None] + rng.multivariate_normal(np.zeros(3), ERROR, (sites, files))


def composite(scores, **options):
    return pm.composite_generalizability(*long(scores), design="(file : site) x item", **options)


def test_planted_covariances_come_back():
    """Mean over 40 studies, within four and a half of its standard errors."""
    found = np.array([composite(planted(seed), estimator="ANOVA").covariance for seed in range(40)])
    errors = found.std(axis=0, ddof=1) / np.sqrt(40)
    assert np.all(np.abs(found.mean(axis=0) - [UNIVERSE, ERROR]) < 4.5 * errors)


@pytest.mark.parametrize("estimator", ["ANOVA", "REML"])
def test_the_composite_is_what_the_matrices_say(estimator):
    weights = np.array([0.5, 0.3, 0.2])
    made = composite(planted(1), weights=weights, estimator=estimator)
    direct = np.einsum("ecd,c,d->e", made.covariance, weights, weights)
    tolerance = REORDERED if estimator == "ANOVA" else 1e-5  # across optimisers
    assert made.variance_components.estimate == pytest.approx(direct, rel=tolerance)
    assert not made.flags
    assert made.universe_share.sum() == pytest.approx(1)
    assert made.error_share.sum() == pytest.approx(1)
    expected = weights * (made.covariance[0] @ weights)
    assert made.universe_share[0] == pytest.approx(expected / expected.sum())


def test_covariances_are_mean_products():
    """Between sites over files, from the matrices of mean squares and products."""
    scores = planted(2)
    made = composite(scores, estimator="ANOVA")
    means = scores.mean(axis=1)
    within = np.einsum("sfc,sfd->cd", scores - means[:, None], scores - means[:, None]) / (40 * 9)
    between = 10 * np.cov(means.T)
    assert made.covariance[1] == pytest.approx(within, rel=REORDERED)
    assert made.covariance[0] == pytest.approx((between - within) / 10, rel=REORDERED, abs=1e-10)


def test_one_component_is_a_generalizability_study():
    y, facets, part = long(planted(3))
    y = y + np.random.default_rng(0).normal(0, 0.5, len(y))
    made = pm.composite_generalizability(y, facets, part, design="(file : site) x item", weights=[0, 1, 0])
    only = part == "participation"
    alone = pm.generalizability_study(
        y[only],
        {name: codes[only] for name, codes in facets.items()},
        design="(file : site) x item",
        interval="none",
    )
    assert made.decision.phi[0] == pytest.approx(alone.decision.phi[0], abs=1e-6)
    assert made.decisions[1].phi[0] == made.decision.phi[0]
    assert made.universe_share[0].tolist() == pytest.approx([0, 1, 0])


def test_weights_by_name_and_n_as_asked():
    scores = planted(4)
    by_name = composite(scores, weights={"planning": 0.2, "follow-up": 0.5, "participation": 0.3}, n={"file": [10, 40]})
    in_order = composite(scores, weights=[0.5, 0.3, 0.2], n={"file": [10, 40]})
    assert by_name.decision.phi.tolist() == in_order.decision.phi.tolist()
    assert by_name.universe_share.shape == (2, 3)
    assert by_name.decision.phi[1] > by_name.decision.phi[0]
    assert by_name.summary().count("true variance") == 3
    assert by_name.table["component"].tolist() == ["", *NAMES]


def test_what_lacks_a_component_is_left_out_and_said():
    scores = planted(5, sites=12)
    y, facets, part = long(scores)
    gone = (facets["site"] == 0) & (facets["file"] < 3) & (part == "planning")
    half = (facets["site"] == 1) & (facets["file"] == 0) & (facets["item"] == 0)
    holes = np.where(gone | half, np.nan, y)
    made = pm.composite_generalizability(holes, facets, part, design="(file : site) x item")
    assert (made.n_cells, made.n_dropped) == (117, 3)
    codes = [flag.code for flag in made.flags]
    assert codes[:2] == ["psychometrics.composite_left_out", "psychometrics.composite_items_missing"]


BAD = [
    ({"weights": [1, 2]}, "composite_weights"),
    ({"weights": [0, 0, 0]}, "composite_weights"),
    ({"weights": {"a": 1}}, "composite_weights"),
    ({"weights": [1, np.inf, 1]}, "composite_weights"),
    ({"weights": "abc"}, "composite_weights"),
    ({"n": {"rater": 2}}, "decision_facet"),
    ({"object_of_measurement": "file"}, "decision_object"),
]


@pytest.mark.parametrize(("options", "code"), BAD)
def test_a_bad_call_is_refused(options, code):
    with pytest.raises(UsageError) as caught:
        composite(planted(6, sites=6), **options)
    assert caught.value.code == f"psychometrics.{code}"


def test_bad_components_are_refused():
    y, facets, part = long(planted(6, sites=6))
    cases = [
        ((y, facets, np.full(len(y), "one")), "(file : site) x item", "composite_few"),
        ((y, facets, np.where(facets["site"] == 0, None, part)), "(file : site) x item", "composite_missing"),
        ((y, facets, np.where(facets["site"] < 3, "a", "b")), "(file : site) x item", "composite_unlinked"),
        ((y, facets, part), "file : item : site", "composite_nested"),
    ]
    for data, design, code in cases:
        with pytest.raises(UsageError) as caught:
            pm.composite_generalizability(*data, design=design)
        assert caught.value.code == f"psychometrics.{code}"
