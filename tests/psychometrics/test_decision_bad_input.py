"""Bad input of decision studies and of alpha at two levels: one row a case, with what comes of it."""

# ruff: noqa: E501 - one row a case

import math

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import parse_design


def made(text="(file : site) x item", estimate=(0.05, 0.35, 0.10, 0.575), fixed=("item",)):
    design = parse_design(text)
    effects = tuple(effect for effect in design.effects if not effect.indices <= set(fixed))
    values = np.array(estimate, dtype=float)
    k = len(effects)
    return VarianceComponents(
        design=design, effects=effects, estimate=np.maximum(values, 0.0), untruncated=values,
        std_error=np.full(k, np.nan), ci=(), covariance=np.full((k, k), np.nan), fixed=fixed,
        levels={"site": 24, "file": 720, "item": 4}, mean_levels={"site": 24.0, "file": 30.0, "item": 4.0},
        n=0, n_dropped=0, mean=2.0, estimator="ANOVA", engine="", criterion=math.nan, converged=True,
        reasons=(None,) * k, flags=(),
    )  # fmt: skip


GOOD = made()


def decide(g=GOOD, **options):
    return pm.decision_study(g, **{"n": {"file": 30}, **options})


CALLS = [
    ("unknown facet in n", lambda: decide(n={"rater": 2}), "decision_facet", "`n` names rater, and the facets that a mean can be over are file, item"),
    ("the object in n", lambda: decide(n={"site": 2}), "decision_facet", "names site"),
    ("n is no mapping", lambda: decide(n=30), "decision_n", "`n` is 30"),
    ("n of 0", lambda: decide(n={"file": 0}), "decision_number", "`n` of file holds 0"),
    ("n negative", lambda: decide(n={"file": [10, -1]}), "decision_number", "holds -1"),
    ("n a fraction", lambda: decide(n={"file": 2.5}), "decision_number", "holds 2.5"),
    ("n infinite", lambda: decide(n={"file": math.inf}), "decision_number", "holds inf"),
    ("n missing", lambda: decide(n={"file": None}), "decision_number", "holds None"),
    ("n as text", lambda: decide(n={"file": "30"}), "decision_number", "holds '30'"),
    ("n true", lambda: decide(n={"file": True}), "decision_number", "holds True"),
    ("n an empty list", lambda: decide(n={"file": []}), "decision_number", r"holds \[\]"),
    ("more items than there are", lambda: decide(n={"item": 5}), "decision_fixed", "`n` of item is 5, and this fixed facet has 4"),
    ("object not in the design", lambda: decide(object_of_measurement="school"), "decision_object", "'school'; it must be a random facet"),
    ("object nested", lambda: decide(object_of_measurement="file"), "decision_object", "site"),
    ("object fixed", lambda: decide(object_of_measurement="item"), "decision_object", "'item'"),
    ("object no text", lambda: decide(object_of_measurement=1), "decision_object", "is 1"),
    ("cut as text", lambda: decide(cut="2"), "decision_cut", "`cut` is '2'"),
    ("cut NaN", lambda: decide(cut=math.nan), "decision_cut", "`cut` is nan"),
    ("cut infinite", lambda: decide(cut=math.inf), "decision_cut", "`cut` is inf"),
    ("unknown effect assumed", lambda: decide(assume_zero=["rater"]), "decision_effect", "`assume_zero` names rater"),
    ("estimated effect assumed", lambda: decide(assume_zero=["site"]), "decision_assumed_estimated", "names site, which is estimated"),
    ("assumed is a number", lambda: decide(assume_zero=0), "decision_assumed_kind", "`assume_zero` is 0"),
    ("unknown effect given", lambda: decide(given={"rater x file": 1}), "decision_effect", "`given` names rater x file"),
    ("negative variance given", lambda: decide(given={"site": -1}), "decision_given_value", "`given` of site is -1"),
    ("NaN given", lambda: decide(given={"site": math.nan}), "decision_given_value", "is nan"),
    ("given is a list", lambda: decide(given=["site"]), "decision_given_kind", r"`given` is \['site'\]"),
    ("confidence in percent", lambda: decide(confidence_level=95), "confidence_level", "95"),
    ("target 0", lambda: decide().needed("file", target=0), "decision_target", "`target` is 0"),
    ("target 1", lambda: decide().needed("file", target=1.0), "decision_target", "`target` is 1.0"),
    ("target in percent", lambda: decide().needed("file", target=80), "decision_target", "80"),
    ("target as text", lambda: decide().needed("file", target=".8"), "decision_target", "'.8'"),
    ("needed of a fixed facet", lambda: decide().needed("item"), "unknown_choice", "`facet` is 'item'; it must be one of file"),
    ("needed of an unknown facet", lambda: decide().needed("rater"), "unknown_choice", "'rater'"),
    ("needed by an unknown coefficient", lambda: decide().needed("file", coefficient="alpha"), "unknown_choice", "'alpha'"),
    ("needed at a cut that was not given", lambda: decide().needed("file", coefficient="phi_lambda"), "decision_needed_cut", "phi_lambda"),
    ("needed with several numbers of another facet", lambda: decide(n={"item": [2, 4]}).needed("file"), "decision_needed_several", "depends on item"),
    ("alpha of one item", lambda: pm.multilevel_alpha(np.ones((4, 1)), [1, 1, 2, 2]), "too_few_items", r"1 item\(s\)"),
    ("alpha with groups of another length", lambda: pm.multilevel_alpha(np.ones((4, 2)), [1, 2]), "lengths_differ", r"2 value\(s\)"),
    ("alpha with missing answers", lambda: pm.multilevel_alpha([[1, 2], [2, math.nan]], [1, 2]), "missing_values", "1 missing"),
    ("alpha with a missing group", lambda: pm.multilevel_alpha([[1, 2], [2, 3]], [1, None]), "missing_groups", "1 missing"),
    ("alpha, unknown missing", lambda: pm.multilevel_alpha([[1, 2], [2, 3]], [1, 2], missing="available"), "unknown_choice", "listwise"),
    ("alpha, bootstrap", lambda: pm.multilevel_alpha([[1, 2], [2, 3]], [1, 2], bootstrap=-1), "bootstrap", "-1"),
    ("alpha, rng", lambda: pm.multilevel_alpha([[1, 2], [2, 3]], [1, 2], rng="x"), "rng", "'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "text"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_bad_call_is_refused(call, code, text):
    with pytest.raises(UsageError, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


def test_text_among_answers_is_refused():
    with pytest.raises(ArgumentTypeError, match="'två'"):
        pm.multilevel_alpha([[1, "två"], [2, 3]], [1, 2])


NAN = math.nan
COEFFICIENTS = {"erho2", "phi"}
EVERYTHING = {"universe_score", "relative_error", "absolute_error", "relative_sem", "absolute_sem", *COEFFICIENTS}
UNKNOWN = [
    ("all components 0", (0, 0, 0, 0), COEFFICIENTS, "decision_no_variance"),
    ("all components NaN", (NAN, NAN, NAN, NAN), EVERYTHING, "decision_not_estimable"),
    ("site NaN", (NAN, 0.35, 0.1, 0.5), {"universe_score", *COEFFICIENTS}, "decision_not_estimable"),
    ("file NaN", (0.05, NAN, 0.1, 0.5), EVERYTHING - {"universe_score"}, "decision_not_estimable"),
]  # fmt: skip


@pytest.mark.parametrize(("estimate", "names", "code"), [row[1:] for row in UNKNOWN], ids=[row[0] for row in UNKNOWN])
def test_what_is_not_known_is_nan_with_one_warning_at_the_caller(estimate, names, code):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.decision_study(made(estimate=estimate), n={"file": [10, 20]})
    assert {warning.filename for warning in caught} == {__file__}
    assert {reason.code for reason in result.reasons.values()} == {f"psychometrics.{code}"}
    assert set(result.reasons) == names
    for name in EVERYTHING:
        assert np.isnan(getattr(result, name)).all() == (name in names)
        assert np.isnan(result.low[name]).all() >= (name in names)
    assert result.summary()
    assert result.reasons["phi"].text("en") in result.table["reason"].tolist()[4]


DEFINED = [
    ("cut below the scale", {"cut": -100}),
    ("one file", {"n": {"file": 1}}),
    ("a billion files", {"n": {"file": 10**9}}),
    ("numbers of numpy", {"n": {"file": np.array([10, 20])}}),
    ("numbers of pandas", {"n": {"file": pd.Series([10, 20])}}),
    ("whole numbers as floats", {"n": {"file": 10.0}}),
    ("one item of the four", {"n": {"item": 1}}),
    ("nothing asked", {"n": {}}),
    ("an effect by another order and sign", {"given": {"item x file : site": 0.5}}),
]  # fmt: skip


@pytest.mark.parametrize("options", [row[1] for row in DEFINED], ids=[row[0] for row in DEFINED])
def test_what_can_be_told_is_told(options):
    result = decide(**options)
    assert not result.reasons
    assert np.isfinite(result.phi).all()
    assert np.all((result.low["phi"] <= result.phi) & (result.phi <= result.high["phi"]))


def test_components_of_0_without_error_need_one_condition_and_without_truth_infinitely_many():
    assert decide(made(estimate=(0.3, 0, 0, 0))).needed("file").estimate == 1
    assert decide(made(estimate=(0, 0.3, 0, 0))).needed("file").estimate == math.inf


def test_few_sites_are_flagged():
    g = made()
    g.levels.update(site=6, file=180)
    assert [flag.code for flag in decide(g).flags] == ["psychometrics.decision_few_objects"]


ANSWERS = np.random.default_rng(1).normal(size=(12, 3))
LEVELS = [
    ("one group", ANSWERS, np.ones(12), "too_few_groups"),
    ("no row", np.empty((0, 3)), np.empty(0), "too_few_groups"),
    ("groups of one", ANSWERS, np.arange(12), "only_single_members"),
    ("all answers equal", np.ones((12, 3)), np.repeat([1, 2, 3], 4), "sum_constant"),
    ("group means equal", np.vstack([ANSWERS[:6], ANSWERS[:6]]), np.repeat([1, 2], 6), "no_variance_between"),
    ("no variance within", np.repeat(ANSWERS[:4], 3, axis=0), np.repeat([1, 2, 3, 4], 3), "no_variance_between"),
]  # fmt: skip


@pytest.mark.parametrize(("x", "groups", "code"), [row[1:] for row in LEVELS], ids=[row[0] for row in LEVELS])
@pytest.mark.parametrize("bootstrap", [0, 5])
def test_alpha_that_is_not_defined_is_nan_with_a_reason(x, groups, code, bootstrap):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.multilevel_alpha(x, groups, bootstrap=bootstrap)
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}"]
    assert caught[0].filename == __file__
    assert math.isnan(result.between) or math.isnan(result.within)
    assert result.reason.text("en") in result.summary()
    assert result.reason.text("sv")
