"""Versions of an instrument: what differs, a new one from decisions, and old answers mapped or refused."""

# ruff: noqa: E501 - one row a case

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook

import ibic_fidelity as ibic
from ibic_fidelity.errors import FormError, InstrumentError, UsageError
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.instrument.revision import ItemDecision
from ibic_fidelity.instrument.writing import instrument_yaml
from ibic_fidelity.platforms.decisions import read_decisions

DAY = date(2026, 11, 1)
MINI = Path(__file__).parents[1] / "instruments/mini"


@pytest.fixture(scope="module")
def mini():
    return load_instrument(MINI)


def drop(item="a2", evidence="Panel: I-CVI ,50", day=DAY):
    return ItemDecision(item, "drop", evidence, day)


def keep(item="a2", evidence="Panel", day=DAY):
    return ItemDecision(item, "retain", evidence, day)


def reword(item="a2", field="wording", sv="Nytt?", en="New?", source=""):
    return ItemDecision(item, "reword", "Intervju 3", DAY, field, source, sv, en)


def kinds(diff):
    return [(change.kind, change.owner) for change in diff.changes]


def changed(instrument, item, **fields):
    items = [one.model_copy(update=fields) if one.id == item else one for one in instrument.items]
    return instrument.replaced(items=items, version="9.0.0")


def test_an_instrument_does_not_differ_from_itself(mini):
    same = ibic.diff_instruments(mini, mini)
    assert same.changes == ()
    assert set(same.items.values()) == {"yes"}
    assert set(same.totals.values()) == {"yes"}


def measured(instrument, item, **fields):
    first, *others = instrument.by_item[item].measures
    return changed(instrument, item, measures=(first.model_copy(update=fields), *others))


#: A change: how, its kinds, the item's fate and the total's.
CHANGES = [
    ("reversed", lambda i: changed(i, "a1", reverse=True), ["reversed"], "no", "no"),
    ("gate", lambda i: changed(i, "a1", gate=None), ["gate"], "yes", "yes"),
    ("weight", lambda i: changed(i, "a1", weight=2.0), ["weight"], "yes", "no"),
    ("moved", lambda i: changed(i, "a1", component="b"), ["moved"], "yes", "no"),
    ("another source", lambda i: measured(i, "b1", source="files", scale="yesno"), ["source_dropped", "source_added"], "no", "no"),
    ("rescaled", lambda i: measured(i, "a1", scale="extent"), ["rescaled", "anchors", "anchors"], "no", "no"),
    ("reworded", lambda i: measured(i, "a1", wording=i.by_item["a2"].idea), ["reworded"], "doubtful", "doubtful"),
    ("idea only", lambda i: changed(i, "a1", idea=i.by_item["a2"].idea), ["reworded"], "yes", "yes"),
    ("anchors", lambda i: measured(i, "a1", anchors=(i.by_item["a2"].idea, i.by_item["a3"].idea)), ["anchors", "anchors"], "doubtful", "doubtful"),
    ("looked for elsewhere", lambda i: measured(i, "a1", look=i.by_item["a2"].idea), ["instructions"], "doubtful", "doubtful"),
    ("rule", lambda i: changed(i, "a1", not_applicable=None), ["instructions"], "doubtful", "doubtful"),
    ("law", lambda i: changed(i, "a1", law=("SoL",)), ["meaning"], "yes", "yes"),
    ("column", lambda i: measured(i, "a1", id="a1x"), ["column"], "yes", "yes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected", "item", "total"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_every_kind_of_change_is_told_and_weighed(mini, change, expected, item, total):
    diff = ibic.diff_instruments(mini, change(mini))
    assert [change.kind for change in diff.changes] == expected
    assert diff.items[diff.changes[0].owner] == item
    assert diff.totals["total_core"] == total
    assert len(diff.table) == len(expected)
    for language in ("sv", "en"):
        assert len(diff.text(language).splitlines()) >= len(expected) + 2


def test_added_items_sources_components_and_bands_are_told(mini):
    bigger = mini.replaced(version="9.0.0", bands=mini.bands[:1])
    assert kinds(ibic.diff_instruments(mini, bigger)) == [("bands", "bands")]
    first, second = mini.by_item["a2"].measures
    less = changed(mini, "a2", measures=(first,))
    assert kinds(ibic.diff_instruments(mini, less)) == [("source_dropped", "a2")]
    assert ibic.diff_instruments(mini, less).items["a2"] == "yes"  # the one that is scored stays
    assert kinds(ibic.diff_instruments(less, mini)) == [("source_added", "a2")]
    turned = changed(
        mini,
        "a2",
        measures=(first.model_copy(update={"role": "triangulating"}), second.model_copy(update={"role": "primary"})),
    )
    assert ibic.diff_instruments(mini, turned).items["a2"] == "no"
    shorter = mini.replaced(items=mini.items[1:], version="9.0.0")
    assert kinds(ibic.diff_instruments(mini, shorter)) == [("dropped", "a1")]
    assert kinds(ibic.diff_instruments(shorter, mini)) == [("added", "a1")]
    heavier = [part.model_copy(update={"weight": 2.0}) if part.id == "b" else part for part in mini.components]
    assert kinds(ibic.diff_instruments(mini, mini.replaced(components=heavier))) == [("component", "b")]
    assert kinds(ibic.diff_instruments(mini, mini.replaced(totals=()))) == [("total", "total_core")]


def test_two_instruments_are_not_two_versions(mini):
    with pytest.raises(UsageError, match="two instruments"):
        ibic.diff_instruments(mini, load_instrument("lq2002"))


def test_a_new_version_holds_its_log_and_reads_back_the_same(mini, tmp_path):
    made = ibic.revise(mini, [drop(), reword("a1"), reword("a3", "a3b", "NÄR", "WHEN"), keep("c1")], version="0.2.0")
    assert [item.id for item in made.instrument.items] == ["a1", "a3", "b1", "c1", "c2"]
    assert made.instrument.by_item["a1"].primary.wording.sv == "Nytt?"
    assert made.instrument.by_item["a3"].primary.parts[1].wording.en == "WHEN"
    log = [(one.version, one.item, one.decision, one.field, one.source) for one in made.instrument.changes]
    assert log == [
        ("0.2.0", "a2", "drop", "", ""),
        ("0.2.0", "a1", "reword", "wording", "files"),
        ("0.2.0", "a3", "reword", "a3b", "files"),
        ("0.2.0", "c1", "retain", "", ""),
    ]
    assert made.instrument.changes[1].before.sv == "Ett?"
    assert made.undecided == ("b1", "c2")
    for name, content in instrument_yaml(made.instrument).items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    read = load_instrument(tmp_path)
    assert read.replaced(sha256="").model_dump(exclude={"sha256"}) == made.instrument.model_dump(exclude={"sha256"})
    again = ibic.revise(read, [keep("a1")], version="0.2.1")
    assert len(again.instrument.changes) == 5


@pytest.mark.parametrize("name", ["ibic", "lq2002", "bfi"])
def test_every_bundled_instrument_is_written_as_it_was_read(name, tmp_path):
    instrument = load_instrument(name)
    for file, content in instrument_yaml(instrument).items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    assert load_instrument(tmp_path).model_dump(exclude={"sha256"}) == instrument.model_dump(exclude={"sha256"})


def test_anchors_and_fields_of_a_measure_are_reworded_by_name():
    ibic_bank = load_instrument("ibic")
    made = ibic.revise(
        ibic_bank, [reword("ut2", "anchor:1"), reword("ut2", "doubt"), reword("ut2", "idea")], version="9.0.0"
    )
    item = made.instrument.by_item["ut2"]
    assert [item.primary.anchors[1].sv, item.primary.doubt.en, item.idea.sv] == ["Nytt?", "New?", "Nytt?"]


def test_the_id_of_a_dropped_item_is_not_used_again(mini):
    made = ibic.revise(mini, [drop()], version="0.2.0").instrument
    with pytest.raises(Exception, match="id_twice"):
        made.replaced(items=[*made.items, mini.by_item["a2"]])


REFUSED = [
    ("nothing decided", [], "revise_nothing"),
    ("an unknown item", [drop("zz9")], "revise_unknown_item"),
    ("a gate is dropped", [drop("a1")], "revise_gate"),
    ("a component is left empty", [drop("b1")], "revise_empty_component"),
    ("a component is left empty by two", [drop("c1"), drop("c2")], "revise_empty_component"),
    ("no evidence", [drop(evidence=" ")], "revise_no_evidence"),
    ("no date", [keep(day=None)], "revise_no_date"),
    ("without English", [reword(en="")], "revise_language"),
    ("without Swedish", [reword(sv=" ")], "revise_language"),
    ("an unknown field", [reword(field="title")], "revise_unknown_field"),
    ("an anchor of the common scale", [reword(field="anchor:1")], "revise_unknown_field"),
    ("another source", [reword("a1", source="user")], "revise_unknown_source"),
    ("as before", [reword(sv="Två?", en="Two?")], "revise_same"),
    ("kept and dropped", [keep(), drop()], "revise_twice"),
    ("one field twice", [reword(), reword(sv="Annat?")], "revise_twice"),
]  # fmt: skip


@pytest.mark.parametrize(("decisions", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_bad_revision_is_refused_by_name(mini, decisions, code):
    with pytest.raises(InstrumentError) as caught:
        ibic.revise(mini, decisions, version="0.2.0")
    assert code in {fault.rule.code.split(".")[1] for fault in caught.value.faults}
    assert all(fault.remedy("sv") for fault in caught.value.faults)


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "1.0", "ny", "0.2.0-beta"])
def test_a_version_that_is_not_higher_is_refused(mini, version):
    with pytest.raises(UsageError, match="no version above"):
        ibic.revise(mini, [keep()], version=version)


# how decisions are read


def sheet(path, rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


SWEDISH = ["Fråga", "Beslut", "Underlag", "Datum", "Fält", "Källa", "Svenska", "Engelska"]


def test_decisions_are_read_from_excel_and_csv_alike(tmp_path):
    rows = [
        SWEDISH,
        ["a2", "Stryk", "Panel", DAY],
        ["A1", "formulera om", "Intervju", DAY, "wording", "", "Nytt?", "New?"],
    ]
    book = read_decisions(sheet(tmp_path / "beslut.xlsx", rows))
    text = tmp_path / "beslut.csv"
    text.write_text("\n".join(";".join(str(cell) for cell in row) for row in rows), encoding="cp1252")
    plain = read_decisions(text)
    assert [(one.item, one.decision, one.date, one.sv, one.row) for one in book] == [
        ("a2", "drop", DAY, "", 2),
        ("a1", "reword", DAY, "Nytt?", 3),
    ]
    assert [(one.item, one.decision, one.date) for one in plain] == [(one.item, one.decision, one.date) for one in book]


HEAD = "item;decision;evidence;date\n"
BAD_TABLES = [
    ("empty", b"", "empty_table"),
    ("heading only", HEAD.encode(), "no_rows"),
    ("no date column", b"item;decision;evidence\na1;drop;x\n", "lacking_columns"),
    ("a column twice", b"item;item;decision;evidence;date\na1;a1;drop;x;\n", "columns_twice"),
    ("a word that is no decision", (HEAD + "a1;kanske;x;2026-11-01\n").encode(), "unknown_decision"),
    ("a date that is none", (HEAD + "a1;drop;x;1/11\n").encode(), "bad_date"),
    ("a workbook called text", b"PK\x03\x04xx", "not_text"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code"), [row[1:] for row in BAD_TABLES], ids=[row[0] for row in BAD_TABLES])
def test_a_bad_table_of_decisions_is_refused(tmp_path, raw, code):
    path = tmp_path / "beslut.csv"
    path.write_bytes(raw)
    with pytest.raises(FormError) as caught:
        read_decisions(path)
    assert [fault.rule.code for fault in caught.value.faults] == [f"platforms.{code}"]
    assert caught.value.faults[0].file == "beslut.csv"


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [("a.xlsx", b"PK\x03\x04 cut", "damaged"), ("a.xlsx", b"item", "damaged"), ("a.pdf", b"%PDF", "unknown_kind")],
)
def test_a_bad_workbook_of_decisions_is_refused(tmp_path, name, raw, code):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(FormError) as caught:
        read_decisions(tmp_path / name)
    assert caught.value.faults[0].rule.code == f"platforms.{code}"


# old answers, new version


@pytest.fixture(scope="module")
def answers(mini, tmp_path_factory):
    path = tmp_path_factory.mktemp("answers") / "files.csv"
    rows = [f"0180;f{i};{i % 2};{(i + 1) % 2};1;0;1" for i in range(6)]
    path.write_text("\n".join(["site;unit;a1;a2;a3a;a3b;a3c", *rows]), encoding="utf-8")
    return ibic.read_responses(path, mini)


def test_old_answers_are_refused_by_a_new_version(mini, answers):
    new = ibic.revise(mini, [drop()], version="0.2.0").instrument
    with pytest.raises(UsageError, match=r"mini 0\.1\.0"):
        ibic.score_municipalities(answers, new)


def test_old_answers_are_mapped_on_the_callers_word(mini, answers):
    new = ibic.revise(mini, [drop(), reword("a1"), keep("a3")], version="0.2.0").instrument
    plain, told = ibic.map_responses(answers, mini, new), ibic.map_responses(answers, mini, new, same_meaning=["a1"])
    old = answers.tables["files"]
    assert plain.tables["files"].columns == ("a1", "a3a", "a3b", "a3c")
    assert set(plain.tables["files"].column("a1")) == {-4}
    assert np.array_equal(told.tables["files"].column("a1"), old.column("a1"))
    assert np.array_equal(plain.tables["files"].column("a3c"), old.column("a3c"))
    assert [note.code.split(".")[1] for note in told.notes][-3:] == [
        "note_mapped",
        "note_mapped_claim",
        "note_mapped_lost",
    ]
    assert "note_mapped_doubtful" in [note.code.split(".")[1] for note in plain.notes]
    assert (told.instrument_version, told.data_sha256) == ("0.2.0", answers.data_sha256)
    ibic.score_municipalities(told, new)


@pytest.mark.parametrize("items", [["a3"], ["a2"], ["zz"]])
def test_only_reworded_items_can_be_said_to_mean_the_same(mini, answers, items):
    new = ibic.revise(mini, [drop(), reword("a1")], version="0.2.0").instrument
    with pytest.raises(UsageError, match="same_meaning"):
        ibic.map_responses(answers, mini, new, same_meaning=items)


def test_answers_of_another_version_are_not_mapped(mini, answers):
    new = ibic.revise(mini, [drop()], version="0.2.0").instrument
    with pytest.raises(UsageError, match="coded"):
        ibic.map_responses(answers, new, mini)
