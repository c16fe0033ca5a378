"""Every command as its user meets it: what it prints, writes, and returns."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.scoring.scores import Scores

PROGRAM = Path(sys.executable).parent / "ibic-fidelity"
LQ2002 = bundled("instruments") / "lq2002" / "lq2002.csv"


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Score the pilot once, in a process of its own, as a user does."""
    out = tmp_path_factory.mktemp("score") / "ut"
    program = PROGRAM
    pilot = bundled("data/synthetic") / "pilot.csv"
    ran = subprocess.run(
        [program, "score", pilot, "-o", out, "--lang", "en"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return out, ran.stdout


def test_check_of_the_pilot_finds_nothing_wrong(cli, pilot_path):
    swedish, english = cli("check", pilot_path), cli("check", pilot_path, "--lang", "en")
    assert (swedish.code, english.code) == (0, 0)
    assert "Inga fel" in swedish.out
    assert "No faults" in english.out
    assert "24 platser" in swedish.out


def test_score_writes_json_workbook_and_pages_and_says_what_it_found(scored):
    out, printed = scored
    assert "24 municipalities scored" in printed
    assert "SYNTHETIC DATA" in printed
    assert "shown for 22, withheld for 2" in printed
    for name in ("scores.json", "scores.xlsx", "index.html"):
        assert (out / name).is_file()
        assert str(out / name) in printed
    assert len(list(out.glob("*.html"))) == 25
    scores = Scores.from_json((out / "scores.json").read_text(encoding="utf-8"))
    assert len(scores.sites) == 24
    assert json.loads((out / "scores.json").read_text(encoding="utf-8"))["schema"] == "ibic.scores/1"


def test_pages_need_no_network_and_no_script(scored):
    out, _ = scored
    for page in out.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text
        assert 'src="http' not in text
        assert "@import" not in text


def test_score_replaces_nothing_without_force(cli, pilot_path, tmp_path):
    (tmp_path / "scores.json").write_text("mine", encoding="utf-8")
    refused = cli("score", pilot_path, "-o", tmp_path)
    assert refused.code == 4
    assert "--force" in refused.err
    assert (tmp_path / "scores.json").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


def test_score_twice_gives_the_same_bytes(cli, tmp_path):
    for name in ("one", "two"):
        assert cli("score", LQ2002, "--instrument", "lq2002", "-o", tmp_path / name).code == 0
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_second_instrument_is_scored_in_its_own_words(cli, tmp_path):
    ran = cli("score", LQ2002, "--instrument", "lq2002", "-o", tmp_path / "ut")
    assert ran.code == 0
    assert "49 kompanier poängsatta" in ran.out
    assert "kommun" not in ran.out
    for page in (tmp_path / "ut").glob("*.html"):
        assert "kommun" not in page.read_text(encoding="utf-8").lower(), page.name


def test_reliability_of_the_second_instrument(cli, tmp_path):
    path = tmp_path / "reliability.csv"
    ran = cli("reliability", LQ2002, "--instrument", "lq2002", "--lang", "en", "-o", path)
    assert ran.code == 0
    printed = cli("reliability", LQ2002, "--instrument", "lq2002", "--lang", "en")
    assert "ICC(1), how alike answers within a site are: .09 (" in printed.out
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))
    icc1 = {row["component"]: row["estimate"] for row in rows if row["statistic"] == "icc1"}
    assert {name: round(float(value.replace(",", ".")), 5) for name, value in icc1.items()} == {
        "lead": 0.08796,
        "tsig": 0.08038,
        "hostile": 0.05400,
    }


def test_simulate_writes_what_check_accepts(cli, tmp_path):
    assert cli("simulate", "-o", tmp_path, "--sites", 4, "--files", 20, "--seed", 3).code == 0
    assert cli("check", tmp_path / "answers.csv").code == 0
    again = tmp_path / "again"
    assert cli("simulate", "-o", again, "--sites", 4, "--files", 20, "--seed", 3).code == 0
    for name in ("answers.csv", "truth.csv", "outcomes.csv"):
        assert (tmp_path / name).read_bytes() == (again / name).read_bytes()


def test_demo_replaces_its_own_and_ends_by_saying_which_files_to_open(cli, tmp_path):
    first = cli("demo", "-o", tmp_path / "demo", "--lang", "en")
    second = cli("demo", "-o", tmp_path / "demo", "--lang", "en")
    assert (first.code, second.code) == (0, 0)
    assert "index.html" in first.out.splitlines()[-1]
    assert first.out == second.out
    for name in ("index.html", "scores.xlsx", "scores.json", "reliability.html", "raters.html", "pilot.csv"):
        assert (tmp_path / "demo" / name).is_file()


def test_demo_does_not_replace_a_pilot_that_somebody_changed(cli, tmp_path):
    (tmp_path / "pilot.csv").write_text("mine", encoding="utf-8")
    ran = cli("demo", "-o", tmp_path)
    assert ran.code == 4
    assert (tmp_path / "pilot.csv").read_text(encoding="utf-8") == "mine"


def test_instruments_are_listed_shown_and_checked(cli):
    listed = cli("instrument", "list", "--lang", "en")
    assert listed.code == 0
    assert {line.split(":")[0] for line in listed.out.splitlines()} == {"bfi", "ibic", "lq2002"}
    shown = cli("instrument", "show", "ibic")
    assert "kandidat, inte validerat" in shown.out
    assert "UT1" in shown.out
    columns = [line.split("\t") for line in cli("instrument", "show", "ibic", "--columns").out.splitlines()]
    pilot = (bundled("data/synthetic") / "pilot.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(";")
    assert {line[1] for line in columns if line[0] not in ("guardian", "child")} <= set(pilot)  # none in the pilot
    told = {line[1]: line for line in columns}
    assert told["ut1a"][2] == "0 = Nej; 1 = Ja; 8 = vet ej; 9 = ej aktuellt"
    assert told["bu1"][2].startswith("0 = Minst en beviljad insats saknar mål")
    assert "2 = " in told["ut5"][2]
    assert "LSS: 0 = Minst en insats enligt LSS" in told["bu3"][2]
    assert all(line[4] for line in columns if "9 = " in line[2] and line[0] == "files")
    assert cli("instrument", "check", "ibic", "--lang", "en").out.splitlines()[-1].startswith("104 items; 0 warnings")


def test_faults_can_be_written_to_a_table(cli, pilot_path, tmp_path):
    text = pilot_path.read_text(encoding="utf-8-sig").replace(";0114;", ";114;")
    (tmp_path / "fel.csv").write_text(text, encoding="utf-8")
    ran = cli("check", tmp_path / "fel.csv", "--table", tmp_path / "faults.csv")
    assert ran.code == 3
    rows = list(csv.DictReader(io.StringIO((tmp_path / "faults.csv").read_text(encoding="utf-8-sig")), delimiter=";"))
    assert len(rows) == len(re.findall(r"^\w+;114;", text, re.MULTILINE)) > 100
    assert {row["value"] for row in rows} == {"114"}
    assert "0114" in rows[0]["remedy"] + rows[0]["rule"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["score"], 2),
        (["nonsense"], 2),
        (["check", "svar.csv", "--lang", "fi"], 2),
        (["check", "svar.csv", "--seed", "abc"], 2),
        (["check", "finns-inte.csv"], 4),
        (["check", "finns-inte.csv", "--instrument", "okänt"], 2),
        (["instrument", "show", "mapp/instrument.yaml"], 4),
        (["--version"], 0),
        (["--help"], 0),
    ],
)
def test_exit_codes_of_wrong_use_and_of_files(cli, arguments, code):
    ran = cli(*arguments)
    assert ran.code == code
    assert "Traceback" not in ran.text


def test_confidence_outside_its_range_is_wrong_use(cli, tmp_path):
    ran = cli("score", LQ2002, "--instrument", "lq2002", "-o", tmp_path / "ut", "--confidence", "1.5")
    assert ran.code == 2
    assert "1.5" in ran.err
    assert not (tmp_path / "ut").exists()


def test_a_closed_pipe_is_quiet(pilot_path):
    program = PROGRAM
    ran = subprocess.run(
        f"'{program}' instrument show | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert ran.stderr == ""


def test_a_console_without_swedish_letters_gets_the_same_numbers(pilot_path):
    program = PROGRAM
    env = {**os.environ, "LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ran = subprocess.run([program, "check", pilot_path], capture_output=True, check=False, env=env)
    assert ran.returncode == 0
    assert b"2908" not in ran.stderr
    assert b"Traceback" not in ran.stderr
