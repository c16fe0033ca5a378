import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import UndefinedStatisticWarning
from ibic_fidelity.psychometrics.consistency import _split_half
from ibic_fidelity.psychometrics.consistency._moments import covariances
from ibic_fidelity.psychometrics.consistency.guttman import lambda_kernel, lambdas_of

# R's JSON carries 15 significant digits; both sides are closed forms in double precision
CLOSED_FORM = 1e-8
IDENTITY = 1e-10

SCALES = ("A", "C", "E", "N", "O", "three", "LEAD", "TSIG", "HOSTIL")


def complete(fixture, bfi, lq2002):
    """Return the complete rows of a scale, reversed items of bfi reversed (1–6)."""
    data = lq2002 if fixture["items"][0] in lq2002 else bfi
    x = np.column_stack([7 - data[i] if i in fixture.get("reversed", ()) else data[i] for i in fixture["items"]])
    return x[~np.isnan(x).any(axis=1)]


@pytest.mark.witness(
    statistic="guttman_lambda",
    definition="lambda 1, 2, 3, 5, 6 of standardised items; lambda 2, 3, 6 of covariances; lambda 4 of all splits",
    reference="R psych::guttman and splitHalf 2.2.9; lambda 4 by R's combn over all halves (psych tries half of them for an odd number of items)",  # noqa: E501
    tolerance=CLOSED_FORM,
    data="bfi, lq2002",
)
@pytest.mark.parametrize("name", SCALES)
def test_agrees_with_psych(consistency, bfi, lq2002, name):
    expected = consistency["guttman"][name]
    x = complete(expected, bfi, lq2002)
    standard = pm.guttman_lambda((x - x.mean(axis=0)) / x.std(axis=0, ddof=1))
    of_psych = [expected["standardized"][i] for i in (0, 1, 2, 4, 5)]
    assert [standard.estimates[i] for i in (0, 1, 2, 4, 5)] == pytest.approx(of_psych, abs=CLOSED_FORM)
    raw = pm.guttman_lambda(x)
    assert raw.lambda2 == pytest.approx(expected["raw"]["lambda2"], abs=CLOSED_FORM)
    assert raw.lambda3 == pytest.approx(expected["raw"]["lambda3"], abs=CLOSED_FORM)
    assert raw.lambda6 == pytest.approx(expected["raw"]["lambda6"], abs=CLOSED_FORM)
    assert [raw.lambda4, standard.lambda4] == pytest.approx(expected["best_split"], abs=CLOSED_FORM)
    assert raw.lambda4 >= expected["raw"]["lambda4"] - CLOSED_FORM
    assert raw.split_exact


@pytest.mark.witness(
    statistic="guttman_lambda",
    definition="lambda 4, the best of all 24,310 splits of 18 items",
    reference="R psych::splitHalf(brute = TRUE, covar = TRUE) 2.2.9",
    tolerance=CLOSED_FORM,
    data="bfi",
)
def test_the_best_split_of_eighteen_items_is_that_of_psych(consistency, bfi, lq2002):
    expected = consistency["guttman18"]
    x = complete(expected, bfi, lq2002)
    result = pm.guttman_lambda(x)
    assert result.lambda4 == pytest.approx(expected["raw"]["lambda4"], abs=CLOSED_FORM)
    assert result.lambda6 == pytest.approx(expected["raw"]["lambda6"], abs=CLOSED_FORM)
    one, other = (x[:, [int(label) - 1 for label in half]].sum(axis=1) for half in result.split)
    assert 4 * np.cov(one, other)[0, 1] / (one + other).var(ddof=1) == pytest.approx(result.lambda4, abs=IDENTITY)
    # the search that more items need finds it, too
    covariance = covariances(x)[None]
    assert _split_half._searched(covariance, None)[0] == pytest.approx(_split_half._all(covariance)[0], rel=IDENTITY)


def test_the_search_finds_the_best_split_of_small_scales():
    rng = np.random.default_rng(6)
    for k in (2, 3, 7, 10, 13):
        x = rng.normal(size=(40, 30, k)) + rng.normal(size=(40, 30, 1)) * rng.uniform(0, 1, (40, 1, k))
        covariance = covariances(x)
        np.testing.assert_allclose(
            _split_half._searched(covariance, None)[0], _split_half._all(covariance)[0], rtol=IDENTITY
        )


tables = hnp.arrays(
    np.float64, st.tuples(st.integers(8, 20), st.integers(2, 6)), elements=st.integers(1, 5).map(float)
).filter(lambda x: np.ptp(x.sum(axis=1)) > 0 and np.all(np.ptp(x, axis=0) > 0))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tables, st.randoms(use_true_random=False))
def test_identities(x, random):
    made, _ = lambdas_of(covariances(x)[None])
    one, two, three, four, five, _ = made[0]
    k = x.shape[1]
    assert three == pytest.approx(pm.cronbach_alpha(x).estimate, abs=1e-9)
    assert three == pytest.approx(k / (k - 1) * one, abs=1e-9)
    assert two >= three - 1e-9
    assert five >= one - 1e-9
    rows, columns = list(range(x.shape[0])), list(range(k))
    random.shuffle(rows)
    random.shuffle(columns)
    again, _ = lambdas_of(covariances(x[rows][:, columns])[None])
    np.testing.assert_allclose(again, made, rtol=1e-7, atol=1e-7)
    if k == 2:
        assert four == pytest.approx(three, abs=1e-9)


def test_all_are_the_reliability_of_parallel_items_but_the_first_and_last():
    covariance = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    made = lambdas_of(covariance[None])[0][0]
    reliability = 4 * 0.5 / (1 + 3 * 0.5)
    assert made[[1, 2, 3]] == pytest.approx([reliability] * 3, abs=IDENTITY)
    assert made[0] == pytest.approx(1 - 4 / covariance.sum(), abs=IDENTITY)
    assert max(made[[0, 4, 5]]) < reliability


def test_more_than_eighteen_items_are_searched_and_it_is_said():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(150, 20)) + rng.normal(size=(150, 1))
    result = pm.guttman_lambda(x, bootstrap=30)
    assert not result.split_exact
    assert result.flags[0].code == "psychometrics.split_searched"
    assert "the best split found" in result.summary()
    assert [len(half) for half in result.split] == [10, 10]
    assert result.ci_bootstrap[3].low < result.ci_bootstrap[3].high


def test_bootstrap_replicates_are_the_rows_drawn(lq2002):
    x = np.column_stack([lq2002[f"LEAD{i:02d}"] for i in range(1, 8)])[:240]
    drawn = np.random.default_rng(2).integers(0, 240, (15, 240))
    counts = np.array([np.bincount(row, minlength=240) for row in drawn], dtype=float)
    expected = [pm.guttman_lambda(x[row]).estimates for row in drawn]
    np.testing.assert_allclose(lambda_kernel(x, np.ones(7))(counts), expected, atol=1e-10)
    result = pm.guttman_lambda(x, bootstrap=300, rng=4)
    assert len(result.ci_bootstrap) == 6
    assert result.ci_bootstrap == pm.guttman_lambda(x, bootstrap=300, rng=4).ci_bootstrap
    for estimate, ci in zip(result.estimates[:3], result.ci_bootstrap[:3], strict=True):
        assert ci.low < estimate < ci.high
    codes = [flag.code for flag in result.flags]
    assert codes == ["psychometrics.lambda_intervals_by_chance"]


def test_listwise_equals_dropping_the_rows_first(bfi):
    x = np.column_stack([bfi[f"N{i}"] for i in range(1, 6)])
    dropped = pm.guttman_lambda(x, missing="listwise", bootstrap=20)
    first = pm.guttman_lambda(x[~np.isnan(x).any(axis=1)], bootstrap=20)
    assert dropped.estimates == first.estimates
    assert (dropped.ci_bootstrap, dropped.split, dropped.n) == (first.ci_bootstrap, first.split, first.n)
    assert dropped.n_dropped == 2800 - first.n


def test_a_singular_covariance_matrix_leaves_lambda_6_undefined():
    x = np.random.default_rng(1).normal(size=(30, 3))
    x = np.column_stack([x, x.sum(axis=1)])
    with pytest.warns(UndefinedStatisticWarning, match="Lambda 6") as caught:
        result = pm.guttman_lambda(x)
    assert caught[0].filename == __file__
    assert math.isnan(result.lambda6)
    assert result.lambda3 == pytest.approx(pm.cronbach_alpha(x).estimate, abs=IDENTITY)
    assert result.reason is None


def test_table_and_summary(bfi):
    x = pd.DataFrame({f"N{i}": bfi[f"N{i}"] for i in range(1, 6)})
    result = pm.guttman_lambda(x, missing="listwise")
    assert result.table["statistic"].tolist() == [f"guttman_lambda{i}" for i in range(1, 7)]
    assert result.table["estimate"].tolist() == list(result.estimates)
    assert result.table["ci_low"].isna().all()
    assert "capitalises on chance" in result.summary()
    assert "5 items, 2694 respondents, 106 left out" in result.summary()
