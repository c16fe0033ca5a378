"""What the scores are: hand-computed values, rules of measurement, and reasons for withholding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity.errors import UsageError
from ibic_fidelity.instrument.parts import Scale
from ibic_fidelity.responses.model import Frame, Responses, source_table
from ibic_fidelity.scoring.measures import level_lookup, measure_values
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores

NA, BLANK = -3, -1
#   site   unit cluster rater a1 a2 a3a a3b a3c
FILES = [
    ("0114", "u1", "h1", "g1", 1, 0, 1, 1, 0),
    ("0114", "u2", "h1", "g1", 1, 0, 1, NA, 0),
    ("0114", "u3", "h2", "g1", 0, 1, 1, 1, 1),
    ("0114", "u4", "h2", "g1", NA, 0, NA, NA, NA),
    ("0114", "u5", "h2", "g1", 1, 1, 1, BLANK, 1),
    ("0114", "u6", "h2", "g1", 1, 0, 0, 0, 0),
]
FILES_MORE = [(row[0], f"{row[1]}b", *row[2:]) for row in FILES]
FRAME = (Frame(),)
REGISTER = {"0114": (80.0, 50), "0180": (60.0, 200)}
OTHER = [("0180", f"v{i}", f"k{i % 2}", "g1", i % 2, 0, 1, 1, i % 2) for i in range(8)]


def score(rows, **names):
    picked = np.ones(len(rows), dtype=bool)
    for name, value in names.items():
        picked &= rows[name] == value
    assert picked.sum() == 1, (names, picked.sum())
    return {name: column[picked][0] for name, column in rows.columns.items()}


def test_items_components_and_total_by_hand(responses_of, mini):
    rows = score_municipalities(responses_of(FILES + OTHER, REGISTER), mini).rows
    # a1: yes in 4 of 5 files to which it applies.
    assert score(rows, site="0114", item="a1", level="item")["estimate"] == pytest.approx(80)
    # a2 is reversed: 4 of 6 are free of it.
    assert score(rows, site="0114", item="a2", level="item")["estimate"] == pytest.approx(100 * 4 / 6)
    # a3: 2/3, 1/2 (one part does not apply), 1, none applies, a blank part: no value, 0.
    assert score(rows, site="0114", item="a3", level="item")["estimate"] == pytest.approx(100 * (2 / 3 + 1 / 2 + 1) / 4)
    # Items count alike in a component, components in the total, whatever their numbers of files.
    component = (4 / 5 + 4 / 6 + (2 / 3 + 1 / 2 + 1) / 4) / 3
    assert score(rows, site="0114", component="a", level="component")["estimate"] == pytest.approx(100 * component)
    assert score(rows, site="0114", statistic="total_core")["estimate"] == pytest.approx(100 * (component + 0.8) / 2)


def test_a_share_is_continuous_and_never_binned(responses_of, mini):
    files = [("0114", f"u{i}", "h", "g", int(i < 7), 0, 1, 1, 1) for i in range(10)] + OTHER
    rows = score_municipalities(responses_of(files, REGISTER), mini).rows
    assert score(rows, site="0114", item="a1", level="item")["estimate"] == pytest.approx(70)


def test_two_ratings_of_a_file_are_one_file(responses_of, mini):
    once = FILES + OTHER
    disagreeing = ("0114", "u1", "h1", "g2", 0, 0, 1, 1, 0)
    agreeing = [(*row[:3], "g2", *row[4:]) for row in FILES]
    base = score_municipalities(responses_of(once, REGISTER), mini).rows
    same = score_municipalities(responses_of(once + agreeing, REGISTER), mini).rows
    half = score_municipalities(responses_of([*once, disagreeing], REGISTER), mini).rows
    for item in ("a1", "a2", "a3"):
        one, two = (score(rows, site="0114", item=item, level="item") for rows in (base, same))
        assert one["estimate"] == pytest.approx(two["estimate"], nan_ok=True)
        assert one["n"] == two["n"]
    assert score(half, site="0114", item="a1", level="item")["estimate"] == pytest.approx(100 * 3.5 / 5)


def test_weights_are_of_units(responses_of, mini):
    weight = np.array([2.0, 1, 1, 1, 1, 1, *[1.0] * 8])
    rows = score_municipalities(responses_of(FILES + OTHER, REGISTER, weight=weight), mini).rows
    assert score(rows, site="0114", item="a1", level="item")["estimate"] == pytest.approx(100 * 5 / 6)


@given(k=st.integers(2, 7), low=st.integers(0, 3), code=st.integers(0, 6))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_reversing_every_scale_mirrors_it(k, low, code):
    levels = [{"code": low + i, "anchor": {"sv": f"n{i}", "en": f"n{i}"}} for i in range(k)]
    value, answered = level_lookup(Scale.model_validate({"id": "s", "type": "levels", "levels": levels}))
    code = low + code % k
    mirrored = 2 * low + k - 1 - code
    assert value[mirrored] == pytest.approx(answered[code] - value[code])


def test_reversed_items_are_maximum_minus_score(mini, responses_of):
    table = responses_of(FILES).tables["files"]
    plain = mini.replaced(items=tuple(i.model_copy(update={"reverse": False}) for i in mini.items))
    flipped = mini.replaced(items=tuple(i.model_copy(update={"reverse": True}) for i in mini.items))
    for one, two in zip(measure_values(table, plain), measure_values(table, flipped), strict=True):
        assert np.allclose(one.value + two.value, one.answered)
        assert np.array_equal(one.answered, two.answered)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_order_of_rows_and_columns_changes_nothing_to_the_bit(seed, mini):
    rng = np.random.default_rng(seed)
    n = 60
    codes = rng.integers(0, 2, (n, 5))
    columns = mini.columns_of("files")
    keys = {
        "site": [f"{s:04d}" for s in rng.integers(0, 4, n)],
        "unit": [f"u{i}" for i in range(n)],
        "cluster": [f"h{c}" for c in rng.integers(0, 9, n)],
    }
    order = rng.permutation(n)

    def scored(rows):
        moved = {name: [values[i] for i in rows] for name, values in keys.items()}
        table = source_table("files", columns, codes[rows], moved)
        responses = Responses({"files": table}, *FRAME, mini.id, mini.version, mini.sha256, "test")
        return score_municipalities(responses, mini).to_json()

    assert scored(np.arange(n)) == scored(order)


@given(copies=st.integers(2, 4))
@settings(max_examples=5, deadline=None, derandomize=True)
def test_more_of_the_same_moves_no_score(copies, mini):
    def scored(times):
        rows = [(*row[:1], f"{row[1]}-{t}", *row[2:]) for t in range(times) for row in FILES + OTHER]
        keys = {name: [str(row[j]) for row in rows] for j, name in enumerate(("site", "unit", "cluster"))}
        table = source_table("files", mini.columns_of("files"), np.array([row[4:] for row in rows]), keys)
        responses = Responses({"files": table}, *FRAME, mini.id, mini.version, mini.sha256, "test")
        return score_municipalities(responses, mini).rows

    one, more = scored(1), scored(copies)
    shown = one["reason"] == ""
    assert np.allclose(one["estimate"][shown].astype(float), more["estimate"][shown].astype(float))


def test_too_few_units_withhold_every_figure(responses_of, mini):
    rows = score_municipalities(responses_of(FILES[:4] + OTHER, REGISTER), mini).rows
    mine = rows.where((rows["site"] == "0114") & (rows["source"] == "files"))
    assert set(mine["reason"].tolist()) == {"scoring.too_few"}
    assert np.isnan(mine["estimate"].astype(float)).all()
    total = score(rows, site="0114", statistic="total_core")
    assert total["reason"] == "scoring.too_few"
    assert np.isnan([total["estimate"], total["ci_low"], total["std_error"]]).all()


def test_one_respondent_in_a_municipality_gets_no_figure(responses_of, mini):
    users = [("0114", "p1", 1, 2, 3), *[("0180", f"p{i}", 1 + i % 3, 2, 3) for i in range(6)]]
    rows = score_municipalities(responses_of(FILES + OTHER, REGISTER, users), mini).rows
    mine = rows.where((rows["site"] == "0114") & (rows["source"] == "user"))
    assert set(mine["reason"].tolist()) == {"scoring.too_few"}
    assert np.isnan(mine["estimate"].astype(float)).all()


def test_an_item_with_too_few_answers_withholds_its_component_and_total(responses_of, mini):
    files = [(*row[:4], NA if i > 1 else row[4], *row[5:]) for i, row in enumerate(FILES)] + OTHER
    rows = score_municipalities(responses_of(files, REGISTER), mini).rows
    for names in ({"item": "a1", "level": "item"}, {"component": "a", "level": "component"}, {"level": "total"}):
        assert score(rows, site="0114", **names)["reason"] == "scoring.item_too_few"
    assert score(rows, site="0114", item="a2", level="item")["reason"] == ""


def test_a_census_may_be_smaller(responses_of, mini):
    few = [row for row in FILES[:4] if row[4] != NA][:3] + OTHER
    scores = score_municipalities(responses_of(few, REGISTER, eligible={"0114": 3, "0180": 40}), mini)
    assert score(scores.rows, site="0114", item="a2", level="item")["reason"] == ""
    census = score(scores.response, site="0114", source="files")
    assert census["census"]
    assert not score(scores.response, site="0180", source="files")["census"]


def test_a_missing_component_withholds_the_total(responses_of, mini):
    rows = score_municipalities(responses_of(FILES + FILES_MORE + OTHER, {"0180": (60.0, 200)}), mini).rows
    assert score(rows, site="0114", component="a", level="component")["reason"] == ""
    assert score(rows, site="0114", component="b", level="component")["reason"] == "scoring.source_missing"
    assert score(rows, site="0114", statistic="total_core")["reason"] == "scoring.source_missing"
    assert score(rows, site="0180", statistic="total_core")["reason"] == ""


def test_triangulating_answers_enter_no_component(responses_of, mini):
    users = [("0180", f"p{i}", 3, 1, 1) for i in range(6)]
    without = score_municipalities(responses_of(OTHER, REGISTER), mini).rows
    with_them = score_municipalities(responses_of(OTHER, REGISTER, users), mini).rows
    for rows in (without, with_them):
        assert score(rows, site="0180", component="a", level="component")["estimate"] == pytest.approx(
            score(without, site="0180", component="a", level="component")["estimate"]
        )
    beside = score(with_them, site="0180", item="a2", level="triangulating")
    assert beside["estimate"] == pytest.approx(0)  # all users at the high end of a reversed item


def test_areas_are_scored_apart_and_together(responses_of, mini):
    files = FILES + FILES_MORE + OTHER
    areas = ["aldre"] * 6 + ["lss"] * 6 + ["aldre"] * 8
    rows = score_municipalities(responses_of(files, REGISTER, areas=areas), mini).rows
    assert score(rows, site="0114", item="a2", level="item", service_area="")["n"] == 12
    assert score(rows, site="0114", item="a2", level="item", service_area="lss")["n"] == 6
    assert score(rows, site="0114", statistic="total_core", service_area="lss")["reason"] == "scoring.source_missing"


def test_another_instrument_is_refused(responses_of, mini):
    changed = mini.replaced(version="0.2.0")
    with pytest.raises(UsageError, match=r"mini 0\.1\.0.*mini 0\.2\.0"):
        score_municipalities(responses_of(OTHER), changed)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, float("nan")])
def test_a_confidence_level_that_is_none_is_refused(responses_of, mini, level):
    with pytest.raises(UsageError, match="confidence_level"):
        score_municipalities(responses_of(OTHER), mini, confidence_level=level)


def test_scores_round_trip_through_json(responses_of, mini):
    scores = score_municipalities(responses_of(FILES + OTHER, REGISTER), mini)
    again = Scores.from_json(scores.to_json())
    assert again.to_json() == scores.to_json()
    assert again.core.equals(scores.core)
    assert again.withheld.equals(scores.withheld)
    with pytest.raises(UsageError, match="schema"):
        Scores.from_json('{"schema": "other"}')


def test_of_site_keeps_only_that_site(responses_of, mini):
    scores = score_municipalities(responses_of(FILES + OTHER, REGISTER), mini)
    assert scores.of_site("0180").sites == ("0180",)
    assert len(scores.of_site("0180").rows) * 2 == len(scores.rows)
    with pytest.raises(UsageError, match="9999"):
        scores.of_site("9999")


def test_a_triangulating_register_value_enters_no_component(responses_of, mini):
    """Item a1 also asked of the register, as a check: the component must not move with it."""

    def scored(value):
        item = mini.by_item["a1"]
        check = item.primary.model_copy(
            update={"id": "a1r", "source": "register", "scale": "percent", "role": "triangulating"}
        )
        changed = item.model_copy(update={"component": "b", "measures": (*item.measures, check)})
        wider = mini.replaced(items=tuple(changed if one.id == "a1" else one for one in mini.items))
        base = responses_of(OTHER, instrument=wider)
        columns = wider.columns_of("register")
        shown = np.array([[{"a1r": value, "b1": 60.0}[column] for column in columns]])
        register = source_table(
            "register", columns, np.full((1, 2), -4), {"site": ["0180"], "unit": ["r"]},
            values=shown, counts=np.full((1, 2), 50.0),
        )  # fmt: skip
        tables = {**base.tables, "register": register}
        responses = Responses(tables, *FRAME, wider.id, wider.version, wider.sha256, "test")
        return score(score_municipalities(responses, wider).rows, site="0180", component="b", level="component")

    assert scored(0.0)["estimate"] == scored(100.0)["estimate"] == pytest.approx((50 + 60) / 2)


def test_nothing_to_score_is_refused(mini):
    with pytest.raises(UsageError, match="no responses"):
        score_municipalities(Responses({}, *FRAME, mini.id, mini.version, mini.sha256, "test"), mini)


def test_the_order_of_sources_changes_no_byte(responses_of, mini):
    users = [("0180", f"p{i}", 3, 1, 1) for i in range(6)]
    one = responses_of(FILES + OTHER, REGISTER, users)
    two = Responses(dict(reversed(one.tables.items())), one.frame, mini.id, mini.version, mini.sha256, "test")
    assert score_municipalities(one, mini).to_json() == score_municipalities(two, mini).to_json()


def test_the_gravest_reason_stands(responses_of, mini):
    rows = score_municipalities(responses_of(FILES[:4] + OTHER, {"0180": (60.0, 200)}), mini).rows
    assert score(rows, site="0114", component="a", level="component")["reason"] == "scoring.too_few"
    assert score(rows, site="0114", statistic="total_core")["reason"] == "scoring.source_missing"


def test_what_is_no_responses_is_refused_by_name(mini):
    with pytest.raises(TypeError, match=r"dict, Instrument"):
        score_municipalities({}, mini)


@pytest.mark.parametrize("text", ["hello", "[]", '{"schema": "ibic.scores/1"}', "null"])
def test_what_is_no_file_of_scores_is_refused(text):
    with pytest.raises(UsageError, match="not a file of scores"):
        Scores.from_json(text)


def test_a_changed_instrument_is_another_one(responses_of, mini):
    fewer = mini.replaced(items=mini.items[:-1])
    assert fewer.sha256 != mini.sha256
    assert fewer.sha256 == mini.replaced(items=mini.items[:-1]).sha256
    with pytest.raises(UsageError, match="another wording"):
        score_municipalities(responses_of(OTHER), fewer)


def test_each_number_says_how_its_interval_is_made(responses_of, mini):
    rows = score_municipalities(responses_of(FILES + OTHER, REGISTER), mini).rows
    told = {name: score(rows, site="0180", **at)["method"] for name, at in METHODS.items()}
    assert told == {
        "item": "score interval, pooled spread, way of working",
        "register": "score interval, register counts, way of working",
        "total": "sources added by recovered variances, way of working",
    }


METHODS = {
    "item": {"item": "a1", "level": "item"},
    "register": {"item": "b1", "level": "item"},
    "total": {"level": "total"},
}


def test_a_components_n_counts_files_with_an_answer(responses_of, mini):
    blank = [(*row[:4], *[BLANK] * 5) for row in FILES_MORE]
    rows = score_municipalities(responses_of(FILES + blank + OTHER, REGISTER), mini).rows
    assert score(rows, site="0114", component="a", level="component")["n"] == 6
    assert score(rows, site="0114", statistic="total_core")["n"] == 6


def test_a_blank_register_value_is_blank(responses_of, mini):
    scores = score_municipalities(responses_of(OTHER, {"0180": (np.nan, np.nan)}), mini)
    row = score(scores.missing, site="0180", column="b1")
    assert (row["answered"], row["blank"], row["not_asked"]) == (0, 1, 0)
