"""Shrinkage on arrays: outside witnesses, identities, properties of ranks and draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity.scoring.intervals import error_variance
from ibic_fidelity.scoring.posterior import posterior_draws, quarter_of, ranks_of
from ibic_fidelity.scoring.shrinkage import (
    _effective_share,
    between_sites,
    error_factors,
    from_working_scale,
    league_withheld,
    tau_grid,
    working_scale,
)

FIXTURE = json.loads((Path(__file__).parent.parent / "reference" / "shrinkage.json").read_text(encoding="utf-8"))
OPTIMISER = 1e-6  # R's optimize stops there; as a share of the typical error variance
CLOSED_FORM = 1e-9
PRINTED = 1.3e-4  # where R stats::uniroot stops by default: printed .1302, and .13015 with a finer tolerance
DRAWS = 100_000
#: Trials of BCG vaccine: cases and others, vaccinated and not.
_COUNTS = (
    "4 119 11 128 6 300 29 274 3 228 11 209 62 13536 248 12619 33 5036 47 5761 180 1361 372 1079 8 2537 10 619 "
    "505 87886 499 87892 29 7470 45 7232 17 1699 65 1600 186 50448 141 27197 5 2493 3 2338 27 16886 29 17825"
)
BCG = np.array(_COUNTS.split(), dtype=float).reshape(13, 4)


def case(name):
    return (np.array(FIXTURE[name][key], dtype=float) for key in ("y", "v"))


@pytest.mark.parametrize("name", ["sites", "uneven", "schools"])
@pytest.mark.witness(
    statistic="variance between sites and shrunken estimates",
    definition="REML of the normal-normal model, plain and with the adjustment of Yoshimori & Lahiri (2014)",
    reference="R: dense matrices and stats::optimize", tolerance=OPTIMISER,
    data="24 sites, ten sites of 5 to 10,000 units, eight schools (Rubin 1981)",
)  # fmt: skip
def test_between_variance_is_the_maximum_of_the_dense_likelihood(name):
    y, v = case(name)
    wanted, typical = FIXTURE[name], 1 / np.mean(1 / v)
    made = between_sites(y, v)
    assert abs(made.unadjusted - wanted["reml"]) < OPTIMISER * typical
    assert abs(made.variance - wanted["adjusted"]) < OPTIMISER * max(typical, made.variance)
    theta = made.mean + made.variance / (made.variance + v) * (y - made.mean)
    assert np.allclose(theta, wanted["blup"]["theta"], rtol=OPTIMISER)


@pytest.mark.witness(
    statistic="variance between sites and shrunken estimates", definition="REML, equal error variances",
    reference="R lme4::lmer", tolerance=1e-6, data="30 sites of 8 units",
)  # fmt: skip
def test_with_equal_variances_it_is_lme4():
    y, v = case("equal")
    made, wanted = between_sites(y, v), FIXTURE["equal"]
    assert made.unadjusted == pytest.approx(wanted["reml"], rel=1e-6)
    assert made.mean == pytest.approx(wanted["mean"], rel=1e-9)
    theta = made.mean + made.unadjusted / (made.unadjusted + v) * (y - made.mean)
    assert np.allclose(theta, wanted["theta"], rtol=1e-6)


@pytest.mark.witness(
    statistic="limits of the variance between sites", definition="Q profile (Viechtbauer 2007)",
    reference="R metafor, printed at metafor-project.org/doku.php/analyses:vanhouwelingen2002 (.1302 to 1.1812)",
    tolerance=PRINTED, data="13 trials of BCG vaccine, log odds ratios",
)  # fmt: skip
def test_trials_of_bcg_vaccine_have_the_printed_limits():
    a, b, c, d = BCG.T
    made = between_sites(np.log(a * d / (b * c)), (1 / BCG).sum(axis=1))
    assert (made.low, made.high) == pytest.approx((0.1302, 1.1812), abs=PRINTED)


@pytest.mark.parametrize("name", ["sites", "uneven", "schools"])
@pytest.mark.witness(
    statistic="posterior of sites", definition="normal-normal model, flat in μ and τ²",
    reference="R: dense matrices and stats::integrate", tolerance=0.02,
    data="24 sites, ten sites of 5 to 10,000 units, eight schools (Rubin 1981)",
)  # fmt: skip
def test_draws_have_the_moments_of_the_integrated_posterior(name):
    y, v = case(name)
    drawn = posterior_draws(y, v, df=np.inf, draws=DRAWS, rng=np.random.default_rng(1))
    wanted = {key: np.array(value) for key, value in FIXTURE[name]["posterior"].items()}
    assert (np.abs(drawn.mean(axis=0) - wanted["mean"]) < 0.02 * wanted["sd"]).all()
    assert np.allclose(drawn.std(axis=0), wanted["sd"], rtol=0.02)


@given(
    m=st.floats(0, 1), kappa=st.floats(1e-5, 1.0)
)  # fmt: skip
def test_the_standard_error_gives_back_effective_units(m, kappa):
    wanted = np.array([kappa])
    se = np.sqrt(error_variance(np.array([m]), wanted))
    assert np.allclose(_effective_share(np.array([m]), se), wanted, rtol=1e-7)


def test_the_working_scale_is_anscombes_with_units_for_trials():
    m, n = np.array([0.0, 0.3, 1.0]), 12
    y, variance = working_scale(m, np.sqrt(error_variance(m, np.full(3, 1 / n))))
    assert np.allclose(np.sin(y) ** 2, (n * m + 3 / 8) / (n + 3 / 4), atol=CLOSED_FORM)
    assert np.allclose(variance, 1 / (4 * n + 2), atol=CLOSED_FORM)


def test_the_working_scale_turns_with_the_score():
    m = np.array([0.0, 0.2, 0.5, 0.97])
    y, variance = working_scale(m, np.full(4, 0.05))
    turned, same = working_scale(1 - m, np.full(4, 0.05))
    assert np.allclose(y + turned, np.pi / 2)
    assert np.allclose(variance, same)
    assert from_working_scale(np.array([-1.0, np.pi / 4, 3.0])).tolist() == pytest.approx([0, 0.5, 1])


def test_a_grid_step_is_as_wide_as_it_says():
    tau2, step = tau_grid(np.array([0.01, 0.02]))
    assert np.allclose(np.diff(tau2)[:300], (step[1:] + step[:-1])[:300] / 2, rtol=1e-3)


def test_error_factors_are_middles_of_equal_shares():
    assert error_factors(np.inf).tolist() == [1.0]
    assert np.median(error_factors(40.0)) == pytest.approx(40 / 39.335, rel=1e-4)  # the median of χ² with 40
    assert error_factors(1e8) == pytest.approx(np.ones(9), abs=1e-3)


@pytest.mark.parametrize(
    ("y", "low_is_zero"),
    [
        (np.full(8, 0.7), True),
        (np.array([0.70, 0.72, 0.68, 0.71, 0.69, 0.70]), True),
        (np.linspace(0.2, 1.4, 8), False),
    ],
    ids=["all equal", "less than chance", "far apart"],
)
def test_the_adjusted_variance_is_never_zero_and_inside_its_limits(y, low_is_zero):
    made = between_sites(y, np.full(len(y), 0.01), df=40)
    assert made.low <= made.variance <= made.high
    assert made.variance > 0
    assert (made.low == 0) == low_is_zero
    assert made.unadjusted <= made.variance


def test_wilder_error_variances_widen_the_limits():
    y, v = case("sites")
    sure, unsure = between_sites(y, v), between_sites(y, v, df=8)
    assert unsure.low <= sure.low
    assert unsure.high >= sure.high


def test_an_order_of_sites_changes_nothing_but_the_order():
    y, v = case("sites")
    back = np.arange(len(y))[::-1]
    one, other = between_sites(y, v), between_sites(y[back], v[back])
    assert one.variance == pytest.approx(other.variance, rel=1e-10)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), k=st.integers(6, 40))
def test_ranks_add_up_and_simultaneous_limits_hold_for_their_share(seed, k):
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=k) + 0.5 * rng.normal(size=(1500, k))
    ranks = ranks_of(draws, 0.9)
    assert ranks.expected.sum() == pytest.approx(k * (k + 1) / 2)
    assert ranks.top_quarter.sum() == pytest.approx(quarter_of(k))
    place = (-draws).argsort(axis=1).argsort(axis=1) + 1
    assert ((ranks.low_all <= place) & (place <= ranks.high_all)).all(axis=1).mean() >= 0.9
    assert (((ranks.low <= place) & (place <= ranks.high)).mean(axis=0) >= 0.9).all()
    assert ((ranks.low_all <= ranks.expected) & (ranks.expected <= ranks.high_all)).all()


def test_sites_far_apart_have_one_rank():
    ranks = ranks_of(np.arange(8) + 1e-6 * np.random.default_rng(1).normal(size=(1000, 8)), 0.95)
    for limits in (ranks.expected, ranks.low, ranks.high, ranks.low_all, ranks.high_all):
        assert limits.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert ranks.top_quarter.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("sites", "reliability", "code"),
    [
        (9, 0.9, "scoring.league_few_sites"),
        (10, 0.5, ""),
        (290, 0.49, "scoring.league_unreliable"),
    ],
)
def test_when_a_league_is_withheld(sites, reliability, code):
    assert league_withheld(sites, reliability) == code
