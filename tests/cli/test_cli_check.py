"""What ``check`` prints of many faults: structure first, alike ones once, a count by kind at the end."""

from __future__ import annotations

import csv

import pytest


@pytest.fixture
def faulty(pilot_path, tmp_path):
    """Return the pilot with one site's code cut short and an answer column renamed."""
    text = pilot_path.read_text(encoding="utf-8-sig").replace(";0114;", ";114;").replace(";ut2;", ";ut_2;", 1)
    path = tmp_path / "fel.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_check_prints_structure_first_and_alike_faults_once(cli, faulty):
    ran = cli("check", faulty)
    assert ran.code == 3
    lines = ran.out.splitlines()
    assert "ut2" in lines[0]
    alike = [line for line in lines if "kommun_kod [114]" in line]
    assert len(alike) == 1
    assert " rader (2, 3, 4, 5, 6, …)" in alike[0]
    assert any(line.strip().endswith("× Koden finns inte i registret (kommun).") for line in lines)
    assert lines.index("Per slag:") > lines.index(alike[0])


def test_check_all_prints_and_table_keeps_one_line_a_fault(cli, faulty, tmp_path):
    ran = cli("check", faulty, "--all", "--table", tmp_path / "faults.csv", "--lang", "en")
    with (tmp_path / "faults.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file, delimiter=";"))
    alike = [row for row in written if row["value"] == "114"]
    assert len(alike) > 100
    assert sum("[114]" in line for line in ran.out.splitlines()) == len(alike)


def test_score_prints_alike_faults_once(cli, faulty, tmp_path):
    ran = cli("score", faulty, "-o", tmp_path / "ut")
    assert ran.code == 3
    assert ran.text.count("kommun_kod [114]") == 1
