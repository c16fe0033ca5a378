"""The page on precision: advice, figures and tables of both languages, and nothing lost."""

import re

import pytest

import ibic_fidelity as ibic
from ibic_fidelity.dossier.precision import site_precision
from ibic_fidelity.dossier.statistics import shown
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import catalogue
from ibic_fidelity.reports import precision_report


@pytest.fixture(scope="module")
def precision():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=8, files=12, users=0, relatives=0), seed=1)
    return site_precision(study.responses, study.instrument), study.instrument


@pytest.fixture(scope="module")
def swedish(precision):
    return precision_report(*precision, lang="sv")


def test_every_figure_and_every_sentence_of_advice_is_on_the_page(precision, swedish, page):
    words = page(swedish).words
    made, _ = precision
    for target in made.targets:
        assert " ".join(target.advice.text("sv").split()) in words
    for row in made.statistics.level("component"):
        for part in shown(row, "sv"):
            assert " ".join(part.split()) in words


def test_the_page_is_sound_and_has_a_figure_a_component_and_source(precision, swedish, page):
    parsed = page(swedish)
    assert parsed.faults == []
    assert parsed.all("script") == []
    made, _ = precision
    assert len(parsed.all("svg")) == len(made.targets) + len({target.source for target in made.targets})
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("lang", "other"), [("sv", "en"), ("en", "sv")])
def test_one_page_one_language(precision, page, lang, other):
    words = page(precision_report(*precision, lang=lang)).words
    for key in ("shares_introduction", "plan_caption_raters", "about_error_rater"):
        start = catalogue(lang)[f"reports.{key}"].split("{")[0].strip()
        assert start in words
        assert catalogue(other)[f"reports.{key}"].split("{")[0].strip() not in words
    assert not re.search(r"\{[a-z]+\}", words)


def test_the_same_precision_gives_the_same_bytes(precision, swedish):
    assert precision_report(*precision, lang="sv") == swedish


def test_another_instrument_is_refused(precision):
    with pytest.raises(UsageError):
        precision_report(precision[0], ibic.load_instrument("lq2002"))
