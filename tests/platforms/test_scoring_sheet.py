"""The scoring sheet: its columns are those that are read back, its cells offer the answers, it gives nothing away."""

import io
import zipfile

import openpyxl
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.instrument.cases import load_cases
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.platforms.scoring_sheet import key_table, scoring_workbook


@pytest.fixture(scope="module")
def instrument():
    return load_instrument("ibic")


@pytest.fixture(scope="module")
def cases(instrument):
    return load_cases("ibic", instrument)


def _sheet(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def _filled(instrument, content, tmp_path, values):
    book = _sheet(content)
    sheet = book["files"]
    names = [cell.value for cell in sheet[1]]
    for i, row in enumerate(values, start=2):
        for name, value in row.items():
            sheet.cell(i, names.index(name) + 1, value)
    book.save(tmp_path / "granskning.xlsx")
    return ibic.read_responses(tmp_path / "granskning.xlsx", instrument)


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_the_columns_are_those_of_the_source(instrument, lang):
    book = _sheet(scoring_workbook(instrument, instrument.by_source["files"], lang=lang))
    names = [cell.value for cell in book["files"][1]]
    assert names == ["kommun_kod", "omrade", "id", "handlaggare", "granskare", *instrument.columns_of("files")]
    explained = [row[0].value for row in book.worksheets[1].iter_rows(min_row=2) if row[0].value]
    assert explained == list(instrument.columns_of("files"))


def test_each_column_offers_its_own_answers_and_refuses_others(instrument):
    sheet = _sheet(scoring_workbook(instrument, instrument.by_source["files"]))["files"]
    names = [cell.value for cell in sheet[1]]
    offered = {}
    for rule in sheet.data_validations.dataValidation:
        for place in rule.sqref.ranges:
            for column in range(place.min_col, place.max_col + 1):
                offered[names[column - 1]] = (rule.formula1, rule.errorStyle or "stop")
    assert offered["ut2"] == ('"0,1,8,9"', "stop")
    assert offered["ut5"] == ('"0,1,2,8,9"', "stop")
    assert offered["kx1"] == ('"0,1,2"', "stop")
    assert set(offered) == set(instrument.columns_of("files"))


def test_a_filled_sheet_is_read(instrument, tmp_path):
    columns = instrument.columns_of("files")
    rows = [
        {"kommun_kod": "0114", "omrade": "aldre", "id": f"a{n}", "handlaggare": "h1", "granskare": "g1",
         **dict.fromkeys(columns, "1")}
        for n in range(3)
    ]  # fmt: skip
    content = scoring_workbook(instrument, instrument.by_source["files"])
    responses = _filled(instrument, content, tmp_path, rows)
    assert len(responses.tables["files"].codes) == 3
    assert not responses.synthetic


def test_a_training_sheet_filled_in_is_read_beside_the_key(instrument, cases, tmp_path):
    content = scoring_workbook(instrument, instrument.by_source["files"], cases=cases)
    sheet = _sheet(content)["files"]
    names = [cell.value for cell in sheet[1]]
    ids = [sheet.cell(i, names.index("id") + 1).value for i in range(2, 14)]
    assert ids == [case.id for case in cases.cases]
    assert all(
        sheet.cell(i, names.index(c) + 1).value in (None, "") for i in range(2, 14) for c in ("ut1a", "granskare")
    )
    rows = [{"granskare": "g01", **{c: a.code for c, a in cases.of(case.id).items()}} for case in cases.cases]
    own = _filled(instrument, content, tmp_path, rows)
    (tmp_path / "facit.csv").write_text("\ufeff" + key_table(instrument, cases), encoding="utf-8")
    both = ibic.read_responses([tmp_path / "granskning.xlsx", tmp_path / "facit.csv"], instrument)
    assert own.synthetic
    assert set(both.tables["files"].rater.labels) >= {"g01", "facit"}


def test_the_sheet_gives_no_answer_away(instrument, cases):
    archive = zipfile.ZipFile(io.BytesIO(scoring_workbook(instrument, instrument.by_source["files"], cases=cases)))
    content = "".join(archive.read(name).decode("utf-8", "ignore") for name in archive.namelist())
    assert not any(answer.reason.sv in content for answer in cases.answers if len(answer.reason.sv) > 30)
    assert "facit" not in content


def test_the_same_bytes_every_time(instrument, cases):
    source = instrument.by_source["files"]
    assert scoring_workbook(instrument, source, cases=cases) == scoring_workbook(instrument, source, cases=cases)
