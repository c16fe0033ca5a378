"""The page and the workbook that compare sites: both languages, nothing lost, hostile names, no totals."""

import io
import re

import openpyxl
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message, catalogue
from ibic_fidelity.reports import comparison_report, comparison_workbook


@pytest.fixture(scope="module")
def compared():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=10, files=24, service_areas=("aldre", "lss")), seed=2)
    return ibic.compare_all(study.responses, study.instrument, draws=1000), study.instrument


@pytest.fixture(scope="module")
def swedish(compared):
    return comparison_report(*compared, lang="sv")


def test_the_page_is_sound(swedish, page):
    parsed = page(swedish)
    assert parsed.faults == []
    assert parsed.all("script") == []
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {attrs["href"][1:] for attrs in parsed.all("a") if attrs.get("href", "").startswith("#")}
    assert targets <= set(ids)
    assert not re.search(r"\{[a-z]+\}", parsed.words)


@pytest.mark.parametrize(("lang", "other"), [("sv", "en"), ("en", "sv")])
def test_every_part_is_there_in_one_language(compared, page, lang, other):
    words = page(comparison_report(*compared, lang=lang)).words
    names = ("shrunken", "bands", "funnel", "pairs", "peers", "change", "specificity", "sources", "weights")
    for name in names:
        assert catalogue(lang)[f"reports.heading_{name}"] in words
        assert catalogue(other)[f"reports.heading_{name}"] not in words
    for part in compared[0].parts().values():
        if isinstance(part, Message):
            assert " ".join(part.text(lang).split()) in words


def test_shrunken_scores_stand_on_the_page_and_no_raw_ones_beside(compared, swedish, page):
    words = page(swedish).words
    for row in compared[0].shrunken.rows.rows():
        assert f"{row['estimate']:.0f} {row['ci_low']:.0f}–{row['ci_high']:.0f}" in words


def test_the_workbook_has_every_row_as_numbers(compared):
    overall, instrument = compared
    book = openpyxl.load_workbook(io.BytesIO(comparison_workbook(overall, instrument, lang="en")))
    pairs = book["Pairs"]
    heads = [cell.value for cell in pairs[1]]
    assert pairs.max_row == 1 + len(overall.pairs.rows)
    difference = {
        (row[heads.index("Code")], row[heads.index("Code, second")]): row
        for row in pairs.iter_rows(min_row=2, values_only=True)
    }
    for row in overall.pairs.rows.rows():
        written = difference[row["site"], row["other"]]
        assert written[heads.index("Difference")] == pytest.approx(row["estimate"])
        assert written[heads.index("p, adjusted for all")] == pytest.approx(row["p_adjusted"])
    assert book["Shrunken scores"].max_row == 1 + len(overall.shrunken.rows)
    assert book["Bands"].max_row == 1 + len(overall.shrunken.bands)
    readme = " ".join(str(cell.value) for cell in book["Read me"]["A"])
    assert overall.change.text("en") in readme


def test_the_same_comparison_gives_the_same_bytes(compared, swedish):
    assert comparison_report(*compared, lang="sv") == swedish
    assert comparison_workbook(*compared) == comparison_workbook(*compared)


def test_hostile_names_and_an_instrument_without_totals(evil, no_totals, page):
    _, instrument = evil
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=7), seed=1, instrument=instrument)
    parsed = page(comparison_report(ibic.compare_all(study.responses, instrument, draws=1000), instrument))
    assert parsed.faults == []
    assert parsed.all("script") == parsed.all("img") == []
    _, other = no_totals
    study = ibic.simulate_study(ibic.StudyDesign(instrument="lq2002", n_sites=5, users=20), seed=1, instrument=other)
    made = ibic.compare_all(study.responses, other, draws=1000)
    assert page(comparison_report(made, other)).faults == []
    assert comparison_workbook(made, other)[:2] == b"PK"


def test_nothing_to_compare_is_a_page_that_says_so(page):
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=3, files=2, users=3, relatives=0, providers=4), seed=1)
    made = ibic.compare_all(study.responses, study.instrument)
    words = page(comparison_report(made, study.instrument, lang="en")).words
    assert made.pairs.text("en") in words
    assert made.shrunken.withheld.text("en") in words


def test_another_instrument_is_refused(compared):
    with pytest.raises(UsageError):
        comparison_report(compared[0], ibic.load_instrument("lq2002"))
