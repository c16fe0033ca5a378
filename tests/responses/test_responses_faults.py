"""The table of bad inputs: one row a case, with the code, row and column expected."""

from __future__ import annotations

import pytest

from ibic_fidelity.errors import FileError, ResponseError, UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, catalogue
from ibic_fidelity.responses.reading import examine, read_responses

HEAD = "site;unit;ut1;ut2;pl1a;pl1b"


def rows(*lines: str, head: str = HEAD) -> str:
    return "\n".join([head, *lines]) + "\n"


GOOD = rows("0180;å1;3;1;1;0", "0305;ä2;0;0;1;9")

#: name, content, (code, row, column), options
CASES = [
    ("01 empty", "", ("empty_file", None, ""), {}),
    ("01 blanks only", " \n\n", ("empty_file", None, ""), {}),
    ("02 header only", HEAD + "\n", ("no_rows", 1, ""), {}),
    ("04 xlsx called csv", b"PK\x03\x04abc", ("wrong_kind", None, ""), {}),
    ("12 ambiguous separator", "site;unit,a;ut1\n0180;1,2;3\n0180;1;3,5\n", ("separator_unclear", 1, ""), {}),
    ("14 mac roman", GOOD.encode("mac-roman"), ("encoding_unclear", 2, ""), {}),
    ("14 dos", GOOD.encode("cp850"), ("encoding_unclear", 2, ""), {}),
    ("14 not as said", GOOD.encode("cp1252"), ("not_decodable", 2, ""), {"encoding": "utf-8"}),
    ("15 mojibake", GOOD.encode().decode("cp1252"), ("mojibake", 2, "unit"), {}),
    ("16 nul", GOOD.replace("ä2", "ä\0"), ("nul", 3, ""), {}),
    (
        "17 open quote",
        rows("0180;å1;3;1;1;0", '0305;"ä2;0;0;1;9', "0180;ö;1;1;1;1"),
        ("quote_open", 3, ""),
        {},
    ),
    ("17 text after quote", rows('0180;"å"1;3;1;1;0'), ("quote_inside", 2, ""), {}),
    ("18 long", rows("0180;å1;3;1;1;0", "0180;ä;3;1;1;0;7"), ("row_long", 3, ""), {}),
    ("18 short", rows("0180;å1;3;1;1", "0180;ä;3;1;1;0"), ("row_short", 2, ""), {}),
    ("19 twice", rows("0180;å1;3;1;1;0;3", head=HEAD + ";ut1"), ("column_twice", 1, "ut1"), {}),
    (
        "20 alike",
        rows("0180;å1;3;1;1;0;3", head=HEAD + ";U T\u00a01"),
        ("columns_alike", 1, "U T\u00a01"),
        {},
    ),
    (
        "20 same meaning",
        rows("0180;å1;3;1;1;0;0180", head=HEAD + ";kommun"),
        ("column_same", 1, "kommun"),
        {},
    ),
    ("21 nameless", rows("0180;å1;3;1;1;0;hej", head=HEAD + ";"), ("column_nameless", 2, ""), {}),
    ("22 missing", rows("0180;å1;3;1", head="site;unit;ut1;ut2"), ("columns_missing", 1, ""), {}),
    (
        "24 near",
        rows("0180;å1;3;1;1;0", head="site;unit;ut_01;ut2;pl1a;pl1b"),
        ("column_near", 1, "ut_01"),
        {},
    ),
    ("26 qualtrics", rows("a;b;c;d;e;f", '{"ImportId":"x"};b;c;d;e;f'), ("qualtrics_header", 2, ""), {}),
    ("27 shifted", rows("0180;å1;1;1;1;0", "0180;ä2;5;1;1;0"), ("looks_shifted", None, "ut1"), {}),
    ("27 out of range", rows("0180;å1;1;1;1;0", "0180;ä2;5;1;1;0"), ("out_of_range", 3, "ut1"), {}),
    ("28 minus one", rows("0180;å1;-1;1;1;0"), ("out_of_range", 2, "ut1"), {}),
    ("28 99", rows("0180;å1;99;1;1;0"), ("out_of_range", 2, "ut1"), {}),
    ("30 point", rows("0180;å1;.;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("30 dash", rows("0180;å1;-;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("30 NA", rows("0180;å1;NA;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("30 N/A", rows("0180;å1;N/A;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("30 null", rows("0180;å1;null;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("30 -99", rows("0180;å1;-99;1;1;0"), ("out_of_range", 2, "ut1"), {}),
    ("31 plus", rows("0180;å1;+3;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("31 full width", rows("0180;å1;３;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("31 superscript", rows("0180;å1;²;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("31 underscore", rows("0180;å1;1_0;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("31 exponent", rows("0180;å1;3e0;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("31 hexadecimal", rows("0180;å1;0x3;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("32 half", rows("0180;å1;3,5;1;1;0"), ("not_whole", 2, "ut1"), {}),
    ("34 nearly", rows("0180;å1;I hgö grad;1;1;0"), ("not_an_answer_close", 2, "ut1"), {}),
    ("35 mixed and wrong", rows("0180;å1;3;1;1;0", "0180;å2;Mycket;1;1;0"), ("not_an_answer", 3, "ut1"), {}),
    ("36 true", rows("0180;å1;3;TRUE;1;0"), ("truth_value", 2, "ut2"), {}),
    ("36 falskt", rows("0180;å1;3;FALSKT;1;0"), ("truth_value", 2, "ut2"), {}),
    ("37 date", rows("0180;å1;2026-04-01;1;1;0"), ("looks_like_date", 2, "ut1"), {}),
    ("37 serial", rows("0180;å1;46113;1;1;0"), ("looks_like_date", 2, "ut1"), {}),
    ("37 01-apr", rows("0180;å1;01-apr;1;1;0"), ("looks_like_date", 2, "ut1"), {}),
    ("38 error", rows("0180;å1;#N/A;1;1;0"), ("error_cell", 2, "ut1"), {}),
    ("38 error in Swedish", rows("0180;å1;#VÄRDEFEL!;1;1;0"), ("error_cell", 2, "ut1"), {}),
    ("38 error as id", rows("0180;#REF!;1;1;1;0"), ("error_cell", 2, "unit"), {}),
    ("40 inf", rows("0180;å1;inf;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("40 nan", rows("0180;å1;nan;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("40 huge", rows("0180;å1;1e308;1;1;0"), ("odd_number", 2, "ut1"), {}),
    ("41 zero width in id", rows("0180;å\u200b1;3;1;1;0"), ("hidden_character", 2, "unit"), {}),
    ("41 right to left in id", rows("0180;\u202eå1;3;1;1;0"), ("hidden_character", 2, "unit"), {}),
    ("42 formula as answer", rows("0180;å1;=1+1;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("43 markup as answer", rows("0180;å1;<script>;1;1;0"), ("not_an_answer", 2, "ut1"), {}),
    ("43 markup as site", rows("<script>;å1;1;1;1;0"), ("site_unknown", 2, "site"), {}),
    ("45 path as site", rows("../../x;å1;1;1;1;0"), ("site_unknown", 2, "site"), {}),
    ("46 lost zero", rows("180;å1;3;1;1;0"), ("site_unknown_close", 2, "site"), {}),
    ("46 as float", rows("180.0;å1;3;1;1;0"), ("site_unknown_close", 2, "site"), {}),
    ("46 with name", rows("0180 Stockholm;å1;3;1;1;0"), ("site_unknown_close", 2, "site"), {}),
    ("47 nation", rows("0000;å1;3;1;1;0"), ("site_nation", 2, "site"), {}),
    ("47 unknown", rows("9999;å1;3;1;1;0"), ("site_unknown", 2, "site"), {}),
    ("47 county", rows("01;å1;3;1;1;0"), ("site_unknown", 2, "site"), {}),
    ("48 name", rows("Göteborgs Stad;å1;3;1;1;0"), ("site_unknown_close", 2, "site"), {}),
    ("48 name without accent", rows("Habo ;å1;3;1;1;0"), ("site_unknown_close", 2, "site"), {}),
    ("49 no site", rows("0180;å1;3;1;1;0", " ;ä2;3;1;1;0"), ("site_blank", 3, "site"), {}),
    ("49 no site column", "unit;ut1;ut2;pl1a;pl1b\nå;1;1;1;1\n", ("no_site_column", 1, ""), {}),
    ("50 same twice", rows("0180;å1;3;1;1;0", "0180;å1;3,0;Ja;1;0"), ("respondent_twice", 3, "unit"), {}),
    ("51 two answers", rows("0180;å1;3;1;1;0", "0180;å1;2;1;1;0"), ("id_with_two_answers", 3, "unit"), {}),
    ("52 pasted", rows(*["0180;å1;3;1;1;0", "0180;å2;2;1;1;0", "0305;å;1;1;1;0"] * 2), ("pasted", 5, ""), {}),
    ("53 ids on some rows", rows("0180;å1;3;1;1;0", "0180;;3;1;1;0"), ("key_blank", 3, "unit"), {}),
    ("54 personnummer as id", rows("0180;850709-9805;3;1;1;0"), ("personal_number", 2, "unit"), {}),
    ("54 twelve digits", rows("0180;198507099805;3;1;1;0"), ("personal_number", 2, "unit"), {}),
    ("54 coordination number", rows("0180;850769-9802;3;1;1;0"), ("personal_number", 2, "unit"), {}),
    (
        "54 in a text set aside",
        rows("0180;å1;3;1;1;0;Åsa 850709+9805", head=HEAD + ";Övrigt"),
        ("personal_number", 2, "Övrigt"),
        {},
    ),
    (
        "55 unknown source",
        rows("0180;å;filez;3;1;1;0", head="site;unit;source;ut1;ut2;pl1a;pl1b"),
        ("source_unknown_close", 2, "source"),
        {"source": None},
    ),
    (
        "55 other source",
        rows("0180;å;qqq;3;1;1;0", head="site;unit;source;ut1;ut2;pl1a;pl1b"),
        ("source_unknown", 2, "source"),
        {"source": None},
    ),
    (
        "55 blank source",
        rows("0180;å;files;3;1;1;0", "0180;ä;;3;1;1;0", head="site;unit;source;ut1;ut2;pl1a;pl1b"),
        ("source_blank", 3, "source"),
        {"source": None},
    ),
    (
        "55 against the caller",
        rows("0180;å;user;3;1;1;0", head="site;unit;source;ut1;ut2;pl1a;pl1b"),
        ("source_conflict", 2, "source"),
        {},
    ),
    ("55 nothing says", GOOD, ("no_source", 1, ""), {"source": None}),
    (
        "56 area unknown",
        rows("0180;å;skola;3;1;1;0", head="site;unit;service_area;ut1;ut2;pl1a;pl1b"),
        ("area_unknown", 2, "service_area"),
        {},
    ),
    (
        "56 area nearly",
        rows("0180;å;aldree;3;1;1;0", head="site;unit;service_area;ut1;ut2;pl1a;pl1b"),
        ("area_unknown_close", 2, "service_area"),
        {},
    ),
    (
        "56 area on some",
        rows("0180;å;lss;3;1;1;0", "0180;ä;;3;1;1;0", head="site;unit;service_area;ut1;ut2;pl1a;pl1b"),
        ("key_blank", 3, "service_area"),
        {},
    ),
    (
        "29 not applicable where it applies to all",
        rows("0180;å1;9;1;1;0"),
        ("not_applicable_here", 2, "ut1"),
        {},
    ),
    (
        "76 weight 0",
        rows("0180;å;0;3;1;1;0", head="site;unit;vikt;ut1;ut2;pl1a;pl1b"),
        ("bad_weight", 2, "vikt"),
        {},
    ),
    (
        "76 weight blank",
        rows("0180;å;1,5;3;1;1;0", "0180;ä;;3;1;1;0", head="site;unit;vikt;ut1;ut2;pl1a;pl1b"),
        ("bad_weight", 3, "vikt"),
        {},
    ),
    (
        "76 weight text",
        rows("0180;å;tung;3;1;1;0", head="site;unit;vikt;ut1;ut2;pl1a;pl1b"),
        ("bad_weight", 2, "vikt"),
        {},
    ),
    (
        "78 cluster is unit",
        rows("0180;å;å;3;1;1;0", "0180;ä;ä;3;1;1;0", head="site;unit;cluster;ut1;ut2;pl1a;pl1b"),
        ("cluster_is_unit", 1, "cluster"),
        {},
    ),
    (
        "synthetic unclear",
        rows("0180;å;kanske;3;1;1;0", head="site;unit;synthetic;ut1;ut2;pl1a;pl1b"),
        ("bad_synthetic", 2, "synthetic"),
        {},
    ),
    (
        "synthetic mixed",
        rows("0180;å;ja;3;1;1;0", "0180;ä;nej;3;1;1;0", head="site;unit;synthetic;ut1;ut2;pl1a;pl1b"),
        ("synthetic_mixed", 1, "synthetic"),
        {},
    ),
    ("header again", rows("0180;å1;3;1;1;0", HEAD, "0180;ä;3;1;1;0"), ("header_again", 3, ""), {}),
    (
        "33 not a number",
        "site;ta1;ta1n\n0180;1 23,5;40\n",
        ("not_a_number", 2, "ta1"),
        {"source": "register"},
    ),
    (
        "33 above",
        "site;ta1;ta1n\n0180;1 234,5;40\n",
        ("value_out_of_range", 2, "ta1"),
        {"source": "register"},
    ),
    (
        "33 true minus",
        "site;ta1;ta1n\n0180;−0,5;40\n",
        ("value_out_of_range", 2, "ta1"),
        {"source": "register"},
    ),
    (
        "40 1e308 in a register",
        "site;ta1;ta1n\n0180;1e308;40\n",
        ("not_a_number", 2, "ta1"),
        {"source": "register"},
    ),
    (
        "register without n",
        "site;ta1;ta1n\n0180;12;\n",
        ("value_without_base", 2, "ta1"),
        {"source": "register"},
    ),
    (
        "register without n column",
        "site;ta1\n0180;12\n",
        ("no_base_column", 1, "ta1"),
        {"source": "register"},
    ),
    ("register n 0", "site;ta1;ta1n\n0180;12;0\n", ("not_a_count", 2, "ta1n"), {"source": "register"}),
    ("register n half", "site;ta1;ta1n\n0180;12;4,5\n", ("not_a_count", 2, "ta1n"), {"source": "register"}),
    (
        "register count",
        "site;ta1;ta1n;nakter\n0180;12;4;-1\n",
        ("not_a_count", 2, "nakter"),
        {"source": "register"},
    ),
    (
        "register twice",
        "site;ta1;ta1n\n0180;12;4\n0180;13;4\n",
        ("register_twice", 3, "site"),
        {"source": "register"},
    ),
]


@pytest.mark.parametrize(("content", "expected", "options"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_bad_input_is_found_where_it_stands(content, expected, options, instrument, write):
    found = examine(write(content), instrument, **{"source": "files", **options})
    seen = [(fault.rule.code.removeprefix("responses."), fault.row, fault.column) for fault in found.faults]
    assert expected in seen
    assert found.responses is None
    for language in LANGUAGES:
        for fault in found.faults:
            assert fault.file == "svar.csv"
            assert fault.line(language)
            assert fault.remedy(language)
        assert found.text(language)
        assert len(found.table(language)) == len(found.faults)


def test_the_good_file_has_no_fault(instrument, write):
    assert examine(write(GOOD), instrument, source="files").faults == ()


@pytest.mark.parametrize(
    "cell", ["3", "3,0", "3.0", " 3 ", "3\u00a0", "I hög grad", "i HÖG grad.", "To a  high degree"]
)
def test_ways_of_writing_three(cell, instrument, write):
    read = read_responses(write(rows(f"0180;å1;{cell};1;1;0")), instrument, source="files")
    assert read.tables["files"].column("ut1").tolist() == [3]


@pytest.mark.parametrize(
    ("cell", "code"),
    [("", -1), (" ", -1), ("8", -2), ("-8", -2), ("8,0", -2), ("vet ej ", -2), ("VET EJ.", -2)],
)
def test_ways_of_not_answering(cell, code, instrument, write):
    read = read_responses(write(rows(f"0180;å1;{cell};1;1;0")), instrument, source="files")
    assert read.tables["files"].column("ut1").tolist() == [code]


def test_not_applicable_is_read_where_the_item_or_the_checklist_allows_it(instrument, write):
    read = read_responses(write(rows("0180;å1;3;Ej aktuellt;9;0")), instrument, source="files")
    assert read.tables["files"].codes.tolist() == [[3, -3, -3, 0]]
    read = read_responses(write("site;ut2b;kv1\n0180;9;9\n"), instrument, source="user")
    assert read.tables["user"].codes.tolist() == [[-3, -3]]


def test_all_faults_come_at_once_in_the_order_of_rows_and_columns(instrument, write):
    path = write(rows("180;å1;7;TRUE;1;0", "0180;å1;3;1;x;0", "0180;å1;3;1;1;0"))
    with pytest.raises(ResponseError) as caught:
        read_responses(path, instrument, source="files")
    places = [(fault.row, fault.column) for fault in caught.value.faults]
    assert places == [(2, "site"), (2, "ut1"), (2, "ut2"), (3, "pl1a"), (4, "unit")]
    assert list(caught.value.failures["row"]) == [2, 2, 2, 3, 4]
    assert caught.value.exit_code == 3
    assert "svar.csv" in str(caught.value)


def test_a_personal_number_is_never_echoed(instrument, write):
    head = HEAD + ";850709-9805"
    lines = ["0180;8507099805;8507099805;Åsa 19850709-9805;1;0;1", "8507099805;8507099805;3;1;1;0;2"]
    found = examine(write(rows(*lines, head=head)), instrument, source="files")
    everything = found.text("sv") + found.text("en") + found.table("sv").to_csv() + repr(found.notes)
    assert "9805" not in everything
    assert "••••••-••••" in everything
    places = {(fault.row, fault.column) for fault in found.faults if fault.rule.code == "responses.personal_number"}
    assert {(2, "unit"), (2, "ut1"), (2, "ut2"), (3, "unit"), (3, "site")} <= places


def test_many_faults_of_a_kind_are_counted(instrument, write):
    path = write(rows(*[f"0180;å{i};7;1;1;0" for i in range(300)]))
    found = examine(path, instrument, source="files")
    assert len(found.faults) == 201
    assert sum(fault.rule.code == "responses.more_like_this" for fault in found.faults) == 1
    assert "100" in found.faults[0].line("sv")


def test_a_long_value_is_cut_and_an_odd_one_kept_where_it_is_data(instrument, write):
    long = "å" * 1_000_000
    found = examine(write(rows(f"0180;å1;{long};1;1;0")), instrument, source="files")
    assert len(found.faults[0].value) == 60
    path = write(rows(f'0180;=1+1;"3";1;1;0;"{long}"', head=HEAD + ";Fritext"))
    read = read_responses(path, instrument, source="files")
    assert read.tables["files"].unit.labels == ("=1+1",)


def test_one_fault_for_a_file_pasted_with_its_header(instrument, write):
    body = ["0180;å1;3;1;1;0", "0305;ä2;0;0;1;9", "1480;ö;1;1;1;1"]
    found = examine(write(rows(*body, HEAD, *body)), instrument, source="files")
    assert [fault.rule.code for fault in found.faults] == ["responses.pasted"]


def test_one_fault_for_a_file_given_twice(instrument, tmp_path):
    body = rows("0180;å1;3;1;1;0", "0305;ä2;0;0;1;9", "1480;ö;1;1;1;1")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(body, encoding="utf-8")
    found = examine(tmp_path, instrument, source="files")
    assert [(fault.rule.code, fault.file) for fault in found.faults] == [("responses.file_repeated", "b.csv")]


def test_files_that_cannot_be_read_end_with_4(instrument, tmp_path):
    for path in (tmp_path / "å.csv", tmp_path):
        with pytest.raises(FileError) as caught:
            examine(path, instrument)
        assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    "options", [{"encoding": "klingon"}, {"separator": "abc"}, {"source": "grannar"}, {"sheet": "Blad1"}]
)
def test_wrong_use_ends_with_2(options, instrument, write):
    with pytest.raises(UsageError) as caught:
        examine(write(GOOD), instrument, **options)
    assert caught.value.exit_code == 2
    assert all(caught.value.message.text(language) for language in LANGUAGES)


def test_every_text_of_the_room_is_used_and_every_rule_has_a_remedy():
    import re
    from pathlib import Path

    import ibic_fidelity.responses

    folder = Path(ibic_fidelity.responses.__path__[0])
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    keys = {key.removeprefix("responses.") for key in catalogue("sv") if key.startswith("responses.")}
    for key in keys - {key for key in keys if key.endswith("_remedy") or key.startswith("kind_")}:
        assert re.search(rf'["{{.]{key}["}}]', code), key
    for language in LANGUAGES:
        texts = catalogue(language)
        rules = [key for key in texts if key.startswith("responses.") and f"{key}_remedy" in texts]
        assert len(rules) > 70
