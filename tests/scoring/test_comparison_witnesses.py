"""Comparisons against outside witnesses: adjusted p-values, differences of shares, the spread of a funnel."""

import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from ibic_fidelity.scoring.comparison.differences import differences
from ibic_fidelity.scoring.comparison.false_discovery import adjusted
from ibic_fidelity.scoring.comparison.figures import Figures
from ibic_fidelity.scoring.comparison.funnel import between_variance
from ibic_fidelity.scoring.intervals import error_variance, score_interval

FIXTURE = json.loads((Path(__file__).parent.parent / "reference" / "comparison.json").read_text(encoding="utf-8"))
CLOSED_FORM = 1e-10  # the fixture has twelve digits
ROOT = 1e-6  # two root finders


def shares(successes, n, level) -> Figures:
    """Return figures of independent yes and no answers, with normal quantiles."""
    n = np.asarray(n, dtype=float)
    mean = np.asarray(successes) / n
    low, high = score_interval(mean, 1 / n, np.full(len(n), NormalDist().inv_cdf((1 + level) / 2)))
    empty = np.full(len(n), "", dtype=object)
    error = np.sqrt(error_variance(mean, 1 / n))
    return Figures.of(empty, 100 * mean, 100 * error, 100 * low, 100 * high, empty, empty, level=level)


@pytest.mark.parametrize("name", FIXTURE["adjusted"])
@pytest.mark.parametrize("adjustment", ["bh", "by"])
@pytest.mark.witness(
    statistic="adjusted p-values",
    definition="Benjamini & Hochberg (1995); Benjamini & Yekutieli (2001)",
    reference="R stats p.adjust",
    tolerance="1e-10",
    data="seeded p-values with ties and holes",
)
def test_adjusted_p_values_are_those_of_r(name, adjustment):
    case = FIXTURE["adjusted"][name]
    given, expected = (np.array(np.atleast_1d(case[key]), dtype=float) for key in ("p", adjustment))
    np.testing.assert_allclose(adjusted(given, adjustment), expected, atol=CLOSED_FORM)


@pytest.mark.parametrize("case", FIXTURE["shares"])
@pytest.mark.witness(
    statistic="differences of scores",
    definition="recovered variances of score intervals, Newcombe's (1998) method 10",
    reference="R stats prop.test, limits of one share",
    tolerance="1e-10",
    data="ten pairs of shares, also none and all, at .90 and .95",
)
def test_differences_of_shares_are_newcombes(case):
    a, m, b, n = case["x"]
    made = differences(shares([a], [m], case["level"]), shares([b], [n], case["level"]))
    assert made.low[0] / 100 == pytest.approx(case["low"], abs=CLOSED_FORM)
    assert made.high[0] / 100 == pytest.approx(case["high"], abs=CLOSED_FORM)


@pytest.mark.parametrize("case", FIXTURE["spread"])
@pytest.mark.witness(
    statistic="spread of sites in the funnel",
    definition="generalized Q equals its degrees of freedom (Paule & Mandel 1982)",
    reference="R stats uniroot",
    tolerance="1e-6",
    data="seeded, 5 to 290 sites",
)
def test_the_spread_of_a_funnel_is_where_q_is_its_degrees_of_freedom(case):
    y, v = np.array(case["y"]), np.array(case["v"])
    assert between_variance(y, v) == pytest.approx(case["tau2"], abs=ROOT)


def test_kappa_and_degrees_of_freedom_are_read_back_from_an_interval():
    """What a score interval was made of, to the last digits that matter."""
    from ibic_fidelity.scoring.intervals import t_quantile

    mean = np.array([0.0, 0.02, 0.3, 0.5, 0.9, 1.0, 0.7])
    kappa = np.array([0.03, 0.2, 0.05, 0.01, 0.1, 0.03, 1e-4])
    df = np.array([12.0, 3.0, 30.0, 200.0, 2.0, 8.0, np.inf])
    low, high = score_interval(mean, kappa, t_quantile(df, 0.9))
    empty = np.full(7, "", dtype=object)
    error = np.sqrt(error_variance(mean, kappa))
    made = Figures.of(empty, 100 * mean, 100 * error, 100 * low, 100 * high, empty, empty, level=0.9)
    np.testing.assert_allclose(made.kappa, kappa, rtol=1e-8)
    np.testing.assert_allclose(made.df[:-1], df[:-1], rtol=1e-5)
    assert made.df[-1] > 1e6
