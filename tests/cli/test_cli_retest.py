"""``ibic-fidelity retest`` as its user meets it: what it prints and writes, and what bad input gets."""

from __future__ import annotations

import csv
import io

import pytest

from ibic_fidelity.foundation.files import bundled

GOOD = ("--first", "2026-03", "--second", "2026-04")


@pytest.fixture(scope="session")
def retest_path():
    return bundled("data/synthetic") / "retest.csv"


@pytest.fixture(scope="session")
def small(retest_path):
    """The rows of the bundled retest that relatives answered, with the columns that they use."""
    rows = list(csv.reader(io.StringIO(retest_path.read_text(encoding="utf-8-sig")), delimiter=";"))
    rows = [rows[0], *(row for row in rows[1:] if row[0] == "relative")]
    used = [j for j, _ in enumerate(rows[0]) if any(row[j] for row in rows[1:])]
    return [[row[j] for j in used] for row in rows]


def written(path, rows):
    path.write_text("\n".join(";".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def changed(rows, column, value):
    place = rows[0].index(column)
    return [rows[0], *([*row[:place], value(row[place], row), *row[place + 1 :]] for row in rows[1:])]


def first_only(rows):
    return [rows[0], *(row for row in rows[1:] if row[rows[0].index("omgang")] == "2026-03")]


def test_retest_prints_what_it_found_in_both_languages(cli, retest_path, tmp_path):
    written = cli("retest", retest_path, *GOOD, "-o", tmp_path / "omtest.csv")
    assert written.code == 0
    assert "Ny granskning av nya ärenden: 10 platser." in written.out
    assert "[total_core]" not in written.out  # what is written is not printed, too
    swedish = cli("retest", retest_path, *GOOD)
    english = cli("retest", retest_path, *GOOD, "--lang", "en")
    assert (swedish.code, english.code) == (0, 0)
    for words in (
        "SYNTETISKA DATA",
        "Första tillfället är 2026-03, andra är 2026-04.",
        "Personer med stöd: svarade båda gångerna 152 (omtestet)",
        "Ny granskning av nya ärenden: 10 platser.",
        "Följsamhet, kärna [total_core]\n  ny granskning, ICC(A,1) över platser: 0,",
        "granskare g03: drift (poäng; under 0 är strängare) −",
    ):
        assert words in swedish.out, words
    for words in ("SYNTHETIC DATA", "Re-audit on fresh files: 10 sites.", "retest, ICC(A,1): ."):
        assert words in english.out, words
    table = (tmp_path / "omtest.csv").read_text(encoding="utf-8-sig").splitlines()
    assert table[0].split(";")[-1] == "rater"
    assert any(";retest_kappa;" in line for line in table)


#  case: (what becomes of the rows, options, exit code, Swedish words, English words)
BAD = {
    "unknown wave": (None, ("2026-03", "2026-05"), 2, "omgång 2026-05; de som finns är 2026-03, 2026-04", "2026-05"),
    "wave in other words": (None, ("mars", "2026-04"), 2, "omgång mars; de som finns är 2026-03", "no wave mars"),
    "same wave twice": (None, ("2026-03", "2026-03"), 2, "samma omgång, 2026-03", "same wave, 2026-03"),
    "retest before test": (
        None, ("2026-04", "2026-03"), 2, "första tillfället är angivet som 2026-04 och andra som 2026-03",
        "as 2026-04 and the second as 2026-03",
    ),
    "no wave key": (
        lambda rows: changed(first_only(rows), "omgang", lambda *_: ""), ("2026-03", "2026-04"), 3,
        "ingen rad har en omgång. Lägg till kolumnen omgang", "no row has a wave. Add the column omgang",
    ),
    "only one wave": (
        first_only, ("2026-03", "2026-04"), 2,
        "omgång 2026-04; de som finns är 2026-03. Ange", "no wave 2026-04; there are 2026-03",
    ),
    "both occasions under one wave": (
        lambda rows: changed(rows, "omgang", lambda *_: "2026-03"), ("2026-03", "2026-04"), 3,
        "Samma id står två gånger med olika svar", "same id",
    ),
    "no ids": (
        lambda rows: changed(rows, "id", lambda *_: ""), ("2026-03", "2026-04"), 3,
        "Svaren har inga id, så ingen kan paras ihop", "The answers have no ids",
    ),
    "other ids the second time": (
        lambda rows: changed(rows, "id", lambda text, row: f"{text}{row[rows[0].index('omgang')][-2:]}"),
        ("2026-03", "2026-04"), 3, "Inget id finns i både 2026-03 och 2026-04", "No id is in both 2026-03 and 2026-04",
    ),
    "a wave left blank": (
        lambda rows: [*rows[:5], *changed([rows[0], rows[5]], "omgang", lambda *_: "")[1:], *rows[6:]],
        ("2026-03", "2026-04"), 3, "omgang är tom här, men ifylld på andra rader", "omgang is blank",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_gets_its_sentence(cli, small, tmp_path, case):
    change, (first, second), code, swedish, english = BAD[case]
    path = written(tmp_path / "svar.csv", change(small) if change else small)
    out = tmp_path / "ut.csv"
    for lang, words in (("sv", swedish), ("en", english)):
        ran = cli("retest", path, "--first", first, "--second", second, "-o", out, "--lang", lang)
        assert ran.code == code, ran.text
        assert words in ran.err, ran.err
        assert "Traceback" not in ran.text
        assert not out.exists()


def test_both_waves_must_be_named(cli, retest_path):
    ran = cli("retest", retest_path, "--first", "2026-03")
    assert ran.code == 2
    assert "--second" in ran.err


def test_a_pilot_of_one_occasion_is_no_retest(cli, pilot_path):
    ran = cli("retest", pilot_path, *GOOD)
    assert ran.code == 3
    assert "ingen rad har en omgång" in ran.err


def test_what_is_written_is_not_replaced_unasked(cli, small, tmp_path):
    path, out = written(tmp_path / "svar.csv", small), tmp_path / "ut.csv"
    out.write_text("mine", encoding="utf-8")
    assert cli("retest", path, *GOOD, "-o", out).code == 4
    assert out.read_text(encoding="utf-8") == "mine"
    assert cli("retest", path, *GOOD, "-o", out, "--force").code == 0
    assert "retest_icc" in out.read_text(encoding="utf-8-sig")
