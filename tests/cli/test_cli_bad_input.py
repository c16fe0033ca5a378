"""Bad input, one row a case: the named outcome, in both languages, never a traceback, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

MINI = Path(__file__).parent.parent / "instruments" / "mini"
HEADER = "source;site;unit;cluster;rater;a1;a2;a3a;a3b;a3c;b1;b1n;c1;c2"
GOOD = [
    HEADER,
    *(f"files;0114;u{i};h{i % 2};g1;{i % 2};0;1;1;0;;;;" for i in range(6)),
    "register;0114;r1;;;;;;;;80,5;40;;",
    *(f"user;0114;p{i};;;;2;;;;;;{1 + i % 3};2" for i in range(6)),
]
REGISTER = "code,name\n0114,Upplands Väsby\n0180,Stockholm\n0305,Håbo\n"


def changed(row, old, new):
    rows = list(GOOD)
    assert old in rows[row]
    rows[row] = rows[row].replace(old, new)
    return "\n".join(rows) + "\n"


def without(column):
    place = HEADER.split(";").index(column)
    return "\n".join(";".join(c for j, c in enumerate(row.split(";")) if j != place) for row in GOOD) + "\n"


@pytest.fixture
def instrument(tmp_path):
    """The small instrument, with a register of three municipalities."""
    folder = tmp_path / "instrument"
    folder.mkdir()
    text = (MINI / "instrument.yaml").read_text(encoding="utf-8")
    text = text.replace(
        "many: {sv: kommuner, en: municipalities}", "many: {sv: kommuner, en: municipalities}\n  register: r.csv"
    )
    (folder / "instrument.yaml").write_text(text, encoding="utf-8")
    (folder / "r.csv").write_text(REGISTER, encoding="utf-8")
    return folder


#  case: (text of the file, exit code, Swedish words, English words)
BAD = {
    "empty file": ("", 3, "tom", "empty"),
    "header only": (HEADER + "\n", 3, "0 svar", "0 answers"),
    "missing item column": (without("a2"), 3, "a2", "a2"),
    "value outside its scale": (changed(1, ";0;0;", ";7;0;"), 3, "rad 2, kolumn a1", "row 2, column a1"),
    "duplicated respondent": ("\n".join([*GOOD, GOOD[1]]) + "\n", 3, "rad 15", "row 15"),
    "same id, other answers": (changed(2, ";u1;h1;", ";u0;h0;"), 3, "rad 3", "row 3"),
    "180 for 0180": (changed(1, ";0114;", ";180;"), 3, "0180", "0180"),
    "formula in an answer": (changed(1, ";0;0;", ";=1+1;0;"), 3, "=1+1", "=1+1"),
    "markup in an answer": (changed(1, ";0;0;", ";<script>;0;"), 3, "<script>", "<script>"),
    "unknown site": (changed(1, ";0114;", ";9999;"), 3, "9999", "9999"),
}


@pytest.mark.parametrize("case", list(BAD))
@pytest.mark.parametrize("command", ["check", "score"])
def test_bad_files_get_their_named_outcome(cli, instrument, tmp_path, case, command):
    text, code, swedish, english = BAD[case]
    path = tmp_path / "svar.csv"
    path.write_text(text, encoding="utf-8")
    out = ["-o", tmp_path / "ut"] if command == "score" else []
    for lang, words in (("sv", swedish), ("en", english)):
        ran = cli(command, path, "--instrument", instrument, "--lang", lang, *out)
        assert ran.code == code, ran.text
        assert words.casefold() in ran.text.casefold(), ran.text
        assert "Traceback" not in ran.text
    assert not (tmp_path / "ut").exists()
    assert path.read_text(encoding="utf-8") == text


def test_every_fault_is_told_at_once(cli, instrument, tmp_path):
    rows = list(GOOD)
    rows[1] = rows[1].replace("0114", "114").replace(";0;0;", ";7;0;")
    rows[9] = rows[9].replace(";2;;;;;;", ";9;;;;;;")
    (tmp_path / "svar.csv").write_text("\n".join(rows), encoding="utf-8")
    ran = cli("check", tmp_path / "svar.csv", "--instrument", instrument)
    assert ran.code == 3
    assert "3 fel" in ran.text, ran.text


def test_a_personnummer_stops_everything_and_is_never_repeated(cli, instrument, tmp_path):
    (tmp_path / "svar.csv").write_text(changed(1, ";u0;", ";19811228-9874;"), encoding="utf-8")
    for lang in ("sv", "en"):
        ran = cli("check", tmp_path / "svar.csv", "--instrument", instrument, "--lang", lang)
        assert ran.code == 3
        assert ("personnummer" if lang == "sv" else "personal or coordination number") in ran.text
        assert "9874" not in ran.text


def test_one_respondent_in_a_municipality_gets_too_few_and_no_figure(cli, instrument, tmp_path):
    rows = [*GOOD, "user;0305;q1;;;;2;;;;;;3;2"]
    (tmp_path / "svar.csv").write_text("\n".join(rows), encoding="utf-8")
    ran = cli("score", tmp_path / "svar.csv", "--instrument", instrument, "-o", tmp_path / "ut")
    assert ran.code == 0
    page = next((tmp_path / "ut").glob("0305*.html")).read_text(encoding="utf-8")
    assert "för få" in page
    assert "<svg" not in page or "100,0" not in page


def test_markup_in_a_name_is_escaped_in_every_page(cli, instrument, tmp_path):
    (instrument / "r.csv").write_text(REGISTER.replace("Håbo", "<script>alert(1)</script>"), encoding="utf-8")
    rows = [row.replace("0114", "0305") for row in GOOD]
    (tmp_path / "svar.csv").write_text("\n".join(rows), encoding="utf-8")
    assert cli("score", tmp_path / "svar.csv", "--instrument", instrument, "-o", tmp_path / "ut").code == 0
    pages = list((tmp_path / "ut").glob("*.html"))
    assert len(pages) == 2
    for page in pages:
        assert "<script>" not in page.read_text(encoding="utf-8")


BOMB = "a: &a [x, x]\nb: [*a, *a]\n"
YAML = {
    "duplicate key": (lambda text: text + "\nversion: 0.2.0\n", 3, "version"),
    "alias bomb": (lambda text: BOMB + text, 3, "alias"),
    "unquoted 0114 as an id": (lambda text: text.replace("- id: a1\n", "- id: 0114\n"), 3, "0114"),
    "no as a key": (lambda text: text.replace("title: {sv:", "title: {no: x, sv:"), 3, "title.no"),
    "tab": (lambda text: text.replace("  one: {sv: kommun", "\tone: {sv: kommun"), 3, "instrument.yaml"),
    "empty": (lambda _: "", 3, "instrument.yaml"),
}


@pytest.mark.parametrize("case", list(YAML))
def test_bad_yaml_is_refused_with_file_and_line(cli, instrument, tmp_path, case):
    change, code, words = YAML[case]
    path = instrument / "instrument.yaml"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    (tmp_path / "svar.csv").write_text("\n".join(GOOD), encoding="utf-8")
    for lang in ("sv", "en"):
        ran = cli("check", tmp_path / "svar.csv", "--instrument", instrument, "--lang", lang)
        assert ran.code == code, ran.text
        assert words in ran.text, ran.text
        assert "rad " in ran.text if lang == "sv" else "row " in ran.text
        assert "Traceback" not in ran.text
