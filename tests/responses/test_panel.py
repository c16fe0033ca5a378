"""An expert panel: forms filled in as people do, read back, every fault told; and what is proposed of items."""

# ruff: noqa: E501 - one row a case

import io
import re
import zipfile
from html import escape
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook

import ibic_fidelity as ibic
from ibic_fidelity.cli.app import run
from ibic_fidelity.errors import FormError, UsageError
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.platforms.panel_excel import panel_workbook
from ibic_fidelity.platforms.panel_form import QUESTIONS
from ibic_fidelity.platforms.panel_word import panel_document
from ibic_fidelity.reports.panel import panel_report, panel_results_workbook

MINI = load_instrument(Path(__file__).parents[1] / "instruments/mini")
ITEMS = ("a1", "a2", "a3", "b1")
GOOD = {"relevance": "4 mycket relevant", "clarity": 4, "one_thing": "Ja", "essential": "Nödvändig", "comment": ""}
EXPERT = (4, 2)


def excel(path, expert, answers=None, *, instrument=MINI, change=None, lang="sv", **options):
    """A filled-in workbook: good answers, but for those given by item and question."""
    book = load_workbook(io.BytesIO(panel_workbook(instrument, lang=lang, **options)))
    front, sheet = book.worksheets
    front.cell(*EXPERT, expert)
    for row in range(2, sheet.max_row + 1):
        item = sheet.cell(row, 1).value.split("\n")[0]
        for j, question in enumerate(QUESTIONS, start=5):
            value = (answers or {}).get((item, question), GOOD[question])
            sheet.cell(row, j, None if value == "" else value)
    if change is not None:
        change(front, sheet)
    book.save(path)
    return path


def word(path, expert, answers=None, *, instrument=MINI, lang="sv"):
    """A filled-in document, as Word saves it: the field's text, and no mark that it is untouched."""
    raw = panel_document(instrument, lang=lang)
    with zipfile.ZipFile(io.BytesIO(raw)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    said = {
        f"{item}.{question}": (answers or {}).get((item, question), GOOD[question])
        for item in ITEMS
        for question in QUESTIONS
    }
    said["expert"] = expert
    xml = parts["word/document.xml"].decode()

    def filled(match):
        control, tag = match.group(0), re.search(r'w:tag w:val="([^"]+)"', match.group(0)).group(1)
        if tag not in said or said[tag] == "":
            return control
        control = control.replace("<w:showingPlcHdr/>", "")
        return re.sub(
            r"(<w:t [^>]*>)[^<]*(</w:t>)", lambda m: m.group(1) + escape(str(said[tag])) + m.group(2), control
        )

    parts["word/document.xml"] = re.sub(r"<w:sdt>.*?</w:sdt>", filled, xml, flags=re.DOTALL).encode()
    with zipfile.ZipFile(path, "w") as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return path


def test_forms_are_the_same_bytes_every_time():
    assert panel_workbook(MINI) == panel_workbook(MINI)
    assert panel_document(MINI, lang="en") == panel_document(MINI, lang="en")


def test_a_panel_asks_of_fidelity_unless_told_otherwise(tmp_path):
    read = ibic.read_panel(excel(tmp_path / "a.xlsx", "E1"), MINI)
    assert read.items == ITEMS
    other = excel(tmp_path / "b.xlsx", "E1", components=["c"])
    assert ibic.read_panel(other, MINI).items == ("c1", "c2")
    with pytest.raises(UsageError, match="no component zz"):
        panel_workbook(MINI, components=["zz"])


def test_excel_and_word_in_both_languages_are_read_alike(tmp_path):
    poor = {
        ("a1", "relevance"): 2,
        ("a2", "one_thing"): "Nej",
        ("a3", "essential"): "Onödig",
        ("b1", "clarity"): "",
        ("a1", "comment"): "Skriv om <b>",
    }
    english = {
        ("a1", "relevance"): "2 somewhat relevant",
        ("a2", "one_thing"): "no",
        ("a3", "essential"): "Not necessary",
        ("b1", "clarity"): "",
        ("a1", "comment"): "Skriv om <b>",
    }
    files = [
        excel(tmp_path / "a.xlsx", "E1", poor),
        word(tmp_path / "b.docx", "E2", poor),
        excel(tmp_path / "c.xlsx", "E3", english, lang="en"),
        word(tmp_path / "d.docx", "E4", english, lang="en"),
    ]
    read = ibic.read_panel(files, MINI)
    assert read.experts == ("E1", "E2", "E3", "E4")
    for name in ("relevance", "clarity", "one_thing", "essential"):
        array = getattr(read, name)
        assert np.array_equal(array, np.tile(array[0], (4, 1)), equal_nan=True), name
    assert read.relevance[0].tolist() == [2, 4, 4, 4]
    assert read.one_thing[0].tolist() == [1, 0, 1, 1]
    assert read.essential[0].tolist() == [2, 2, 0, 2]
    assert np.isnan(read.clarity[0, 3])
    assert read.comments[0] == ("E1", "a1", "Skriv om <b>")
    assert [dict(note.params) for note in read.notes] == [{"n": 4, "of": 64}]
    assert len(read.table) == 16
    assert ibic.read_panel(files[::-1], MINI).data_sha256 == read.data_sha256
    assert ibic.read_panel(tmp_path, MINI).experts == read.experts


def put(row, column, value):
    return lambda front, sheet: sheet.cell(row, column, value)


def cut(front, sheet):
    sheet.delete_rows(3)


def no_origin(front, sheet):
    for row in front.iter_rows():
        for cell in row:
            if str(cell.value).startswith("ibic.panel"):
                cell.value = "?"


OTHER = MINI.replaced(version="0.2.0")
REWORDED = MINI.replaced(items=[item.model_copy(update={"weight": 2.0}) for item in MINI.items])
#: What was sent back, and the rules that it breaks.
BAD = [
    ("relevance 5", lambda p: [excel(p / "a.xlsx", "E1", {("a1", "relevance"): 5})], ["not_an_answer"]),
    ("relevance 0", lambda p: [excel(p / "a.xlsx", "E1", {("a1", "relevance"): 0})], ["not_an_answer"]),
    ("relevance 3,5", lambda p: [excel(p / "a.xlsx", "E1", {("a1", "relevance"): 3.5})], ["not_an_answer"]),
    ("relevance as a date", lambda p: [excel(p / "a.xlsx", "E1", {("a1", "relevance"): "2026-04-01"})], ["not_an_answer"]),
    ("a word that is no answer", lambda p: [word(p / "a.docx", "E1", {("a1", "essential"): "kanske"})], ["not_an_answer"]),
    ("no code", lambda p: [excel(p / "a.xlsx", None)], ["no_expert"]),
    ("no code in Word", lambda p: [word(p / "a.docx", "")], ["no_expert"]),
    ("one code twice", lambda p: [excel(p / "a.xlsx", "E1"), word(p / "b.docx", "E1")], ["expert_twice"]),
    ("an unknown expert", lambda p: [excel(p / "a.xlsx", "E9")], ["unknown_expert"]),
    ("another version", lambda p: [excel(p / "a.xlsx", "E1", instrument=OTHER)], ["other_version"]),
    ("two versions mixed", lambda p: [excel(p / "a.xlsx", "E1"), word(p / "b.docx", "E2", instrument=OTHER)], ["other_version"]),
    ("another instrument", lambda p: [excel(p / "a.xlsx", "E1", instrument=load_instrument("lq2002"))], ["other_version", "unknown_item"]),
    ("the same version, other content", lambda p: [excel(p / "a.xlsx", "E1", instrument=REWORDED)], ["same_version_other_words"]),
    ("no origin", lambda p: [excel(p / "a.xlsx", "E1", change=no_origin)], ["no_origin"]),
    ("an item is missing from the only form", lambda p: [excel(p / "a.xlsx", "E1", change=cut)], ["items_fewer"]),
    ("an item is missing from one of two", lambda p: [excel(p / "a.xlsx", "E1", change=cut), excel(p / "b.xlsx", "E2")], ["items_missing"]),
    ("an unknown item", lambda p: [excel(p / "a.xlsx", "E1", change=put(2, 1, "zz9"))], ["unknown_item"]),
    ("an item twice", lambda p: [excel(p / "a.xlsx", "E1", change=put(2, 1, "a2"))], ["item_twice", "items_fewer"]),
    ("a heading changed", lambda p: [excel(p / "a.xlsx", "E1", change=put(1, 5, "Relevant?"))], ["lacking_columns"]),
    ("a personal number in a comment", lambda p: [excel(p / "a.xlsx", "E1", {("a1", "comment"): "Se 850709-9805"})], ["personal_number"]),
    ("a personal number as code", lambda p: [excel(p / "a.xlsx", "850709-9805")], ["personal_number", "unknown_expert"]),
    ("a damaged workbook", lambda p: [file(p / "a.xlsx", panel_workbook(MINI)[:3000])], ["damaged"]),
    ("a damaged document", lambda p: [file(p / "a.docx", panel_document(MINI)[:3000])], ["damaged"]),
    ("a document called workbook", lambda p: [file(p / "a.xlsx", panel_document(MINI))], ["wrong_content"]),
    ("a workbook called document", lambda p: [file(p / "a.docx", panel_workbook(MINI))], ["wrong_content"]),
    ("an empty file", lambda p: [file(p / "a.xlsx", b"")], ["empty_table"]),
    ("a PDF", lambda p: [file(p / "a.pdf", b"%PDF-1.7")], ["unknown_kind"]),
]  # fmt: skip


def file(path, raw):
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(("make", "codes"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_form_is_refused_with_every_fault(tmp_path, make, codes):
    with pytest.raises(FormError) as caught:
        ibic.read_panel(make(tmp_path), MINI, experts=["E1", "E2"])
    found = [fault.rule.code.split(".")[1] for fault in caught.value.faults]
    assert set(found) == set(codes)
    for language in ("sv", "en"):
        lines = [fault.line(language) for fault in caught.value.faults]
        assert all(line.startswith(("a.", "b.")) for line in lines)
        assert not [line for line in lines if "850709-9805" in line]


def test_a_fault_names_row_and_column(tmp_path):
    with pytest.raises(FormError) as caught:
        ibic.read_panel(excel(tmp_path / "a.xlsx", "E1", {("a2", "clarity"): 7}), MINI)
    assert (
        caught.value.faults[0]
        .line("sv")
        .startswith("a.xlsx, rad 3, kolumn a2.clarity [7]: Det är inget av svaren. Välj ett av 1 otydlig")
    )


def test_no_file_is_no_panel(tmp_path):
    with pytest.raises(UsageError, match="No rating form"):
        ibic.read_panel(tmp_path, MINI)


# what is proposed

LOW = {"relevance": 1, "essential": "Onödig"}


def panel(path, n, poor=None, experts_poor=0):
    """A panel of n, of whom the first few give poor answers to some items."""
    files = []
    for number in range(n):
        answers = poor if number < experts_poor else None
        make = word if number % 2 else excel
        files.append(make(path / f"{number}.{'docx' if number % 2 else 'xlsx'}", f"E{number}", answers))
    return ibic.review_items(ibic.read_panel(files, MINI), MINI)


def answers(item, **given):
    return {(item, question): value for question, value in given.items()}


#: Experts, what some of them answer to a2, how many, and what is proposed.
PROPOSALS = [
    ("one expert", 1, {}, 0, None),
    ("two experts", 2, {}, 0, None),
    ("three of one mind", 3, {}, 0, "retain"),
    ("one of five finds it irrelevant", 5, answers("a2", relevance=2), 1, "reword"),
    ("one of six finds it irrelevant", 6, answers("a2", relevance=2), 1, "retain"),
    ("two of six find it irrelevant", 6, answers("a2", relevance=2), 2, "reword"),
    ("four of six find it irrelevant and not needed", 6, answers("a2", **LOW), 4, "drop"),
    ("four of six find it irrelevant, all needed", 6, answers("a2", relevance=1), 4, "reword"),
    ("two of six find it unclear", 6, answers("a2", clarity=2), 2, "reword"),
    ("two of six say it asks two things", 6, answers("a2", one_thing="Nej"), 2, "reword"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "poor", "of", "expected"), [row[1:] for row in PROPOSALS], ids=[row[0] for row in PROPOSALS]
)
def test_the_proposal_follows_the_rule(tmp_path, n, poor, of, expected):
    review = panel(tmp_path, n, poor, of)
    proposals = {one.item: one.decision for one in review.proposals}
    assert proposals["a2"] == expected
    assert {proposals[item] for item in ("a1", "a3", "b1")} == {None if n < 3 else "retain"}
    assert (expected == "retain") == (not review.proposals[1].reasons)
    if n < 6:
        assert any(flag.code == "psychometrics.content_few_experts" for flag in review.flags)


def test_a_gate_that_should_go_says_so(tmp_path):
    review = panel(tmp_path, 6, answers("a1", **LOW), 5)
    assert review.proposals[0].decision == "drop"
    assert "panel.why_gate" in [why.code for why in review.proposals[0].reasons]


def test_indices_are_those_of_psychometrics(tmp_path):
    review = panel(tmp_path, 6, answers("a2", relevance=2), 2)
    assert review.relevance.estimates.tolist() == pytest.approx([1, 4 / 6, 1, 1])
    assert review.components[0].average == pytest.approx((1 + 4 / 6 + 1) / 3)
    assert (review.components[0].universal, review.components[1].universal) == pytest.approx((2 / 3, 1))
    assert len(review.table) == 4


def test_ratings_of_another_version_are_not_reviewed(tmp_path):
    ratings = ibic.read_panel(excel(tmp_path / "a.xlsx", "E1"), MINI)
    with pytest.raises(UsageError, match=r"not of mini 0\.2\.0"):
        ibic.review_items(ratings, OTHER)
    with pytest.raises(UsageError, match=r"not of mini 0\.2\.0"):
        panel_report(ibic.review_items(ratings, MINI), OTHER)


def test_a_question_that_nobody_answered_has_no_review(tmp_path):
    blank = {(item, "clarity"): "" for item in ITEMS}
    with pytest.raises(UsageError, match="no index"):
        ibic.review_items(ibic.read_panel(excel(tmp_path / "a.xlsx", "E1", blank), MINI), MINI)


def test_an_item_that_nobody_rated_is_told_and_has_no_proposal(tmp_path):
    review = panel(tmp_path, 3, {("a2", question): "" for question in QUESTIONS}, 3)
    assert review.proposals[1].decision is None
    assert "Nobody rated A2" in review.summary()
    assert "–" in panel_report(review, MINI)


@pytest.mark.parametrize(("lang", "word"), [("sv", "formulera om"), ("en", "reword")])
def test_report_and_workbook_say_the_same_in_each_language(tmp_path, lang, word):
    review = panel(tmp_path, 6, answers("a2", relevance=2, comment="<script>alert(1)</script>"), 2)
    page = panel_report(review, MINI, lang=lang)
    assert page == panel_report(review, MINI, lang=lang)
    assert word in page
    assert "<script>" not in page
    assert MINI.sha256 in page
    raw = panel_results_workbook(review, MINI, lang=lang)
    assert raw == panel_results_workbook(review, MINI, lang=lang)
    book = load_workbook(io.BytesIO(raw))
    assert len(book.sheetnames) == 5
    cells = [[cell.value for cell in row] for row in book.worksheets[1].iter_rows(min_row=2)]
    assert cells[1][2] == word
    assert cells[1][3] == pytest.approx(4 / 6)


def test_the_commands_write_forms_and_read_them(tmp_path, capsys):
    mini = str(Path(__file__).parents[1] / "instruments/mini")
    assert run(["instrument", "export", mini, "--to", "panel", "-o", str(tmp_path / "ut"), "--lang", "en"]) == 0
    assert sorted(path.name for path in (tmp_path / "ut").iterdir()) == [
        "panel-mini-0.1.0-en.docx",
        "panel-mini-0.1.0-en.xlsx",
    ]
    forms = [str(excel(tmp_path / f"{n}.xlsx", f"E{n}")) for n in range(6)]
    out = str(tmp_path / "panel")
    assert run(["panel", *forms, "-o", out, "-i", mini, "--lang", "sv"]) == 0
    assert "6 bedömare, 4 frågor: förslag att behålla 4" in capsys.readouterr().out
    assert sorted(path.name for path in Path(out).iterdir()) == ["panel.csv", "panel.html", "panel.xlsx"]
    assert run(["panel", *forms, "-o", out, "-i", mini]) == 4
    log = tmp_path / "log.csv"
    log.write_text(
        "runda;formulär;person;fråga;problem;anteckning;beslut\n1;user;P1;c1;minne;Mindes ej <i>;behåll\n",
        encoding="utf-8",
    )
    assert run(["panel", *forms, "-o", out, "-i", mini, "--cognitive", str(log), "--force"]) == 0
    page = (Path(out) / "panel.html").read_text(encoding="utf-8")
    assert "Mindes ej &lt;i&gt;" in page
    assert "1 intervjuer, färre än de 5" in page
    excel(tmp_path / "0.xlsx", "E1")
    assert run(["panel", *forms, "-o", out, "-i", mini, "--force"]) == 3
    assert "Två formulär har samma kod: 0.xlsx, 1.xlsx" in capsys.readouterr().err
