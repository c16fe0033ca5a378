"""The page and the workbook of what a panel said: indices, proposals by a printed rule, comments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ibic_fidelity.dossier.item_review import ItemProposal, ItemReview
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import coefficient, interval
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.html import render
from ibic_fidelity.reports.workbook import workbook_bytes
from ibic_fidelity.responses.cognitive import CognitiveLog

RULE = tuple(f"panel.rule_{name}" for name in ("experts", "retain", "reword", "drop", "decides"))
READING = tuple(f"panel.reading_{name}" for name in ("index", "ratio", "v"))


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """A review, its instrument and a language."""

    review: ItemReview
    instrument: Instrument
    lang: Language
    cognitive: CognitiveLog | None

    def say(self, code: str, /, **params: object) -> str:
        return text(code, self.lang, **params)

    def flags(self) -> list[str]:
        """Return what must be known of the panel and of the interviews."""
        notes = () if self.cognitive is None else self.cognitive.notes
        return [flag.text(self.lang) for flag in (*self.review.flags, *notes)]

    def share(self, value: float, limits: tuple[float, float] | None = None) -> Cell:
        """Return a coefficient, with its interval as a second line."""
        if not math.isfinite(value):
            return Cell("–")
        note = "" if limits is None else interval(*limits, self.lang, digits=2)
        return Cell(coefficient(value, self.lang), value, note=note)


def panel_report(
    review: ItemReview, instrument: Instrument, *, cognitive: CognitiveLog | None = None, lang: Language = "sv"
) -> str:
    """Return what a panel said as an HTML page: one file, no network, no script.

    Parameters
    ----------
    review : ItemReview
        What `review_items` returned.
    instrument : Instrument
        The version that was rated.
    cognitive : CognitiveLog, optional
        What interviews showed, listed beside.
    lang : {"sv", "en"}
        Language of the page.

    Returns
    -------
    str
        The same bytes for the same review.

    Raises
    ------
    UsageError
        The instrument is another.
    """
    page = _page(review, instrument, lang, cognitive)
    return render(
        "panel.html",
        lang=lang,
        t=lambda code, **params: text(code, lang, **params),
        title=page.say("panel.report_title"),
        instrument_title=instrument.title[lang],
        stamp=instrument.stamp(lang),
        package=review.provenance.package,
        synthetic=False,
        lead=review.text(lang).splitlines()[0],
        flags=page.flags(),
        rule=[page.say(name) for name in RULE],
        reading=[page.say(name) for name in READING],
        sections=_sections(page),
        comments=_comments(page),
        interviews=_interviews(page),
        versions=_versions(page),
    )


def panel_results_workbook(
    review: ItemReview, instrument: Instrument, *, cognitive: CognitiveLog | None = None, lang: Language = "sv"
) -> bytes:
    """Return what a panel said as an .xlsx file: items, components, comments, and the rule; see `panel_report`."""
    page = _page(review, instrument, lang, cognitive)
    rule = Table("", (Column(page.say("panel.rule_heading"), "text", 110),), tuple(
        (Cell(words),) for words in [*(page.say(name) for name in (*RULE, *READING)),
                                     *page.flags()]))  # fmt: skip
    sheets = {
        page.say("panel.sheet_rule"): rule,
        page.say("panel.sheet_items_out"): _items(page, range(len(review.proposals)), component=True),
        page.say("panel.sheet_components"): _components(page),
        page.say("panel.sheet_comments"): _comments(page),
        page.say("panel.sheet_interviews"): _interviews(page),
        page.say("panel.sheet_versions"): _versions(page),
    }
    return workbook_bytes({name: table for name, table in sheets.items() if table.rows}, instrument, lang)


def _page(review: ItemReview, instrument: Instrument, lang: Language, cognitive: CognitiveLog | None) -> _Page:
    if review.provenance.instrument_sha256 != instrument.sha256:
        rated = f"{review.provenance.instrument_id} {review.provenance.instrument_version}"
        raise UsageError("panel.ratings_of_other", rated=rated, given=f"{instrument.id} {instrument.version}")
    return _Page(review, instrument, lang, cognitive)


def _sections(page: _Page) -> list[dict[str, Any]]:
    """Return the components with their items, the components themselves first."""
    overview = {"id": "components", "heading": page.say("panel.components_heading"), "tables": [_components(page)]}
    made = [overview]
    for component in page.review.components:
        places = [j for j, one in enumerate(page.review.proposals) if one.component == component.component]
        heading = page.instrument.by_component[component.component].label[page.lang]
        made.append({"id": f"part-{component.component}", "heading": heading, "tables": [_items(page, places)]})
    return made


def _items(page: _Page, places: Any, *, component: bool = False) -> Table:
    say, review = page.say, page.review
    columns = [Column(say("panel.column_item"), "head", 58), Column(say("panel.column_proposal"), "text", 16)]
    columns += [
        Column(say(f"panel.out_{name}"), "number", 12, 2) for name in ("icvi", "kappa", "v", "cvr", "clarity", "one")
    ]
    columns.append(Column(say("panel.column_why"), "text", 60))
    if component:
        columns.insert(0, Column(say("panel.column_component"), "text", 24))
    rows = []
    for j in places:
        one = review.proposals[j]
        item = page.instrument.by_item[one.item]
        row = [
            Cell(f"{item.label} {item.idea[page.lang]}"),
            Cell(_decided(page, one)),
            page.share(review.relevance.estimates[j], (review.relevance.ci_low[j], review.relevance.ci_high[j])),
            page.share(review.relevance.kappa[j]),
            page.share(review.v.estimates[j], (review.v.ci_low[j], review.v.ci_high[j])),
            _ratio(page, j),
            page.share(review.clarity.estimates[j]),
            page.share(one.single),
            Cell(" ".join(why.text(page.lang) for why in one.reasons)),
        ]
        label = page.instrument.by_component[one.component].label[page.lang]
        rows.append(tuple([Cell(label), *row] if component else row))
    return Table(say("panel.items_caption", n=len(review.ratings.experts)), tuple(columns), tuple(rows))


def _ratio(page: _Page, j: int) -> Cell:
    ratio, critical = float(page.review.essential.estimates[j]), float(page.review.essential.critical[j])
    cell = page.share(ratio)
    if not math.isfinite(ratio) or not math.isfinite(critical):
        return cell
    return Cell(cell.text, cell.value, note=page.say("panel.needs", critical=coefficient(critical, page.lang)))


def _decided(page: _Page, one: ItemProposal) -> str:
    return page.say(f"panel.proposal_{one.decision or 'none'}")


def _components(page: _Page) -> Table:
    say = page.say
    columns = [Column(say("panel.column_component"), "head", 34), Column(say("panel.column_items"), "number", 10)]
    columns += [Column(say(f"panel.out_{name}"), "number", 12, 2) for name in ("average", "universal", "mean_v")]
    rows = []
    for one in page.review.components:
        label = page.instrument.by_component[one.component].label[page.lang]
        shares = [page.share(value) for value in (one.average, one.universal, one.v)]
        rows.append((Cell(label), Cell(str(one.n_items), one.n_items), *shares))
    whole = [page.share(one) for one in (page.review.relevance.average, page.review.relevance.universal)]
    n = len(page.review.proposals)
    rows.append(
        (Cell(say("panel.all_items"), tone="total"), Cell(str(n), n), *whole, page.share(page.review.v.average))
    )
    return Table(say("panel.components_caption"), tuple(columns), tuple(rows))


def _comments(page: _Page) -> Table:
    say = page.say
    columns = (Column(say("panel.column_item"), "head", 12), Column(say("panel.column_expert"), "text", 14),
               Column(say("panel.column_comment"), "text", 90))  # fmt: skip
    order = {item: j for j, item in enumerate(page.review.ratings.items)}
    said = sorted(page.review.ratings.comments, key=lambda one: (order[one[1]], one[0]))
    rows = [(Cell(page.instrument.by_item[item].label), Cell(expert), Cell(words)) for expert, item, words in said]
    return Table(say("panel.comments_caption"), columns, tuple(rows))


def _interviews(page: _Page) -> Table:
    say, log = page.say, page.cognitive
    columns = [Column(say("panel.column_item"), "head", 12), Column(say("panel.column_round"), "number", 8)]
    columns += [Column(say(f"panel.column_{name}"), "text", 16) for name in ("form", "respondent", "problem")]
    columns += [Column(say(f"panel.column_{name}"), "text", 60) for name in ("note", "decision")]
    rows = []
    for one in () if log is None else log.observations:
        words = [one.form, one.respondent, say(f"panel.problem_{one.problem}"), one.note, one.decision]
        label = page.instrument.by_item[one.item].label
        rows.append((Cell(label), Cell(str(one.round), one.round), *(Cell(word) for word in words)))
    return Table(say("panel.interviews_caption"), tuple(columns), tuple(rows))


def _versions(page: _Page) -> Table:
    made = page.review.provenance
    pairs = [
        (page.say("panel.instrument"), page.instrument.stamp(page.lang)),
        (page.say("panel.instrument_sha"), made.instrument_sha256),
        (page.say("panel.forms_sha"), made.data_sha256),
        (page.say("panel.package"), made.package),
    ]
    columns = (Column(page.say("panel.what"), "head", 30), Column(page.say("panel.which"), "text", 70))
    return Table(page.say("panel.versions_caption"), columns, tuple((Cell(a), Cell(b)) for a, b in pairs))
