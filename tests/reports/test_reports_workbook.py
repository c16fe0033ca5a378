"""The workbook: numbers are numbers, what is withheld stays withheld, the bytes are still."""

import io
import math

import openpyxl
import pytest

from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.reports import scores_workbook


def rows_of(book, name):
    first, *rest = book[name].iter_rows(values_only=True)
    return [dict(zip(first, row, strict=True)) for row in rest]


@pytest.fixture(scope="module")
def book(study):
    return openpyxl.load_workbook(io.BytesIO(scores_workbook(*study, lang="sv")))


def test_sheets_are_named_in_the_language(study, book):
    assert book.sheetnames[:4] == ["Läs mig", "Totaler", "Komponenter", "Frågor"]
    english = openpyxl.load_workbook(io.BytesIO(scores_workbook(*study, lang="en")), read_only=True)
    assert english.sheetnames[:4] == ["Read me", "Totals", "Components", "Items"]


def test_totals_are_numbers_without_rounding(study, book):
    rows = [row for row in rows_of(book, "Totaler") if row["Kod"] == "0114"]
    core = next(row for row in study[0].core.to_dict("records") if row["site"] == "0114")
    assert rows[0]["Poäng"] == pytest.approx(core["estimate"], rel=1e-14)
    assert (rows[0]["Nedre gräns"], rows[0]["Övre gräns"]) == pytest.approx(
        (core["ci_low"], core["ci_high"]), rel=1e-14
    )
    assert rows[0]["n"] == core["n"]


def test_codes_keep_their_zeros(book):
    assert {row["Kod"] for row in rows_of(book, "Totaler")} >= {"0114", "0642"}


def test_every_cell_of_a_column_of_numbers_is_a_number_or_empty(book):
    for name in ("Totaler", "Komponenter", "Frågor"):
        for row in rows_of(book, name):
            assert all(
                row[key] is None or isinstance(row[key], int | float)
                for key in ("n", "Poäng", "Medelfel", "Övre gräns")
            )


def test_a_withheld_score_is_empty_with_its_reason(hidden):
    scores, instrument = hidden
    book = openpyxl.load_workbook(io.BytesIO(scores_workbook(scores, instrument, lang="sv")))
    for row in rows_of(book, "Totaler"):
        assert row["Poäng"] is None
        assert "minst 20 behövs" in row["Skäl"]
    people = {instrument.by_source[s.id].label["sv"] for s in instrument.sources if s.kind == "survey"}
    small = [row for row in rows_of(book, "Frågor") if row["Källa"] in people and row["n"] < 5]
    assert small
    assert all(row["Poäng"] is None and row["Skäl"] for row in small)
    assert not [row for row in rows_of(book, "Saknas") if row["Källa"] in people and row["Rader"] < 5]


def test_headings_are_frozen(book):
    assert all(sheet.freeze_panes == "A2" for sheet in book)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_sheet_says_synthetic_and_version(study, lang):
    scores, instrument = study
    book = openpyxl.load_workbook(io.BytesIO(scores_workbook(scores, instrument, lang=lang)), read_only=True)
    said = " ".join(str(row[0]) for row in book[book.sheetnames[0]].iter_rows(values_only=True))
    assert {"sv": "SYNTETISKA DATA", "en": "SYNTHETIC DATA"}[lang] in said
    assert instrument.stamp(lang) in said


def test_the_same_scores_give_the_same_bytes(study):
    assert scores_workbook(*study) == scores_workbook(*study)


def test_an_instrument_without_totals_has_no_sheet_of_totals(no_totals):
    book = openpyxl.load_workbook(io.BytesIO(scores_workbook(*no_totals, lang="en")), read_only=True)
    assert "Totals" not in book.sheetnames
    assert "Gates" not in book.sheetnames
    assert "Components" in book.sheetnames


def test_no_number_is_not_finite(book):
    values = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]
    assert all(math.isfinite(value) for value in values if isinstance(value, float))


def test_no_area_of_people_is_shown_where_another_is_withheld(by_area):
    """At full precision the withheld area could be worked out from the whole and the others."""
    scores, instrument = by_area
    book = openpyxl.load_workbook(io.BytesIO(scores_workbook(scores, instrument, lang="en")), read_only=True)
    people = {source.label["en"] for source in instrument.sources if source.kind == "survey"}
    areas = {}
    for row in rows_of(book, "Items"):
        if row["Source"] in people and row["Area"] != "all":
            areas.setdefault((row["Code"], row["Source"], row["Item"]), []).append(row["Score"] is not None)
    assert any(all(shown) for shown in areas.values())
    assert all(all(shown) or not any(shown) for shown in areas.values())
