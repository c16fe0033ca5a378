"""What an author should look at again in an instrument that the reader accepts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibic_fidelity.foundation.messages import LANGUAGES, Language, Message
from ibic_fidelity.foundation.results import table
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Component, Item, Measure, Text

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["warning", "information"]

#: What SPSS keeps of a variable label and of a value label; it cuts the rest without a word.
VARIABLE_LABEL_BYTES = 255
VALUE_LABEL_BYTES = 120
LONG_ITEM_WORDS = 12
REFLECTIVE_MINIMUM = 4


def _any_of(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_JOINS = {"sv": re.compile(r"\b(?:och|samt)\b|/", re.I), "en": re.compile(r"\band\b|/", re.I)}
_DEGREES = {
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


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: in which item (empty: in no single one), how serious, and why.

    ``message`` has its remedy under the same code with ``_remedy`` added, as the rule of a fault.
    """

    severity: Severity
    item: str
    message: Message

    def line(self, language: Language) -> str:
        """Return the finding in one line of text."""
        remedy = Message(f"{self.message.code}_remedy", self.message.params).text(language)
        return f"{self.message.text(language)} {remedy}"


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentCheck:
    """The findings on an instrument, in the order of its items, general ones last.

    Attributes
    ----------
    instrument_id, instrument_version : str
        What was checked.
    findings : tuple of Finding
        Warnings are for the author to mend or defend; information is a figure to know.
    """

    instrument_id: str
    instrument_version: str
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that are warnings."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a finding: item, reason (English), severity, code."""
        return table(
            {
                "item": [finding.item for finding in self.findings],
                "reason": [finding.message.text("en") for finding in self.findings],
                "severity": [finding.severity for finding in self.findings],
                "code": [finding.message.code for finding in self.findings],
            },
            extra=("severity", "code"),
        )

    def summary(self) -> str:
        """Return how many findings there are, and the warnings."""
        n, warnings = len(self.findings), len(self.warnings)
        head = f"{self.instrument_id} {self.instrument_version}: {warnings} warning(s), "
        head += f"{n - warnings} for information"
        return "\n".join([head, *(f"  {finding.line('en')}" for finding in self.warnings)])


def check_instrument(instrument: Instrument) -> InstrumentCheck:
    """Check what an instrument's author can be told before anybody has answered it.

    Parameters
    ----------
    instrument : Instrument
        As `load_instrument` returns it; what that refuses is not looked for again.

    Returns
    -------
    InstrumentCheck
        Wordings that ask two things; anchors that two items share or that are words of degree; fidelity
        items without specificity or law, answered by a survey, or without a rule for "not applicable";
        reflective components of fewer than four items; empty components; labels that SPSS would cut; and,
        for information, the LIX of items over twelve words and legal sources that nobody has checked.

    Notes
    -----
    LIX is the mean number of words a sentence plus the percentage of words over six letters. In a short
    text one long word moves it by ten or more, so it is a figure here and no verdict [1]_.

    References
    ----------
    .. [1] Björnsson, C.-H. (1968). Läsbarhet. Liber.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> checked = check_instrument(load_instrument("lq2002"))
    >>> [finding.message.text("en") for finding in checked.warnings]
    ['The reflective component tsig has 3 item(s).']
    """
    findings = [finding for item in instrument.items for finding in _of_item(instrument, item)]
    findings += _shared_anchors(instrument)
    for component in instrument.components:
        findings += _of_component(instrument, component)
    for reference in instrument.references:
        if reference.in_force_checked == "unchecked":
            findings.append(_information("", "instrument.check_legal_unchecked", reference=reference.id))
    return InstrumentCheck(instrument.id, instrument.version, tuple(findings))


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


def _of_item(instrument: Instrument, item: Item) -> Iterator[Finding]:
    yield from _double(item.id, item.idea)
    for measure in item.measures:
        yield from _of_measure(instrument, item, measure)
    if instrument.by_component[item.component].dimension in FIDELITY:
        yield from _of_fidelity(instrument, item)


def _of_measure(instrument: Instrument, item: Item, measure: Measure) -> Iterator[Finding]:
    wordings = [measure.wording, *(part.wording for part in measure.parts)]
    for wording in wordings:
        yield from _double(item.id, wording)
        yield from _too_long(item.id, wording, VARIABLE_LABEL_BYTES)
        yield from _reading_ease(item.id, wording.sv)
    anchors = _anchors(instrument, measure)
    for anchor in anchors:
        yield from _too_long(item.id, anchor, VALUE_LABEL_BYTES)
        if instrument.by_source[measure.source].kind == "audit":
            yield from _degree(item.id, anchor)


def _of_fidelity(instrument: Instrument, item: Item) -> Iterator[Finding]:
    if item.specificity is None:
        yield _warning(item.id, "instrument.check_no_specificity", item=item.id)
    if not item.law:
        yield _warning(item.id, "instrument.check_no_law", item=item.id)
    if instrument.by_source[item.primary.source].kind == "survey":
        yield _warning(item.id, "instrument.check_self_report", item=item.id, source=item.primary.source)
    if instrument.by_scale[item.primary.scale].missing.not_applicable and item.not_applicable is None:
        yield _warning(item.id, "instrument.check_no_rule", item=item.id)


def _of_component(instrument: Instrument, component: Component) -> Iterator[Finding]:
    n = len(instrument.items_of(component.id))
    if n == 0:
        yield _warning("", "instrument.check_empty_component", component=component.id)
    elif component.measurement_model == "reflective" and n < REFLECTIVE_MINIMUM:
        yield _warning("", "instrument.check_few_items", component=component.id, n=n)


def _shared_anchors(instrument: Instrument) -> Iterator[Finding]:
    users: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in instrument.items:
        for measure in item.measures:
            for anchor in _own_anchors(instrument, measure):
                for language in LANGUAGES:
                    users[language, anchor[language].casefold()].append(item.id)
    for (spoken, _), owners in users.items():
        items = sorted(set(owners))
        if len(items) > 1:
            yield _warning(owners[0], "instrument.check_shared_anchor", items=items, language=spoken)


def _own_anchors(instrument: Instrument, measure: Measure) -> tuple[Text, ...]:
    """Return the anchors that must be one item's alone: yes and no, and a survey's format, are common."""
    if measure.anchors:
        return measure.anchors
    levels = instrument.by_scale[measure.scale].type == "levels"
    audit = instrument.by_source[measure.source].kind == "audit"
    return _anchors(instrument, measure) if levels and audit else ()


def _anchors(instrument: Instrument, measure: Measure) -> tuple[Text, ...]:
    return measure.anchors or tuple(level.anchor for level in instrument.by_scale[measure.scale].levels)


def _double(item: str, wording: Text) -> Iterator[Finding]:
    for language in LANGUAGES:
        found = _JOINS[language].search(wording[language])
        if found:
            yield _warning(item, "instrument.check_double", item=item, word=found.group(), wording=wording[language])


def _degree(item: str, anchor: Text) -> Iterator[Finding]:
    for language in LANGUAGES:
        found = _DEGREES[language].search(anchor[language])
        if found:
            yield _warning(item, "instrument.check_degree", item=item, word=found.group(), anchor=anchor[language])


def _too_long(item: str, label: Text, limit: int) -> Iterator[Finding]:
    for language in LANGUAGES:
        n = len(label[language].encode())
        if n > limit:
            yield _warning(item, "instrument.check_long_label", item=item, n=n, limit=limit, label=label[language])


def _reading_ease(item: str, wording: str) -> Iterator[Finding]:
    words = len(_WORD.findall(wording))
    if words > LONG_ITEM_WORDS:
        score = round(lix(wording))
        yield _information(item, "instrument.check_lix", item=item, words=words, lix=score, wording=wording)


def _warning(item: str, code: str, /, **params: object) -> Finding:
    return Finding("warning", item, Message(code, params))


def _information(item: str, code: str, /, **params: object) -> Finding:
    return Finding("information", item, Message(code, params))
