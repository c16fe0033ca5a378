"""Single raters: severity, drift, agreement with the others and with a gold standard."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning

FIXTURE = json.loads((Path(__file__).parents[1] / "reference/single_raters.json").read_text(encoding="utf-8"))
# closed forms, which R makes from a matrix of all units and raters, and prints with 15 digits
CLOSED = 1e-8
IDENTITY = 1e-10

H = math.nan
X, LATER, COMPLETE = (
    np.array([[H if cell is None else cell for cell in row] for row in FIXTURE[name]], dtype=float)
    for name in ("x", "later", "complete")
)
GOLD, CLUSTER = np.array(FIXTURE["gold"], dtype=float), np.array(FIXTURE["cluster"])
FIVE = [1, 2, 3, 4, 5]
DATA = "24 units, 4 raters, drawn in the script"


@pytest.mark.witness(
    statistic="rater_severity",
    definition="unit + rater by least squares, holes; CR2 over units and over clusters, Bell–McCaffrey df",
    reference="R stats lm with contr.sum; CR2 written out in the script from the full design",
    tolerance=CLOSED,
    data=DATA,
)
@pytest.mark.parametrize(
    ("name", "x", "options"),
    [
        ("severity", X, {}),
        ("severity_clusters", X, {"clusters": CLUSTER, "confidence_level": 0.90}),
        ("severity_complete", COMPLETE, {}),
    ],
)
def test_severity_agrees_with_r(name, x, options):
    expected, result = FIXTURE[name], pm.rater_severity(x, **options)
    np.testing.assert_allclose(result.estimate, expected["effects"], atol=CLOSED)
    np.testing.assert_allclose(result.std_error, expected["std_error"], atol=CLOSED)
    np.testing.assert_allclose(result.df, expected["df"], atol=1e-6)
    np.testing.assert_allclose([ci.low for ci in result.ci], expected["low"], atol=1e-6)
    np.testing.assert_allclose([ci.high for ci in result.ci], expected["high"], atol=1e-6)


@pytest.mark.witness(
    statistic="rater_severity",
    definition="test that raters do not differ, complete table: Hotelling's T² as F",
    reference="R stats cov, solve, pf, in the script",
    tolerance=CLOSED,
    data=DATA,
)
def test_the_test_of_equal_raters_agrees_with_hotelling():
    expected, result = FIXTURE["hotelling"], pm.rater_severity(COMPLETE)
    assert (result.f, result.p_value) == pytest.approx((expected["f"], expected["p"]), abs=CLOSED)
    assert (result.df1, result.df2) == pytest.approx((expected["df1"], expected["df2"]), abs=CLOSED)


def test_in_a_complete_table_severity_is_the_mean_less_that_of_all():
    result = pm.rater_severity(COMPLETE)
    apart = COMPLETE - COMPLETE.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(result.estimate, apart.mean(axis=0), atol=IDENTITY)
    np.testing.assert_allclose(result.std_error, apart.std(axis=0, ddof=1) / math.sqrt(24), atol=IDENTITY)
    np.testing.assert_allclose(result.df, 23, atol=1e-8)
    assert (result.rater_units.tolist(), result.rater_pairs.tolist()) == ([24] * 4, [72] * 4)


def test_severity_recovers_what_was_planted_whatever_the_units_that_each_rater_got():
    rng = np.random.default_rng(5)
    planted = np.array([-1.0, -0.2, 0.3, 0.9])
    units = np.sort(rng.normal(0, 5, 400))
    x = units[:, None] + planted + rng.normal(0, 0.3, (400, 4))
    x[:200, 0] = x[200:, 3] = np.nan  # the first rater got the higher units only
    result = pm.rater_severity(x)
    assert np.all(np.abs(result.estimate - planted) < 4 * result.std_error)
    assert result.p_value < 1e-6


def test_severity_ignores_what_units_are_and_scales():
    result = pm.rater_severity(X)
    moved = pm.rater_severity(10 - 2 * (X + np.arange(24)[:, None]))
    np.testing.assert_allclose(moved.estimate, -2 * result.estimate, atol=IDENTITY)
    np.testing.assert_allclose(moved.std_error, 2 * result.std_error, atol=IDENTITY)
    assert moved.f == pytest.approx(result.f, abs=1e-8)


def test_raters_who_never_met_are_named_and_compared_inside_their_set():
    x = [[1, 2, H, H, H], [2, 2, H, H, H], [H, H, 1, 2, H], [H, H, 2, 4, H], [H, H, H, H, 3]]
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.rater_severity(pd.DataFrame(x, columns=list("abcde")))
    assert caught[0].filename == __file__
    assert result.sets == (("a", "b"), ("c", "d"))
    np.testing.assert_allclose(result.estimate[:4], [-0.25, 0.25, -0.75, 0.75])
    assert math.isnan(result.estimate[4])
    assert result.rater_reasons[4].code == "psychometrics.rater_without_overlap"
    assert result.flags[0].code == "psychometrics.severity_several_sets"
    assert result.table["set"].tolist()[:4] == [1, 1, 2, 2]
    assert "(a, b; c, d)" in result.summary()


@pytest.mark.witness(
    statistic="certify_raters",
    definition="Cohen's kappa with the gold standard, unweighted and quadratic, holes; error times √(n/(n − 1))",
    reference="R psych 2.2.9 cohen.kappa",
    tolerance=CLOSED,
    data=DATA,
)
@pytest.mark.parametrize("weighting", ["unweighted", "quadratic"])
def test_certification_agrees_with_psych(weighting):
    weights = None if weighting == "unweighted" else weighting
    result = pm.certify_raters(X, GOLD, weights=weights, categories=FIVE)
    for rater, expected in enumerate(FIXTURE["gold_kappas"]):
        assert result.estimate[rater] == pytest.approx(expected[weighting], abs=CLOSED)
        n = expected["n"]
        assert result.rater_units[rater] == n
        if weighting == "unweighted":  # psych's variance of a weighted kappa is of other weights
            variance = result.std_error[rater] ** 2 * (n - 1) / n
            assert variance == pytest.approx(expected["var_unweighted"], abs=CLOSED)


@pytest.mark.witness(
    statistic="rater_drift",
    definition="mean change with its t interval; kappa of the two occasions, unweighted and quadratic",
    reference="R stats t.test; psych 2.2.9 cohen.kappa",
    tolerance=CLOSED,
    data=DATA,
)
def test_drift_agrees_with_r():
    result = pm.rater_drift(X, LATER, categories=FIVE)
    plain = pm.rater_drift(X, LATER, weights=None, categories=FIVE)
    for rater, expected in enumerate(FIXTURE["drift"]):
        assert result.change[rater] == pytest.approx(expected["mean"], abs=CLOSED)
        assert result.change_std_error[rater] == pytest.approx(expected["std_error"], abs=CLOSED)
        ci = result.change_ci[rater]
        assert [ci.low, ci.high] == pytest.approx(expected["ci"], abs=CLOSED)
        assert result.rater_units[rater] == expected["n"]
        kappas = FIXTURE["drift_kappas"][rater]
        assert result.kappa[rater] == pytest.approx(kappas["quadratic"], abs=CLOSED)
        assert plain.kappa[rater] == pytest.approx(kappas["unweighted"], abs=CLOSED)


@pytest.mark.witness(
    statistic="leave_one_out_agreement",
    definition="quadratic kappa of a rater with the shares of the others' ratings, holes",
    reference="the definition, written out in the R script",
    tolerance=CLOSED,
    data=DATA,
)
def test_agreement_with_the_others_agrees_with_the_definition_in_r():
    result = pm.leave_one_out_agreement(X, weights="quadratic", categories=FIVE)
    np.testing.assert_allclose(result.estimate, FIXTURE["others"], atol=CLOSED)


def test_of_two_raters_both_have_cohens_kappa():
    for weights in (None, "linear", "quadratic"):
        cohen = pm.cohen_kappa(X[:, :2], weights=weights, clusters=CLUSTER)
        result = pm.leave_one_out_agreement(X[:, :2], weights=weights, clusters=CLUSTER)
        certified = pm.certify_raters(X[:, :1], X[:, 1], weights=weights, clusters=CLUSTER)
        for kappa, error, ci in (
            *zip(result.estimate, result.std_error, result.ci, strict=True),
            (certified.estimate[0], certified.std_error[0], certified.ci[0]),
        ):
            assert (kappa, error) == pytest.approx((cohen.estimate, cohen.std_error), abs=IDENTITY)
            assert (ci.low, ci.high) == pytest.approx((cohen.ci.low, cohen.ci.high), abs=IDENTITY)


def test_the_error_of_agreement_with_the_others_is_near_the_jackknife():
    rng = np.random.default_rng(9)
    truth = rng.integers(1, 6, (150, 1))
    x = np.clip(truth + rng.integers(-1, 2, (150, 3)), 1, 5).astype(float)
    result = pm.leave_one_out_agreement(x, weights="linear", categories=FIVE)
    left_out = np.array(
        [
            pm.leave_one_out_agreement(np.delete(x, i, axis=0), weights="linear", categories=FIVE).estimate
            for i in range(150)
        ]
    )
    jackknife = np.sqrt(149 / 150 * np.square(left_out - left_out.mean(axis=0)).sum(axis=0))
    np.testing.assert_allclose(result.std_error, jackknife, rtol=0.05)


def test_the_rule_of_certification():
    rng = np.random.default_rng(3)
    gold = np.repeat([0.0, 1.0, 2.0], 10)
    good, poor = gold.copy(), rng.permutation(gold)
    fair = gold.copy()
    fair[[0, 10, 20]] = [1, 2, 1]
    few = np.where(np.arange(30) % 4 == 0, gold, H)
    same = np.zeros(30)
    x = pd.DataFrame({"good": good, "fair": fair, "poor": poor, "few": few, "same": same})
    result = pm.certify_raters(x, gold)
    assert result.verdict == ("certified", "certified", "not_certified", "not_decided", "not_decided")
    assert result.lower_limit_passes == (False, False, False, False, False)
    twice = pm.certify_raters(pd.concat([x, x]), [*gold, *gold])
    assert twice.lower_limit_passes == (True, True, False, False, False)
    codes = [reason and reason.code.removeprefix("psychometrics.") for reason in result.rater_reasons]
    assert codes == [None, None, None, "rater_too_few_units", "rater_one_category"]
    np.testing.assert_allclose(result.percent[[0, 1, 4]], [1, 0.9, 1 / 3])
    np.testing.assert_allclose(result.mean_deviation[[0, 1, 4]], [0, 1 / 30, -1])
    assert pm.certify_raters(x, gold, least_units=8).verdict[3] == "certified"
    assert pm.certify_raters(x, gold, least_kappa=0.999).verdict[1] == "not_certified"
    assert "Certified by the point estimate" in result.summary()
    assert result.table["verdict"].tolist() == list(result.verdict)


def test_units_of_certification_are_clusters_where_they_are_given():
    gold = np.tile([0.0, 1.0, 2.0], 20)
    files = np.repeat(np.arange(6), 10)
    result = pm.certify_raters(gold[:, None], gold, clusters=files)
    assert (result.verdict, result.rater_units[0], result.rater_clusters[0]) == (("not_decided",), 60, 6)
    assert pm.certify_raters(gold[:, None], gold, clusters=files, least_units=6).verdict == ("certified",)


def test_a_rater_who_gave_what_is_always_right_is_not_decided():
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.certify_raters(np.ones((12, 1)), np.ones(12), categories=[0, 1])
    assert caught[0].message.code == "psychometrics.rater_by_chance_full"
    assert caught[0].filename == __file__
    assert result.verdict == ("not_decided",)


@pytest.mark.parametrize(
    "call",
    [
        lambda x, clusters, **o: pm.rater_severity(x, clusters=clusters, **o),
        lambda x, clusters, **o: pm.leave_one_out_agreement(x, categories=FIVE, clusters=clusters, **o),
        lambda x, clusters, **o: pm.certify_raters(x[:, 1:], x[:, 0], categories=FIVE, clusters=clusters, **o),
        lambda x, clusters, **o: pm.rater_drift(x, x[:, ::-1], categories=FIVE, clusters=clusters, **o),
    ],
)
def test_listwise_is_dropping_first_and_clusters_of_one_unit_are_none(call):
    complete = ~np.isnan(X).any(axis=1)
    listwise = call(X, CLUSTER, missing="listwise")
    first = call(X[complete], CLUSTER[complete], missing="raise")
    assert listwise.n_dropped == (~complete).sum()
    one, other = (r.table.drop(columns="n_dropped", errors="ignore") for r in (listwise, first))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    plain, single = (call(X, clusters).table for clusters in (None, np.arange(24)[::-1]))
    numbers = ["n", "estimate", "std_error", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(plain[numbers], single[numbers], atol=IDENTITY)


def test_no_change_at_all_is_flagged():
    result = pm.rater_drift(COMPLETE, COMPLETE)
    assert np.all(result.change == 0)
    np.testing.assert_allclose(result.kappa, 1)
    assert "psychometrics.rater_change_not_reliable" in {flag.code for flag in result.flags}


def test_results_are_frozen_and_the_callers_data_is_not_touched():
    x, gold = X.copy(), GOLD.copy()
    results = [
        pm.rater_severity(x),
        pm.rater_drift(x, x),
        pm.leave_one_out_agreement(x),
        pm.certify_raters(x, gold),
    ]
    np.testing.assert_array_equal(x, X)
    assert x.flags.writeable
    for result in results:
        with pytest.raises(AttributeError):
            result.n = 1
        assert isinstance(result.summary(), str)
        assert len(result.table) in {4, 8}
