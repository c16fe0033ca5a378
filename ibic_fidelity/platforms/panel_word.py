"""The panel's rating form as a Word document with fields to fill in."""

from __future__ import annotations

from collections.abc import Sequence

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.platforms.panel_excel import INSTRUCTIONS
from ibic_fidelity.platforms.panel_form import (
    QUESTIONS,
    anchor_lines,
    options,
    origin_of,
    panel_items,
    wording_lines,
)
from ibic_fidelity.platforms.word import Blank, Cell, Choice, Fixed, WordDocument


def panel_document(instrument: Instrument, *, components: Sequence[str] = (), lang: Language = "sv") -> bytes:
    """Return the rating form for one expert as a .docx file; see `panel_workbook`."""
    document = WordDocument(text("panel.title", lang), stamp=instrument.stamp(lang), lang=lang)
    document.paragraph(f"{instrument.title[lang]}, {instrument.stamp(lang)}")
    document.paragraph(f"{text('panel.expert', lang)}: ", Blank("expert", text("panel.write_here", lang)))
    for name in INSTRUCTIONS:
        document.paragraph(text(f"panel.how_{name}", lang))
    component = ""
    for item in panel_items(instrument, components):
        if item.component != component:
            component = item.component
            document.heading(instrument.by_component[component].label[lang], 1)
        document.heading(f"{item.label}. {item.idea[lang]}", 2)
        if item.definition is not None:
            document.paragraph(item.definition[lang])
        document.bullets(wording_lines(instrument, item, lang))
        document.paragraph(text("panel.column_anchors", lang), kind="strong")
        document.bullets(anchor_lines(instrument, item, lang))
        rows: list[list[Cell]] = []
        for question in QUESTIONS:
            tag, words = f"{item.id}.{question}", options(question, lang)
            field = (
                Choice(tag, words, text("panel.choose", lang)) if words else Blank(tag, text("panel.write_here", lang))
            )
            rows.append([text(f"panel.column_{question}", lang), field])
        document.table([], rows, widths=(6, 11))
    document.paragraph(
        f"{text('panel.origin', lang)} ", Fixed("form", origin_of(instrument, components, lang).line()), kind="small"
    )
    return document.content()
