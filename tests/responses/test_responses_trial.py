"""What a first-time user and a reviewer ran into: each once a fault that was missed or a text that misled."""

from __future__ import annotations

import io

import pandas as pd
import pyreadstat
import pytest
import xlsxwriter

from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.listing import count_of, grouped, kind_lines, kinds, ranked
from ibic_fidelity.responses.reading import examine, read_responses

HEAD = "site;unit;cluster;rater;ut1;ut2;pl1a;pl1b"
SHORT = ["site", "unit", "ut1", "ut2", "pl1a", "pl1b"]


def rows(*lines, head=HEAD):
    return "\n".join([head, *lines]) + "\n"


def found_in(path, instrument, **options):
    found = examine(path, instrument, **options)
    for fault in found.faults:
        assert all(fault.line(language) for language in LANGUAGES)
    return [(fault.rule.code.removeprefix("responses."), fault.row, fault.column) for fault in found.faults], found


@pytest.mark.parametrize(("a", "b"), [("h1", "h2"), ("h1", ""), ("", "h2")])
def test_a_unit_under_two_clusters_is_a_fault_that_names_both_rows(a, b, instrument, write):
    path = write(rows(f"0180;å1;{a};g1;3;1;1;0", "0180;å2;h3;g1;3;1;1;0", f"0180;å1;{b};g2;3;1;1;0"))
    places, found = found_in(path, instrument, source="files")
    assert places == [("unit_in_two_clusters", 4, "cluster")]
    line = found.faults[0].line("sv")
    assert "å1" in line
    assert "rad 2" in line
    assert "samma cluster" in line
    assert (a or "tomt") in line
    assert (b or "tomt") in line


@pytest.mark.parametrize(
    "lines",
    [
        ("0180;å1;h1;g1;3;1;1;0", "0180;å1;h1;g2;2;1;1;0"),
        ("0180;å1;h1;g1;3;1;1;0", "0305;å1;h2;g2;2;1;1;0"),
        ("0180;å1;;g1;3;1;1;0", "0180;å1;;g2;2;1;1;0"),
    ],
)
def test_one_cluster_or_another_site_is_none(lines, instrument, write):
    assert read_responses(write(rows(*lines)), instrument, source="files").tables["files"].n == 2


def test_shares_in_a_percent_column_are_a_fault(instrument, write):
    head = "site;ta1;ta1n"
    places, _ = found_in(write(rows("0180;0,5;40", "0305;1;40", head=head)), instrument, source="register")
    assert places == [("looks_like_shares", 2, "ta1")]
    for good in (("0180;0,5;40", "0305;12;40"), ("0180;0,5;40",), ("0180;0;40", "0305;1;40")):
        assert read_responses(write(rows(*good, head=head)), instrument, source="register").tables["register"].n


@pytest.mark.parametrize("form", ["0%", "0.00%", "0.0\\ %"])
def test_cells_shown_as_percent_are_a_fault_each(form, instrument, write):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet("register")
        page.write_row(0, 0, ["", "site", "ta1", "ta1n"])
        page.write_row(1, 0, ["", "0180", 12.5, 40])
        page.write_row(2, 0, ["", "0305", 0, 40])
        page.write_number(2, 2, 0.45, book.add_format({"num_format": form}))
    places, found = found_in(write(out.getvalue(), "svar.xlsx"), instrument)
    assert places == [("looks_like_share", 3, "ta1")]
    assert found.faults[0].value == "0.45"


def sav(path, changes, **options):
    table = pd.DataFrame([["0180", "å1", 3.0, 1.0, 1.0, 0.0]], columns=SHORT).astype({"site": "str", "unit": "str"})
    for name, value in changes.items():
        table[name] = value
    (pyreadstat.write_dta if path.suffix == ".dta" else pyreadstat.write_sav)(table, path, **options)
    return path


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


def test_yes_and_no_the_other_way_round_are_found_under_longer_anchors_too(ibic, tmp_path):
    for no, yes in (("Nej", "Ja"), ("No", "Yes")):
        table = pd.DataFrame({"kommun_kod": ["0180", "0180"], "id": ["a", "b"], "ut2": [0.0, 1.0]})
        path = tmp_path / "files.sav"
        pyreadstat.write_sav(table, path, variable_value_labels={"ut2": {0: yes, 1: no}})
        found = examine(path, ibic, partial=True)
        assert [fault.rule.code for fault in found.faults] == ["responses.label_contradicts"] * 2
        pyreadstat.write_sav(table, path, variable_value_labels={"ut2": {0: no, 1: yes}})
        assert examine(path, ibic, partial=True).faults == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [("Ja", 1), ("nej", 0), ("YES", 1), ("no", 0), ("Vet ej", -2), ("vet inte.", -2), ("Don't know", -2),
     ("Ej aktuellt", -3), ("Ej tillämpligt", -3), ("not applicable", -3)],
)  # fmt: skip
def test_words_for_the_answers_of_a_share(text, code, ibic, write):
    read = read_responses(write(f"kommun_kod;id;ut2\n0180;a;{text}\n"), ibic, source="files", partial=True)
    assert read.tables["files"].column("ut2").tolist() == [code]


def test_a_wrong_text_is_answered_with_the_accepted_ones(ibic, write):
    found = examine(write("kommun_kod;id;ut2\n0180;a;kanske\n"), ibic, source="files", partial=True)
    for language, word in (("sv", "vet ej"), ("en", "don't know")):
        remedy = found.faults[0].remedy(language)
        assert "0 = " in remedy
        assert "1 = " in remedy
        assert f"8 = {word}" in remedy
        assert "…" in remedy


def test_a_register_that_counts_fewer_than_answered_is_a_fault(instrument, write):
    head = "site;source;unit;rater;ut1;ut2;pl1a;pl1b;ut2b;kv1;ta1;ta1n;nakter;ntill"
    body = [
        "0180;files;a;g1;3;1;1;1;;;;;;", "0180;files;a;g2;3;1;1;1;;;;;;", "0180;files;b;g1;3;1;1;1;;;;;;",
        "0180;user;u1;;;;;;1;4;;;;", "0180;user;u2;;;;;;1;4;;;;",
    ]  # fmt: skip
    good = rows(*body, "0180;register;;;;;;;;;12;40;2;2", head=head)
    assert examine(write(good), instrument).faults == ()
    places, found = found_in(write(rows(*body, "0180;register;;;;;;;;;12;40;1;1", head=head)), instrument)
    assert places == [("eligible_too_few", 7, "nakter"), ("invited_too_few", 7, "ntill")]
    assert all(fault.rule.params["seen"] == 2 for fault in found.faults)


def test_a_register_without_area_counts_all_areas(instrument, write):
    (write("site;unit;service_area;ut2b;kv1\n0180;a;lss;1;4\n0180;b;aldre;1;4\n", "user.csv"))
    path = write("site;ta1;ta1n;ntill\n0180;12;40;1\n", "register.csv")
    places, _ = found_in(path.parent, instrument)
    assert places == [("invited_too_few", 2, "ntill")]


@pytest.mark.parametrize("column", [1, 2, 3])
@pytest.mark.parametrize("text", ["19850709-9806", "850709-9806", "850709+9806", "850769-9806"])
def test_the_form_of_a_personal_number_is_refused_where_ids_stand(column, text, instrument, write):
    cells = ["0180", "å1", "h1", "g1", "3", "1", "1", "0"]
    cells[column] = text
    places, found = found_in(write(rows(";".join(cells))), instrument, source="files")
    assert places == [("personal_form", 2, HEAD.split(";")[column])]
    assert "9806" not in found.text("sv") + found.text("en")


@pytest.mark.parametrize("text", ["8507099806", "851309-9806", "2026-0180", "a-0709-1234"])
def test_what_only_resembles_a_personal_number_is_an_id(text, instrument, write):
    assert read_responses(write(rows(f"0180;{text};h;g;3;1;1;0")), instrument, source="files").tables["files"].n == 1


def sheets(**named):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, lines in named.items():
            page = book.add_worksheet(name)
            for i, line in enumerate(lines):
                page.write_row(i, 0, line)
    return out.getvalue()


def test_a_sheet_of_answers_is_not_set_aside_for_its_name(instrument, write):
    answers = [SHORT, ["0180", "å1", 3, 1, 1, 0]]
    users = [["site", "unit", "ut2b", "kv1"], ["0180", "b", 1, 4]]
    path = write(sheets(Aktgranskning=answers, Brukare=users, Kodbok=[["ut1", "betyder"]]), "svar.xlsx")
    places, found = found_in(path, instrument)
    assert places == [("sheet_aside", 1, "")]
    assert found.faults[0].file == "svar.xlsx [Aktgranskning]"
    assert "files" in found.faults[0].remedy("sv")
    assert "Akter" in found.faults[0].remedy("sv")
    note = next(note for note in found.notes if note.code == "responses.note_other_sheets")
    assert note.params["sheets"] == ["Kodbok"]


def test_swedish_sentences_have_no_english_keys(ibic, write):
    head = "kommun_kod;id;kalla;omrade;handlaggare;syntetisk;ut2"
    text = rows("0180;a;files;;a;kanske;1", "0180;a;files;lss;a;ja;0", "0180;;files;lss;;ja;1", head=head)
    found = examine(write(text), ibic, partial=True)
    told = " ".join(fault.line("sv") for fault in found.faults)
    assert {"key_blank", "bad_synthetic"} <= {fault.rule.code.removeprefix("responses.") for fault in found.faults}
    assert "omrade är tom" in told
    assert "kolumnen syntetisk" in told.casefold()
    both = examine(write(rows("0180;a;files;lss;h;ja;1", "0180;a;files;lss;h;ja;0", head=head)), ibic, partial=True)
    assert "omgang eller granskare" in both.faults[0].line("sv")
    same = examine(write(rows("0180;0180;a;1", head="kommun_kod;kommun;id;ut2")), ibic, source="files", partial=True)
    assert "site" not in same.faults[0].line("sv")
    assert "kolumn kalla" in examine(write(rows("0180;a;1", head="kommun_kod;id;ut2")), ibic).faults[0].line("sv")
    lost = examine(write(rows("a;1", head="id;ut2")), ibic, source="files", partial=True)
    assert lost.faults[0].rule.params["known"][0] == "kommun_kod"


@pytest.mark.parametrize("title", ["Svar från hösten 2026", "Svar, hösten 2026", "Blad;1;;;;;;", ";Svar;;;;;;"])
def test_a_title_above_the_headings_is_one_fault(title, instrument, write):
    places, found = found_in(write(rows(HEAD, "0180;å1;h;g;3;1;1;0", head=title)), instrument, source="files")
    assert places == [("title_row", 1, "")]
    assert "rad 2" in found.faults[0].line("sv")


def test_a_title_above_the_headings_of_a_sheet_is_one_fault(instrument, write):
    path = write(sheets(Akter=[["Svar"], [], SHORT, ["0180", "å1", 3, 1, 1, 0]]), "svar.xlsx")
    assert found_in(path, instrument)[0] == [("title_row", 1, "")]


def test_a_merged_title_is_told_once(instrument, write):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet("Akter")
        page.merge_range(0, 0, 0, 5, "Svar från hösten")
        page.write_row(1, 0, SHORT)
        page.write_row(2, 0, ["0180", "å1", 3, 1, 1, 0])
    assert found_in(write(out.getvalue(), "svar.xlsx"), instrument)[0] == [("title_row", 1, "")]


@pytest.mark.parametrize(("ending", "command"), [("sav", "STRING(site, N4)"), ("dta", "tostring site")])
def test_a_numeric_site_column_is_told_how_to_become_text(ending, command, instrument, tmp_path):
    found = examine(sav(tmp_path / f"svar.{ending}", {"site": [180.0]}), instrument, source="files")
    assert [fault.rule.code.split("_")[1] for fault in found.faults] == ["number"]
    assert command in found.faults[0].remedy("sv")
    assert "0180" in found.faults[0].remedy("sv")


def test_an_undeclared_missing_value_without_label_has_no_empty_brackets(instrument, tmp_path):
    path = sav(tmp_path / "svar.sav", {"ut1": [7.0]}, missing_ranges={"ut1": [7]})
    line = examine(path, instrument, source="files").faults[0].line("sv")
    assert "(–)" not in line
    assert "()" not in line


def test_names_that_are_the_instruments_own_are_not_told(ibic, write):
    path = write("kalla;kommun_kod;id;UT2\nfiles;0180;a;1\n")
    read = read_responses(path, ibic, partial=True)
    assert "responses.note_recognised" not in {note.code for note in read.notes}


def test_a_source_without_area_beside_others_with_it_is_told(instrument, write):
    write("site;unit;service_area;ut2b;kv1\n0180;a;lss;1;4\n", "user.csv")
    path = write(rows("0180;å1;h;g;3;1;1;0"), "files.csv")
    notes = [note for note in read_responses(path.parent, instrument).notes if note.code == "responses.note_no_area"]
    assert [note.params["file"] for note in notes] == ["files.csv"]


def test_faults_are_grouped_structure_first(instrument, write):
    lines = [f"180;å{i};7;1;x;1;0" for i in range(300)] + ["0180;850709-9805;7;1;x;1;0"]
    path = write(rows(*lines, head="site;unit;ut1;ut2;pl1;pl1b;pl_1a"))
    found = examine(path, instrument, source="files")
    groups = grouped(found.faults)
    codes = [group.fault.rule.code.removeprefix("responses.") for group in groups]
    assert codes[:3] == ["columns_missing", "column_near", "personal_number"]
    assert set(codes[-2:]) == {"more_like_this"}
    site = next(group for group in groups if group.fault.column == "site" and group.fault.value)
    assert "site [180], 200 rader (2, 3, 4, 5, 6, …)" in site.line("sv")
    assert sum(len(group.rows) for group in groups) == len(found.faults) == len(ranked(found.faults))
    assert ranked(found.faults)[0].rule.code == "responses.columns_missing"
    counts = {rule.code: n for rule, n in kinds(found.faults)}
    assert counts["responses.site_unknown_close"] == 300
    assert counts["responses.out_of_range"] == 301
    assert count_of(found.faults) == sum(counts.values()) == 604
    assert kind_lines(found.faults, "sv")[1].strip().startswith("301 × ")


def test_a_fault_on_one_row_is_listed_as_itself(instrument, write):
    found = examine(write(rows("0180;å1;h;g;7;1;1;0")), instrument, source="files")
    assert [group.line("en") for group in grouped(found.faults)] == [fault.line("en") for fault in found.faults]
