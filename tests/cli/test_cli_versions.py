"""The commands that compare and revise versions of an instrument."""

from pathlib import Path

from ibic_fidelity.instrument.reading import load_instrument

MINI = Path(__file__).parents[1] / "instruments/mini"
HEAD = "fråga;beslut;underlag;datum;fält;svenska;engelska\n"


def test_revise_writes_a_version_that_diff_compares(cli, tmp_path):
    decisions = tmp_path / "beslut.csv"
    decisions.write_text(HEAD + "a2;stryk;Panel;2026-11-01;;;\n", encoding="utf-8")
    ran = cli("instrument", "revise", MINI, decisions, "--version", "0.2.0", "-o", tmp_path / "ny")
    assert ran.code == 0, ran.text
    assert load_instrument(tmp_path / "ny").changes[0].item == "a2"
    assert "Inte jämförbara (1): a2." in ran.out
    again = cli("instrument", "revise", MINI, decisions, "--version", "0.2.0", "-o", tmp_path / "ny")
    assert again.code == 4
    shown = cli("instrument", "diff", MINI, tmp_path / "ny", "--lang", "en")
    assert shown.code == 0
    assert "a2: dropped from a: Two" in shown.out


def test_a_dropped_gate_is_refused_with_its_row(cli, tmp_path):
    decisions = tmp_path / "beslut.csv"
    decisions.write_text(HEAD + "a1;stryk;Panel;2026-11-01;;;\n", encoding="utf-8")
    ran = cli("instrument", "revise", MINI, decisions, "--version", "0.2.0", "-o", tmp_path / "ny")
    assert ran.code == 3
    assert "beslut.csv, rad 2: a1 är en grind" in ran.err
    assert not (tmp_path / "ny").exists()
