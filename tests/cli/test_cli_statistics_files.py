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
