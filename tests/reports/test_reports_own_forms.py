"""Forms of representatives, guardians and children: apart on the page, in no score, small counts not told."""

import pytest

import ibic_fidelity as ibic
from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.reports import site_report
from ibic_fidelity.reports.material import Material
from ibic_fidelity.reports.own_forms import own_forms, unable_table
from ibic_fidelity.reports.sheets import items_sheet
from ibic_fidelity.reports.tables import item_tables

PLACE = ("0114", "", "")
APART = {"representative", "guardian", "child"}
DESIGN = {"n_sites": 4, "files": 20, "users": 30}


@pytest.fixture(scope="module")
def answered():
    return ibic.simulate_study(ibic.StudyDesign(**DESIGN, representatives=10, children=18), seed=1)


@pytest.fixture(scope="module")
def scores(answered):
    return ibic.score_municipalities(answered.responses, answered.instrument)


@pytest.fixture(scope="module")
def material(answered, scores):
    return Material(scores, answered.instrument, "en")


def test_they_change_no_score_of_anybody_else(answered, scores):
    without = ibic.simulate_study(ibic.StudyDesign(**DESIGN), seed=1)
    base = ibic.score_municipalities(without.responses, without.instrument).rows.rows()
    others = [row for row in scores.rows.rows() if row["source"] not in APART]
    assert set(answered.responses.tables) - set(without.responses.tables) == APART
    assert len(base) == len(others)
    assert all(str(one) == str(two) for one, two in zip(base, others, strict=True))
    assert {row["level"] for row in scores.rows.rows() if row["source"] in APART} == {"triangulating"}


def test_they_stand_in_a_section_of_their_own(material):
    section = own_forms(material, PLACE)
    assert [table.caption for table in section["items"]] == [
        "Representatives", "Guardians", "Children, in their own words",
    ]  # fmt: skip
    parts = [part.id for part in material.instrument.components]
    beside = {row[1].text for table in item_tables(material, PLACE, parts) for row in table.rows}
    assert "Persons with support" in beside
    assert not beside & {material.instrument.by_source[one].label.en for one in APART}
    # Each row is worded as that informant was asked, not as the person was.
    assert section["items"][0].rows[0][0].text == "RE1 The assessor listened to the person I represent."


def test_the_share_who_could_not_answer_is_shown(material):
    rows = {row[0].text: [cell.value for cell in row[1:]] for row in unable_table(material, PLACE).rows}
    assert rows == {
        "Persons with support": [40, 10, 0.25],
        "Children, in their own words": [18, 6, pytest.approx(1 / 3)],
    }


@pytest.mark.parametrize("unable", [1, 4])
def test_fewer_than_five_are_not_counted_out(answered, scores, unable):
    material = Material(scores, answered.instrument, "sv")
    for row in material.response[PLACE]:
        if row["source"] == "representative":
            row["invited"] = float(unable)
    row = unable_table(material, PLACE).rows[0]
    assert [cell.text for cell in row[1:]] == [str(30 + unable), "färre än 5", ""]
    assert row[2].value is None


@pytest.mark.parametrize("unknown", ["user", "representative"])
def test_nothing_is_said_where_a_count_is_unknown(answered, scores, unknown):
    material = Material(scores, answered.instrument, "sv")
    for row in material.response[PLACE]:
        if row["source"] == unknown:
            row["invited"] = float("nan")
    assert "Personer med stöd" not in {row[0].text for row in unable_table(material, PLACE).rows}


def test_there_is_no_section_where_nobody_was_asked(study):
    assert own_forms(Material(*study, "en"), PLACE) is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_holds_the_section(answered, scores, page, lang):
    parsed = page(site_report(scores, answered.instrument, "0114", lang=lang))
    assert not parsed.faults
    assert not parsed.open
    heading = {"sv": "Svar i egna formulär", "en": "Answers in forms of their own"}[lang]
    assert heading in parsed.inside["h2"]
    assert {"sv": "Kunde inte svara själva", "en": "Could not answer themselves"}[lang] in parsed.words


def test_the_workbook_says_that_they_are_apart(material):
    sheet = items_sheet(material)
    at = [column.title for column in sheet.columns]
    roles = {(row[at.index("Source")].text, row[at.index("Role")].text) for row in sheet.rows}
    apart = {material.instrument.by_source[one].label.en for one in APART}
    assert {source for source, role in roles if role == "a form of its own, apart"} == apart
