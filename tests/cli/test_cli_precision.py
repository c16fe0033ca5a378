"""``precision``: text, page, workbook, table, and the calibration file that an instrument reads."""

import io
import shutil

import openpyxl
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.foundation.files import bundled

LQ2002 = bundled("instruments") / "lq2002" / "lq2002.csv"
RETEST = bundled("data/synthetic") / "retest.csv"


def test_text_ends_with_a_sentence_a_component(cli):
    ran = cli("precision", LQ2002, "--instrument", "lq2002", "--lang", "en")
    assert ran.code == 0
    assert "Leadership climate:" in ran.out.split("In one sentence each:")[1].split("How precisely")[0]


@pytest.mark.parametrize("ending", ["html", "xlsx", "csv"])
def test_a_file_of_each_kind(cli, tmp_path, ending):
    path = tmp_path / f"p.{ending}"
    ran = cli("precision", LQ2002, "--instrument", "lq2002", "--lang", "en", "-o", path)
    assert ran.code == 0
    content = path.read_bytes()
    if ending == "html":
        assert "respondents per site" in content.decode().lower()
        assert content.count(b"<svg") == 2 + 2  # shares of two sources of variation, a plan a component
    elif ending == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Components"]
        assert sheet.max_row > 20
    else:
        assert "needed_respondents" in content.decode()


def test_a_goal_in_percent_is_told(cli):
    ran = cli("precision", LQ2002, "--instrument", "lq2002", "--goal", "80")
    assert ran.code == 2
    assert "--goal" in ran.err


def test_the_calibration_goes_into_an_instrument_and_scoring_reads_it(cli, tmp_path):
    folder = tmp_path / "ibic"
    shutil.copytree(bundled("instruments") / "ibic", folder)
    ran = cli(
        "precision", RETEST, "--occasions", "2026-03,2026-04", "--calibration", folder / "calibration.yaml",
        "-o", tmp_path / "p.csv",
    )  # fmt: skip
    assert ran.code == 0
    assert "calibration_file" in ran.out
    main = folder / "instrument.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "\ncalibration_file: calibration.yaml\n", encoding="utf-8")
    instrument = ibic.load_instrument(folder)
    responses = ibic.read_responses(bundled("data/synthetic") / "pilot.csv", instrument)
    spread = ibic.score_municipalities(responses, instrument).spread
    files = [row for row in spread.rows() if row["source"] == "files" and row["target"] == "total_core"]
    assert files[0]["occasions"] > 0


@pytest.mark.parametrize("waves", ["2026-03", "2026-03,", "a,b,c"])
def test_occasions_are_two(cli, waves):
    ran = cli("precision", RETEST, "--occasions", waves, "--calibration", "x.yaml")
    assert ran.code == 2
    assert waves in ran.err


def test_occasions_alone_and_another_ending_are_refused(cli, tmp_path):
    assert "--calibration" in cli("precision", RETEST, "--occasions", "2026-03,2026-04").err
    ran = cli("precision", LQ2002, "--instrument", "lq2002", "--calibration", tmp_path / "k.txt")
    assert ran.code == 2
    assert ".yaml" in ran.err


def test_a_wave_that_is_not_there_is_told(cli, tmp_path):
    ran = cli("precision", RETEST, "--occasions", "2026-03,2027-01", "--calibration", tmp_path / "k.yaml")
    assert ran.code == 2
    assert "2027-01" in ran.err


def test_a_calibration_is_not_written_over_what_is_there_or_the_answers(cli, tmp_path):
    there = tmp_path / "c.yaml"
    there.write_text("mine", encoding="utf-8")
    assert cli("precision", LQ2002, "--instrument", "lq2002", "--calibration", there).code == 4
    assert there.read_text(encoding="utf-8") == "mine"
