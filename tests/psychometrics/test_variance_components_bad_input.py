"""What variance components make of bad data: one row a case, an error's code, or the codes of reasons and flags."""

# ruff: noqa: E501 - one row a case

import math
import warnings

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

DESIGN = "(file : site) x rater x item"
OMIT = ("site x rater", "site x rater x item")
SITE, FILE, RATER, ITEM = (axis.ravel() for axis in np.indices((6, 4, 3, 3)))
RNG = np.random.default_rng(8)
Y = (
    ITEM
    + RNG.normal(size=len(SITE))
    + RNG.normal(size=6)[SITE]
    + RNG.normal(size=24)[SITE * 4 + FILE]
    + RNG.normal(size=3)[RATER]
)
GOOD = {"site": SITE, "file": FILE, "rater": RATER, "item": ITEM}


def fit(y=Y, facets=GOOD, *, design=DESIGN, omit=OMIT, **options):
    return pm.variance_components(y, facets, design=design, omit=omit, **options)


def rows(kept, **other):
    """Return the ratings of some rows, facets replaced before."""
    facets = GOOD | other
    return Y[kept], {name: codes[kept] for name, codes in facets.items()}


def sparse(share=0.95):
    y = Y.copy()
    y[np.random.default_rng(2).random(len(y)) < share] = np.nan
    return y


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [
        pytest.param(lambda: fit(facets=GOOD | {"file": SITE * 4 + FILE}, design="(site : file) x rater x item", omit=()), UsageError, "nested_the_other_way", id="a facet nested the other way"),
        pytest.param(lambda: fit(facets=GOOD | {"rater": RATER + 0.5}), UsageError, "facet_not_whole", id="codes with decimals"),
        pytest.param(lambda: fit(facets=GOOD | {"rater": np.where(RATER == 1, np.nan, RATER)}), UsageError, "facet_missing", id="a code missing"),
        pytest.param(lambda: fit(facets=GOOD | {"rater": [1, "a"] * (len(Y) // 2)}), ArgumentTypeError, "groups_mixed", id="codes of mixed kinds"),
        pytest.param(lambda: fit(design="(file : site) x judge x item", omit=()), UsageError, "facet_unknown", id="unknown facet in the design"),
        pytest.param(lambda: fit(item="question"), UsageError, "facet_unknown", id="unknown item facet"),
        pytest.param(lambda: fit(facets=[SITE, FILE]), ArgumentTypeError, "facets_type", id="facets as a list"),
        pytest.param(lambda: fit(facets=3), ArgumentTypeError, "facets_type", id="facets as a number"),
        pytest.param(lambda: fit(y=Y[1:]), UsageError, "lengths_differ", id="unequal length"),
        pytest.param(lambda: fit(y=[*Y[1:], "bra"]), ArgumentTypeError, "not_a_number", id="text among ratings"),
        pytest.param(lambda: fit(y=[*Y[1:], math.inf]), UsageError, "infinite", id="infinite"),
        pytest.param(lambda: fit(y=Y * np.nan), UsageError, "components_no_ratings", id="all missing"),
        pytest.param(lambda: fit(y=sparse(0.1), missing="raise"), UsageError, "missing_values", id="missing under raise"),
        pytest.param(lambda: fit(y=sparse(0.1), estimator="ANOVA"), UsageError, "design_not_complete", id="ANOVA with holes"),
        pytest.param(lambda: fit(*rows((SITE > 0) | (FILE > 0)), estimator="ANOVA"), UsageError, "design_unbalanced", id="ANOVA unbalanced"),
        pytest.param(lambda: fit(*rows(np.r_[0, 0 : len(Y)]), estimator="ANOVA"), UsageError, "design_not_complete", id="ANOVA with a cell twice"),
        pytest.param(lambda: fit(estimator="ANOVA", interval="profile"), UsageError, "anova_no_profile", id="profile of ANOVA"),
        pytest.param(lambda: fit(estimator="ML"), UsageError, "unknown_choice", id="estimator"),
        pytest.param(lambda: fit(items="both"), UsageError, "unknown_choice", id="items"),
        pytest.param(lambda: fit(interval="wald"), UsageError, "unknown_choice", id="interval"),
        pytest.param(lambda: fit(missing="listwise"), UsageError, "unknown_choice", id="missing"),
        pytest.param(lambda: fit(confidence_level=95), UsageError, "confidence_level", id="level"),
        pytest.param(lambda: fit(omit=["site x judge"]), UsageError, "effect_unknown", id="unknown effect"),
        pytest.param(lambda: fit(design="(file : site", omit=()), UsageError, "design_unread", id="design without its end"),
        pytest.param(lambda: fit(design="file x file", omit=()), UsageError, "design_facet_twice", id="facet twice"),
    ],
)  # fmt: skip
def test_what_is_refused(call, kind, code):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"
    assert str(caught.value)


#: what is not estimated, by the facets of the effect, and one code that must be among reasons and flags
@pytest.mark.parametrize(
    ("call", "unknown", "code"),
    [
        pytest.param(lambda: fit(*rows(SITE == 0)), {"site", "site × item"}, "components_one_level", id="one site"),
        pytest.param(lambda: fit(*rows(ITEM == 0)), {"site × item", "rater × item", "file × item : site", "file × rater : site"}, "components_one_condition", id="one item"),
        pytest.param(lambda: fit(*rows(RATER == 0)), {"rater", "rater × item", "file × rater : site", "file × item : site"}, "components_one_condition", id="one rater"),
        pytest.param(lambda: fit(*rows(RATER == 0), design="(file : site) x item", omit=()), set(), None, id="one rater, not a facet"),
        pytest.param(lambda: fit(facets=GOOD | {"rater": SITE * 3 + RATER}), {"rater", "rater × item"}, "components_unlinked", id="unlinked raters"),
        pytest.param(lambda: fit(facets=GOOD | {"rater": SITE * 3 + RATER}, omit=()), {"rater", "rater × item", "site × rater", "site × rater × item"}, "components_unlinked", id="unlinked raters, all effects"),
        pytest.param(lambda: fit(*rows(RATER == 0, rater=SITE)), {"site", "rater", "site × item", "rater × item", "file : site", "file × rater : site", "file × item : site"}, "components_unlinked", id="one rater a site"),
        pytest.param(lambda: fit(*rows(FILE == 0)), {"site", "file : site", "site × item", "file × item : site"}, "components_confounded", id="one file a site"),
        pytest.param(lambda: fit(*rows(np.r_[0:10, 0 : len(Y)])), set(), "components_cells_twice", id="cells twice"),
        pytest.param(lambda: fit(facets={name: codes.astype(float) for name, codes in GOOD.items()}), set(), None, id="whole codes as floats"),
        pytest.param(lambda: fit(y=sparse()), None, None, id="95 % missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_apart_is_nan_with_a_reason(call, unknown, code):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = call()
    left_out = {effect.name for effect, value in zip(result.effects, result.estimate, strict=True) if math.isnan(value)}
    if unknown is not None:
        assert left_out == unknown
    assert {effect.name for effect, why in zip(result.effects, result.reasons, strict=True) if why} == left_out
    codes = {message.code for message in (*result.flags, *(why for why in result.reasons if why))}
    assert code is None or f"psychometrics.{code}" in codes
    assert np.isfinite(result.estimate[-1]) or unknown is None
    assert result.summary()
    assert len(result.table) == len(result.effects)
    for message in (*result.flags, *(why for why in result.reasons if why)):
        assert message.text("sv") != message.text("en")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        pytest.param(lambda: fit(y=np.full(len(Y), 3.0)), "no_variation", id="all equal"),
        pytest.param(lambda: fit(y=np.full(len(Y), 0.1), estimator="ANOVA"), "no_variation", id="all equal, ANOVA"),
        pytest.param(lambda: fit(*rows([0])), "components_one_level", id="one rating"),
    ],
)
def test_nothing_is_defined(call, code):
    with pytest.warns(UndefinedStatisticWarning):
        result = call()
    assert np.isnan(result.estimate).all()
    assert f"psychometrics.{code}" in {why.code for why in result.reasons}
    assert result.summary()


def test_declaring_unlinked_raters_nested_separates_them():
    facets = GOOD | {"rater": SITE * 3 + RATER}
    result = fit(facets=facets, design="(rater x file) : site x item", omit=())
    assert np.isfinite(result.estimate).all()
    assert result.levels["rater"] == 18
