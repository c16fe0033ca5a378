"""The same answers in every format, and the faults that belong to a format."""

# ruff: noqa: PD011 — `values` is a field of ours, no frame

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibic_fidelity.responses.reading import examine, read_responses

HEAD = ["Kommun", "source", "service_area", "wave", "löpnr", "rater", "weight", "ut1", "ut2", "pl1a", "pl1b",
        "ut2b", "kv1", "ta1", "ta1n", "nakter", "ntill"]  # fmt: skip
BODY = [
    ["0180", "files", "aldre", 1, "å1", "Åsa", 1.5, 3, 1, 1, 0, None, None, None, None, None, None],
    ["0180", "files", "aldre", 1, "å1", "Örjan", 1.5, 2, 8, 1, 9, None, None, None, None, None, None],
    ["0305", "files", "lss", 1, "ä2", "Åsa", 0.25, None, 0, 0, 0, None, None, None, None, None, None],
    ["1480", "files", "lss", 2, "ö3", "Åsa", 1, 0, 9, 1, 1, None, None, None, None, None, None],
    ["0180", "user", "aldre", 1, "b1", None, None, None, None, None, None, 1, 4, None, None, None, None],
    ["0114", "user", "lss", 1, "b2", None, None, None, None, None, None, 9, 8, None, None, None, None],
    ["0180", "register", "aldre", 1, None, None, None, None, None, None, None, None, None, 12.5, 40, 55, 60],
    ["0305", "register", "lss", 1, None, None, None, None, None, None, None, None, None, 0, 7, None, 12],
]  # fmt: skip


def as_text(value, decimal="."):
    return "" if value is None else f"{value:g}".replace(".", decimal) if isinstance(value, float) else str(value)


def delimited(separator, *, decimal=".", rows=BODY, head=HEAD):
    lines = [separator.join(head), *(separator.join(as_text(cell, decimal) for cell in row) for row in rows)]
    return "\r\n".join(lines) + "\r\n"


def workbook(rows=BODY, head=HEAD, *, sheet="Blad1"):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"strings_to_formulas": False})
    page = book.add_worksheet(sheet)
    for i, row in enumerate([head, *rows]):
        for j, cell in enumerate(row):
            if cell is not None:
                page.write(i, j, cell)
    book.close()
    return out.getvalue()


def frame():
    table = pd.DataFrame(BODY, columns=HEAD)
    for name in ("Kommun", "source", "service_area", "löpnr", "rater"):
        table[name] = table[name].astype("str").fillna("")
    for name in [*HEAD[6:], "wave"]:
        table[name] = table[name].astype("float64")
    return table


def made(kind, folder):
    path = folder / f"svar.{kind.split(' ')[0]}"
    shuffled = random.Random(1).sample(BODY, len(BODY))
    places = random.Random(2).sample(range(len(HEAD)), len(HEAD))
    moved = {"rows": [[row[j] for j in places] for row in BODY], "head": [HEAD[j] for j in places]}
    quoted = delimited('";"', decimal=",").replace("\r\n", '"\r\n"')
    worded = [["I hög grad" if (j, cell) == (7, 3) else cell for j, cell in enumerate(row)] for row in BODY]
    typed = [[None if cell is None else as_text(cell, ",") for cell in row] for row in BODY]
    contents = {
        "csv semicolon": delimited(";", decimal=",").encode(),
        "csv comma": delimited(",").encode("utf-8-sig"),
        "csv quoted": f'"{quoted}'.removesuffix('"').encode(),
        "csv cp1252": delimited(";", decimal=",").encode("cp1252"),
        "csv lone cr": delimited(";").replace("\r\n", "\r").encode(),
        "csv sep line": ("sep=,\r\n" + delimited(",")).encode(),
        "csv anchors": delimited(";", rows=worded).encode(),
        "csv shuffled": delimited(";", rows=shuffled).encode(),
        "csv columns": delimited(";", **moved).encode(),
        "csv trailing": delimited(";").replace("\r\n", ";\r\n").encode() + b";;;\r\n\r\n",
        "tsv": delimited("\t").encode(),
        "txt utf-16": delimited("\t", decimal=",").encode("utf-16"),
        "xlsx": workbook(),
        "xlsx text": workbook(typed),
    }
    if kind in contents:
        path.write_bytes(contents[kind])
    elif kind == "sav":
        labels = {"ut2": {0: "Nej", 1: "Ja", 8: "Vet ej", 9: "Ej aktuellt"}}
        ranges = {"ut1": [8, 9], "ut2": [{"lo": 8, "hi": 9}], "kv1": [8]}
        pyreadstat.write_sav(frame(), path, missing_ranges=ranges, variable_value_labels=labels)
    elif kind == "dta":
        table = frame().astype({"ut2": object})
        table.loc[1, "ut2"], table.loc[3, "ut2"] = "a", "b"
        labels = {"ut2": {0: "Nej", 1: "Ja", "a": "Vet ej", "b": "Ej aktuellt"}}
        table = table.rename(columns={"löpnr": "unit"})
        pyreadstat.write_dta(table, path, missing_user_values={"ut2": ["a", "b"]}, variable_value_labels=labels)
    return path


KINDS = [
    "csv semicolon", "csv comma", "csv quoted", "csv cp1252", "csv lone cr", "csv sep line", "csv anchors",
    "csv shuffled", "csv columns", "csv trailing", "tsv", "txt utf-16", "xlsx", "xlsx text", "sav", "dta",
]  # fmt: skip


def bits(responses):
    found = {"frame": (dict(responses.frame.eligible), dict(responses.frame.invited))}
    for name, table in responses.tables.items():
        arrays = [table.codes, table.values, table.counts, table.weight]
        keys = [table.site, table.service_area, table.wave, table.unit, table.cluster, table.rater]
        found[name] = (table.columns, table.has_ids, [(a.tobytes(), a.shape, a.dtype) for a in arrays],
                       [(key.codes.tobytes(), key.labels) for key in keys])  # fmt: skip
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_format_changes_no_bit(kind, instrument, tmp_path):
    reference = read_responses(made("csv semicolon", tmp_path), instrument)
    read = read_responses(made(kind, tmp_path), instrument)
    assert bits(read) == bits(reference)
    assert list(read.tables) == ["files", "user", "register"]
    assert read.tables["files"].column("ut1").tolist() == [3, 2, -1, 0]
    assert read.tables["files"].column("ut2").tolist() == [1, -2, 0, -3]
    assert read.tables["register"].values.ravel().tolist() == [12.5, 0]
    assert read.frame.eligible == {("0180", "aldre", "1", "files"): 55}
    assert read.frame.invited == {("0180", "aldre", "1", "user"): 60, ("0305", "lss", "1", "user"): 12}
    assert not read.tables["files"].codes.flags.writeable


def split(source):
    own = {"files": range(4, 11), "user": [4, 11, 12], "register": range(13, 17)}
    columns = [0, 2, 3, *own[source]]
    return [HEAD[j] for j in columns], [[row[j] for j in columns] for row in BODY if row[1] == source]


@pytest.mark.parametrize("how", ["folder", "list", "mapping", "sheets"])
def test_a_file_or_a_sheet_a_source(how, instrument, tmp_path):
    reference = read_responses(made("csv semicolon", tmp_path), instrument)
    folder = tmp_path / "svar"
    folder.mkdir()
    names = {"files": "Akter.csv", "user": "users.csv", "register": "register.csv"}
    for source, name in names.items():
        head, rows = split(source)
        (folder / name).write_bytes(delimited(";", head=head, rows=rows).encode())
    if how == "sheets":
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            for source, name in {"files": "AKTER", "user": "Brukare", "register": "register"}.items():
                head, rows = split(source)
                page = book.add_worksheet(name)
                for i, row in enumerate([head, *rows]):
                    page.write_row(i, 0, [cell if cell is not None else "" for cell in row])
            book.add_worksheet("Läs mig").write(0, 0, "Så fyller du i")
        (tmp_path / "bok.xlsx").write_bytes(out.getvalue())
    paths = {
        "folder": folder,
        "list": [folder / name for name in reversed(names.values())],
        "mapping": {source: folder / name for source, name in names.items()},
        "sheets": tmp_path / "bok.xlsx",
    }
    read = read_responses(paths[how], instrument)
    assert bits(read) == bits(reference)
    codes = {note.code for note in read.notes}
    assert ("responses.note_other_sheets" in codes) == (how == "sheets")


def test_notes_tell_what_was_recognised_set_aside_and_generated(instrument, write):
    text = "sep=;\r\nKommunkod;UT1;ut2;pl1a;pl1b;Övrigt;\r\n 0180;Helt;1;0;1;hej;\r\n;;;;;;\r\n0180;3;1;0;1;då;\r\n"
    read = read_responses(write(text.encode("cp1252"), "akter.csv"), instrument)
    codes = {note.code.removeprefix("responses.") for note in read.notes}
    assert codes == {
        "note_cp1252", "note_sep_line", "note_blank_rows", "note_empty_columns", "note_recognised", "note_set_aside",
        "note_source", "note_trimmed", "note_mixed", "note_no_ids",
    }  # fmt: skip
    assert all(note.text(language) for note in read.notes for language in ("sv", "en"))
    recognised = next(note for note in read.notes if note.code == "responses.note_recognised")
    assert recognised.params["columns"] == ["Kommunkod → kommun"]
    told = [note.code.removeprefix("responses.") for note in read.notes]
    assert set(told[:3]) == {"note_blank_rows", "note_empty_columns", "note_set_aside"}
    assert not read.tables["files"].has_ids
    assert read.tables["files"].unit.text.tolist() == ["000001", "000002"]


def test_partial_data_are_not_asked(instrument, write):
    path = write("site;unit;ut1\n0180;å;3\n")
    assert examine(path, instrument, source="files").faults[0].rule.params["columns"] == [
        "ut2",
        "pl1a",
        "pl1b",
    ]
    read = read_responses(path, instrument, source="files", partial=True)
    assert read.tables["files"].codes.tolist() == [[3, -4, -4, -4]]
    assert any(note.code == "responses.note_not_asked" for note in read.notes)


def test_answers_of_another_source_are_set_aside_with_a_note(instrument, write):
    path = write("site;source;unit;ut1;ut2;pl1a;pl1b;ut2b;kv1\n0180;files;å;3;1;1;1;;4\n0180;user;b;;;;;1;4\n")
    read = read_responses(path, instrument)
    note = next(note for note in read.notes if note.code == "responses.note_other_source")
    assert (note.params["n"], note.params["columns"]) == (1, ["kv1"])


def test_rows_of_a_source_that_is_asked_nothing_are_left_out_with_a_note(instrument, write):
    path = write("site;source;unit;ut2b;kv1\n0180;user;b;1;4\n0180;Tysta;c;;\n")
    read = read_responses(path, instrument)
    assert list(read.tables) == ["user"]
    assert "responses.note_no_items" in {note.code for note in read.notes}


PIECES = st.sampled_from([*'013489;,\t\n\r" åä.-=', "site", "unit", "ut1", "0180", "vet ej"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=60).map("".join).map(str.encode)))
def test_any_bytes_end_in_faults_or_answers(content, instrument, write):
    found = examine(write(content), instrument, source="files", partial=True)
    assert bool(found.faults) != (found.responses is not None)
    assert found.text("sv")


def test_nothing_of_the_process_is_left_changed(instrument, write):
    import csv

    before = csv.field_size_limit()
    examine(write(f'site;unit\n0180;"{"å" * 200_000}"\n'), instrument, source="user")
    assert csv.field_size_limit() == before


def test_synthetic_data_say_so(instrument, write):
    path = write("site;unit;synthetic;ut1;ut2;pl1a;pl1b\n0180;å;ja;3;1;1;1\n0180;ä;JA;3;1;1;1\n")
    assert read_responses(path, instrument, source="files").synthetic


def test_the_digest_is_that_of_the_file_and_does_not_depend_on_the_order_given(instrument, tmp_path):
    import hashlib

    paths = []
    for name, row in (("a.csv", "0180;å;3;1;1;1"), ("b.csv", "0180;ä;3;1;1;1")):
        paths.append(tmp_path / name)
        paths[-1].write_text(f"site;unit;ut1;ut2;pl1a;pl1b\n{row}\n", encoding="utf-8")
    one = read_responses(paths[0], instrument, source="files")
    assert one.data_sha256 == hashlib.sha256(paths[0].read_bytes()).hexdigest()
    both = [read_responses(order, instrument, source="files") for order in (paths, paths[::-1])]
    assert both[0].data_sha256 == both[1].data_sha256 != one.data_sha256
    assert bits(both[0]) == bits(both[1])


def codes_of(path, instrument, **options):
    return {fault.rule.code.removeprefix("responses.") for fault in examine(path, instrument, **options).faults}


SMALL = [["0180", "å1", 3, 1, 1, 0]]
SHORT = ["site", "unit", "ut1", "ut2", "pl1a", "pl1b"]


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = workbook(SMALL, SHORT)


def swapped(old, new):
    """Return the workbook with a piece of its sheet's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in book.namelist():
            part = book.read(name)
            assert name != SHEET or old in part
            changed.writestr(name, part.replace(old, new, 1) if name == SHEET else part)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
END = b"</sheetData>"
BAD_BOOKS = {
    "html": (b"<html><table><tr><td>1</td></tr></table></html>", "wrong_kind"),
    "xls": (OLE + bytes(600), "wrong_kind"),
    "text": ("site;å\n".encode(), "wrong_kind"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "truncated": (PLAIN[:-200], "damaged"),
    "corrupt": (PLAIN[:60] + bytes(200) + PLAIN[260:], "damaged"),
    "another zip": (PLAIN.replace(b"xl/workbook.xml", b"xl/workbuuk.xml"), "not_a_workbook"),
    "doctype": (swapped(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "doctype"),
    "bomb": (swapped(END, b" " * 60_000_000 + END), "packed_too_much"),
    "far cell": (swapped(END, b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + END), "too_many_cells"),
    "error cell": (swapped(b'"C2"><v>3</v>', b'"C2" t="e"><v>#N/A</v>'), "error_cell"),
    "formula": (swapped(b'"C2"><v>3</v>', b'"C2"><f>1+2</f>'), "formula_not_computed"),
    "shared formula": (swapped(b'"F2"><v>0</v>', b'"F2"><f t="shared" si="0"/><v></v>'), "formula_not_computed"),
    "merged header": (swapped(END, END + b'<mergeCells><mergeCell ref="A1:B1"/></mergeCells>'), "merged_cells"),
}


@pytest.mark.parametrize(("raw", "code"), BAD_BOOKS.values(), ids=BAD_BOOKS)
def test_a_bad_workbook_is_refused(raw, code, instrument, write):
    found = examine(write(raw, "svar.xlsx"), instrument, source="files")
    assert code in {fault.rule.code.removeprefix("responses.") for fault in found.faults}
    assert all(fault.line(language) for fault in found.faults for language in ("sv", "en"))


def test_the_place_of_an_error_cell_is_shown_with_its_sheet(instrument, write):
    found = examine(write(BAD_BOOKS["error cell"][0], "svar.xlsx"), instrument, source="files")
    fault = found.faults[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("svar.xlsx [Blad1]", 2, "ut1", "#N/A")


def test_sheets_hidden_rows_and_dates(instrument, write):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as book:
        book.add_worksheet("Omslag").write(0, 0, "hej")
        page = book.add_worksheet("Svar")
        page.write_row(0, 0, SHORT)
        page.write_row(1, 0, SMALL[0])
        page.set_row(1, None, None, {"hidden": True})
        hidden = book.add_worksheet("Dolt")
        hidden.write(0, 0, "x")
        hidden.hide()
    path = write(out.getvalue(), "svar.xlsx")
    fault = examine(path, instrument, source="files").faults[0]
    assert (fault.rule.code, fault.rule.params["sheets"]) == ("responses.which_sheet", ["Omslag", "Svar"])
    read = read_responses(path, instrument, source="files", sheet="Svar")
    assert read.tables["files"].n == 1
    assert "responses.note_hidden_rows" in {note.code for note in read.notes}
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet("Akter")
        page.write_row(0, 0, SHORT)
        page.write_row(1, 0, SMALL[0])
        page.write_datetime(1, 2, dt.datetime(2026, 4, 1), book.add_format({"num_format": "d-mmm"}))
        page.write_boolean(1, 3, True)
        page.write_number(1, 0, 180)
    found = examine(write(out.getvalue(), "svar.xlsx"), instrument)
    assert [(f.rule.code.removeprefix("responses."), f.row, f.column) for f in found.faults] == [
        ("site_unknown_close", 2, "site"), ("looks_like_date", 2, "ut1"), ("truth_value", 2, "ut2"),
    ]  # fmt: skip


def statistics_file(path, changes, **options):
    table = pd.DataFrame(SMALL, columns=SHORT).astype({"site": "str", "unit": "str"})
    for name in SHORT[2:]:
        table[name] = table[name].astype("float64")
    for name, value in changes.items():
        table[name] = value
    (pyreadstat.write_dta if path.suffix == ".dta" else pyreadstat.write_sav)(table, path, **options)
    return path


STATISTICS = {
    "user-missing without meaning": ({"ut1": [7.0]}, {"missing_ranges": {"ut1": [7]}}, "missing_undeclared"),
    "a level declared missing": ({"ut1": [3.0]}, {"missing_ranges": {"ut1": [3]}}, "missing_undeclared"),
    "label of another code": (
        {},
        {"variable_value_labels": {"ut1": {3: "Delvis"}}},
        "label_contradicts",
    ),
    "number of a person": ({"unit": ["850709-9805"]}, {}, "personal_number"),
    "a date": ({"ut1": pd.to_datetime(["2026-04-01"])}, {}, "looks_like_date"),
}


@pytest.mark.parametrize(("changes", "options", "code"), STATISTICS.values(), ids=STATISTICS)
def test_a_bad_spss_file_is_refused(changes, options, code, instrument, tmp_path):
    path = statistics_file(tmp_path / "svar.sav", changes, **options)
    found = examine(path, instrument, source="files")
    assert code in {fault.rule.code.removeprefix("responses.") for fault in found.faults}
    assert {fault.row for fault in found.faults} == {1}


def test_user_missing_is_mapped_by_its_label(instrument, tmp_path):
    labels = {"variable_value_labels": {"ut1": {99: "Vet ej"}, "ut2": {98: "Ej aktuellt"}}}
    path = statistics_file(
        tmp_path / "svar.sav",
        {"ut1": [99.0], "ut2": [98.0]},
        missing_ranges={"ut1": [99], "ut2": [98]},
        **labels,
    )
    assert read_responses(path, instrument, source="files").tables["files"].codes.tolist() == [[-2, -3, 1, 0]]


def test_a_stata_missing_letter_without_label_is_a_fault(instrument, tmp_path):
    path = statistics_file(tmp_path / "svar.dta", {"ut1": ["a"]}, missing_user_values={"ut1": ["a"]})
    found = examine(path, instrument, source="files")
    assert [(f.rule.code, f.value) for f in found.faults] == [("responses.missing_undeclared", ".a")]


@pytest.mark.parametrize("place", [180, 212])
def test_a_file_that_crashes_its_reader_is_refused(place, instrument, tmp_path):
    path = statistics_file(tmp_path / "svar.sav", {})
    raw = bytearray(path.read_bytes())
    raw[place] = 251
    path.write_bytes(raw)
    assert codes_of(path, instrument, source="files") == {"damaged"}


def test_weighting_that_is_on_is_told_and_not_used(instrument, tmp_path):
    path = statistics_file(tmp_path / "svar.sav", {})
    raw = bytearray(path.read_bytes())
    raw[76:80] = np.int32(3).tobytes()
    path.write_bytes(raw)
    read = read_responses(path, instrument, source="files")
    assert "responses.note_weights_on" in {note.code for note in read.notes}
    assert read.tables["files"].weight.tolist() == [1.0]


def test_a_damaged_spss_file_and_one_in_another_encoding(instrument, tmp_path):
    path = statistics_file(tmp_path / "svar.sav", {})
    raw = path.read_bytes()
    path.write_bytes(raw[:-4])
    assert codes_of(path, instrument, source="files") == {"damaged"}
    path.write_bytes(raw.replace("å1".encode(), "å1 ".encode("cp1252")))
    assert codes_of(path, instrument, source="files") == {"statistics_encoding"}
    read = read_responses(path, instrument, source="files", encoding="windows-1252")
    assert read.tables["files"].unit.labels == ("å1",)
    path.write_bytes(b"site;unit\n")
    assert codes_of(path, instrument, source="files") == {"wrong_kind"}


def test_pandas_is_not_needed_to_check_a_text_file_or_a_workbook(tmp_path):
    import subprocess
    import sys
    from pathlib import Path

    import ibic_fidelity

    (tmp_path / "svar.csv").write_bytes(delimited(";").encode())
    (tmp_path / "svar.xlsx").write_bytes(workbook())
    code = (
        "import sys, runpy; from ibic_fidelity.instrument.reading import load_instrument;"
        "from ibic_fidelity.responses.reading import examine; i = load_instrument('ibic');"
        f"[examine({str(tmp_path)!r} + name, i).text('sv') for name in ('/svar.csv', '/svar.xlsx')];"
        "assert not {'pandas', 'openpyxl', 'pyreadstat'} & set(sys.modules)"
    )
    root = Path(ibic_fidelity.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
