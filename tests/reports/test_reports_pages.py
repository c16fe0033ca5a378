"""The pages: well formed, self-contained, honest about what is not shown."""

import re
from itertools import pairwise

import pytest

from ibic_fidelity.errors import FileError, UsageError
from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.reports import overview_report, site_report, write_reports
from ibic_fidelity.reports.pages import page_names

WORLDS = ["study", "by_area", "hidden", "evil", "no_totals", "two_waves"]


@pytest.fixture(scope="module", params=[(world, lang) for world in WORLDS for lang in LANGUAGES], ids="-".join)
def pages(request, page):
    world, lang = request.param
    scores, instrument = request.getfixturevalue(world)
    names = page_names(scores, instrument)
    html = [site_report(scores, instrument, site, lang=lang, index="index.html") for site in scores.sites]
    html.append(overview_report(scores, instrument, lang=lang, links=names))
    return lang, html, [page(one) for one in html]


def test_every_tag_is_closed_in_order(pages):
    assert all(not page.faults and not page.open for page in pages[2])


def test_one_main_heading_and_no_level_is_skipped(pages):
    for page in pages[2]:
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(next_ <= level + 1 for level, next_ in pairwise(levels))


def test_the_language_is_declared(pages):
    lang, _, parsed = pages
    assert all(page.all("html") == [{"lang": lang}] for page in parsed)


def test_every_table_has_a_caption_and_scopes(pages):
    for page in pages[2]:
        assert page.all("table")
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(cell.get("scope") in {"row", "col"} for cell in page.all("th"))


def test_no_script_and_nothing_from_outside(pages):
    for html, page in zip(pages[1], pages[2], strict=True):
        names = {tag for tag, _ in page.tags}
        assert not names & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
        assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
        addresses = [
            value for _, attrs in page.tags for name, value in attrs.items() if name in {"src", "href", "xlink:href"}
        ]
        assert all(re.fullmatch(r"#[\w-]+|[a-z0-9-]+\.html", address) for address in addresses)
        assert "@import" not in html
        assert not re.search(r"url\((?!#)", html)


def test_ids_are_unique_and_every_reference_is_to_one(pages):
    for page in pages[2]:
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        named = {part for _, attrs in page.tags for part in attrs.get("aria-labelledby", "").split()}
        linked = {attrs["href"][1:] for _, attrs in page.tags if attrs.get("href", "").startswith("#")}
        assert named | linked <= set(ids)


def test_every_figure_has_words_and_scrollers_can_be_reached_by_keyboard(pages):
    for page in pages[2]:
        figures = [attrs for attrs in page.all("svg") if attrs.get("role") == "img"]
        assert figures
        assert len(page.inside["desc"]) == len(figures)
        assert len(page.inside["title"]) == len(figures) + 1
        assert all(attrs.get("aria-hidden") == "true" for attrs in page.all("svg") if attrs not in figures)
        assert all(attrs.get("tabindex") == "0" for _, attrs in page.tags if attrs.get("class") == "scroll")


def test_the_same_scores_give_the_same_bytes(study):
    scores, instrument = study
    assert site_report(scores, instrument, "0114") == site_report(scores, instrument, "0114")
    assert overview_report(scores, instrument) == overview_report(scores, instrument)
    again = type(scores).from_json(scores.to_json())
    assert site_report(again, instrument, "0114") == site_report(scores, instrument, "0114")


def test_a_page_says_what_made_it(study, page):
    scores, instrument = study
    words = page(site_report(scores, instrument, "0114", lang="en")).words
    made = scores.provenance
    assert instrument.stamp("en") in words
    assert made.instrument_sha256[:12] in words
    assert made.data_sha256[:12] in words
    assert made.libraries["numpy"] in words


@pytest.mark.parametrize(("lang", "banner"), [("sv", "SYNTETISKA DATA"), ("en", "SYNTHETIC DATA")])
def test_synthetic_data_say_so_on_top_in_the_figure_and_below(study, page, lang, banner):
    scores, instrument = study
    for html in (site_report(scores, instrument, "0114", lang=lang), overview_report(scores, instrument, lang=lang)):
        parsed = page(html)
        assert banner in "".join(parsed.inside["p"][:6])
        assert any(banner in part for part in parsed.inside["text"])


def test_the_numbers_are_those_of_the_scores(study, page):
    scores, instrument = study
    row = next(r for r in scores.core.to_dict("records") if r["site"] == "0114")
    words = page(site_report(scores, instrument, "0114")).words
    expected = f"av 100 (95 % konfidensintervall {row['ci_low']:.0f}–{row['ci_high']:.0f})"
    assert expected in words
    item = next(
        r for r in scores.items.to_dict("records") if (r["site"], r["item"], r["source"]) == ("0114", "ut2", "files")
    )
    assert f"{item['estimate']:.0f} {item['ci_low']:.0f}–{item['ci_high']:.0f} {item['n']}" in words


def test_a_withheld_score_shows_its_reason_and_no_number(hidden, page):
    scores, instrument = hidden
    words = page(site_report(scores, instrument, "0114")).words
    assert "Följsamhet, kärna visas inte: för få (Granskade personakter: 2, minst 20 behövs)." in words
    assert "visas inte" in page(overview_report(scores, instrument)).words
    assert "band-" not in re.sub(r"<style>.*?</style>", "", overview_report(scores, instrument), flags=re.DOTALL)


def test_no_figure_of_fewer_than_five_people(hidden, page):
    """Scoring lets a manager who answers alone through; a page does not."""
    scores, instrument = hidden
    people = {source.id for source in instrument.sources if source.kind == "survey"}
    labels = {instrument.by_source[name].label["sv"] for name in people}
    html = site_report(scores, instrument, "0114")
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)]
    seen = [
        cells
        for cells in rows
        if len(cells) > 1 and re.sub(r"<.*", "", cells[0]) in labels and "<svg" in "".join(cells)
    ]
    assert not seen
    assert "Frågor visas inte för" in page(html).words
    assert any(row["source"] in people and row["n"] < 5 and row["reason"] == "" for row in scores.rows.rows())


def test_missing_answers_of_fewer_than_five_people_are_not_counted_out(hidden, page):
    scores, instrument = hidden
    html = site_report(scores, instrument, "0114")
    missing = html[html.index('<h2 id="missing"') : html.index('<h2 id="notes"')]
    assert "Chefer</td>" not in missing
    assert "Personer med stöd</td>" not in missing


def test_what_is_not_fidelity_stands_apart(study, page):
    scores, instrument = study
    html = site_report(scores, instrument, "0114", lang="en")
    profile, rest = html.split('<h2 id="experience"')
    assert "Participation (the person)" not in profile
    assert "Not part of the fidelity score." in page("<h2 " + rest).words


def test_sections_are_absent_where_the_instrument_has_nothing_for_them(no_totals, page):
    scores, instrument = no_totals
    html = site_report(scores, instrument, scores.sites[0], lang="en")
    words = page(html).words
    for id_ in ("gates", "areas", "experience"):
        assert f'id="{id_}"' not in html
    assert "has no total" in words
    assert "unicipalit" not in words
    assert "band" not in words.lower().replace("husband", "")


def test_service_areas_stand_beside_each_other(by_area, page):
    scores, instrument = by_area
    words = page(site_report(scores, instrument, "0114", lang="en")).words
    assert "Care of older people LSS (adults)" in words


def test_waves_stand_after_each_other_with_their_own_headings(two_waves, page):
    scores, instrument = two_waves
    headings = page(site_report(scores, instrument, "0114")).inside["h2"]
    assert [name for name in headings if name.startswith("Profil")] == ["Profil – omgång 2024", "Profil – omgång 2025"]


def test_a_page_of_an_unknown_site_is_refused(study):
    scores, instrument = study
    with pytest.raises(UsageError, match="No site 9999"):
        site_report(scores, instrument, "9999")


def test_another_instrument_is_refused(study, no_totals):
    with pytest.raises(UsageError, match="the instrument given is lq2002"):
        overview_report(study[0], no_totals[1])


def test_another_language_is_refused(study):
    with pytest.raises(UsageError, match="`lang` is 'no'"):
        overview_report(*study, lang="no")


def test_reports_are_written_and_linked(study, tmp_path, page):
    scores, instrument = study
    seen = []
    written = write_reports(scores, instrument, tmp_path / "out", progress=lambda *at: seen.append(at))
    assert [path.name for path in written[:2]] == ["index.html", "0114-upplands-vasby.html"]
    assert seen[-1] == (7, 7)
    links = {attrs["href"] for attrs in page(written[0].read_text(encoding="utf-8")).all("a")}
    assert {path.name for path in written[1:]} <= links
    assert any(attrs["href"] == "index.html" for attrs in page(written[1].read_text(encoding="utf-8")).all("a"))


def test_nothing_is_written_over_without_force(study, tmp_path):
    scores, instrument = study
    (tmp_path / "0114-upplands-vasby.html").write_text("mine")
    with pytest.raises(FileError, match="exists already"):
        write_reports(scores, instrument, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["0114-upplands-vasby.html"]
    write_reports(scores, instrument, tmp_path, force=True)
    assert (tmp_path / "index.html").exists()
