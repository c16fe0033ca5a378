"""The log of cognitive interviews: read, coded, attached to items, and refused where it says too little."""

from pathlib import Path

import pytest

from ibic_fidelity.errors import FormError
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.cognitive import read_cognitive

MINI = load_instrument(Path(__file__).parents[1] / "instruments/mini")
HEAD = "runda;formulär;person;fråga;problem;anteckning;beslut"


def log(path, *rows, head=HEAD):
    (path / "log.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    return path / "log.csv"


def test_a_log_is_read_and_attached_to_items(tmp_path):
    rows = [f"1;user;P{i};c1;förståelse;Vad är en plan?;formulera om" for i in range(5)]
    rows += ["2;user;P9;c1;inget;;", "1;user;P1;A2;minne;Minns inte när;", "1;user;P0;c1;förståelse;Igen;"]
    made = read_cognitive(log(tmp_path, *rows), MINI)
    assert made.problems_of("c1") == {"comprehension": 5}
    assert made.problems_of("a2") == {"recall": 1}
    assert made.problems_of("b1") == {}
    assert made.interviews == {(1, "user"): 5, (2, "user"): 1}
    assert [dict(note.params)["round"] for note in made.notes] == [2]
    assert [one.item for one in made.observations][:2] == ["a2", "c1"]
    assert len(made.table) == 8


def test_english_headings_and_codes_are_read(tmp_path):
    head = "round;form;respondent;item;problem;note;decision"
    assert (
        read_cognitive(log(tmp_path, "1;user;P1;c1;sensitive;Silent;", head=head), MINI).observations[0].problem
        == "sensitive"
    )


BAD = [
    ("round 0", "0;user;P1;c1;inget;;", "bad_round"),
    ("round in words", "första;user;P1;c1;inget;;", "bad_round"),
    ("an unknown item", "1;user;P1;zz;inget;;", "unknown_item"),
    ("an unknown problem", "1;user;P1;c1;konstigt;Hm;", "unknown_problem"),
    ("a problem without a note", "1;user;P1;c1;minne;;", "problem_without_note"),
    ("no person", "1;user;;c1;inget;;", "blank_cell"),
    ("no form", "1;;P1;c1;inget;;", "blank_cell"),
    ("a personal number", "1;user;P1;c1;minne;Sade 850709-9805;", "personal_number"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_log_is_refused(tmp_path, row, code):
    with pytest.raises(FormError) as caught:
        read_cognitive(log(tmp_path, row), MINI)
    assert [fault.rule.code for fault in caught.value.faults] == [f"panel.{code}"]
    assert caught.value.faults[0].row == 2
    assert "850709-9805" not in caught.value.faults[0].line("sv")
