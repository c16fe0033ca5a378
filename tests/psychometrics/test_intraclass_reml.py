"""Variance components by REML: the adapter, tables with holes, our own likelihood, and groups."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UsageError
from ibic_fidelity.psychometrics._engines.mixedlm import reml_components
from ibic_fidelity.psychometrics.intraclass import _icc_forms as forms
from ibic_fidelity.psychometrics.intraclass._incomplete_ratings import (
    RatingSums,
    adjusted_squares,
    exact_ratio_limits,
    parts_of,
    reml,
)
from ibic_fidelity.psychometrics.intraclass._mean_squares import MeanSquares

# two optimisers of one criterion that is flat at its least value
COMPONENTS = 1e-5
# of the least value itself
CRITERION = 1e-6
# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
# identities between two of our own routes
IDENTITY = 1e-10
# REML on a complete table against closed forms: an optimiser's tolerance
OPTIMISED = 1e-6

DATA = ("complete", "holes10", "holes20", "holes30", "unlinked")
FORMS = [(definition, unit) for unit in ("single", "average") for definition in ("one-way", "agreement", "consistency")]
quick = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def fixture(request):
    path = request.config.rootpath / "tests/reference/intraclass.json"
    return json.loads(path.read_text(encoding="utf-8"))


def rows_of(fixture, name):
    return np.array(fixture["ratings"][name]["rows"], dtype=float)


def icc(x, definition="agreement", unit="single", **options):
    return pm.intraclass_correlation(x, definition=definition, unit=unit, missing="available", **options)


def holed(n=30, k=5, share=0.2, seed=0, raters=0.5):
    rng = np.random.default_rng([n, k, seed])
    x = rng.normal(size=(n, 1)) + math.sqrt(raters) * rng.normal(size=(1, k)) + rng.normal(size=(n, k))
    x[rng.random((n, k)) < share] = np.nan
    return x[~np.isnan(x).all(axis=1)]


def close(result, other, tolerance=IDENTITY):
    ours = [result.estimate, result.ci.low, result.ci.high]
    assert ours == pytest.approx([other.estimate, other.ci.low, other.ci.high], rel=tolerance, abs=tolerance)


@pytest.mark.witness(
    statistic="intraclass_correlation",
    definition="variance components and REML criterion of tables with holes, two-way and one-way, unlinked raters too",
    reference="R lme4::lmer 1.1.31",
    tolerance=COMPONENTS,
    data="25–60 targets × 3–8 raters with 0–30 % holes, drawn",
)
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("model", ["two_way", "one_way"])
def test_components_agree_with_lme4(fixture, data, model):
    x, expected = rows_of(fixture, data), fixture["ratings"][data][model]
    targets, raters = np.nonzero(~np.isnan(x))
    factors = {"targets": targets, "raters": raters} if model == "two_way" else {"targets": targets}
    fit = reml_components(x[targets, raters], factors)
    assert fit.converged
    assert fit.criterion == pytest.approx(expected["reml"], abs=CRITERION)
    assert fit.mean == pytest.approx(expected["mean"], rel=COMPONENTS)
    theirs = expected["components"]
    result = icc(x, "consistency" if model == "two_way" else "one-way")
    for name, ours in (("targets", result.variance_targets), ("raters", result.variance_raters)):
        if name in theirs:
            assert ours == pytest.approx(theirs[name], rel=COMPONENTS, abs=1e-6)
            assert fit.components[name] == pytest.approx(theirs[name], rel=COMPONENTS, abs=1e-6)
    assert result.variance_residual == pytest.approx(theirs["Residual"], rel=COMPONENTS)
    ratio = theirs["targets"] / theirs["Residual"]
    assert result.estimate == pytest.approx(ratio / (1 + ratio), rel=COMPONENTS)


@pytest.mark.witness(
    statistic="group_mean_reliability",
    definition="variance components by REML, groups of unequal and equal sizes",
    reference="R lme4::lmer 1.1.31",
    tolerance=COMPONENTS,
    data="6–12 groups of 3–20 members, drawn",
)
@pytest.mark.parametrize("data", ["unequal", "flat", "equal"])
def test_groups_agree_with_lme4(fixture, data):
    expected = fixture["groups"][data]
    result = pm.group_mean_reliability(expected["y"], expected["groups"], estimator="REML")
    between, within = expected["components"]["targets"], expected["components"]["Residual"]
    assert result.variance_between == pytest.approx(between, rel=COMPONENTS, abs=1e-6)
    assert result.variance_within == pytest.approx(within, rel=COMPONENTS)
    assert result.icc1 == pytest.approx(between / (between + within), rel=COMPONENTS, abs=1e-6)
    fit = reml_components(np.array(expected["y"]), {"groups": np.array(expected["groups"])})
    assert result.variance_between == pytest.approx(fit.components["groups"], rel=COMPONENTS)
    assert result.icc1_ci.low <= result.icc1 <= result.icc1_ci.high


@pytest.mark.witness(
    statistic="intraclass_correlation",
    definition="modified large-sample interval of agreement, at .95 and .90",
    reference="Cappelleri & Ting (2003), Ting et al. (1990), solved in R by uniroot",
    tolerance=CLOSED_FORM,
    data="Shrout & Fleiss (1979); 25 × 4 and 12 × 3, drawn",
)
@pytest.mark.parametrize("data", ["shrout_fleiss", "complete", "weak"])
def test_modified_limits_agree_with_r(fixture, data):
    expected = fixture["modified"][data]
    k = len(expected["rows"][0])
    for unit, size in (("single", 1), ("average", k)):
        ci = pm.intraclass_correlation(expected["rows"], unit=unit, confidence_level=expected["level"]).ci_modified
        for ours, single in ((ci.low, expected["low"]), (ci.high, expected["high"])):
            assert ours == pytest.approx(size * single / (1 + (size - 1) * single), abs=CLOSED_FORM)


@pytest.mark.parametrize("form", FORMS)
def test_reml_is_anova_on_a_complete_table(fixture, form):
    """Where no component is cut at 0; the interval with holes becomes that of the complete table."""
    x = rows_of(fixture, "complete")
    anova = pm.intraclass_correlation(x, definition=form[0], unit=form[1])
    made = forms.of_holes(x, *form, 0.95)
    assert (anova.method, made.method) == ("ANOVA", "REML")
    assert made.estimate == pytest.approx(anova.estimate, abs=OPTIMISED)
    for ours, theirs in zip(
        made.components, (anova.variance_targets, anova.variance_raters, anova.variance_residual), strict=True
    ):
        assert ours == pytest.approx(theirs, rel=OPTIMISED, nan_ok=True)
    exact = anova.ci if form[0] != "agreement" else anova.ci_modified
    assert [made.ci.low, made.ci.high] == pytest.approx([exact.low, exact.high], abs=CLOSED_FORM)
    assert made.test == pytest.approx((anova.f_value, anova.p_value, anova.df1, anova.df2), rel=CLOSED_FORM)


@pytest.mark.parametrize("form", FORMS)
def test_available_changes_nothing_on_a_complete_table(fixture, form):
    x = rows_of(fixture, "complete")
    ours, theirs = icc(x, *form), pm.intraclass_correlation(x, definition=form[0], unit=form[1])
    for field in ("estimate", "ci", "ci_modified", "method", "notes", "n", "variance_targets"):
        assert getattr(ours, field) == getattr(theirs, field)


@quick
@given(st.integers(8, 40), st.integers(2, 7), st.floats(0.05, 0.35), st.sampled_from([0.0, 0.3, 2.0]))
def test_our_likelihood_has_the_least_value_of_the_adapter(n, k, share, raters):
    x = holed(n, k, share, raters=raters)
    x = x[:, ~np.isnan(x).all(axis=0)]
    targets, columns = np.nonzero(~np.isnan(x))
    fit = reml_components(x[targets, columns], {"targets": targets, "raters": columns})
    if fit.reason is not None or fit.components["residual"] < 1e-3:
        return
    sums = RatingSums.of(x)
    of_targets, of_raters, residual = reml(sums, raters=True)
    ours = sums.criterion(of_targets / residual, of_raters / residual)
    assert float(ours) == pytest.approx(fit.criterion, abs=CRITERION)
    total = sum(fit.components.values())
    for one, name in ((of_targets, "targets"), (of_raters, "raters"), (residual, "residual")):
        assert float(one) == pytest.approx(fit.components[name], abs=1e-4 * total)


def test_exact_limits_solve_the_f_equation_by_dense_matrices():
    """At a limit, generalised least squares of the whole covariance matrix leaves what the F quantile says."""
    from scipy.stats import f

    x = holed(12, 4, 0.25)
    targets, raters = np.nonzero(~np.isnan(x))
    y, z = x[targets, raters], np.eye(len(x))[targets]
    for with_raters, design in ((True, np.eye(4)[raters]), (False, np.ones((len(y), 1)))):
        full = np.column_stack([z, design])
        rest = y - full @ np.linalg.lstsq(full, y, rcond=None)[0] if with_raters else y - z @ (z.T @ y / z.sum(axis=0))
        df1 = np.linalg.matrix_rank(full) - design.shape[1]
        df2 = len(y) - np.linalg.matrix_rank(full)
        low, high = exact_ratio_limits(RatingSums.of(x), 1, 0.025, raters=with_raters)
        for theta, p in ((float(low), 0.975), (float(high), 0.025)):
            inverse = np.linalg.inv(np.eye(len(y)) + theta * z @ z.T)
            fitted = design @ np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
            between = (y - fitted) @ inverse @ (y - fitted) - rest @ rest
            assert between / df1 / (rest @ rest / df2) == pytest.approx(f.ppf(p, df1, df2), rel=1e-7)


def test_adjusted_mean_squares_are_those_of_the_complete_table(fixture):
    x = rows_of(fixture, "complete")
    ours, theirs = adjusted_squares(RatingSums.of(x), 1), MeanSquares.of(x)
    for name in ("targets", "raters", "residual"):
        assert float(getattr(ours, name)) == pytest.approx(float(getattr(theirs, name)), rel=IDENTITY)
    assert (float(ours.per_target), float(ours.per_rater)) == pytest.approx((4, 25))


def test_one_way_with_holes_is_the_reliability_of_group_means():
    x = holed(20, 5, 0.3, seed=3)
    targets, raters = np.nonzero(~np.isnan(x))
    groups = pm.group_mean_reliability(x[targets, raters], targets, estimator="REML")
    ours = icc(x, "one-way")
    assert ours.estimate == pytest.approx(groups.icc1, abs=OPTIMISED)
    assert ours.ci.high == pytest.approx(groups.icc1_ci.high, abs=CLOSED_FORM)
    assert max(ours.ci.low, 0.0) == pytest.approx(groups.icc1_ci.low, abs=CLOSED_FORM)
    sizes = np.bincount(targets)
    average = icc(x, "one-way", "average")
    assert average.ratings_per_target == pytest.approx(len(sizes) / (1 / sizes).sum(), rel=IDENTITY)
    k, rho = average.ratings_per_target, ours.estimate
    assert average.estimate == pytest.approx(k * rho / (1 + (k - 1) * rho), rel=IDENTITY)


@pytest.mark.parametrize("form", FORMS)
def test_order_unit_and_empty_rows_and_columns_change_nothing(form):
    x = holed(18, 4, 0.2, seed=5)
    one = icc(x, *form)
    rng = np.random.default_rng(2)
    close(icc(x[rng.permutation(len(x))][:, ::-1], *form), one, 1e-5)
    close(icc(70 - 9 * x, *form), one, 1e-5)
    wide = np.column_stack([x, np.full(len(x), np.nan)])
    wide = np.vstack([wide, np.full((2, 5), np.nan)])
    empty = icc(wide, *form)
    close(empty, one)
    assert (empty.n, empty.n_raters, empty.raters, empty.n_dropped) == (len(x), 4, ("1", "2", "3", "4"), 2)
    assert empty.n_holes == one.n_holes == int(np.isnan(x).sum())
    assert one.n_ratings == x.size - one.n_holes
    assert one.ci.low <= one.estimate <= one.ci.high


def test_a_result_with_holes_says_so():
    x = holed(15, 3, 0.2)
    result = icc(x)
    n = int(np.isnan(x).sum())
    said = f"Estimated by a mixed model (REML) because the table has {n} holes."
    assert result.method == "REML"
    assert said in result.summary()
    assert said in result.table["reason"][0]
    assert result.table["method"][0].startswith("REML; modified large sample")
    assert result.ci == result.ci_modified


def test_unlinked_raters_have_no_agreement_but_consistency(fixture):
    x = rows_of(fixture, "unlinked")
    assert parts_of(~np.isnan(x)) == 2
    assert math.isfinite(icc(x, "consistency").estimate)
    with pytest.warns(match="fall into 2 parts"):
        result = icc(x)
    assert math.isnan(result.estimate)
    assert result.reason.code == "psychometrics.raters_not_linked"


def test_a_planted_correlation_comes_back_with_holes():
    """200 tables of 60 × 5 with 30 % holes: the mean estimate within four standard errors of the truth."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=(200, 60, 1)) + 0.5 * rng.normal(size=(200, 1, 5)) + rng.normal(size=(200, 60, 5))
    x[rng.random(x.shape) < 0.3] = np.nan
    x[..., 0] = np.where(np.isnan(x).all(axis=-1), 0.0, x[..., 0])
    found = forms.share(reml(RatingSums.of(x), raters=True), "agreement")
    assert abs(found.mean() - 1 / 2.25) < 4 * found.std() / math.sqrt(200) + 0.01


@pytest.mark.parametrize("form", FORMS)
def test_a_replicate_is_the_table_with_its_rows_drawn(form):
    rng = np.random.default_rng(4)
    x, drawn = holed(12, 3, 0.0), rng.integers(0, 12, 12)
    counts = np.bincount(drawn, minlength=12)[np.newaxis].astype(float)
    kernel = forms.complete_kernel(x, *form)
    assert kernel(counts)[0] == pytest.approx(icc(x[drawn], *form).estimate, rel=1e-9)
    x = holed(12, 3, 0.2)
    drawn = np.random.default_rng(4).integers(0, len(x), len(x))
    counts = np.bincount(drawn, minlength=len(x))[np.newaxis].astype(float)
    holes = forms.holed_kernel(x, *form)
    assert holes(counts)[0] == pytest.approx(forms.of_holes(x[drawn], *form, 0.95).estimate, abs=1e-5)


def test_the_bootstrap_is_reproducible_and_near_the_exact_interval():
    x = holed(150, 4, 0.0, raters=0.0)
    one, again = (pm.intraclass_correlation(x, definition="consistency", bootstrap=800, rng=3) for _ in range(2))
    other = pm.intraclass_correlation(x, definition="consistency", bootstrap=800, rng=np.random.default_rng(1))
    assert one.ci_bootstrap == again.ci_bootstrap != other.ci_bootstrap
    assert (one.n_replicates, one.n_undefined) == (800, 0)
    assert one.ci_bootstrap.low == pytest.approx(one.ci.low, abs=0.03)
    assert one.ci_bootstrap.high == pytest.approx(one.ci.high, abs=0.03)
    assert "bootstrap of targets" in one.summary()
    assert one.table["method"].tolist() == [
        f"ANOVA; {m}" for m in ("exact F", "exact F, adjusted", "percentile bootstrap of targets")
    ]


def test_the_bootstrap_of_a_table_with_holes():
    x = holed(120, 4, 0.2, raters=0.0)
    result = icc(x, "one-way", bootstrap=300)
    assert result.ci_bootstrap.low < result.estimate < result.ci_bootstrap.high
    assert result.ci_bootstrap.low == pytest.approx(result.ci.low, abs=0.06)


def test_the_adapter_says_what_it_cannot_do():
    y, two = np.arange(6.0), np.array([0, 0, 1, 1, 2, 2])
    assert reml_components(y, {"one": np.zeros(6, dtype=int)}).reason.code == "psychometrics.reml_levels"
    assert reml_components(y, {"row": np.arange(6)}).reason.code == "psychometrics.reml_levels"
    assert reml_components(np.ones(6), {"two": two}).reason.code == "psychometrics.no_variation"
    assert reml_components(y[:1], {"two": two[:1]}).reason.code == "psychometrics.no_variation"
    assert math.isnan(reml_components(np.ones(6), {"two": two}).components["residual"])
    with pytest.raises(UsageError, match="6 row") as caught:
        reml_components(y, {"two": two[:4]})
    assert caught.value.code == "psychometrics.lengths_differ"


def test_a_component_at_the_boundary_is_told_without_the_librarys_warning():
    """Warnings are errors here: the library's own one would fail the test."""
    y = np.tile([0.0, 1.0, 3.0], 8) + np.random.default_rng(1).normal(size=24) * 0.1
    fit = reml_components(y, {"eights": np.repeat(np.arange(8), 3)})
    assert fit.components["eights"] == 0.0
    assert [note.code for note in fit.notes] == ["psychometrics.reml_boundary"]
    assert fit.converged


def test_a_fit_that_does_not_converge_or_fails_is_told(monkeypatch):
    import mixedlm

    y, codes = np.random.default_rng(1).normal(size=24), np.repeat(np.arange(8), 3)
    made = mixedlm.lmer

    class Unfinished:
        def __init__(self, fit):
            self.fit = fit

        def __getattr__(self, name):
            return False if name == "converged" else getattr(self.fit, name)

    monkeypatch.setattr(mixedlm, "lmer", lambda *args: Unfinished(made(*args)))
    fit = reml_components(y, {"eights": codes})
    assert not fit.converged
    assert "psychometrics.reml_not_converged" in [note.code for note in fit.notes]

    def broken(*_):
        raise RuntimeError

    monkeypatch.setattr(mixedlm, "lmer", broken)
    assert reml_components(y, {"eights": codes}).reason.code == "psychometrics.reml_no_fit"


def test_the_design_effect_and_the_means_of_groups():
    rng = np.random.default_rng(6)
    sizes = np.array([3, 5, 8, 20, 12, 7])
    groups = np.repeat(list("fbcade"), sizes)
    y = np.repeat(rng.normal(size=6), sizes) + rng.normal(size=sizes.sum())
    for estimator in ("ANOVA", "REML"):
        result = pm.group_mean_reliability(y, groups, estimator=estimator)
        kish = np.square(sizes).sum() / sizes.sum()
        assert result.design_effect_size == pytest.approx(kish)
        assert result.design_effect == pytest.approx(1 + (kish - 1) * result.icc1, rel=IDENTITY)
        limits = [1 + (kish - 1) * limit for limit in (result.icc1_ci.low, result.icc1_ci.high)]
        assert [result.design_effect_ci.low, result.design_effect_ci.high] == pytest.approx(limits, rel=IDENTITY)
        assert result.table["statistic"].tolist() == ["icc1", "icc2", "icc1_anova", "design_effect"] * 2
        table = result.group_table.set_index("group")
        assert table.index.tolist() == list("abcdef")
        assert table.loc["a", "n"] == 20
        assert table.loc["f", "estimate"] == pytest.approx(y[groups == "f"].mean())
        theta = result.variance_between / result.variance_within
        assert table["reliability"].to_numpy() == pytest.approx(table["n"] * theta / (1 + table["n"] * theta))
        assert table["std_error"].to_numpy() == pytest.approx(np.sqrt(result.variance_within / table["n"]))
        assert (table["reliability_low"] <= table["reliability"]).all()
        assert (table["reliability"] <= table["reliability_high"]).all()
        with pytest.raises(ValueError, match="read-only"):
            result.group_means[0] = 1.0


def test_equal_groups_have_the_average_reliability_and_reml_is_anova(shrout_fleiss):
    made = [
        pm.group_mean_reliability(shrout_fleiss.ravel(), np.repeat(np.arange(6), 4), estimator=estimator)
        for estimator in ("ANOVA", "REML")
    ]
    for result in made:
        assert result.group_reliabilities == pytest.approx(np.full(6, result.icc2), rel=IDENTITY)
    assert made[1].icc1 == pytest.approx(made[0].icc1, abs=IDENTITY)
    assert made[1].icc2 == pytest.approx(made[0].icc2, abs=IDENTITY)
    assert made[1].icc1_ci.method == "exact F (equal groups), cut at 0"


def test_reml_of_groups_without_differences_is_zero_and_without_error_one():
    zero = pm.group_mean_reliability([1, 2, 3, 3, 2, 1], list("aaabbb"), estimator="REML")
    assert (zero.icc1, zero.icc2, zero.reason) == (0.0, 0.0, None)
    full = pm.group_mean_reliability([1, 1, 2, 2, 4, 4, 4], list("aabbccc"), estimator="REML")
    assert (full.icc1, full.icc2, full.variance_within) == (1.0, 1.0, 0.0)
