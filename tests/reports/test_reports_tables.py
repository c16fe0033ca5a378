"""Tables of cells: numbers printed once, on the right side of a cut."""

import math

import pytest

from ibic_fidelity.foundation.numbers import beside_cuts, probability
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.html import strip_svg
from ibic_fidelity.reports.material import Material
from ibic_fidelity.reports.overview import site_rows, totals_table
from ibic_fidelity.reports.tables import areas_table, gates_table, missing_table, profile_table, response_table

PLACE = ("0114", "", "")


@pytest.fixture(scope="module")
def material(study):
    return Material(*study, "en")


def test_profile_puts_totals_first_and_keeps_the_numbers(material, study):
    table = profile_table(material, PLACE)
    assert [row[0].text for row in table.rows[:3]] == ["Fidelity, core", "Fidelity, extended", "Investigate"]
    core = next(row for row in study[0].core.to_dict("records") if row["site"] == "0114")
    assert table.rows[0][1].value == core["estimate"]
    assert table.rows[0][3].strip == (core["ci_low"], core["estimate"], core["ci_high"])


def test_gates_have_a_word_for_every_status(material, study):
    table = gates_table(material, PLACE)
    statuses = [row["status"] for row in study[0].gates.rows() if row["site"] == "0114"]
    words = {
        "held": "holds the band back",
        "undecided": "undecided",
        "passed": "passed",
        "unknown": "unknown: no figure",
    }
    assert [row[-1].text for row in table.rows] == [words[status] for status in statuses]


def test_response_says_in_words_what_the_numbers_are(material):
    rows = {row[0].text: row for row in response_table(material, PLACE).rows}
    assert rows["Audited case files"][-1].text == "A sample: 30 of 175 case files."
    assert rows["Persons with support"][-1].text.endswith("of 30 invited answered.")


def test_a_census_is_said_in_words(study):
    scores, instrument = study
    material = Material(scores, instrument, "sv")
    row = next(row for row in material.response[PLACE] if row["source"] == "files")
    row.update(census=True, eligible=30.0)
    table = response_table(material, PLACE)
    assert table.rows[0][-1].text == "Alla 30 personakter som fanns är med (totalundersökning)."


def test_a_source_that_is_lacking_is_listed(study):
    material = Material(*study, "en")
    material.response[PLACE][:] = [row for row in material.response[PLACE] if row["source"] != "relative"]
    assert ("Relatives", "0", "No data.") in [
        (row[0].text, row[1].text, row[-1].text) for row in response_table(material, PLACE).rows
    ]


def test_missing_lists_only_columns_in_which_something_is_missing(material, study):
    table = missing_table(material, PLACE)
    rows = [row for row in study[0].missing.rows() if (row["site"], row["service_area"]) == ("0114", "")]
    people = {source.id for source in study[1].sources if source.kind == "survey"}
    wanted = [r for r in rows if r["answered"] < r["rows"] and not (r["source"] in people and r["rows"] < 5)]
    assert [row[0].text for row in table.rows] == [row["column"] for row in wanted]
    first = wanted[0]
    assert table.rows[0][-1].value == pytest.approx(1 - first["answered"] / first["rows"])


def test_areas_of_people_are_all_hidden_where_one_is(by_area):
    """The withheld area could be worked out from the whole and the others."""
    scores, instrument = by_area
    no_totals = instrument.model_copy(update={"totals": (), "bands": ()})
    material = Material(scores, no_totals, "en")
    table = areas_table(material, "0114", "")
    hidden = [row for row in table.rows if any("not shown" in cell.text for cell in row[1:])]
    people = {part.label["en"] for part in instrument.components if part.dimension == "experience"}
    assert [row for row in hidden if row[0].text in people]
    assert all("not shown" in cell.text for row in hidden if row[0].text in people for cell in row[1:])


def test_sites_are_in_swedish_alphabetical_order(study):
    scores, instrument = study
    names = {
        "0114": "Örebro",
        "0642": "Ängelholm",
        "1280": "Åre",
        "1490": "Zinkgruvan",
        "2081": "Område 10",
        "2584": "Område 2",
    }
    material = Material(scores, instrument.model_copy(update={"register_codes": names}), "sv")
    ordered = [row["site"] for row in site_rows(material, "total_core", "")]
    assert ordered == ["2584", "2081", "1490", "1280", "0642", "0114"]
    assert [row[0].text for row in totals_table(material, "total_core", "", None).rows][:2] == [
        "Område 2 (2584)",
        "Område 10 (2081)",
    ]


@pytest.mark.parametrize(
    ("value", "cuts", "shown"),
    [
        (74.6, (75,), "74.6"),
        (74.996, (75,), "74.996"),
        (75.0, (75,), "75"),
        (74.99999999, (75,), "75"),
        (50.4, (50, 75), "50"),
        (49.5, (50,), "49.5"),
        (math.nan, (50,), "–"),
    ],
)
def test_a_score_is_printed_on_its_side_of_a_cut(value, cuts, shown):
    assert beside_cuts(value, "en", cuts) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "<1%"), (1.0, ">99%"), (0.5, "50%"), (0.796, "79.6%"), (0.8, "80%"), (math.nan, "–")]
)
def test_a_probability_is_never_certain_and_stays_on_its_side(value, shown):
    assert probability(value, "en", (0.2, 0.8)) == shown


def test_a_table_refuses_a_row_of_another_length():
    with pytest.raises(ValueError, match="has not 2 cells"):
        Table("t", (Column("a"), Column("b")), ((Cell("x"),),))


def test_empty_columns_go_and_spans_shrink_with_them():
    columns = (Column("a"), Column("b"), Column("c"), Column("d"))
    table = Table("t", columns, ((Cell("x"), Cell("why", span=2), Cell()), (Cell("y"), Cell("1"), Cell(), Cell())))
    short = table.without_empty()
    assert [column.title for column in short.columns] == ["a", "b"]
    assert [[(cell.text, cell.span) for cell in row] for row in short.rows] == [
        [("x", 1), ("why", 1)],
        [("y", 1), ("1", 1)],
    ]


def test_a_strip_without_interval_has_a_dot_only():
    assert strip_svg((math.nan, 50.0, math.nan)).count("<path") == 1
    assert strip_svg((40.0, 50.0, 60.0)).count("<path") == 2
