"""The page of statistics: what it says, what it keeps back, and that nothing in it breaks out."""

import math
import re

import numpy as np
import pytest

from ibic_fidelity.dossier.statistics import Statistic, shown
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, Message, catalogue
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.reports import statistics_report


@pytest.fixture(scope="module")
def swedish(reliability):
    return statistics_report(*reliability, lang="sv")


def test_every_figure_of_components_and_items_is_on_the_page(reliability, swedish, page):
    statistics, _ = reliability
    words = page(swedish).words
    for row in [*statistics.level("component"), *statistics.level("item")]:
        estimate, limits = shown(row, "sv")
        assert " ".join(estimate.split()) in words
        assert " ".join(limits.split()) in words


def test_the_page_is_sound(swedish, page):
    parsed = page(swedish)
    assert parsed.faults == []
    assert parsed.all("script") == []
    assert not any("src" in attrs for _, attrs in parsed.tags)
    assert any(attrs.get("http-equiv") == "Content-Security-Policy" for attrs in parsed.all("meta"))
    ids = [attrs["id"] for _, attrs in parsed.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {attrs["href"][1:] for attrs in parsed.all("a") if attrs["href"].startswith("#")}
    assert targets <= set(ids)
    levels = [int(tag[1]) for tag, _ in parsed.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}


def test_the_same_statistics_give_the_same_bytes(reliability, swedish):
    assert statistics_report(*reliability, lang="sv") == swedish


@pytest.mark.parametrize(("lang", "said"), [("sv", "SYNTETISKA DATA"), ("en", "SYNTHETIC DATA")])
def test_synthetic_data_say_so(reliability, page, lang, said):
    assert said in page(statistics_report(*reliability, lang=lang)).words


@pytest.mark.parametrize(("lang", "other"), [("sv", "en"), ("en", "sv")])
def test_the_page_of_statistics_is_in_one_language(reliability, page, lang, other):
    words = page(statistics_report(*reliability, lang=lang)).words
    for key in ("heading_reading", "heading_beside", "heading_about", "statistic", "value", "method", "beside_order",
                "about_cronbach_alpha", "about_rwg", "reading_undefined"):  # fmt: skip
        mine, theirs = (catalogue(one)[f"reports.{key}"] for one in (lang, other))
        assert mine in words
        assert not re.search(rf"(?<!\w){re.escape(theirs)}(?!\w)", words) or key == "method"


def test_no_site_is_on_the_page(reliability, swedish, page):
    statistics, instrument = reliability
    assert statistics.level("site")
    words = page(swedish).words
    assert not [row.site for row in statistics.level("site") if instrument.register_codes[row.site] in words]
    assert "arbetsboken" in words


def test_explanations_are_of_what_occurs_only(swedish, page, statistics_of, reliability):
    assert "Cohen" not in swedish
    assert "Cronbachs alfa" in page(swedish).inside["dt"]
    bare = statistics_report(statistics_of(Statistic.of("icc1", 9, 0.1).where(source="files")), reliability[1])
    assert len(page(bare).all("dt")) == 1


def test_what_has_no_explanation_has_none(statistics_of, reliability, page):
    html = statistics_report(statistics_of(Statistic.of("mean", 9, 2.5).where(source="files")), reliability[1])
    assert page(html).all("dt") == []
    assert "2,50" in page(html).words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_word_judges_a_figure(reliability, page, lang):
    words = page(statistics_report(*reliability, lang=lang)).words.lower()
    judging = r"\b(?:good|poor|excellent|moderate|substantial|acceptable|godtagbar|utmärkt|måttlig|svag)\b"
    assert not re.search(judging, words)


def test_limits_that_are_often_cited_are_called_conventions(statistics_of, reliability, page):
    rows = [Statistic("icc_agreement", 40, 0.6, 0.4, 0.8, "F", source="files", component="ut")]
    words = page(statistics_report(statistics_of(*rows), reliability[1], lang="en")).words
    assert "Koo & Li 2016" in words
    assert "are conventions" in words


def test_what_few_people_answered_is_not_shown(statistics_of, reliability, page):
    few = Statistic("cronbach_alpha", 4, 0.6123, 0.4, 0.8, "Feldt", source="user", component="dk")
    files = Statistic("cronbach_alpha", 4, 0.5123, 0.4, 0.8, "Feldt", source="files", component="ut")
    words = page(statistics_report(statistics_of(few, files), reliability[1])).words
    assert "0,61" not in words
    assert "färre än 5 svarande" in words
    assert "0,51" in words


def test_nothing_defined_is_words(statistics_of, reliability, page):
    note = Message("dossier.too_few_rows", {"n": 2})
    rows = [
        Statistic.of("icc1", 2, np.nan, notes=(note,)).where(source="files", component=name) for name in ("ut", "bu")
    ]
    parsed = page(statistics_report(statistics_of(*rows), reliability[1]))
    assert parsed.faults == []
    assert parsed.words.count("2 fullständiga rader är för få") == 2
    assert parsed.all("svg") == []


def test_no_statistics_at_all_is_a_page_that_says_so(statistics_of, reliability, page):
    parsed = page(statistics_report(statistics_of(), reliability[1], lang="en"))
    assert parsed.faults == []
    assert "There are no figures to show." in parsed.words


def test_remarks_stand_once_below_with_a_number_in_the_table(statistics_of, reliability, page):
    note = Message("psychometrics.icc_interval_not_reliable", {"share": 0.35})
    rows = [
        Statistic(name, 90, 0.5, 0.2, 0.7, "F", (note,), source="files", component="ut") for name in ("icc1", "icc2")
    ]
    html = statistics_report(statistics_of(*rows), reliability[1])
    assert html.count(note.text("sv")) == 1
    assert html.count("<td>1</td>") == 2


def test_raters_have_a_table_a_figure_and_a_caution(statistics_of, reliability, rater_rows, page):
    html = statistics_report(statistics_of(*rater_rows), reliability[1], lang="en")
    parsed = page(html)
    assert parsed.faults == []
    assert "not for comparing raters in public" in parsed.words
    assert len(parsed.all("svg")) == 1
    assert "<script" not in html
    assert '"><script>alert(1)</script>' in parsed.words
    assert "−3.00" in parsed.words
    assert "2 complete row(s) are too few" in parsed.inside["desc"][0]


def test_many_items_are_several_figures(statistics_of, reliability, page):
    names = [item.id for item in reliability[1].items][:60]
    rows = [
        Statistic("krippendorff_alpha", 40, 0.5, 0.2, 0.7, "F", source="files", component="ut", item=name)
        for name in names
    ]
    html = statistics_report(statistics_of(*rows), reliability[1])
    assert len(page(html).all("svg")) == math.ceil(len(names) / 26)


def test_a_new_preface_is_said_first(statistics_of, reliability, page):
    rows = [Statistic.of("icc1", 9, 0.1).where(source="files", component="ut")]
    html = statistics_report(statistics_of(*rows, preface=(Message("dossier.one_site"),)), reliability[1])
    assert html.index("en enda plats") < html.index('id="reading"')


def test_an_unknown_language_or_another_instrument_is_refused(reliability, no_totals):
    statistics, instrument = reliability
    with pytest.raises(UsageError, match="lang"):
        statistics_report(statistics, instrument, lang="fi")
    with pytest.raises(UsageError, match="lq2002"):
        statistics_report(statistics, no_totals[1])


def test_counts_and_decimals_follow_the_language(reliability, page):
    words = page(statistics_report(*reliability, lang="en")).words
    assert number(0.75, "apa", digits=2) == ".75"
    assert not re.search(r"\b0,\d\d\b", words)


def test_a_verdict_stands_in_words_beside_its_rater(statistics_of, reliability, page):
    verdict = Message("dossier.certified_surely", {"what": "0,81"})
    rows = [
        Statistic("certified_kappa", 12, 0.8, 0.7, 0.9, "t", (verdict,), source="files", rater=name)
        for name in ("g01", "g02")
    ]
    html = statistics_report(statistics_of(*rows), reliability[1])
    assert html.count(f"{verdict.text('sv')}</td>") == 2
    assert 'class="remarks"' not in html
    assert "Streckat intervall" not in html
