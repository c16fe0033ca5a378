"""Texts that an author should look at again: two things in one, words of degree, too long, not translated, LIX."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ibic_fidelity.foundation.messages import LANGUAGES, Language
from ibic_fidelity.instrument.findings import Finding, informed, warned
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, LawVariant, Measure, Scale, Source, Text

#: What SPSS keeps of a variable label and of a value label; it cuts the rest without a word.
VARIABLE_LABEL_BYTES = 255
VALUE_LABEL_BYTES = 120
LONG_ITEM_WORDS = 12
#: From how many words on two languages do not read the same by chance.
TRANSLATED_WORDS = 3


def _any_of(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_JOINS: dict[Language, re.Pattern[str]] = {
    "sv": re.compile(r"\b(?:och|samt)\b|/", re.I),
    "en": re.compile(r"\band\b|/", re.I),
}
_LISTS: dict[Language, re.Pattern[str]] = {
    "sv": re.compile(r"\w+, [\w ]+? eller \w+", re.I),
    "en": re.compile(r"\w+, [\w ]+?,? or \w+", re.I),
}
_DEGREES: dict[Language, re.Pattern[str]] = {
    "sv": _any_of(
        "delvis|i huvudsak|huvudsakligen|i stort sett|till (?:viss|stor) del|i (?:hög|låg|liten|stor) grad|"
        "helt|fullt ut|ganska|mycket|något sånär|tillräckligt?|väl|bra|bristfälligt?|god|gott|"
        "oftast|sällan|ibland"
    ),
    "en": _any_of(
        "partly|partially|mainly|mostly|largely|somewhat|fully|completely|to (?:some|a large|a small) extent|"
        "sufficient(?:ly)?|adequate(?:ly)?|very|quite|good|poor(?:ly)?|well|often|seldom|sometimes"
    ),
}
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def lix(text: str) -> float:
    """Return the LIX of a text: words a sentence plus the percentage of words over six letters.

    Examples
    --------
    >>> lix("Handläggaren lyssnade på mig.")
    54.0
    """
    words = _WORD.findall(text)
    if not words:
        return float("nan")
    sentences = max(1, len(re.findall(r"[.:!?](?:\s|$)", text)))
    return len(words) / sentences + 100 * sum(len(word) > 6 for word in words) / len(words)


def texts_of_item(instrument: Instrument, item: Item) -> Iterator[Finding]:
    """Yield what the texts of an item give cause to look at again."""
    yield from _asks_two(item, item.idea)
    for text in (item.idea, item.definition, item.rationale, item.judgement, item.not_applicable, item.discussion):
        yield from _untranslated(item, text)
    for measure in item.measures:
        scale, source = instrument.by_scale[measure.scale], instrument.by_source[measure.source]
        readings: list[Measure | LawVariant] = [measure, *measure.by_law.values()]
        for one in readings:
            yield from _of_wordings(item, one, source)
            yield from _of_anchors(item, one.anchors, source, share=scale.type == "share")
        if not measure.anchors:
            yield from _of_scale(item, scale, source)


def texts_of_form(instrument: Instrument, source: Source) -> Iterator[Finding]:
    """Yield the LIX of all that a source is asked or a rater reads, in Swedish."""
    worded = [wording.sv for _, measure in instrument.measures_of(source.id) for wording in asked(measure)]
    if worded:
        said = " ".join(one if one.endswith((".", "?", "!", ":")) else f"{one}." for one in worded)
        form, figure = source.label.as_dict(), round(lix(said))
        yield informed("", "instrument.check_form_lix", source=source.id, form=form, texts=len(worded), lix=figure)


def asked(measure: Measure | LawVariant) -> list[Text]:
    """Return the wordings of a measure: the question, and its parts where it is a checklist."""
    wording = [] if measure.wording is None else [measure.wording]
    return [*wording, *(part.wording for part in measure.parts)]


def _of_wordings(item: Item, measure: Measure | LawVariant, source: Source) -> Iterator[Finding]:
    easy = measure.easy if isinstance(measure, Measure) else None
    for wording in [*asked(measure), *([] if easy is None else [easy])]:
        yield from _asks_two(item, wording)
        yield from _too_long(item, wording, VARIABLE_LABEL_BYTES)
        yield from _untranslated(item, wording)
        words = len(_WORD.findall(wording.sv))
        if words > LONG_ITEM_WORDS:
            figure = round(lix(wording.sv))
            yield informed(item.id, "instrument.check_lix", item=item.id, words=words, lix=figure, wording=wording.sv)
    if source.kind == "audit":
        for part in measure.parts:
            yield from _degree(item, part.wording)
    for text in (measure.look, measure.doubt):
        yield from _untranslated(item, text)


def _of_anchors(item: Item, anchors: tuple[Text, ...], source: Source, *, share: bool) -> Iterator[Finding]:
    for anchor in anchors:
        yield from _too_long(item, anchor, VALUE_LABEL_BYTES)
        yield from _untranslated(item, anchor)
        if source.kind == "audit":
            yield from _degree(item, anchor)
            if share:
                yield from _joins(item, anchor)
    for language in LANGUAGES:
        said = [anchor[language].casefold() for anchor in anchors]
        for anchor in anchors:
            if said.count(anchor[language].casefold()) > 1:
                label = anchor[language]
                yield warned(item.id, "instrument.check_anchor_twice", item=item.id, anchor=label, language=language)
                break


def _of_scale(item: Item, scale: Scale, source: Source) -> Iterator[Finding]:
    """Yield what there is on the common anchors of a scale; a criterion rated by yes or no needs its own."""
    if source.kind == "audit" and scale.type == "share":
        yield warned(item.id, "instrument.check_no_anchors", item=item.id, source=source.id)
    yield from _of_anchors(item, tuple(level.anchor for level in scale.levels), source, share=False)


def _asks_two(item: Item, wording: Text) -> Iterator[Finding]:
    yield from _joins(item, wording)
    for found, said in _found(_LISTS, wording):
        yield warned(item.id, "instrument.check_list", item=item.id, words=found, wording=said)


def _joins(item: Item, wording: Text) -> Iterator[Finding]:
    for found, said in _found(_JOINS, wording):
        yield warned(item.id, "instrument.check_double", item=item.id, word=found, wording=said)


def _degree(item: Item, anchor: Text) -> Iterator[Finding]:
    for found, said in _found(_DEGREES, anchor):
        yield warned(item.id, "instrument.check_degree", item=item.id, word=found, anchor=said)


def _found(patterns: dict[Language, re.Pattern[str]], text: Text) -> Iterator[tuple[str, str]]:
    """Yield the words found, with the text that they stand in, for each language."""
    for language in LANGUAGES:
        found = patterns[language].search(text[language])
        if found:
            yield found.group(), text[language]


def _too_long(item: Item, label: Text, limit: int) -> Iterator[Finding]:
    for language in LANGUAGES:
        n = len(label[language].encode())
        if n > limit:
            said = label[language]
            yield warned(item.id, "instrument.check_long_label", item=item.id, n=n, limit=limit, label=said)


def _untranslated(item: Item, text: Text | None) -> Iterator[Finding]:
    if text is not None and text.sv == text.en and len(_WORD.findall(text.sv)) >= TRANSLATED_WORDS:
        yield warned(item.id, "instrument.check_untranslated", item=item.id, text=text.sv)
