"""Names that try to break out of a page, a figure, a workbook or a folder; and one language at a time."""

import io
import re

import openpyxl
import pytest

from ibic_fidelity.foundation.messages import catalogue
from ibic_fidelity.reports import overview_report, scores_workbook, site_report, write_reports
from ibic_fidelity.reports.pages import page_names


def test_names_are_text_in_title_heading_figure_and_alternative_text(evil, page):
    scores, instrument = evil
    site = "<script>alert(1)</script>"
    html = site_report(scores, instrument, site, lang="en")
    parsed = page(html)
    assert "<script" not in html
    assert parsed.inside["h1"][0] == site
    assert parsed.inside["title"][0].startswith(site)
    assert site in parsed.inside["title"][1]
    assert site in parsed.inside["text"]


def test_templates_and_formulas_in_names_are_not_run(evil, page):
    scores, instrument = evil
    html = overview_report(scores, instrument)
    assert "{{777*7}} {% raw %} $x_1$ \\frac{" in page(html).words
    assert "<img" not in html
    assert "5439" not in html


def test_control_characters_and_turned_text_are_taken_out(evil):
    scores, instrument = evil
    html = site_report(scores, instrument, "con")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html)
    assert "evil name 漢字 😀" in html


def test_file_names_are_safe_and_never_the_same_twice(evil, tmp_path):
    scores, instrument = evil
    names = page_names(scores, instrument)
    assert len({name.casefold() for name in names.values()} | {"index.html"}) == len(names) + 1
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", name) and len(name) < 100 for name in names.values())
    written = write_reports(scores, instrument, tmp_path / "out")
    assert all(path.parent == tmp_path / "out" for path in written)


def test_two_sites_that_slug_alike_get_two_files(evil):
    scores, instrument = evil
    alike = instrument.model_copy(update={"register_codes": {}})
    names = page_names(scores, alike)
    assert {names["CON"], names["con"]} == {"con-.html", "con--2.html"}


def test_links_are_never_addresses_of_another_kind(study, page):
    scores, instrument = study
    html = overview_report(scores, instrument, links={"0114": 'javascript:alert(1)"x'})
    assert [attrs["href"] for attrs in page(html).all("a")][1] == "javascript%3Aalert%281%29%22x"


def test_a_workbook_holds_no_formula_and_no_link(evil):
    scores, instrument = evil
    book = openpyxl.load_workbook(io.BytesIO(scores_workbook(scores, instrument)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert '=HYPERLINK("http://x")' in {cell.value for cell in cells}


#: Texts that differ between the languages and would show if a page mixed them.
LABELS = ["skip", "heading_says", "heading_profile", "heading_gates", "heading_items", "heading_response",
          "heading_missing", "heading_notes", "heading_method", "heading_versions", "not_in_score", "question",
          "source", "score", "remark", "method_score", "method_total", "method_estimand", "method_missing",
          "missing_intro", "least_needed", "in_words", "version_what", "gates_caption"]  # fmt: skip


@pytest.mark.parametrize(("lang", "other"), [("sv", "en"), ("en", "sv")])
def test_a_page_is_in_one_language(by_area, page, lang, other):
    scores, instrument = by_area
    words = page(site_report(scores, instrument, "0114", lang=lang)).words
    for key in LABELS:
        mine, theirs = (catalogue(one)[f"reports.{key}"].split("{")[0].strip() for one in (lang, other))
        assert mine in words
        assert not re.search(rf"(?<!\w){re.escape(theirs)}(?!\w)", words), key
    if lang == "sv":
        assert not re.search(r"\b(?:the|and|of|with|not|shown|scores?|sites?|files|interval is)\b", words)


def test_swedish_numbers_have_no_decimal_point(by_area, page):
    scores, instrument = by_area
    words = page(overview_report(scores, instrument)).words
    spread = words[words.index("Gemensam spridning") : words.index("Att veta om siffrorna")]
    assert re.search(r"\d,\d{3}", spread)
    assert not re.search(r"\d\.\d", spread)
