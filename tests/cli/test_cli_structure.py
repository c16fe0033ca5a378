"""``structure``: text, page, workbook, table; one scale; what is refused."""

import io

import openpyxl
import pytest

from ibic_fidelity.foundation.files import bundled

BFI = bundled("instruments") / "bfi" / "bfi.csv"
SAME = ("--instrument", "bfi", "--scale", "neuro", "--lang", "en")


def test_text_of_one_scale(cli):
    ran = cli("structure", BFI, *SAME)
    assert ran.code == 0
    assert "components by parallel analysis: 1, n = 2694" in ran.out.lower()
    assert "categorical omega" in ran.out
    assert "[agree]" not in ran.out


@pytest.mark.parametrize("ending", ["html", "xlsx", "csv"])
def test_a_file_of_each_kind(cli, tmp_path, ending):
    path = tmp_path / f"s.{ending}"
    assert cli("structure", BFI, *SAME, "-o", path).code == 0
    content = path.read_bytes()
    if ending == "html":
        assert b"<svg" in content
        assert b"must not be reported" in content  # ordinal alpha says what it is
    elif ending == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Components"].max_row >= 8
    else:
        assert "categorical_omega" in content.decode()


def test_a_scale_that_is_none_is_told_with_those_there_are(cli):
    ran = cli("structure", BFI, "--instrument", "bfi", "--scale", "nobody")
    assert ran.code == 2
    assert all(name in ran.err for name in ("nobody", "neuro", "agree"))
