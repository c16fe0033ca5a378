"""The forms in which commands write statistics: the ending of the file decides."""

import io

import openpyxl
import pytest

from ibic_fidelity.foundation.files import bundled

LQ2002 = bundled("instruments") / "lq2002" / "lq2002.csv"


def call(cli, path, *more):
    return cli("reliability", LQ2002, "--instrument", "lq2002", "-o", path, *more)


def test_a_page(cli, tmp_path):
    ran = call(cli, tmp_path / "r.html", "--lang", "en")
    assert ran.code == 0
    assert ran.out.splitlines()[-1].endswith("r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").splitlines()[1] == '<html lang="en">'


def test_a_workbook_whatever_the_case_of_its_ending(cli, tmp_path):
    assert call(cli, tmp_path / "R.XLSX").code == 0
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "R.XLSX").read_bytes()), read_only=True)
    assert book.sheetnames == ["Läs mig", "Komponenter", "Frågor", "Kompanier", "Lång tabell"]


@pytest.mark.parametrize("name", ["r.pdf", "r", "r.xls"])
def test_another_ending_is_told_before_anything_is_read(cli, tmp_path, name):
    ran = cli("reliability", tmp_path / "no-such-file.csv", "-o", tmp_path / name)
    assert ran.code == 2
    assert all(ending in ran.err for ending in (name, ".html", ".xlsx", ".csv"))
    assert not (tmp_path / name).exists()


def test_a_file_that_exists_stays_unless_forced(cli, tmp_path):
    (tmp_path / "r.html").write_text("mine", encoding="utf-8")
    assert call(cli, tmp_path / "r.html").code == 4
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == "mine"
    assert call(cli, tmp_path / "r.html", "--force").code == 0
    assert (tmp_path / "r.html").read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize("command", [("reliability",), ("raters",), ("check",)])
def test_a_file_of_answers_is_never_written_over(cli, tmp_path, command):
    answers = tmp_path / "svar.csv"
    answers.write_bytes((bundled("data/synthetic") / "certification.csv").read_bytes())
    before = answers.read_bytes()
    ran = cli(*command, answers, "--table" if command[0] == "check" else "-o", answers, "--force")
    assert ran.code == 2
    assert "skrivs aldrig över" in ran.err
    assert answers.read_bytes() == before


def test_a_folder_is_no_file(cli, tmp_path):
    ran = cli("raters", bundled("data/synthetic") / "pilot.csv", "-o", tmp_path, "--force")
    assert ran.code == 2
    assert "är en mapp" in ran.err or "måste sluta på" in ran.err or "slut" in ran.err


def test_the_demo_leaves_a_folder_of_other_files_alone(cli, tmp_path):
    (tmp_path / "index.html").write_text("mitt eget", encoding="utf-8")
    ran = cli("demo", "-o", tmp_path)
    assert ran.code == 4
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mitt eget"


def test_several_waves_are_not_pooled(cli):
    retest = bundled("data/synthetic") / "retest.csv"
    for command in ("reliability", "raters"):
        ran = cli(command, retest)
        assert ran.code == 2
        assert "2026-03, 2026-04" in ran.err
        assert cli(command, retest, "--wave", "2026-03").code == 0


def test_a_part_of_an_export_is_read(cli, tmp_path):
    """Rows of one source with the empty columns of the others, as Excel filters them."""
    lines = (bundled("data/synthetic") / "pilot.csv").read_text(encoding="utf-8-sig").splitlines()
    for source in ("assessor", "user", "relative"):
        part = tmp_path / f"{source}.csv"
        part.write_text(
            "\n".join([lines[0], *(line for line in lines[1:] if line.startswith(source))]), encoding="utf-8"
        )
        ran = cli("check", part)
        assert ran.code == 0, ran.out


def test_a_rater_without_a_file_of_the_gold_standard_is_named(cli, tmp_path):
    text = (bundled("data/synthetic") / "certification.csv").read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    at = lines[0].split(";").index("granskare"), lines[0].split(";").index("id")
    made = []
    for line in lines[1:]:
        cells = line.split(";")
        if cells[at[0]] == "g01":
            cells[at[1]] = "x" + cells[at[1]]
        made.append(";".join(cells))
    path = tmp_path / "felid.csv"
    path.write_text("\n".join([lines[0], *made]), encoding="utf-8")
    assert "g01: inga ärenden gemensamma" in cli("certify", path, "--gold", "facit").out


def test_names_that_differ_in_case_only_are_told(cli, tmp_path):
    text = (bundled("data/synthetic") / "certification.csv").read_text(encoding="utf-8-sig")
    path = tmp_path / "versal.csv"
    path.write_text(text.replace(";g02;", ";G02;", 3), encoding="utf-8")
    assert "G02 / g02" in cli("check", path).out
