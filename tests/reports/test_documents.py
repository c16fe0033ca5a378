"""What is printed from an instrument: the audit manual, the discussion guide, the case files and their key."""

import html
import io
import re
import zipfile

import pytest

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import text
from ibic_fidelity.instrument.cases import load_cases
from ibic_fidelity.instrument.guidance import Guidance
from ibic_fidelity.instrument.parts import Text
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.reports.case_pages import case_document, key_document
from ibic_fidelity.reports.document import Document, Grid, Heading, Paragraph, Points
from ibic_fidelity.reports.guide import discussion_guide
from ibic_fidelity.reports.html import css_string
from ibic_fidelity.reports.manual import audit_manual

LANGUAGES = ("sv", "en")
NASTY = '<script>alert("1")</script> & {{ 7 * 7 }} \\ ”å”'


@pytest.fixture(scope="module")
def instrument():
    return load_instrument("ibic")


def _changed(instrument, item_id, **fields):
    items = tuple(
        item.model_copy(update=fields) if item.id == item_id else item for item in instrument.items
    )  # fmt: skip
    return instrument.replaced(items=items)


def _plain(page):
    """The text of a page, without tags and styles."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "\n", body))


def _word(content):
    xml = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode("utf-8")
    return html.unescape("\n".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", xml)))


def _words(document):
    """Every text of a document."""
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph):
            yield block.words
        elif isinstance(block, Points):
            yield from block.lines
        else:
            yield from block.header
            yield from (cell for row in block.rows for cell in row)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_manual_says_all_that_the_instrument_says_of_an_audited_item(instrument, lang):
    page = _plain(audit_manual(instrument, lang=lang).html())
    for source in ("files", "documents"):
        for item, measure in instrument.measures_of(source):
            said = [
                item.idea,
                item.definition,
                item.rationale,
                item.judgement,
                measure.wording,
                measure.look,
                measure.doubt,
            ]
            said += [*measure.anchors, *(part.wording for part in measure.parts)]
            for law in item.law:
                variant = measure.under(law)
                said += [variant.wording, variant.look, variant.doubt, *variant.anchors]
            for words in said:
                assert words is None or words[lang] in page, (item.id, words)
            assert all(f"\n{part.id}\n" in page for part in measure.parts)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_text_that_differs_by_law_carries_the_law_and_one_that_does_not_stands_once(instrument, lang):
    document = audit_manual(instrument, lang=lang)
    rows = [row for block in document.blocks if isinstance(block, Grid) and not block.header for row in block.rows]
    look = text("reports.manual_look", lang)
    by_law = [row for row in rows if row[0] == f"{look} (LSS)"]
    varied = [m for _, m in instrument.measures_of("files") if any(v.look for v in m.by_law.values())]
    assert len(by_law) == len(varied) > 0
    assert {row[1] for row in by_law} == {m.under("LSS").look[lang] for m in varied}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_scoring_sheet_has_every_column_in_order(instrument, lang):
    document = audit_manual(instrument, lang=lang)
    head = text("reports.sheet_head_column", lang)
    sheets = [block for block in document.blocks if isinstance(block, Grid) and head in block.header]
    assert [row[1] for row in sheets[0].rows] == list(instrument.columns_of("files"))
    assert [row[1] for row in sheets[1].rows] == list(instrument.columns_of("documents"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_references_cited_are_those_listed(instrument, lang):
    document = audit_manual(instrument, lang=lang)
    numbers = {n for words in _words(document) for n in re.findall(r"\[(\d+)\]", words)}
    listed = [row[0].strip("[]") for row in document.blocks[-1].rows]
    assert listed == [str(n) for n in range(1, len(listed) + 1)]
    assert numbers == set(listed)


@pytest.mark.parametrize("make", [audit_manual, discussion_guide])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_says_version_status_and_digest(instrument, make, lang):
    document = make(instrument, lang=lang)
    page = document.html()
    for part in (instrument.version, instrument.sha256[:12]):
        assert part in document.stamp
    assert f"@bottom-left {{ content: {css_string(document.stamp)}; }}" in page
    footer = zipfile.ZipFile(io.BytesIO(document.word())).read("word/footer1.xml").decode("utf-8")
    assert html.escape(document.stamp, quote=False) in footer


@pytest.mark.parametrize("make", [audit_manual, discussion_guide])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_page_and_word_say_the_same(instrument, make, lang):
    document = make(instrument, lang=lang)
    page, word = _plain(document.html()), _word(document.word())
    for words in _words(document):
        for line in filter(None, words.split("\n")):
            assert line in page
            assert line in word


def test_the_same_instrument_gives_the_same_bytes(instrument):
    for document in (audit_manual(instrument), discussion_guide(instrument)):
        assert document.html() == document.html()
        assert document.word() == document.word()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_untested_rubric_says_so_first(instrument, lang):
    first = audit_manual(instrument, lang=lang).blocks[0]
    assert first == Paragraph(text("reports.manual_untested", lang), "note")
    tested = instrument.model_copy(update={"rubric": "tested"})
    assert audit_manual(tested, lang=lang).blocks[0] != first


def test_pages_have_no_script_no_link_and_no_text_that_escapes(instrument):
    nasty = Text(sv=NASTY, en=NASTY)
    changed = _changed(instrument, "ut2", idea=nasty, rationale=nasty).model_copy(update={"title": nasty})
    for page in (audit_manual(changed).html(), discussion_guide(_changed(changed, "fo1", discussion=nasty)).html()):
        assert "<script" not in page
        assert not re.search(r"(?:src|href)=", page)
        assert page.count("</style>") == 1
        assert NASTY in _plain(page)
    stamped = Document("t", "sv", NASTY, ()).html()
    assert stamped.count("</style>") == 1


def test_a_long_text_is_printed_whole(instrument):
    words = " ".join(["ordet"] * 2000) + " slut"
    document = audit_manual(_changed(instrument, "ut2", rationale=Text(sv=words, en=words)))
    assert words in _plain(document.html())
    assert words in _word(document.word())


def test_the_guide_asks_and_never_scores(instrument):
    asked = [i for i in instrument.items if instrument.by_component[i.component].dimension == "precondition"]
    for lang in LANGUAGES:
        document = discussion_guide(instrument, lang=lang)
        page = _plain(document.html())
        assert all(item.discussion[lang] in page for item in asked)
        for code in ("known", "position", "decides", "by"):
            assert page.count(text(f"reports.guide_{code}", lang)) >= len(asked)
        scored = {anchor[lang] for item in asked for measure in item.measures for anchor in measure.anchors}
        assert not any(anchor in page for anchor in scored)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_question_of_the_guide_asks(instrument, lang):
    for item in instrument.items:
        if instrument.by_component[item.component].dimension == "precondition":
            assert "?" in item.discussion[lang], item.id


REFUSED = [
    (audit_manual, lambda _: load_instrument("lq2002"), "reports.not_audited", "lq2002"),
    (audit_manual, lambda i: i.model_copy(update={"guidance": Guidance()}), "reports.no_guidance", "ibic"),
    (discussion_guide, lambda _: load_instrument("lq2002"), "reports.no_preconditions", "lq2002"),
    (discussion_guide, lambda i: _changed(i, "fo3", discussion=None), "reports.no_discussion", "FÖ3"),
]


@pytest.mark.parametrize(("make", "of", "code", "named"), REFUSED)
def test_an_instrument_that_cannot_be_printed_is_refused_by_name(instrument, make, of, code, named):
    with pytest.raises(UsageError, match=named) as error:
        make(of(instrument))
    assert error.value.code == code
    assert named in error.value.message.text("sv")


def test_a_case_is_printed_whole_and_without_its_key(instrument):
    cases = load_cases("ibic", instrument)
    for case in cases.cases:
        document = case_document(case, instrument)
        page = _plain(document.html())
        for line in case.content.splitlines():
            for cell in re.sub(r"^[#\-\s]+", "", line).split("|"):
                if cell.strip() and not re.fullmatch(r"[-: ]+", cell):
                    assert cell.strip() in page, (case.id, cell)
        assert not any(answer.reason.sv in page for answer in cases.of(case.id).values() if len(answer.reason.sv) > 60)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_key_prints_answer_and_reason_and_warns(instrument, lang):
    cases = load_cases("ibic", instrument)
    document = key_document(cases, instrument, lang=lang)
    assert document.blocks[0].words == text("reports.key_keep_apart", lang)
    grids = [block for block in document.blocks if isinstance(block, Grid)]
    assert len(grids) == len(cases.cases)
    for case, grid in zip(cases.cases, grids, strict=True):
        right = cases.of(case.id)
        assert [row[0] for row in grid.rows] == list(instrument.columns_of("files"))
        assert all(row[1] == right[row[0]].code and row[3] == right[row[0]].reason[lang] for row in grid.rows)
