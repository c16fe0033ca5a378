"""The audit manual: printed from the instrument, so that it never says anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.guidance import GuidanceSection
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, Measure, Reference, Scale, Source, Text
from ibic_fidelity.reports.document import Block, Document, Grid, Heading, Paragraph, Points, page_stamp

ITEM = (3.7, 13.3)
NOTES = 8  # lines
NAME = 24  # characters of an answer beside its code
SHEET = (1.6, 2.0, 7.6, 2.8, 3.0)
Row = tuple[str, ...]


def audit_manual(instrument: Instrument, *, lang: Language = "sv") -> Document:
    """Return the audit manual of an instrument.

    Parameters
    ----------
    instrument : Instrument
        With at least one source that is audited, and the general part of a manual.
    lang : {"sv", "en"}
        Language of the manual.

    Returns
    -------
    Document
        Rules for all items, each item that is rated from documents with its anchors by law, a scoring sheet to
        print, and an appendix of reasons and references. The same for the same instrument.

    Raises
    ------
    UsageError
        The instrument is not audited, or has no general part of a manual.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> audit_manual(load_instrument("ibic"), lang="en").title
    'Audit manual: Fidelity to Individens behov i centrum (IBIC)'
    """
    audited = [source for source in instrument.sources if source.kind == "audit"]
    if not audited:
        raise UsageError("reports.not_audited", instrument=instrument.id)
    if not instrument.guidance.manual:
        raise UsageError("reports.no_guidance", instrument=instrument.id)
    made = _Manual(instrument, lang)
    title = text("reports.manual_title", lang, title=instrument.title[lang])
    return Document(title, lang, page_stamp(instrument, lang), tuple(made.blocks(audited)))


def guidance_blocks(sections: tuple[GuidanceSection, ...], lang: Language) -> Iterator[Block]:
    """Yield the blocks of sections of a manual or guide."""
    for section in sections:
        yield Heading(section.heading[lang])
        for paragraph in section.paragraphs:
            yield Paragraph(paragraph[lang])
        if section.points:
            yield Points(tuple(point[lang] for point in section.points), section.numbered)


@dataclass(frozen=True, slots=True)
class _Manual:
    instrument: Instrument
    lang: Language

    def say(self, code: str, /, **params: object) -> str:
        return text(code, self.lang, **params)

    def blocks(self, audited: list[Source]) -> Iterator[Block]:
        if self.instrument.rubric == "untested":
            yield Paragraph(self.say("reports.manual_untested"), "note")
        yield from guidance_blocks(self.instrument.guidance.manual, self.lang)
        for source in audited:
            yield Heading(self.say("reports.manual_items", source=source.label[self.lang]), breaks=True)
            yield Paragraph(self.say("reports.manual_reading", unit=source.unit[self.lang]), "small")
            component = ""
            for item, measure in self.instrument.measures_of(source.id):
                if item.component != component:
                    component = item.component
                    yield Heading(self.instrument.by_component[component].label[self.lang], 2)
                yield Heading(f"{item.label} {item.idea[self.lang]}", 3)
                yield Grid((), tuple(self.item_rows(item, measure)), ITEM)
            yield from self.sheet(source)
        yield from self.appendix(audited)
        yield from self.references(audited)

    def item_rows(self, item: Item, measure: Measure) -> Iterator[Row]:
        """Yield heading and text of what a rater needs to know of an item."""
        scale = self.instrument.by_scale[measure.scale]
        if item.definition is not None:
            yield self.say("reports.manual_definition"), item.definition[self.lang]
        yield from self.by_law(item, measure, self.say("reports.manual_question"), lambda read: read.wording)
        yield from self.answers(item, measure, scale)
        yield from self.by_law(item, measure, self.say("reports.manual_look"), lambda read: read.look)
        yield from self.by_law(item, measure, self.say("reports.manual_doubt"), lambda read: read.doubt)
        if scale.missing.not_applicable and item.not_applicable is not None:
            code = scale.missing.not_applicable[0]
            yield self.say("reports.manual_not_applicable", code=code), item.not_applicable[self.lang]

    def appendix(self, audited: list[Source]) -> Iterator[Block]:
        """Yield why each item is asked and what it rests on, which no rating needs."""
        yield Heading(self.say("reports.manual_appendix"), breaks=True)
        yield Paragraph(self.say("reports.manual_appendix_means"), "small")
        for source in audited:
            for item, _ in self.instrument.measures_of(source.id):
                yield Heading(f"{item.label} {item.idea[self.lang]}", 3)
                yield Grid((), tuple(self.reasons(item)), ITEM)

    def reasons(self, item: Item) -> Iterator[Row]:
        """Yield why an item is asked, how it is used and what it rests on."""
        yield self.say("reports.manual_why"), item.rationale[self.lang]
        if item.reverse:
            yield self.say("reports.manual_reverse"), self.say("reports.manual_reverse_means")
        if item.gate is not None:
            yield self.say("reports.manual_gate"), self.say("reports.manual_gate_means")
        if item.judgement is not None:
            yield self.say("reports.manual_judgement"), item.judgement[self.lang]
        yield self.say("reports.manual_rests_on"), self.cited(item)

    def answers(self, item: Item, measure: Measure, scale: Scale) -> Iterator[Row]:
        """Yield the answers: an anchor for each code, or the parts of a checklist."""
        if measure.parts:
            for place, part in enumerate(measure.parts):
                yield from self.by_law(item, measure, part.id, _part(place))
            codes = [f"{level.code} = {level.anchor[self.lang].lower()}" for level in scale.levels]
            codes += [f"{code} = {self.say('reports.manual_code_8')}" for code in scale.missing.dont_know[:1]]
            codes += [f"{code} = {self.say('reports.manual_code_9')}" for code in scale.missing.not_applicable[:1]]
            yield self.say("reports.manual_each_part"), ", ".join(codes)
            return
        for place, level in enumerate(scale.levels):
            name = level.anchor[self.lang]
            heading = f"{level.code} {name}" if measure.anchors and len(name) <= NAME else str(level.code)
            yield from self.by_law(item, measure, heading, _anchor(place, level.anchor))

    def by_law(
        self, item: Item, measure: Measure, heading: str, take: Callable[[Measure], Text | None]
    ) -> Iterator[Row]:
        """Yield a text once, or once for each law where it differs between laws."""
        texts: dict[str, list[str]] = {}
        for law in item.law or ("",):
            taken = take(measure.under(law))
            if taken is not None:
                texts.setdefault(taken[self.lang], []).append(law)
        for words, laws in texts.items():
            yield (heading if len(texts) == 1 else f"{heading} ({', '.join(laws)})"), words

    def cited(self, item: Item) -> str:
        numbers = self.numbers()
        return ", ".join(f"[{numbers[name]}]" for name in item.cites)

    def numbers(self) -> dict[str, int]:
        """Return the references that audited items cite, numbered in the order of the instrument."""
        audited = {source.id for source in self.instrument.sources if source.kind == "audit"}
        cited = {
            name
            for item in self.instrument.items
            if any(measure.source in audited for measure in item.measures)
            for name in item.cites
        }
        kept = [reference.id for reference in self.instrument.references if reference.id in cited]
        return {name: number for number, name in enumerate(kept, start=1)}

    def sheet(self, source: Source) -> Iterator[Block]:
        """Yield the scoring sheet of a source, one unit a sheet."""
        unit = source.unit[self.lang]
        yield Heading(self.say("reports.sheet_heading", unit=unit), breaks=True)
        head = tuple(self.say(f"reports.sheet_{name}") for name in ("unit", "area", "law", "rater", "date", "limits"))
        yield Grid((), tuple((name, "") for name in head), (5, 12))
        names = ("item", "column", "question", "answer", "where")
        header = tuple(self.say(f"reports.sheet_head_{name}") for name in names)
        yield Grid(header, tuple(self.sheet_rows(source)), SHEET)
        yield Grid((self.say("reports.sheet_notes"),), (("",),), (1,), lines=NOTES)

    def sheet_rows(self, source: Source) -> Iterator[Row]:
        for item, measure in self.instrument.measures_of(source.id):
            scale = self.instrument.by_scale[measure.scale]
            codes = [str(level.code) for level in scale.levels]
            codes += [*scale.missing.dont_know[:1], *scale.missing.not_applicable[:1]]
            for part in measure.parts or (measure,):
                wording = part.wording[self.lang]
                yield item.label, part.id, wording, "   ".join(codes), ""

    def references(self, audited: list[Source]) -> Iterator[Block]:
        numbers = self.numbers()
        yield Heading(self.say("reports.manual_references"), breaks=True)
        yield Paragraph(self.say("reports.manual_references_mean"), "small")
        rows = []
        for reference in self.instrument.references:
            if reference.id in numbers:
                url = f"\n{reference.url}" if reference.url else ""
                rows.append((f"[{numbers[reference.id]}]", f"{reference.citation}{url}", self.standing(reference)))
        header = ("", self.say("reports.manual_reference"), self.say("reports.manual_standing"))
        yield Grid(header, tuple(rows), (1.2, 11.3, 4.5))

    def standing(self, reference: Reference) -> str:
        parts = [self.say(f"reports.standing_{reference.standing or 'none'}")]
        if reference.legal:
            when = reference.in_force_checked
            unchecked = when is None or when == "unchecked"
            parts.append(
                self.say("reports.force_unchecked") if unchecked else self.say("reports.force", date=str(when))
            )
        return "\n".join(parts)


def _part(place: int) -> Callable[[Measure], Text | None]:
    return lambda read: read.parts[place].wording


def _anchor(place: int, name: Text) -> Callable[[Measure], Text | None]:
    return lambda read: read.anchors[place] if read.anchors else name
