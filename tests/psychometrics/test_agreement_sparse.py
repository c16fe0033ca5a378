"""Units and clusters without a pair of ratings, rows dropped, and intervals of no width."""

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.agreement._linearised import renumbered

IDENTITY = 1e-10
H = math.nan
MANY = (pm.percent_agreement, pm.fleiss_kappa, pm.conger_kappa, pm.brennan_prediger, pm.gwet_ac)
#: Those in which single ratings have no part at all.
PAIRS_ONLY = (pm.percent_agreement, pm.brennan_prediger)


def alpha(x, **options):
    return pm.krippendorff_alpha(x, measurement_level="nominal", **options)


def double(n, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, 1)) * np.ones((1, 2))
    x[rng.random(n) < 0.3, 1] = 0
    return x


def beside(x, singles, seed=2):
    one = np.random.default_rng(seed).integers(0, 2, (singles, 1)).astype(float)
    return np.vstack([x, np.column_stack([one, np.full(singles, H)])])


def same(one, other):
    pair = [(r.estimate, r.std_error, r.ci.low, r.ci.high) for r in (one, other)]
    assert pair[0] == pytest.approx(pair[1], abs=IDENTITY)
    assert [flag.code for flag in one.flags] == [flag.code for flag in other.flags]


@pytest.mark.parametrize("function", PAIRS_ONLY)
def test_units_of_one_rating_change_nothing_of_an_interval(function):
    x = double(10)
    same(function(beside(x, 300), categories=[0, 1]), function(x, categories=[0, 1]))


@pytest.mark.parametrize("function", PAIRS_ONLY)
def test_clusters_of_units_of_one_rating_change_nothing_of_an_interval(function):
    x, clusters = double(60), np.repeat(np.arange(4), 15)
    more = np.concatenate([clusters, 4 + np.repeat(np.arange(30), 3)])
    few = function(x, categories=[0, 1], clusters=clusters)
    result = function(beside(x, 90), categories=[0, 1], clusters=more)
    same(result, few)
    assert result.flags[0].code == "psychometrics.agreement_clusters_not_reliable"
    assert result.flags[0].params["n"] == 4
    assert result.n_clusters == 34


@pytest.mark.parametrize("function", [*MANY, alpha])
def test_rules_count_units_and_clusters_with_pairs_only(function):
    x = beside(np.vstack([double(9), [[1, 0]]]), 300)
    codes = {flag.code for flag in function(x, bootstrap=50).flags}
    assert {"psychometrics.agreement_interval_not_reliable", "psychometrics.agreement_bootstrap_few"} <= codes
    x, clusters = beside(double(290), 90), np.concatenate([np.arange(290) % 29, 29 + np.arange(90)])
    codes = [flag.code for flag in function(x, clusters=clusters).flags]
    assert codes == ["psychometrics.agreement_clusters_not_reliable"]


def test_one_cluster_with_pairs_has_no_error():
    x, clusters = beside(double(10), 20), np.concatenate([np.zeros(10), 1 + np.arange(20)])
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = pm.gwet_ac(x, clusters=clusters)
    assert caught[0].message.code == "psychometrics.agreement_one_cluster"
    assert math.isnan(result.std_error)


@pytest.mark.parametrize("function", [*MANY, pm.cohen_kappa, pm.scott_pi, alpha])
@pytest.mark.parametrize("weights", [None, "linear", "ordinal"])
def test_listwise_takes_categories_from_the_rows_used(function, weights):
    options = {} if function is alpha else {"weights": weights}
    rng = np.random.default_rng(3)
    x = np.vstack([rng.integers(1, 4, (30, 2)).astype(float), [[9, H], [H, 5]]])
    one, first = function(x, missing="listwise", **options), function(x[:30], missing="raise", **options)
    assert one.table.equals(first.table)
    np.testing.assert_array_equal(one.categories, [1, 2, 3])
    assert function(x, missing="listwise", categories=[1, 2, 3], **options).n == 30


@pytest.mark.parametrize("function", MANY)
def test_rows_without_a_cluster_bring_no_category(function):
    x, clusters = np.vstack([double(30), [[7, 7]]]), [*np.repeat(np.arange(10), 3), None]
    result = function(x, clusters=clusters)
    np.testing.assert_array_equal(result.categories, [0, 1])
    assert result.table.equals(function(x[:30], clusters=clusters[:30]).table)


def test_available_takes_categories_from_single_ratings_too():
    assert pm.gwet_ac([*double(20), [7, H]]).categories.tolist() == [0, 1, 7]
    assert pm.cohen_kappa([*double(20), [7, H]]).categories.tolist() == [0, 1]


def test_listwise_of_single_raters_takes_categories_from_the_rows_used():
    x = np.vstack([double(20), [[7, H]]])
    gold = [*double(20, 5)[:, 0], 7]
    for weights in ("ordinal", "linear"):
        one = pm.certify_raters(x, gold, weights=weights, missing="listwise")
        first = pm.certify_raters(x[:20], gold[:20], weights=weights)
        assert one.table.equals(first.table)
        assert pm.leave_one_out_agreement(x, missing="listwise").categories.tolist() == [0, 1]
        assert pm.rater_drift(x, x, missing="listwise", weights=weights).categories.tolist() == [0, 1]


@pytest.mark.witness(
    statistic="percent_agreement",
    definition="interval where all units agree, or none does: Clopper and Pearson's",
    reference="scipy binomtest(k, n).proportion_ci(method='exact')",
    tolerance=1e-10,
    data="12 units that all agree; 12 that all disagree",
)
def test_the_interval_of_full_agreement_is_clopper_and_pearsons():
    from scipy.stats import binomtest

    for x, k in (([[1, 1]] * 12, 12), ([[1, 2]] * 12, 0)):
        result, expected = pm.percent_agreement(x), binomtest(k, 12).proportion_ci(0.95, "exact")
        assert (result.ci.low, result.ci.high) == pytest.approx((expected.low, expected.high), abs=1e-10)
        assert result.flags[0].code == "psychometrics.agreement_without_spread"
    four = pm.percent_agreement([[1, 1]] * 12, clusters=np.repeat(np.arange(4), 3))
    assert four.ci.low == pytest.approx(0.025 ** (1 / 4))
    assert "no cluster of 4 disagrees" in four.ci.method


def test_disagreement_without_spread_has_no_interval():
    result = pm.percent_agreement([[1, 2]] * 12, weights=np.array([[1, 0.5], [0.5, 1]]))
    assert (result.estimate, result.std_error) == (0.5, 0)
    assert np.isnan([result.ci.low, result.ci.high]).all()
    assert result.flags[0].code == "psychometrics.agreement_without_spread"


def test_severity_that_is_the_same_on_all_units_is_flagged():
    result = pm.rater_severity([[1, 2]] * 12)
    assert (result.ci[0].low, result.ci[0].high) == (-0.5, -0.5)
    flags = {flag.code: flag for flag in result.flags}
    assert flags["psychometrics.severity_interval_not_reliable"].params["raters"] == ["1", "2"]


def test_a_change_that_is_the_same_on_all_units_is_flagged():
    first = np.arange(20.0)[:, None] % 4
    result = pm.rater_drift(first, first + 1)
    assert (result.change_ci[0].low, result.change_ci[0].high) == (1, 1)
    assert "psychometrics.rater_change_not_reliable" in {flag.code for flag in result.flags}


def test_clusters_are_numbered_without_gaps():
    assert renumbered(np.array([0, 2, 2, 5]), np.array([True, True, False, True])).tolist() == [0, 1, 2]
