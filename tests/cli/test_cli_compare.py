"""Comparing and publishing from the command line, and both estimands of `score`."""

import csv
import json

import openpyxl
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.responses.writing import responses_csv


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """A small study as a file of answers."""
    folder = tmp_path_factory.mktemp("answers")
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=6, files=22), seed=1)
    path = folder / "svar.csv"
    path.write_text(responses_csv(study.responses, study.instrument), encoding="utf-8-sig")
    return path


def test_compare_writes_a_page_a_workbook_and_json(cli, answers, tmp_path):
    ran = cli("compare", answers, "-o", tmp_path / "ut")
    assert ran.code == 0, ran.err
    made = ibic.OverallComparison.from_json((tmp_path / "ut" / "comparison.json").read_text(encoding="utf-8"))
    assert made.target == "total_core"
    assert (tmp_path / "ut" / "comparison.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "Par" in openpyxl.load_workbook(tmp_path / "ut" / "comparison.xlsx").sheetnames
    assert cli("compare", answers, "-o", tmp_path / "ut").code == 4  # nothing is replaced without --force


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_groups_and_weights_of_a_file_from_excel(cli, answers, tmp_path, encoding):
    sites = sorted({line.split(";")[1] for line in answers.read_text(encoding="utf-8-sig").splitlines()[1:]})
    codes = [code for code in sites if code.isdigit()]
    groups = tmp_path / "grupper.csv"
    lines = [f"{code};{'Små städer' if i % 2 else 'Större städer'}" for i, code in enumerate(codes)]
    groups.write_text("\n".join(["kommun_kod;grupp", *lines]), encoding=encoding)
    instrument = ibic.load_instrument("ibic")
    core = instrument.components_of(instrument.totals[0])
    weights = tmp_path / "vikter.csv"
    shares = [0.3, *[0.7 / (len(core) - 1)] * (len(core) - 1)]
    rows = [f"{part.id};{f'{share:.12f}'.replace('.', ',')}" for part, share in zip(core, shares, strict=True)]
    weights.write_text("\n".join(["component;weight", *rows]), encoding=encoding)
    ran = cli("compare", answers, "-o", tmp_path / "ut", "--groups", groups, "--weights", weights)
    assert ran.code == 0, ran.err
    made = ibic.OverallComparison.from_json((tmp_path / "ut" / "comparison.json").read_text(encoding="utf-8"))
    assert set(made.peers.rows["other"]) <= {"Små städer", "Större städer"}
    assert made.weights.changed_given >= 0


def test_groups_whose_codes_lost_their_zeros_are_refused(cli, answers, tmp_path):
    (tmp_path / "grupper.csv").write_text("kommun_kod;grupp\n114;a\n2584;a\n", encoding="utf-8")
    ran = cli("compare", answers, "-o", tmp_path / "ut", "--groups", tmp_path / "grupper.csv")
    assert ran.code == 2
    assert "0114" in ran.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("del;vikt\nut;1", "component"),
        ("component;weight\nut;mycket", "mycket"),
        ("component;weight\nut;0,5\nut;0,5", "ut"),
        ("component;weight\nut;1", "ut"),
    ],
)
def test_bad_weights_are_told(cli, answers, tmp_path, content, words):
    (tmp_path / "vikter.csv").write_text(content, encoding="utf-8")
    ran = cli("compare", answers, "-o", tmp_path / "ut", "--weights", tmp_path / "vikter.csv")
    assert ran.code == 2
    assert words in ran.err
    assert not (tmp_path / "ut" / "comparison.html").exists()


def test_publish_writes_a_table_and_json_and_says_what_is_hidden(cli, answers, tmp_path):
    ran = cli("publish", answers, "-o", tmp_path / "poang.csv", "--lang", "en")
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader((tmp_path / "poang.csv").read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
    assert rows
    assert "Not shown" in ran.out
    assert cli("publish", answers, "-o", tmp_path / "poang.json").code == 0
    data = json.loads((tmp_path / "poang.json").read_text(encoding="utf-8"))
    assert data["schema"] == "ibic.published/1"
    assert "std_error" not in data["rows"]


def test_publish_refuses_other_endings_and_the_answers_themselves(cli, answers, tmp_path):
    assert cli("publish", answers, "-o", tmp_path / "poang.xlsx").code == 2
    assert cli("publish", answers, "-o", answers, "--force").code == 2


def test_this_period_has_pages_of_sites_and_none_of_all(cli, answers, tmp_path):
    ran = cli("score", answers, "-o", tmp_path / "ut", "--estimand", "this_period")
    assert ran.code == 0, ran.err
    assert not (tmp_path / "ut" / "index.html").exists()
    scores = ibic.Scores.from_json((tmp_path / "ut" / "scores.json").read_text(encoding="utf-8"))
    assert scores.estimand == "this_period"
    assert len(list((tmp_path / "ut").glob("*.html"))) == len(scores.sites)


def test_the_bootstrap_has_a_sheet_of_its_own(cli, answers, tmp_path):
    ran = cli("score", answers, "-o", tmp_path / "ut", "--bootstrap", "200", "--seed", "3", "--lang", "en")
    assert ran.code == 0, ran.err
    book = openpyxl.load_workbook(tmp_path / "ut" / "scores.xlsx")
    scores = ibic.Scores.from_json((tmp_path / "ut" / "scores.json").read_text(encoding="utf-8"))
    assert book["Bootstrap"].max_row == 1 + len(scores.bootstrap)
    assert scores.provenance.options["seed"] == 3
    assert cli("score", answers, "-o", tmp_path / "b", "--bootstrap", "7").code == 2
