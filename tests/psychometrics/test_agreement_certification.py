"""The lower limit of certification: a witness, what it allows for, and who passes."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.agreement._bounded import mean_limit

GOLD = np.tile([0.0, 1.0], 10)


def certified(files, wrong=0, **options):
    """Return the result of a rater who is right, but for so many files where every answer is wrong."""
    gold = np.tile(GOLD, files)
    x = gold.copy()
    x[: wrong * 20] = 1 - x[: wrong * 20]
    return pm.certify_raters(x[:, None], gold, weights=None, clusters=np.repeat(np.arange(files), 20), **options)


@pytest.mark.witness(
    statistic="certify_raters",
    definition="limit of a mean of bounded values (Gaffke), for shares: Clopper and Pearson's lower limit",
    reference="scipy.stats.beta.ppf(.025, k, n − k + 1)",
    tolerance=1e-6,
    data="k of n values 1, the others 0; n from 2 to 3,000",
)
@pytest.mark.parametrize(("k", "n"), [(2, 2), (12, 12), (18, 20), (29, 30), (95, 100), (930, 1000), (3000, 3000)])
def test_of_shares_the_limit_is_clopper_and_pearsons(k, n):
    values = np.repeat([1.0, 0.0], [k, n - k])
    assert mean_limit(values, 0.0, 0.025) == pytest.approx(beta.ppf(0.025, k, n - k + 1), abs=1e-6)


@pytest.mark.parametrize("n", [6, 30, 300])
def test_the_limit_is_the_quantile_of_weights_drawn_at_random(n):
    rng = np.random.default_rng(n)
    values = rng.normal(0.8, 0.2, n)
    drawn = rng.standard_exponential((3_000_000 // n, n + 1))
    means = drawn @ np.append(values, -0.5) / drawn.sum(axis=1)
    assert mean_limit(values, -0.5, 0.025) == pytest.approx(np.quantile(means, 0.025), abs=0.004)


def test_a_perfect_rater_passes_with_so_many_files_only():
    for files, passes in ((12, False), (16, False), (17, True), (40, True)):
        result = certified(files)
        limit = 1 - 1.5 * (1 - 0.025 ** (1 / files))
        assert (result.estimate[0], result.std_error[0]) == (pytest.approx(1), 0)
        assert result.lower_limit[0] == pytest.approx(limit, abs=1e-6)
        assert result.lower_limit_passes == (passes,)
        assert result.ci[0].low == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / files)))
        assert "psychometrics.rater_interval_not_reliable" in {flag.code for flag in result.flags}


def test_units_that_agree_in_full_have_clopper_and_pearsons_limit():
    for n, passes in ((20, False), (24, True)):
        gold = np.tile([0.0, 1.0], n // 2)
        result = pm.certify_raters(gold[:, None], gold, weights=None)
        assert result.lower_limit[0] == pytest.approx(1 - 2 * (1 - 0.025 ** (1 / n)), abs=1e-6)
        assert result.lower_limit_passes == (passes,)


def test_who_passes_by_the_interval_only_is_named():
    rng = np.random.default_rng(4)
    gold, files = np.tile(GOLD, 14), np.repeat(np.arange(14), 20)
    x = np.where(rng.random(280) < 0.95, gold, 1 - gold)
    result = pm.certify_raters(x[:, None], gold, weights=None, clusters=files)
    assert result.ci[0].low > 0.70 > result.lower_limit[0]
    assert result.lower_limit_passes == (False,)
    flags = {flag.code: flag for flag in result.flags}
    assert flags["psychometrics.rater_lower_limit_few"].params == {"raters": ["1"], "least": 0.7}
    assert "psychometrics.rater_interval_not_reliable" in flags
    assert "worse than those seen" in result.summary()
    assert result.table["lower_limit"].tolist() == [result.lower_limit[0]]


def test_the_limit_is_never_above_that_of_the_interval_and_falls_with_the_files():
    for files, wrong in ((15, 1), (30, 1), (30, 4), (60, 20)):
        result = certified(files, wrong)
        assert result.lower_limit[0] <= result.ci[0].low
    limits = [certified(files).lower_limit[0] for files in (5, 10, 20, 40, 80)]
    assert limits == sorted(limits)


def test_without_an_interval_there_is_no_limit():
    with pytest.warns(UndefinedStatisticWarning):
        result = certified(1)
    assert math.isnan(result.lower_limit[0])
    assert result.lower_limit_passes == (False,)


@pytest.mark.slow
def test_a_rater_who_is_poor_in_few_files_does_not_pass_too_often():
    """True kappa .696: good in nine files of ten and wrong in four items of five in the others."""
    rng = np.random.default_rng(6)
    for files in (12, 25):
        passed = 0
        for _ in range(300):
            gold = rng.integers(0, 2, (files, 20)).astype(float)
            sure = np.where(rng.random((files, 1)) < 0.10, 0.20, 0.92)
            x = np.where(rng.random(gold.shape) < sure, gold, 1 - gold)
            clusters = np.repeat(np.arange(files), 20)
            result = pm.certify_raters(x.reshape(-1, 1), gold.ravel(), weights=None, clusters=clusters)
            passed += result.lower_limit_passes[0]
        assert passed / 300 < 0.03
