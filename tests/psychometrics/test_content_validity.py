"""Content validity of a panel: indices against R and printed tables, what must hold, coverage, and bad input."""

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
from ibic_fidelity.psychometrics.content_validity.ratio import critical_ratio

# closed forms in double precision, R's JSON with 15 digits
CLOSED_FORM = 1e-8
R = json.loads((Path(__file__).parents[1] / "reference/content_validity.json").read_text(encoding="utf-8"))
PANEL = np.array(R["ratings"]).T
H = math.nan


@pytest.mark.witness(
    statistic="content_validity_index", definition="I-CVI, exact limits, chance, modified kappa, S-CVI/Ave and /UA",
    reference="R stats::binom.test, dbinom", tolerance=CLOSED_FORM, data="panel of PMC7253559, 12 items x 6 experts",
)  # fmt: skip
def test_index_agrees_with_r():
    made = pm.content_validity_index(PANEL)
    assert made.estimates == pytest.approx(R["icvi"], abs=CLOSED_FORM)
    assert made.ci_low == pytest.approx(R["low"], abs=CLOSED_FORM)
    assert made.ci_high == pytest.approx(R["high"], abs=CLOSED_FORM)
    assert made.chance == pytest.approx(R["chance"], abs=CLOSED_FORM)
    assert made.kappa == pytest.approx(R["kappa"], abs=CLOSED_FORM)
    assert (made.average, made.universal) == pytest.approx((R["average"], R["universal"]), abs=CLOSED_FORM)


@pytest.mark.witness(
    statistic="content_validity_index", definition="S-CVI/Ave and S-CVI/UA", reference="table printed in PMC7253559", tolerance=0.005,
    data="panel of PMC7253559, 12 items x 6 experts",
)  # fmt: skip
def test_index_is_the_printed_one():
    made = pm.content_validity_index(PANEL)
    assert (made.average, made.universal) == pytest.approx((0.97, 0.83), abs=0.005)
    assert [made.items[i] for i in np.flatnonzero(made.estimates < 1)] == ["6", "9"]


#: Experts, of whom agree, chance, modified kappa: the rows of 9 and 10 are printed.
KAPPA = [(3, 3, 0.125, 1.0), (4, 3, 0.25, 0.67), (5, 4, 0.156, 0.76), (6, 5, 0.094, 0.82), (7, 5, 0.164, 0.66), (8, 6, 0.109, 0.72),
         (9, 8, 0.018, 0.89), (9, 7, 0.070, 0.76), (9, 6, 0.164, 0.60), (10, 9, 0.010, 0.90), (10, 8, 0.044, 0.79), (10, 7, 0.117, 0.66)]  # fmt: skip


@pytest.mark.witness(
    statistic="content_validity_index", definition="chance agreement and modified kappa", reference="Polit, Beck & Owen (2007), table 3",
    tolerance=0.005, data="counts of 3 to 10 experts",
)  # fmt: skip
@pytest.mark.parametrize(("n", "agreeing", "chance", "kappa"), KAPPA)
def test_modified_kappa_is_the_printed_one(n, agreeing, chance, kappa):
    made = pm.content_validity_index([[4]] * agreeing + [[1]] * (n - agreeing))
    assert made.chance[0] == pytest.approx(chance, abs=0.0006)
    assert made.kappa[0] == pytest.approx(kappa, abs=0.005)


@pytest.mark.witness(
    statistic="aiken_v", definition="V and score limits (formula; Wilson's limits of nk points)", reference="R base; stats::prop.test",
    tolerance=CLOSED_FORM, data="panel of PMC7253559, 12 items x 6 experts",
)  # fmt: skip
def test_v_agrees_with_r():
    made = pm.aiken_v(PANEL, low=1, high=4)
    assert made.estimates == pytest.approx(R["v"], abs=CLOSED_FORM)
    assert (
        pytest.approx(np.array([R["v_low"], R["v_high"]]).T, abs=CLOSED_FORM) == np.stack([made.ci_low, made.ci_high]).T
    )
    assert pytest.approx(np.array(R["v_wilson"]), abs=CLOSED_FORM) == np.stack([made.ci_low, made.ci_high]).T


@pytest.mark.witness(
    statistic="content_validity_ratio", definition="ratio, exact limits, one-sided p, critical values for 1-40 experts",
    reference="R stats::binom.test", tolerance=CLOSED_FORM, data="10 experts, 6 items",
)  # fmt: skip
def test_ratio_agrees_with_r():
    one = R["ratio"]
    x = np.array([[1.0] * e + [0.0] * (10 - e) for e in one["essential"]]).T
    made = pm.content_validity_ratio(x)
    for name, expected in (("estimates", "cvr"), ("p_values", "p"), ("ci_low", "low"), ("ci_high", "high")):
        assert getattr(made, name) == pytest.approx(one[expected], abs=CLOSED_FORM), name
    expected = [math.nan if value is None else value for value in R["critical"]]
    assert [critical_ratio(n, 0.05) for n in range(1, 41)] == pytest.approx(expected, abs=CLOSED_FORM, nan_ok=True)
    assert made.retained.tolist() == [True, True, False, False, False, False]
    assert made.average_retained == pytest.approx(0.9)


#: Experts and critical ratio, exact one-sided .05.
PRINTED = [
    (5, 1.0),
    (7, 1.0),
    (8, 0.75),
    (9, 0.778),
    (10, 0.8),
    (11, 0.636),
    (12, 0.667),
    (15, 0.6),
    (20, 0.5),
    (25, 0.44),
    (30, 0.333),
    (40, 0.3),
]


@pytest.mark.witness(
    statistic="content_validity_ratio", definition="critical values", reference="Ayre & Scally (2014), table 2", tolerance=0.0006,
    data="5 to 40 experts",
)  # fmt: skip
@pytest.mark.parametrize(("n", "ratio"), PRINTED)
def test_critical_values_are_the_printed_ones(n, ratio):
    assert critical_ratio(n, 0.05) == pytest.approx(ratio, abs=0.0006)


RATINGS = st.integers(2, 12).flatmap(
    lambda n: st.lists(st.lists(st.integers(1, 4), min_size=3, max_size=3), min_size=n, max_size=n)
)


@settings(max_examples=100, deadline=None)
@given(x=RATINGS, seed=st.integers(0, 100))
def test_no_index_asks_for_the_order_of_experts_and_limits_hold_the_estimate(x, seed):
    x = np.array(x)
    mixed = np.random.default_rng(seed).permutation(x)
    for f in (
        pm.content_validity_index,
        lambda y: pm.content_validity_ratio((y == 4) * 1),
        lambda y: pm.aiken_v(y, low=1, high=4),
    ):
        made, turned = f(x), f(mixed)
        assert made.estimates.tolist() == turned.estimates.tolist()
        assert np.all(made.ci_low <= made.estimates + 1e-12)
        assert np.all(made.estimates <= made.ci_high + 1e-12)
    index = pm.content_validity_index(x)
    assert np.all(index.kappa <= index.estimates + 1e-12)
    assert index.universal <= index.average + 1e-12


@settings(max_examples=100, deadline=None)
@given(x=RATINGS)
def test_v_is_turned_with_the_scale_and_follows_its_unit(x):
    x = np.array(x)
    made, turned, moved = (
        pm.aiken_v(x, low=1, high=4),
        pm.aiken_v(5 - x, low=1, high=4),
        pm.aiken_v(x - 1, low=0, high=3),
    )
    assert made.estimates == pytest.approx(1 - turned.estimates)
    assert made.ci_low == pytest.approx(1 - turned.ci_high)
    assert made.ci_low == pytest.approx(moved.ci_low)


@settings(max_examples=50, deadline=None)
@given(x=RATINGS, hole=st.integers(0, 1))
def test_leaving_out_is_dropping_first_and_available_counts_each_item(x, hole):
    x = np.array(x, dtype=float)
    x[hole, 0] = H
    for f in (pm.content_validity_index, lambda y, **o: pm.aiken_v(y, low=1, high=4, **o)):
        assert f(x, missing="listwise").estimates == pytest.approx(f(np.delete(x, hole, 0)).estimates)
        available = f(x, missing="available")
        assert available.n.tolist() == [len(x) - 1, len(x), len(x)]
        assert available.estimates[1:] == pytest.approx(f(np.nan_to_num(x, nan=1)).estimates[1:])
        assert available.estimates[0] == pytest.approx(f(np.delete(x, hole, 0)).estimates[0])


def test_results_tell_of_themselves():
    frame = pm.content_validity_index(PANEL).table
    assert list(frame) == [
        "item",
        "statistic",
        "n",
        "estimate",
        "ci_low",
        "ci_high",
        "ci_level",
        "method",
        "reason",
        "agreeing",
        "chance",
        "kappa",
    ]
    assert pm.content_validity_index(PANEL).summary() == "S-CVI/Ave 0.97, S-CVI/UA 0.83; 6 experts, 12 items."
    assert list(pm.content_validity_ratio((PANEL > 3) * 1).table)[-4:] == [
        "essential",
        "critical",
        "p_value",
        "retained",
    ]
    assert pm.content_validity_ratio([[1], [1], [1]]).summary().count("told from chance") == 1
    assert pm.aiken_v(PANEL, low=1, high=4).summary().startswith("Mean V 0.93, lowest 0.72; 6 experts")
    with pytest.raises(ValueError, match="read-only"):
        pm.aiken_v(PANEL, low=1, high=4).estimates[0] = 0


@pytest.mark.parametrize(
    ("x", "flags"),
    [
        ([[4]], ["content_few_experts"]),
        ([[4], [3]], ["content_few_experts"]),
        ([[4]] * 5, ["content_few_experts"]),
        ([[4]] * 6, []),
    ],
)
def test_a_small_panel_is_flagged(x, flags):
    assert [flag.code.split(".")[1] for flag in pm.content_validity_index(x).flags] == flags


def test_a_divided_panel_is_flagged():
    made = pm.aiken_v([[1, 3], [1, 3], [1, 2], [4, 3], [4, 3], [4, 2]], low=1, high=4)
    assert made.spread[0] > 3
    assert [dict(flag.params) for flag in made.flags] == [{"items": ["1"]}]


def icvi(x, **o):
    return pm.content_validity_index(x, **o)


def cvr(x, **o):
    return pm.content_validity_ratio(x, **o)


def v(x, low=1, high=4, **o):
    return pm.aiken_v(x, low=low, high=high, **o)


REFUSED = [
    ("a rating of 5", lambda: icvi([[5, 4]]), UsageError, "outside_limits"),
    ("a rating of 0", lambda: icvi([[4, 0]]), UsageError, "outside_limits"),
    ("a rating of 5, V", lambda: v([[5, 4]]), UsageError, "outside_limits"),
    ("essential as 1, 2, 3", lambda: cvr([[1, 2, 3]]), UsageError, "outside_limits"),
    ("between two ratings", lambda: icvi([[2.5, 3]]), UsageError, "content_not_whole"),
    ("half essential", lambda: cvr([[0.5]]), UsageError, "content_not_whole"),
    ("text", lambda: icvi([["hög"]]), ArgumentTypeError, "not_a_number"),
    ("infinite", lambda: v([[np.inf]]), UsageError, "infinite"),
    ("one dimension", lambda: icvi([1, 2, 3]), UsageError, "not_a_table"),
    ("ragged", lambda: cvr([[1, 0], [1]]), ArgumentTypeError, "unequal_rows"),
    ("no item", lambda: icvi(np.empty((3, 0))), UsageError, "too_few_items"),
    ("no expert", lambda: icvi(np.empty((0, 3))), UsageError, "content_no_experts"),
    ("a hole under raise", lambda: icvi([[4, H]]), UsageError, "missing_values"),
    ("nobody whole under listwise", lambda: v([[4, H], [H, 3]], missing="listwise"), UsageError, "content_no_experts"),
    ("only holes under available", lambda: cvr([[H, H]], missing="available"), UsageError, "content_no_experts"),
    ("unknown rule", lambda: icvi([[4]], missing="drop"), UsageError, "unknown_choice"),
    ("cut 1", lambda: icvi([[4]], cut=1), UsageError, "content_cut"),
    ("cut 2.5", lambda: icvi([[4]], cut=2.5), UsageError, "content_cut"),
    ("cut True", lambda: icvi([[4]], cut=True), UsageError, "content_cut"),
    ("level", lambda: v([[4]], confidence_level=95), UsageError, "confidence_level"),
    ("significance", lambda: cvr([[1]], significance=5), UsageError, "level_between"),
    ("limits turned", lambda: v([[4]], low=4, high=1), UsageError, "limits"),
    ("limits of other items", lambda: v([[4]], low=[1, 1], high=4), UsageError, "limit_shape"),
    ("pasted labels twice", lambda: icvi(__import__("pandas").DataFrame([[4, 4]], columns=["a", "a"])), UsageError, "labels_twice"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_ratings_are_refused(call, kind, code):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


@pytest.mark.parametrize("f", [icvi, cvr, lambda x, **o: v(x, 0, 1, **o)])
def test_an_item_that_nobody_rated_has_no_index(f):
    x = [[1, H]] * 6
    with pytest.warns(UndefinedStatisticWarning, match="Nobody rated 2") as told:
        made = f(x, missing="available")
    assert Path(told[0].filename).name == "test_content_validity.py"
    assert math.isnan(made.estimates[1])
    assert math.isnan(made.ci_low[1])
    assert math.isfinite(made.average)
    assert made.reason.code == "psychometrics.content_no_ratings"


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_content_validity_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def test_the_table_has_every_cell_once_and_tells_where_intervals_fall_short(script, rows):
    named = [(row["statistic"], row["data"], int(row["n"]), float(row["truth"])) for row in rows]
    assert named == [(cell.statistic, cell.data, cell.n, cell.truth) for cell in script.cells()]
    slack = 2.5 * math.sqrt(0.93 * 0.07 / script.STUDIES)
    short = {row["data"] for row in rows if float(row["coverage"]) < 0.93 - slack}
    assert short == {"divided"}
    assert all(float(row["coverage"]) >= 0.95 for row in rows if row["statistic"] == "content_validity_index")


@pytest.mark.slow
@pytest.mark.parametrize("at", [4, 16, 28, 40])
def test_public_functions_cover_as_the_table_says(script, rows, at):
    cell, expected, studies = script.cells()[at], float(rows[at]["coverage"]), 1000
    x = script.ratings(cell, np.random.default_rng(at), studies).T
    made = (
        pm.content_validity_index(1 + 3 * x)
        if cell.statistic == "content_validity_index"
        else pm.aiken_v(x, low=0, high=3)
    )
    covered = float(np.mean((made.ci_low <= cell.truth) & (cell.truth <= made.ci_high)))
    error = math.sqrt(max(expected * (1 - expected), 0.01) * (1 / studies + 1 / script.STUDIES))
    assert abs(covered - expected) < 4 * error
