"""Respondents and targets in clusters, skewed targets and groups: what intervals do about them, and what is flagged."""

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning, UsageError
from ibic_fidelity.psychometrics._clusters import RowClusters, carrying, widening
from ibic_fidelity.psychometrics.consistency.internal_consistency import alpha_kernel
from ibic_fidelity.psychometrics.intraclass import _not_normal as not_normal

#: The order of summation alone differs
IDENTITY = 1e-10


def codes(result):
    return {flag.code.removeprefix("psychometrics.") for flag in result.flags}


def scale(rng, sites=24, size=20, share=0.0, k=4):
    site = np.repeat(np.arange(sites), size)
    trait = np.sqrt(share) * rng.normal(size=sites)[site] + np.sqrt(1 - share) * rng.normal(size=sites * size)
    return trait[:, None] + rng.normal(size=(sites * size, k)), site


CONSISTENCY = {
    "alpha": pm.cronbach_alpha,
    "omega": pm.mcdonald_omega,
    "stratified": lambda x, **more: pm.stratified_alpha(x, ["a", "a", "b", "b"], **more),
    "spearman_brown": lambda x, **more: pm.spearman_brown(np.asarray(x)[:, :2], **more),
}


@pytest.mark.parametrize("name", CONSISTENCY)
class TestRespondentsInClusters:
    def test_only_the_adjusted_interval_and_the_bootstrap_change(self, name):
        x, site = scale(np.random.default_rng(1), share=0.8)
        call = CONSISTENCY[name]
        plain, clustered = call(x, bootstrap=50), call(x, clusters=site, bootstrap=50)
        assert (plain.estimate, plain.ci) == (clustered.estimate, clustered.ci)
        assert (plain.n_clusters, clustered.n_clusters) == (None, 24)
        assert clustered.ci_adjusted.method.endswith("over clusters")
        assert clustered.ci_bootstrap.method == "percentile bootstrap of clusters"
        wide = [ci.high - ci.low for ci in (plain.ci_adjusted, clustered.ci_adjusted)]
        assert wide[1] > 1.05 * wide[0]

    def test_labels_and_order_of_rows_change_nothing(self, name):
        rng = np.random.default_rng(2)
        x, site = scale(rng, share=0.3)
        order = rng.permutation(len(x))
        one = CONSISTENCY[name](x, clusters=site).ci_adjusted
        other = CONSISTENCY[name](x[order], clusters=np.array([f"site {i}" for i in site])[order]).ci_adjusted
        assert [one.low, one.high] == pytest.approx([other.low, other.high], abs=1e-7)

    def test_listwise_is_dropping_rows_first(self, name):
        x, site = scale(np.random.default_rng(3), sites=12)
        known = site.astype(float)
        x[3, 1], known[7] = np.nan, np.nan
        keep = ~np.isin(np.arange(len(x)), [3, 7])
        one = CONSISTENCY[name](x, clusters=known, missing="listwise")
        other = CONSISTENCY[name](x[keep], clusters=site[keep])
        assert one.ci_adjusted == other.ci_adjusted
        assert (one.n, one.n_clusters) == (other.n, 12)

    def test_few_clusters_are_flagged_and_one_gives_no_interval(self, name):
        x, site = scale(np.random.default_rng(4), sites=6)
        assert "few_row_clusters" in codes(CONSISTENCY[name](x, clusters=site))
        alone = CONSISTENCY[name](x, clusters=np.zeros(len(x)))
        assert np.isnan(alone.ci_adjusted.low)
        assert "one_row_cluster" in codes(alone)
        assert not any("nan" in flag.text("en") for flag in alone.flags)

    def test_clusters_of_another_length_are_refused(self, name):
        with pytest.raises(UsageError, match="clusters"):
            CONSISTENCY[name](scale(np.random.default_rng(5))[0], clusters=[1, 2])


def test_respondents_as_their_own_clusters_are_a_jackknife_over_respondents():
    x, _ = scale(np.random.default_rng(6), sites=10, size=10)
    rows = RowClusters(np.arange(100), 100)
    left = [pm.cronbach_alpha(np.delete(x, i, axis=0)).estimate for i in range(100)]
    expected = 99 / 100 * np.square(np.array(left) - np.mean(left)).sum()
    assert rows.spread(alpha_kernel(x)).variance == pytest.approx(expected, rel=1e-8)


def test_alike_clusters_are_flagged_even_where_there_are_some():
    x, site = scale(np.random.default_rng(7), sites=12, size=40, share=0.9)
    assert {"few_row_clusters", "feldt_too_narrow"} <= codes(pm.cronbach_alpha(x, clusters=site))
    assert codes(pm.cronbach_alpha(x)) == set()


def test_what_carries_a_variance_and_how_far_it_widens():
    assert carrying(np.array([1.0, -1.0, 1.0, 1.0])) == pytest.approx(4.0)
    assert carrying(np.array([1e-9, 0.0, 0.0])) == pytest.approx(1.0)
    wide = [float(widening(np.ones(n), 0.95)) for n in (3, 30, 300_000)]
    assert wide == sorted(wide, reverse=True)
    assert wide[-1] == pytest.approx(1.0, abs=1e-4)


def test_heavy_tails_of_answers_are_flagged():
    rng = np.random.default_rng(8)
    heavy = rng.lognormal(size=(200, 1)) + rng.lognormal(size=(200, 5))
    for call in (pm.cronbach_alpha, pm.mcdonald_omega):
        assert "respondents_decide" in codes(call(heavy))
        assert "respondents_decide" not in codes(call(rng.normal(size=(200, 1)) + rng.normal(size=(200, 5))))


@pytest.mark.parametrize("definition", ["agreement", "consistency", "one-way"])
class TestTargets:
    def test_skewed_targets_are_flagged_and_have_a_wider_interval(self, definition):
        rng = np.random.default_rng(9)
        skewed = 2 * rng.exponential(size=(100, 1)) + rng.normal(size=(100, 3))
        plain = 2 * rng.normal(size=(100, 1)) + rng.normal(size=(100, 3))
        result = pm.intraclass_correlation(skewed, definition=definition)
        first = result.ci_modified or result.ci
        assert "icc_targets_not_normal" in codes(result)
        assert result.ci_adjusted.low < first.low < result.estimate < first.high < result.ci_adjusted.high
        assert codes(pm.intraclass_correlation(plain, definition=definition)) == set()
        assert f"Use first: {result.ci_adjusted.method}" in result.summary()

    def test_a_table_without_holes_has_nearly_the_interval_of_the_jackknife(self, definition):
        """Holes take a jackknife, complete tables influence values: the same to a few per cent."""
        rng = np.random.default_rng(10)
        x = rng.exponential(size=(80, 1)) + rng.normal(size=(80, 3))
        influence = not_normal.of_tables(x, definition, 0.95)
        rows = RowClusters(np.arange(80), 80)
        df = 160 if definition == "one-way" else 158
        kernel = not_normal.complete_log_f(x, definition)
        jackknife, _ = not_normal.Inflation.over(rows, kernel, 2 / 79 + 2 / df, 0.95)
        assert float(jackknife.ratio) == pytest.approx(float(influence.ratio), rel=0.05)

    def test_targets_in_clusters(self, definition):
        rng = np.random.default_rng(11)
        site = np.repeat(np.arange(20), 20)
        x = (rng.normal(size=20)[site] + 0.5 * rng.normal(size=400))[:, None] + rng.normal(size=(400, 2))
        plain = pm.intraclass_correlation(x, definition=definition, bootstrap=20)
        clustered = pm.intraclass_correlation(x, definition=definition, bootstrap=20, clusters=site)
        assert (plain.ci, plain.estimate) == (clustered.ci, clustered.estimate)
        assert clustered.n_clusters == 20
        assert clustered.ci_adjusted.high - clustered.ci_adjusted.low > 1.2 * (plain.ci.high - plain.ci.low)
        assert "bootstrap_few_clusters" in codes(clustered)
        x[5, 0] = np.nan
        holed = pm.intraclass_correlation(x, definition=definition, clusters=site, missing="available")
        limits = [holed.ci_adjusted.low, holed.ci_adjusted.high]
        assert limits == pytest.approx([clustered.ci_adjusted.low, clustered.ci_adjusted.high], abs=0.03)


class TestGroups:
    def test_skewed_groups_are_flagged_and_have_a_wider_interval(self):
        rng = np.random.default_rng(12)
        site = np.repeat(np.arange(40), 20)
        result = pm.group_mean_reliability(rng.exponential(size=40)[site] ** 2 + rng.normal(size=800), site)
        assert "icc_groups_not_normal" in codes(result)
        for name in ("icc1_ci", "icc2_ci", "design_effect_ci"):
            narrow, wide = getattr(result, name), getattr(result, f"{name}_adjusted")
            assert wide.low < narrow.low < narrow.high < wide.high
        normal = pm.group_mean_reliability(rng.normal(size=40)[site] + rng.normal(size=800), site)
        assert codes(normal) == set()

    def test_equal_groups_have_the_inflation_of_a_one_way_table(self):
        x = np.random.default_rng(13).exponential(size=(15, 4))
        sizes = np.full(15, 4)
        within = np.square(x - x.mean(axis=1, keepdims=True)).sum(axis=1)
        made = not_normal.of_groups(sizes, x.mean(axis=1), within, 0.95)
        expected = not_normal.of_tables(x, "one-way", 0.95)
        assert float(made.ratio) == pytest.approx(float(expected.ratio), rel=IDENTITY)
        assert float(made.factor) == pytest.approx(float(expected.factor), rel=IDENTITY)

    def test_an_estimate_outside_its_interval_is_flagged(self):
        """One group of 200 and nine of 5: in a quarter of samples the estimate by mean squares is outside."""
        rng = np.random.default_rng(14)
        site = np.repeat(np.arange(10), [200] + [5] * 9)
        found = 0
        for _ in range(40):
            result = pm.group_mean_reliability(rng.normal(size=245), site)
            outside = any(
                value < ci.low - 1e-9 or value > ci.high + 1e-9
                for value, ci in ((result.icc1, result.icc1_ci), (result.icc2, result.icc2_ci))
            )
            assert ("icc_outside_interval" in codes(result)) == outside
            found += outside
        assert found > 0


def test_each_group_has_the_reason_why_an_index_is_not_defined():
    with pytest.warns(UndefinedStatisticWarning):
        result = pm.within_group_agreement([1, 5, 4, 3, 3, 2, 4, 5, 5, 5, 4, 5], list("abbccccddddd"), low=1, high=5)
    for index in (result.rwg, result.rwg_j, result.ad):
        assert [reason is None for reason in index.reasons] == (~np.isnan(index.estimate)).tolist()
        assert index.reasons[0].code == "psychometrics.single_members"
    said = [reason and reason.code.removeprefix("psychometrics.") for reason in result.awg.reasons]
    assert said == ["single_members", "awg_few_raters", None, "awg_extreme_means"]
    shown = result.table.query("statistic == 'awg'")["reason"].tolist()
    assert shown == ["" if reason is None else reason.text("en") for reason in result.awg.reasons]


def test_alpha_of_two_items_is_nearer_to_nought_than_spearman_brown():
    rng = np.random.default_rng(15)
    for sign in (1.0, -1.0):
        first = rng.normal(size=200)
        x = np.column_stack([first, sign * 0.4 * first + 3 * rng.normal(size=200)])
        alpha, stepped = pm.cronbach_alpha(x).estimate, pm.spearman_brown(x).estimate
        assert abs(alpha) <= abs(stepped)
        assert np.sign(alpha) == np.sign(stepped)
