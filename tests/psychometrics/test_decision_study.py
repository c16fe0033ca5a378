import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.generalizability.components import VarianceComponents
from ibic_fidelity.psychometrics.generalizability.design import parse_design

# half a unit of the fifth decimal that is printed
PRINTED = 5e-6
# closed forms in double precision, by another route
CLOSED_FORM = 1e-10
# a Latin hypercube of 8,192 points against exact quantiles
OF_DRAWS = 2e-3

BRENNAN = (
    "565553456733", "937775557752", "343353356516", "755331435335", "929777372753",
    "343533634512", "737775575554", "585775543211", "998866655811", "444335655711",
)  # fmt: skip

quick = settings(max_examples=15, deadline=None, derandomize=True)


def components(text, estimate, levels, mean_levels=None, *, fixed=(), mean=0.0, covariance=None):
    """Return components by hand, in the order of the design's effects without the fixed facets' own."""
    design = parse_design(text)
    effects = tuple(effect for effect in design.effects if not effect.indices <= set(fixed))
    values = np.array(estimate, dtype=float)
    k = len(effects)
    assert len(values) == k
    return VarianceComponents(
        design=design, effects=effects, estimate=np.maximum(values, 0.0), untruncated=values,
        std_error=np.full(k, np.nan), ci=(), covariance=np.full((k, k), np.nan) if covariance is None else covariance,
        fixed=fixed, levels=levels, mean_levels=mean_levels or {name: float(n) for name, n in levels.items()},
        n=0, n_dropped=0, mean=mean, estimator="ANOVA", engine="", criterion=math.nan, converged=True,
        reasons=(None,) * k, flags=(),
    )  # fmt: skip


def brennan():
    person, task, rater = (axis.ravel() for axis in np.indices((10, 3, 4)))
    facets = {"person": person, "task": task, "rater": rater}
    y = [int(digit) for digit in "".join(BRENNAN)]
    return pm.variance_components(y, facets, design="person x (rater : task)", estimator="ANOVA")


def crossed(table, **options):
    """Return the components of a complete table (n, k)."""
    site, item = (axis.ravel() for axis in np.indices(table.shape))
    facets = {"site": site, "item": item}
    return pm.variance_components(table.ravel(), facets, design="site x item", estimator="ANOVA", **options)


def tables():
    def one(seed):
        rng = np.random.default_rng(seed)
        n, k = rng.integers(4, 15), rng.integers(2, 7)
        return rng.normal(size=(n, 1)) * rng.uniform(0.3, 2) + rng.normal(size=(n, k)) + rng.normal(size=k)

    return st.integers(0, 10_000).map(one)


@pytest.mark.witness(
    statistic="decision_study",
    definition="σ²(δ), σ²(Δ), Eρ², Φ of p × (r : t), 3 tasks and 4 raters",
    reference="Brennan (2001), table 3.2; R gtheory",
    tolerance=PRINTED,
    data="Brennan (2001), table 3.2",
)
def test_agrees_with_brennan():
    result = pm.decision_study(brennan(), n={"task": 3, "rater": 4}, object_of_measurement="person")
    found = [result.relative_error[0], result.absolute_error[0], result.erho2[0], result.phi[0]]
    assert found == pytest.approx([0.38488, 0.54722, 0.55144, 0.46370], abs=PRINTED)


@pytest.mark.parametrize(("items", "phi"), [("fixed", 0.82), ("random", 0.32)])
def test_items_fixed_or_random_decide_what_a_site_mean_is_worth(items, phi):
    """Four items, 30 files: .82 with items fixed, .32 with items random."""
    values = {"site": 0.05, "item": 0.26, "file": 0.35, "site × item": 0.10, "file × item": 0.575}
    fixed = ("item",) if items == "fixed" else ()
    used = [value for name, value in values.items() if name != "item" or not fixed]
    g = components("(file : site) x item", used, {"site": 24, "file": 720, "item": 4},
                   {"site": 24.0, "file": 30.0, "item": 4.0}, fixed=fixed)  # fmt: skip
    result = pm.decision_study(g, n={"file": 30})
    assert round(float(result.phi[0]), 2) == phi


@quick
@given(tables())
def test_site_by_random_items_is_cronbachs_alpha_with_feldts_interval(table):
    result = pm.decision_study(crossed(table, items="random"), n={})
    alpha = pm.cronbach_alpha(table)
    if alpha.estimate > 0:
        assert result.erho2[0] == pytest.approx(alpha.estimate, abs=CLOSED_FORM)
        high = np.clip(alpha.ci.high, 0, 1)
        assert result.high["erho2"][0] == pytest.approx(high, abs=0.02)
        assert result.low["erho2"][0] == pytest.approx(max(alpha.ci.low, 0.0), abs=0.05)


def test_the_interval_of_one_facet_is_the_exact_one():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(40, 1)) + rng.normal(size=(40, 5))
    result = pm.decision_study(crossed(table, items="random"), n={})
    ci = pm.cronbach_alpha(table).ci
    assert (result.low["erho2"][0], result.high["erho2"][0]) == pytest.approx((ci.low, ci.high), abs=OF_DRAWS)


@quick
@given(tables())
def test_one_facet_is_the_intraclass_correlation_of_averages(table):
    result = pm.decision_study(crossed(table, items="random"), n={})
    for name, definition in (("phi", "agreement"), ("erho2", "consistency")):
        icc = pm.intraclass_correlation(table, definition=definition, unit="average").estimate
        g = crossed(table, items="random")
        if np.all(g.untruncated >= 0):
            assert getattr(result, name)[0] == pytest.approx(icc, abs=CLOSED_FORM)


def test_phi_at_a_cut_in_the_mean_is_kuder_and_richardsons_formula_21():
    rng = np.random.default_rng(8)
    table = (rng.normal(size=(60, 1)) + rng.normal(size=(60, 8)) > np.linspace(-1, 0.5, 8)).astype(float)
    g = crossed(table, items="random")
    result = pm.decision_study(g, n={}, cut=float(table.mean()))
    mean, variance = table.mean(), table.mean(axis=1).var()
    kr21 = 8 / 7 * (1 - mean * (1 - mean) / (8 * variance))
    # Brennan's identity holds for the unbiased estimates
    assert np.all(g.untruncated > 0)
    assert result.phi_lambda[0] == pytest.approx(kr21, abs=CLOSED_FORM)


def test_phi_far_from_the_cut_nears_one_and_is_never_below_that_at_the_mean():
    values = [pm.decision_study(brennan(), n={}, object_of_measurement="person", cut=cut).phi_lambda[0]
              for cut in (-50, 0, 3, 4.75)]  # fmt: skip
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.99


def test_every_component_is_divided_by_the_numbers_of_its_indices():
    g = components(
        "(file : assessor : site) x rater x item", np.arange(1.0, 15.0),
        {"site": 9, "assessor": 27, "file": 108, "rater": 4, "item": 5},
        {"site": 9.0, "assessor": 3.0, "file": 4.0, "rater": 2.0, "item": 5.0}, fixed=("item",),
    )  # fmt: skip
    n = {"assessor": 3, "file": 4, "rater": 2, "item": 5}
    result = pm.decision_study(g, n=n)
    true = relative = absolute = 0.0
    for effect, value in zip(g.effects, g.estimate, strict=True):
        others = effect.indices - {"site"}
        part = value / math.prod(n[facet] for facet in others)
        if others <= {"item"}:
            true += part
        else:
            absolute += part
            relative += part if "site" in effect.indices else 0.0
    found = [result.universe_score[0], result.relative_error[0], result.absolute_error[0]]
    assert found == pytest.approx([true, relative, absolute], rel=CLOSED_FORM)
    assert result.absolute_sem[0] ** 2 == pytest.approx(absolute)


def test_the_grid_holds_every_combination_and_more_conditions_never_hurt():
    result = pm.decision_study(
        brennan(), n={"task": [1, 2, 4, 8], "rater": range(1, 6)}, object_of_measurement="person"
    )
    assert len(result.phi) == 20
    made = {(t, r): p for t, r, p in zip(result.n["task"], result.n["rater"], result.phi, strict=True)}
    assert all(made[t, r] < made[t, r + 1] for t in (1, 2, 4, 8) for r in range(1, 5))
    assert all(made[t, r] < made[2 * t, r] for t in (1, 2, 4) for r in range(1, 6))
    assert np.all((result.low["phi"] <= result.phi) & (result.phi <= result.high["phi"]))
    assert np.all(result.erho2 >= result.phi)
    assert len(result.table) == 20 * 7
    assert set(result.table["statistic"]) == {name for name in result.low if name != "phi_lambda"}


@pytest.mark.parametrize("coefficient", ["phi", "erho2", "phi_lambda"])
@pytest.mark.parametrize("target", [0.3, 0.6, 0.8, 0.95])
def test_needed_is_the_first_number_that_reaches_the_target(coefficient, target):
    g = brennan()
    study = pm.decision_study(g, n={"rater": 4}, object_of_measurement="person", cut=6)
    needed = study.needed("task", coefficient=coefficient, target=target)
    grid = pm.decision_study(g, n={"task": range(1, 200), "rater": 4}, object_of_measurement="person", cut=6)
    for number, values in (
        (needed.estimate, getattr(grid, coefficient)),
        (needed.ci.low, grid.high[coefficient]),
        (needed.ci.high, grid.low[coefficient]),
    ):
        reached = np.flatnonzero(values >= target)
        if len(reached):
            # a quantile between two draws may lie on the other side of the target
            assert abs(number - (reached[0] + 1)) <= 1
        else:
            assert number >= 199
    assert needed.ci.low <= needed.estimate <= needed.ci.high
    assert needed.summary()
    assert needed.table["estimate"].tolist() == [needed.estimate]


def test_what_cannot_be_reached_is_infinite_and_says_what_is_approached():
    study = pm.decision_study(brennan(), n={"task": 3, "rater": [2, 4, 8]}, object_of_measurement="person")
    needed = study.needed("rater")
    far = pm.decision_study(brennan(), n={"task": 3, "rater": 10**9}, object_of_measurement="person")
    assert needed.estimate == math.inf
    assert needed.limit == pytest.approx(far.phi[0], abs=1e-6)
    assert "No number of conditions of rater" in needed.summary()


def with_unknown(**changes):
    g = brennan()
    unknown = np.array(["task" in effect.indices and "person" not in effect.indices for effect in g.effects])
    values = np.where(unknown, np.nan, g.estimate)
    return dataclasses.replace(g, estimate=values, untruncated=values, **changes)


def test_what_is_not_estimable_is_nan_where_it_is_needed():
    g = with_unknown()
    with pytest.warns(UndefinedStatisticWarning, match="rater : task") as caught:
        result = pm.decision_study(g, n={}, object_of_measurement="person")
    assert caught[0].filename == __file__
    assert result.erho2[0] == pytest.approx(0.55144, abs=PRINTED)
    assert math.isnan(result.phi[0])
    assert set(result.reasons) == {"absolute_error", "phi", "absolute_sem"}
    assert math.isnan(result.needed("task").estimate)
    assert "cannot be told" in result.needed("task").summary()


def test_what_is_assumed_or_given_is_used_and_said():
    given_values = {"task": 0.32515, "rater : task": 0.64753}
    result = pm.decision_study(with_unknown(), n={}, object_of_measurement="person", given=given_values)
    assert result.phi[0] == pytest.approx(0.46370, abs=1e-5)
    assert [flag.code for flag in result.flags] == ["psychometrics.decision_given"]
    assert result.given == given_values
    zero = pm.decision_study(with_unknown(), n={}, object_of_measurement="person", assume_zero=["task", "task x rater"])
    assert zero.phi[0] == pytest.approx(zero.erho2[0])
    assert [flag.code for flag in zero.flags] == ["psychometrics.decision_assumed"]
    assert zero.flags[0].text("sv") != zero.flags[0].text("en")


def test_a_value_given_takes_the_place_of_an_estimate():
    result = pm.decision_study(brennan(), n={}, object_of_measurement="person", given={"task": 0.0})
    assert result.absolute_error[0] == pytest.approx(0.54722 - 0.32515 / 3, abs=1e-5)


def test_a_component_at_zero_has_an_interval_that_does_not_say_zero():
    site, file = (axis.ravel() for axis in np.indices((20, 10)))
    for seed in range(20):
        y = np.random.default_rng(seed).normal(size=200)
        made = pm.variance_components(y, {"site": site, "file": file}, design="file : site")
        if made.of("site") == 0.0:
            break
    result = pm.decision_study(made, n={"file": [10, 40]})
    assert result.phi[0] == result.low["phi"][0] == 0.0
    assert 0.2 < result.high["phi"][0] < result.high["phi"][1]


def test_the_same_study_has_the_same_limits():
    one, other = (pm.decision_study(brennan(), n={}, object_of_measurement="person", cut=5) for _ in range(2))
    assert all(np.array_equal(one.low[name], other.low[name]) for name in one.low)
    assert one.summary() == other.summary()
    assert "Φ(5)" in one.summary()
