"""README and guides: their commands and examples run, their figures and names are the package's."""

import contextlib
import csv
import io
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import yaml

import ibic_fidelity as ibic
from ibic_fidelity.cli.app import run
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.foundation.results import package_version
from ibic_fidelity.platforms.panel_excel import panel_workbook
from ibic_fidelity.studies.writing import write_study

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md", "CONTRIBUTING.md", "docs/sv/utvarderare.md", "docs/sv/instrumentet.md", "docs/en/statistician.md",
)  # fmt: skip
PROGRAM = "ibic-fidelity"


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Every command line of the program on any page, once, without the demo."""
    lines = [line for name in PAGES for block in blocks(name, "sh") for line in block.splitlines()]
    parts = [part.split("  #")[0].strip() for line in lines for part in line.split("&&")]
    found = dict.fromkeys(part for part in parts if part.startswith(PROGRAM))
    return [command for command in found if command != f"{PROGRAM} demo"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, str]:
    """A folder with the files that the pages name, and what the demo printed."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(bundled("instruments"), folder / "instruments")
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=4), seed=1)
    write_study(study, folder, ("svar.csv", "truth.csv", "outcomes.csv"))
    with (folder / "svar.csv").open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.reader(handle, delimiter=";"))
    with xlsxwriter.Workbook(folder / "svar.xlsx") as book:
        sheet = book.add_worksheet("svar")
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell:
                    sheet.write_string(i, j, cell)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as printed:
        assert run(["demo", "--lang", "en"]) == 0
        told = printed.getvalue()
        _work_on_the_instrument(folder)
    return folder, told


def _work_on_the_instrument(folder):
    """Write what raters, a panel, interviewers and authors would bring."""
    assert run(["instrument", "export", "--to", "key", "-o", str(folder / "key.csv")]) == 0
    key = (folder / "key.csv").read_text(encoding="utf-8-sig").splitlines()
    for name in ("granskare1", "granskare2"):
        with xlsxwriter.Workbook(folder / f"{name}.xlsx") as book:
            sheet = book.add_worksheet("files")
            for i, row in enumerate(csv.reader(key, delimiter=";")):
                for j, cell in enumerate(row):
                    sheet.write_string(i, j, name if cell == "facit" else cell)
    frame = [f"0180;aldre;SoL;f{i}" for i in range(60)]
    (folder / "ibic-arenden.csv").write_text("\n".join(["kommun_kod;omrade;lag;id", *frame]), encoding="utf-8")
    (folder / "panelsvar").mkdir()
    blank = panel_workbook(ibic.load_instrument("ibic"), lang="sv")
    for expert in range(6):
        book = openpyxl.load_workbook(io.BytesIO(blank))
        front, sheet = book.worksheets
        front.cell(4, 2, f"E{expert}")
        for row in range(2, sheet.max_row + 1):
            for column, answer in enumerate(("4 mycket relevant", 4, "Ja", "Nödvändig"), start=5):
                sheet.cell(row, column, answer)
        book.save(folder / "panelsvar" / f"E{expert}.xlsx")
    log = ["runda;formulär;person;fråga;problem;anteckning;beslut", "1;user;P1;kv1;förståelse;Vad är en plan?;"]
    (folder / "intervjuer.csv").write_text("\n".join(log), encoding="utf-8")
    decisions = [
        ("item", "decision", "evidence", "date", "field", "source", "sv", "en"),
        ("ut2", "reword", "Panelen: oklart.", "2026-11-01", "wording", "files", "Utredningen anger varför just de här "
         "livsområdena är utredda.", "The inquiry states why just these life areas were investigated."),
    ]  # fmt: skip
    with xlsxwriter.Workbook(folder / "beslut.xlsx") as book:
        sheet = book.add_worksheet("beslut")
        for i, line in enumerate(decisions):
            sheet.write_row(i, 0, line)


def test_the_two_commands_stand_as_agreed():
    text = page("README.md")
    assert "<!-- command 1 -->\n```sh\npip install . && ibic-fidelity demo\n```" in text
    assert '<!-- command 2 -->\n```sh\npip install ".[test]" && pytest\n```' in text


def test_the_demo_prints_what_the_readme_shows(demo):
    assert blocks("README.md", "text")[0] == demo[1].replace("\\", "/")


def test_the_demo_writes_what_the_readme_names(demo):
    named = re.search(r"^Open `index.html` first.*?^$", page("README.md"), re.DOTALL | re.MULTILINE)[0]
    files = re.findall(r"`([\w.]+\.\w+)`", named)
    pages = {
        "index.html", "reliability.html", "precision.html", "structure.html", "raters.html", "certification.html",
        "retest.html", "comparison.html",
    }  # fmt: skip
    tables = {"scores.xlsx", "scores.json", "reliability.xlsx", "pilot.csv", "certification.csv", "retest.csv",
              "published.csv"}  # fmt: skip
    assert set(files) == pages | tables
    assert all((demo[0] / "ibic-fidelity-demo" / name).is_file() for name in files)


@pytest.mark.parametrize("command", commands())
def test_commands_run(command, demo, monkeypatch, capsys):
    monkeypatch.chdir(demo[0])
    assert run(shlex.split(command)[1:]) == 0, capsys.readouterr().err


def test_examples_run(demo, monkeypatch, capsys):
    monkeypatch.chdir(demo[0])
    names: dict[str, object] = {}
    examples = blocks("README.md", "python")
    for example in examples:
        exec(compile(example, "README.md", "exec"), names)
    assert len(examples) == 2
    assert "total_core: 22 shown, 2 withheld" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*PAGES, "CHANGELOG.md", "VALIDATION.md"])
def test_links_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#]+)\)", page(name))
    here = [target for target in targets if "://" not in target]
    if not (ROOT / ".git").exists():  # a source distribution has no pictures
        here = [target for target in here if not target.endswith(".png")]
    assert not [target for target in here if not ((ROOT / name).parent / target).exists()]


def test_keys_in_the_readme_are_the_instruments():
    keys = ibic.load_instrument("ibic").keys
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page("README.md"), re.MULTILINE)
    named = {key: tuple(re.findall(r"`([^`]+)`", also)) for key, also in rows if key in keys}
    assert named == dict(keys)


def test_keys_and_sources_in_the_swedish_guide_are_the_instruments():
    instrument, text = ibic.load_instrument("ibic"), page("docs/sv/utvarderare.md")
    for key, names in instrument.keys.items():
        line = next(line for line in text.splitlines() if line.startswith(f"| `{names[0]}` |"))
        assert set(names[1:]) | {key} == set(re.findall(r"`([^`]+)`", line.split("|")[2]))
    sources = re.findall(r"^\| `(\w+)` \| [^|]* \| (\d+)", text, re.MULTILINE)
    assert sources == [(source.id, str(source.minimum)) for source in instrument.sources]


def test_faults_in_the_swedish_guide_exist():
    known = tomllib.loads((Path(ibic.__file__).parent / "foundation" / "sv.toml").read_text(encoding="utf-8"))
    part = page("docs/sv/utvarderare.md").partition("De vanligaste")[2].partition("## 4")[0]
    codes = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    assert len(codes) > 10
    assert set(codes) <= set(known["responses"])


def test_the_citation_and_the_changelog_are_of_this_version():
    citation = yaml.safe_load(page("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert (citation["version"], citation["license"]) == (package_version(), "GPL-3.0-or-later")
    assert re.search(rf"^## {re.escape(package_version())} ", page("CHANGELOG.md"), re.MULTILINE)
    assert "### Changed numbers" in page("CHANGELOG.md")
