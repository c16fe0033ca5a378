"""Standard setting: cuts by judges and by known groups, and how well they classify."""

# ruff: noqa: E501 - one row a case

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

# closed forms in double precision, R's JSON with 15 digits
CLOSED_FORM = 1e-8
# two optimisers of one criterion, and quadrature of what follows from it
OPTIMISERS = 1e-5
REFERENCE = json.loads((Path(__file__).parents[1] / "reference/standards.json").read_text(encoding="utf-8"))
TWO = REFERENCE["groups"]
MADE = REFERENCE["classification"]


@pytest.mark.witness(
    statistic="modified_angoff", definition="cut, SE with items fixed and random, components, ICC(A,1)",
    reference="R stats::aov, t.test (Brennan & Lockwood's variance written out)", tolerance=CLOSED_FORM, data="Shrout & Fleiss (1979), Table 2",
)  # fmt: skip
@pytest.mark.parametrize(("name", "weights"), [("angoff", None), ("weighted", [3, 1, 1, 1, 1, 1])])
def test_cut_and_its_error_agree_with_mean_squares_of_r(shrout_fleiss, name, weights):
    expected, x = REFERENCE[name], shrout_fleiss.T
    fixed, drawn = (pm.modified_angoff(x, weights=weights, items=items) for items in ("fixed", "random"))
    assert fixed.estimate == pytest.approx(expected["cut"], abs=CLOSED_FORM)
    assert fixed.std_error == pytest.approx(expected["se_fixed"], abs=CLOSED_FORM)
    assert [fixed.ci.low, fixed.ci.high] == pytest.approx(expected["ci_fixed"], abs=CLOSED_FORM)
    assert list(fixed.components.values()) == pytest.approx(expected["components"], abs=CLOSED_FORM)
    assert drawn.std_error == pytest.approx(expected["se_random"], abs=CLOSED_FORM)
    assert fixed.agreement == pytest.approx(expected["icc_agreement"], abs=CLOSED_FORM)


@pytest.mark.witness(
    statistic="modified_angoff", definition="ICC(A,1) of judges", reference="Shrout & Fleiss (1979), ICC(2,1)", tolerance=0.005,
    data="Shrout & Fleiss (1979), Table 2",
)  # fmt: skip
def test_agreement_of_judges_is_the_printed_icc(shrout_fleiss):
    assert pm.modified_angoff(shrout_fleiss.T).agreement == pytest.approx(0.29, abs=0.005)


@pytest.mark.witness(
    statistic="receiver_operating_characteristic", definition="AUC, DeLong's error and logit interval, Youden cut, Wilson",
    reference="R base, DeLong's placements written out; wilcox.test; prop.test", tolerance=CLOSED_FORM, data="R datasets::mtcars",
)  # fmt: skip
def test_area_and_cut_agree_with_r():
    made = pm.receiver_operating_characteristic(TWO["y"], TWO["above"], above=1, bootstrap=0)
    assert made.estimate == pytest.approx(TWO["auc"], abs=CLOSED_FORM)
    assert made.estimate == pytest.approx(TWO["u"], abs=CLOSED_FORM)
    assert made.std_error == pytest.approx(TWO["se"], abs=CLOSED_FORM)
    assert [made.ci.low, made.ci.high] == pytest.approx(TWO["ci"], abs=CLOSED_FORM)
    assert made.youden == pytest.approx(TWO["youden"], abs=CLOSED_FORM)
    assert np.min(np.abs(np.atleast_1d(TWO["best"]) - made.cut)) < CLOSED_FORM
    at = pm.receiver_operating_characteristic(TWO["y"], TWO["above"], above=1, cut=20)
    for name in ("sensitivity", "specificity"):
        assert getattr(at, name) == pytest.approx(TWO[name], abs=CLOSED_FORM)
        ci = getattr(at, f"{name}_ci")
        assert [ci.low, ci.high] == pytest.approx(TWO[f"{name}_ci"], abs=CLOSED_FORM)


@pytest.mark.witness(
    statistic="contrasting_groups", definition="crossing of logistic regression and of normal densities, equal group sizes",
    reference="R stats::glm, uniroot", tolerance=CLOSED_FORM, data="R datasets::mtcars",
)  # fmt: skip
@pytest.mark.parametrize("crossing", ["logistic", "normal"])
def test_crossing_agrees_with_r(crossing):
    made = pm.contrasting_groups(TWO["y"], TWO["above"], above=1, crossing=crossing, bootstrap=0)
    assert made.estimate == pytest.approx(TWO[crossing], abs=CLOSED_FORM)


@pytest.mark.witness(
    statistic="classification_accuracy", definition="accuracy, consistency, kappa, false positives; normal true scores",
    reference="R stats::optimize, integrate", tolerance=OPTIMISERS, data="24 scores in the script",
)  # fmt: skip
def test_accuracy_agrees_with_integrals_of_r():
    made = pm.classification_accuracy(MADE["score"], std_error=MADE["error"], cuts=[50, 75])
    assert made.true_sd == pytest.approx(MADE["tau"], rel=OPTIMISERS)
    for name in ("mean", "accuracy", "consistency", "kappa"):
        assert getattr(made, name) == pytest.approx(MADE[name], rel=OPTIMISERS), name
    assert made.false_positive == pytest.approx(MADE["false_positive"], rel=OPTIMISERS)
    rudner = pm.classification_accuracy(MADE["score"], std_error=MADE["error"], cuts=[50, 75], true_scores="observed")
    assert rudner.accuracy == pytest.approx(MADE["rudner"], abs=CLOSED_FORM)
    assert rudner.site_accuracy.mean() == pytest.approx(MADE["rudner"], abs=CLOSED_FORM)


SCORES = st.lists(st.integers(0, 12), min_size=2, max_size=12)


@settings(max_examples=100, deadline=None)
@given(low=SCORES, high=SCORES)
def test_area_is_mann_whitney_and_turns_with_the_groups(low, high):
    y, g = [*low, *high], ["b"] * len(low) + ["a"] * len(high)
    made = pm.receiver_operating_characteristic(y, g, above="a", bootstrap=0)
    u = sum((a > b) + 0.5 * (a == b) for a in high for b in low) / (len(low) * len(high))
    assert made.estimate == pytest.approx(u, abs=1e-12)
    turned = pm.receiver_operating_characteristic(y, g, above="b", bootstrap=0)
    assert turned.estimate == pytest.approx(1 - u, abs=1e-12)
    assert made.ci.low == pytest.approx(1 - turned.ci.high, abs=1e-9)
    assert 0 <= made.ci.low <= made.estimate <= made.ci.high <= 1
    assert made.youden == pytest.approx(
        max(np.mean(np.array(high) >= c) + np.mean(np.array(low) < c) - 1 for c in made.thresholds)
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), j=st.integers(2, 8), i=st.integers(2, 8))
def test_cut_of_judges_follows_a_linear_map_and_no_order(seed, j, i):
    rng = np.random.default_rng(seed)
    x = rng.normal(60, 10, (j, i))
    made, mapped = pm.modified_angoff(x), pm.modified_angoff(3 * x[::-1, ::-1] - 7)
    assert mapped.estimate == pytest.approx(3 * made.estimate - 7)
    assert mapped.std_error == pytest.approx(3 * made.std_error)
    assert made.without_judge[0] == pytest.approx(pm.modified_angoff(x[1:]).estimate if j > 2 else x[1:].mean())


def test_rounds_show_the_change_by_paired_judges():
    rng = np.random.default_rng(1)
    first = rng.normal(60, 10, (12, 6))
    second = 0.5 * first + 0.5 * first.mean(axis=0) + 4
    made = pm.modified_angoff(np.stack([first, second], axis=2))
    assert made.change == pytest.approx(4)
    assert made.judge_sd[1] < made.judge_sd[0]
    assert made.change_ci.low < 4 < made.change_ci.high
    assert made.estimate == pm.modified_angoff(second).estimate


@pytest.mark.parametrize("true_scores", ["normal", "observed"])
def test_scores_without_error_are_classified_without_fault(true_scores):
    y = np.linspace(20, 95, 40)
    made = pm.classification_accuracy(y, std_error=np.zeros(40), cuts=[50, 75], true_scores=true_scores)
    assert (made.accuracy, made.consistency) == (1.0, 1.0)
    assert made.kappa == pytest.approx(1.0)
    assert not made.false_positive.any()
    assert made.site_accuracy == pytest.approx(np.ones(40))


def test_accuracy_of_planted_true_scores_comes_back_and_rudners_kappa_is_too_high():
    """Reliability .6; 200,000 sites: what is expected is what happens."""
    rng = np.random.default_rng(2)
    n, tau, s = 200_000, 10.0, 8.165
    theta = rng.normal(60, tau, n)
    y, again = theta + rng.normal(0, s, n), theta + rng.normal(0, s, n)
    band, true, other = (np.searchsorted([50, 75], z, side="right") for z in (y, theta, again))
    made, rudner = (
        pm.classification_accuracy(y, std_error=np.full(n, s), cuts=[50, 75], true_scores=t)
        for t in ("normal", "observed")
    )
    slack = 4 * math.sqrt(0.25 / n)
    assert made.accuracy == pytest.approx((band == true).mean(), abs=slack)
    assert made.consistency == pytest.approx((band == other).mean(), abs=slack)
    assert made.site_accuracy.mean() == pytest.approx((band == true).mean(), abs=slack)
    assert made.false_positive[0] == pytest.approx(((y >= 50) & (theta < 50)).mean(), abs=slack)
    assert made.false_negative[1] == pytest.approx(((y < 75) & (theta >= 75)).mean(), abs=slack)
    chance = np.square(np.bincount(band) / n).sum()
    assert made.kappa == pytest.approx(((band == other).mean() - chance) / (1 - chance), abs=2 * slack)
    assert rudner.kappa > made.kappa + 0.05


def test_listwise_is_dropping_the_rows_first():
    y = np.array([*TWO["y"], math.nan])
    g = [*TWO["above"], 1]
    for function in (pm.contrasting_groups, pm.receiver_operating_characteristic):
        made, dropped = (
            function(y, g, above=1, missing="listwise", bootstrap=50),
            function(TWO["y"], TWO["above"], above=1, bootstrap=50),
        )
        assert (made.estimate, made.n_dropped) == (dropped.estimate, 1)
        assert made.summary() == dropped.summary()
    x = np.vstack([np.arange(12.0).reshape(3, 4) ** 1.5, [1, math.nan, 2, 3]])
    made, dropped = pm.modified_angoff(x, missing="listwise"), pm.modified_angoff(x[:3])
    assert (made.std_error, made.n_dropped, made.summary()) == (dropped.std_error, 1, dropped.summary())


Y, G = [1.0, 2, 3, 4], [0, 0, 1, 1]
BAD = [
    ("judges as a vector", lambda: pm.modified_angoff([1, 2]), UsageError, "not_a_table"),
    ("no judge", lambda: pm.modified_angoff(np.empty((0, 3))), UsageError, "standard_no_judges"),
    ("no round", lambda: pm.modified_angoff(np.empty((3, 3, 0))), UsageError, "standard_no_judges"),
    ("no judge without a hole", lambda: pm.modified_angoff([[1, math.nan]], missing="listwise"), UsageError, "standard_no_judges"),
    ("a hole", lambda: pm.modified_angoff([[1, math.nan], [1, 2]]), UsageError, "missing_values"),
    ("text", lambda: pm.modified_angoff([["a", "b"]]), ArgumentTypeError, "not_a_number"),
    ("rows of unequal length", lambda: pm.modified_angoff([[1, 2], [1]]), ArgumentTypeError, "unequal_rows"),
    ("a weight of 0", lambda: pm.modified_angoff([[1, 2], [2, 3]], weights=[0, 1]), UsageError, "standard_weights"),
    ("too few weights", lambda: pm.modified_angoff([[1, 2], [2, 3]], weights=[1]), UsageError, "lengths_differ"),
    ("unknown items", lambda: pm.modified_angoff([[1, 2], [2, 3]], items="both"), UsageError, "unknown_choice"),
    ("confidence in percent", lambda: pm.modified_angoff([[1, 2], [2, 3]], confidence_level=95), UsageError, "confidence_level"),
    ("one group", lambda: pm.contrasting_groups(Y, [1] * 4, above=1), UsageError, "standard_two_groups"),
    ("three groups", lambda: pm.receiver_operating_characteristic(Y, [0, 1, 2, 2], above=1), UsageError, "standard_two_groups"),
    ("above is no group", lambda: pm.receiver_operating_characteristic(Y, G, above=2), UsageError, "standard_above"),
    ("group of another length", lambda: pm.contrasting_groups(Y, [0, 1], above=1), UsageError, "lengths_differ"),
    ("a missing score", lambda: pm.contrasting_groups([1, math.nan, 3, 4], G, above=1), UsageError, "missing_values"),
    ("a missing group", lambda: pm.contrasting_groups(Y, [0, None, 1, 1], above=1), UsageError, "missing_groups"),
    ("one score in a group", lambda: pm.contrasting_groups(Y, [0, 1, 1, 1], above=1), UsageError, "standard_group_of_one"),
    ("unknown crossing", lambda: pm.contrasting_groups(Y, G, above=1, crossing="kernel"), UsageError, "unknown_choice"),
    ("negative replicates", lambda: pm.contrasting_groups(Y, G, above=1, bootstrap=-1), UsageError, "bootstrap"),
    ("seed as text", lambda: pm.contrasting_groups(Y, G, above=1, rng="1"), UsageError, "rng"),
    ("a cut of NaN", lambda: pm.receiver_operating_characteristic(Y, G, above=1, cut=math.nan), UsageError, "standard_cut"),
    ("negative error", lambda: pm.classification_accuracy(Y, std_error=[1, 1, 1, -1], cuts=[2]), UsageError, "standard_errors"),
    ("one site", lambda: pm.classification_accuracy([1], std_error=[1], cuts=[2]), UsageError, "standard_errors"),
    ("errors of another length", lambda: pm.classification_accuracy(Y, std_error=[1], cuts=[2]), UsageError, "lengths_differ"),
    ("a missing error", lambda: pm.classification_accuracy(Y, std_error=[1, 1, 1, math.nan], cuts=[2]), UsageError, "missing_values"),
    ("falling cuts", lambda: pm.classification_accuracy(Y, std_error=[1] * 4, cuts=[3, 2]), UsageError, "standard_cuts_rise"),
    ("no cut", lambda: pm.classification_accuracy(Y, std_error=[1] * 4, cuts=[]), UsageError, "standard_cuts_rise"),
    ("unknown true scores", lambda: pm.classification_accuracy(Y, std_error=[1] * 4, cuts=[2], true_scores="beta"), UsageError, "unknown_choice"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_has_no_meaning_is_refused(call, kind, code):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"
    assert caught.value.message.text("sv")


UNDEFINED = [
    ("one judge", lambda: pm.modified_angoff([[1, 2, 3]]), "standard_one_judge", "std_error"),
    ("the group above scores lower", lambda: pm.contrasting_groups(Y, [1, 1, 0, 0], above=1), "standard_no_crossing", "estimate"),
    ("all scores equal", lambda: pm.contrasting_groups([2.0] * 4, G, above=1), "standard_no_crossing", "estimate"),
    ("a group without spread", lambda: pm.contrasting_groups([1, 1, 3, 4], G, above=1, crossing="normal"), "standard_no_crossing", "estimate"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "name"), [row[1:] for row in UNDEFINED], ids=[row[0] for row in UNDEFINED])
def test_what_is_not_defined_is_nan_with_a_reason(call, code, name):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        made = call()
    assert [one.message.code for one in caught] == [f"psychometrics.{code}"]
    assert caught[0].filename == __file__
    assert math.isnan(getattr(made, name))
    assert made.reason.text("en") in made.summary()
    assert len(made.table) >= 1


FLAGGED = [
    ("few judges", lambda: pm.modified_angoff([[1, 2], [2, 4]]), "standard_few_judges"),
    ("groups without overlap", lambda: pm.contrasting_groups(Y, G, above=1, bootstrap=20), "standard_no_overlap"),
    ("a small group", lambda: pm.contrasting_groups(Y, G, above=1, bootstrap=20), "standard_small_group"),
    ("area of 1", lambda: pm.receiver_operating_characteristic(Y, G, above=1, bootstrap=20), "standard_area_at_bound"),
    ("the best cut", lambda: pm.receiver_operating_characteristic(Y, G, above=1, bootstrap=20), "standard_best_cut"),
    ("the best cut of few", lambda: pm.receiver_operating_characteristic(Y, G, above=1, bootstrap=20), "standard_cut_unsure"),
    ("few sites", lambda: pm.classification_accuracy(Y, std_error=[1] * 4, cuts=[2]), "standard_few_sites"),
    ("errors as large as differences", lambda: pm.classification_accuracy(Y, std_error=[9] * 4, cuts=[2]), "standard_no_true_spread"),
    ("Rudner's", lambda: pm.classification_accuracy(Y, std_error=[1] * 4, cuts=[2], true_scores="observed"), "standard_observed"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code"), [row[1:] for row in FLAGGED], ids=[row[0] for row in FLAGGED])
def test_what_says_little_is_flagged(call, code):
    made = call()
    flag = next(flag for flag in made.flags if flag.code == f"psychometrics.{code}")
    assert flag.text("en") in made.summary()
    assert flag.text("sv")
    assert len(made.table) >= 1
