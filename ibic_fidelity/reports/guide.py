"""The discussion guide of preconditions: questions on which a group takes a position, no ready answers, no score."""

from __future__ import annotations

from collections.abc import Iterator

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Dimension, Item
from ibic_fidelity.reports.document import Block, Document, Grid, Heading, Paragraph, page_stamp
from ibic_fidelity.reports.manual import guidance_blocks

PRECONDITION: Dimension = "precondition"
DISCUSSED: tuple[Dimension, ...] = (PRECONDITION, "context")
WRITTEN = (4.8, 12.2)
ROOM = 12  # lines to write on


def discussion_guide(instrument: Instrument, *, lang: Language = "sv") -> Document:
    """Return the discussion guide of an instrument's preconditions.

    Parameters
    ----------
    instrument : Instrument
        With preconditions, each of which has questions to discuss.
    lang : {"sv", "en"}
        Language of the guide.

    Returns
    -------
    Document
        For each precondition why it matters and the questions, then room to write what is known, the position taken,
        who decides and by when. Never a score.

    Raises
    ------
    UsageError
        The instrument has no preconditions, or one of them has no question.
    """
    required = [item for item in instrument.items if _dimension(instrument, item) == PRECONDITION]
    if not required:
        raise UsageError("reports.no_preconditions", instrument=instrument.id)
    silent = [item.label for item in required if item.discussion is None]
    if silent:
        raise UsageError("reports.no_discussion", instrument=instrument.id, items=silent)
    title = text("reports.guide_title", lang, title=instrument.title[lang])
    return Document(title, lang, page_stamp(instrument, lang), tuple(_blocks(instrument, lang)))


def _dimension(instrument: Instrument, item: Item) -> Dimension:
    return instrument.by_component[item.component].dimension


def _blocks(instrument: Instrument, lang: Language) -> Iterator[Block]:
    yield from guidance_blocks(instrument.guidance.discussion, lang)
    yield Grid((), tuple((text(f"reports.guide_{name}", lang), "") for name in ("group", "date", "chair")), WRITTEN)
    asked = [item for item in instrument.items if _dimension(instrument, item) in DISCUSSED and item.discussion]
    written = {("known", "position"): ROOM, ("decides", "by"): 1}
    for item in asked:
        yield Heading(f"{item.label} {item.idea[lang]}", breaks=True)
        yield Paragraph(item.rationale[lang], "small")
        if item.discussion is not None:
            yield Paragraph(item.discussion[lang], "strong")
        for names, lines in written.items():
            yield Grid((), tuple((text(f"reports.guide_{name}", lang), "") for name in names), WRITTEN, lines=lines)
    yield Heading(text("reports.guide_together", lang), breaks=True)
    header = tuple(text(f"reports.guide_{name}", lang) for name in ("question", "position", "decides", "by"))
    yield Grid(header, tuple((item.label, "", "", "") for item in asked), (2, 8, 4, 3))
