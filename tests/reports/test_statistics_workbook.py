"""The workbook of statistics: sheets, numbers that are numbers, and sites that cannot be worked out."""

import io
import math

import openpyxl
import pytest

from ibic_fidelity.dossier.statistics import Statistic
from ibic_fidelity.reports import statistics_workbook


def opened(statistics, instrument, lang="en"):
    return openpyxl.load_workbook(io.BytesIO(statistics_workbook(statistics, instrument, lang=lang)))


def records(book, name):
    first, *rest = book[name].iter_rows(values_only=True)
    return [dict(zip(first, row, strict=True)) for row in rest]


def of_site(site, n, estimate, **place):
    place = {"source": "user", "component": "dk", **place}
    return Statistic.of("rwg", n, estimate).where(site=site, **place)


@pytest.fixture(scope="module")
def english(reliability):
    return opened(*reliability)


def test_sheets_are_named_in_the_language_of_the_reader(reliability, english):
    assert english.sheetnames == ["Read me", "Components", "Items", "Municipalities", "Long table"]
    assert opened(*reliability, "sv").sheetnames == ["Läs mig", "Komponenter", "Frågor", "Kommuner", "Lång tabell"]


def test_the_long_table_is_that_of_the_result(reliability, english):
    statistics, _ = reliability
    rows = records(english, "Long table")
    assert len(rows) == len(statistics.rows)
    for row, made in zip(rows, statistics, strict=True):
        assert (row["source"] or "", row["component"] or "", row["statistic"], row["n"]) == (
            made.source, made.component, made.statistic, made.n,
        )  # fmt: skip
        if row["estimate"] is not None:
            assert row["estimate"] == pytest.approx(made.estimate, rel=1e-14)


def test_items_are_a_row_each_with_a_statistic_a_column(reliability, english):
    statistics, _ = reliability
    rows = records(english, "Items")
    items = statistics.level("item")
    assert len(rows) == len({(row.source, row.item) for row in items})
    first = next(row for row in items if row.statistic == "item_rest_correlation")
    assert rows[0]["Item–rest correlation"] == pytest.approx(first.estimate, rel=1e-14)


def test_shares_are_percentages_and_coefficients_have_two_decimals(english):
    sheet = english["Items"]
    formats = {sheet.cell(1, j).value: sheet.cell(2, j).number_format for j in range(1, sheet.max_column + 1)}
    assert formats["At the lowest"] == "0%"
    assert formats["Item–rest correlation"] == "0.00"
    assert formats["n"] == "0"


def test_the_first_sheet_explains(reliability, english):
    statistics, instrument = reliability
    said = "\n".join(str(row[0]) for row in english["Read me"].iter_rows(values_only=True))
    assert "SYNTHETIC DATA" in said
    assert instrument.stamp("en") in said
    assert statistics.title.text("en") in said
    assert "Cronbach's alpha: How much of the differences" in said


def test_the_bytes_are_still(reliability):
    assert statistics_workbook(*reliability) == statistics_workbook(*reliability)


def test_no_cell_is_a_formula_or_a_link(statistics_of, reliability, rater_rows):
    book = opened(statistics_of(*rater_rows), reliability[1])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert "=1+1" in {cell.value for cell in cells}
    assert not [cell for cell in cells if isinstance(cell.value, float) and not math.isfinite(cell.value)]


def test_raters_have_limits_and_the_reason_why_one_has_none(statistics_of, reliability, rater_rows):
    rows = records(opened(statistics_of(*rater_rows), reliability[1]), "Raters")
    name = next(key for key in rows[0] if key.startswith("Drift") and ":" not in key)
    assert [row[name] for row in rows] == [-3, -2, -1, None, 1, 2]
    assert [row[f"{name}: lower limit"] for row in rows][:2] == [-5, -4]
    assert rows[3]["Remark"] == "2 complete row(s) are too few"


def test_sites_of_fewer_than_five_people_are_empty_with_the_reason(statistics_of, reliability):
    rows = [of_site("0114", 4, 0.5), of_site("2584", 3, 0.6), of_site("0180", 9, 0.7)]
    book = opened(statistics_of(*rows), reliability[1])
    by_code = {row["Code"]: row for row in records(book, "Municipalities")}
    assert by_code["0114"]["rwg of the scale mean"] is None
    assert by_code["2584"]["rwg of the scale mean"] is None
    assert by_code["0180"]["rwg of the scale mean"] == 0.7
    assert by_code["0114"]["Remark"] == "fewer than 5 respondents"
    assert [row["estimate"] for row in records(book, "Long table")] == [None, None, 0.7]


def test_a_single_small_site_cannot_be_worked_out_from_the_others(statistics_of, reliability):
    rows = [of_site("0114", 4, 0.5), of_site("2584", 6, 0.6), of_site("0180", 9, 0.7)]
    by_code = {row["Code"]: row for row in records(opened(statistics_of(*rows), reliability[1]), "Municipalities")}
    shown = {code: row["rwg of the scale mean"] for code, row in by_code.items()}
    assert shown == {"0114": None, "2584": None, "0180": 0.7}
    assert "worked out" in by_code["2584"]["Remark"]


def test_audited_files_are_no_people(statistics_of, reliability):
    rows = [of_site("0114", 4, 0.5, source="files", component="ut")]
    book = opened(statistics_of(*rows), reliability[1])
    assert records(book, "Municipalities")[0]["rwg of the scale mean"] == 0.5


def test_sites_stand_by_name(statistics_of, reliability):
    rows = [of_site(code, 9, 0.5) for code in ("0114", "2584", "1440", "0180")]
    names = [row["Name"] for row in records(opened(statistics_of(*rows), reliability[1]), "Municipalities")]
    assert names == ["Ale", "Kiruna", "Stockholm", "Upplands Väsby"]


def test_folded_texts_have_rows_that_are_high_enough(english):
    sheet = english["Read me"]
    long = [row for row in range(1, sheet.max_row + 1) if len(str(sheet.cell(row, 1).value)) > 150]
    assert long
    assert all(sheet.row_dimensions[row].height >= 30 for row in long)
