"""The panel's rating form as a workbook: instructions, and one row an item with lists to choose from."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.platforms.panel_form import (
    QUESTIONS,
    Question,
    anchor_lines,
    options,
    origin_of,
    panel_items,
    wording_lines,
)

if TYPE_CHECKING:
    from xlsxwriter import Workbook

CREATED = datetime(2000, 1, 1)  # no clock: the same bytes every time
SHOWN = ("item", "idea", "wording", "anchors")
WIDTHS = {"item": 14, "idea": 38, "wording": 44, "anchors": 44, "comment": 40}
LINE, MOST_POINTS, FULL = 14, 400, 1.05
INSTRUCTIONS = ("about", "relevance", "clarity", "one_thing", "essential", "comment", "alone")


def panel_workbook(instrument: Instrument, *, components: Sequence[str] = (), lang: Language = "sv") -> bytes:
    """Return the rating form for one expert as an .xlsx file, the same bytes every time.

    Parameters
    ----------
    instrument : Instrument
    components : sequence of str
        Whose items are rated; by default those of fidelity.
    lang : {"sv", "en"}
        The language of the form; `read_panel` reads forms of both.
    """
    from xlsxwriter import Workbook

    written = io.BytesIO()
    book = Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": text("panel.title", lang), "comments": instrument.stamp(lang), "created": CREATED})
    _front(book, instrument, components, lang)
    _items(book, instrument, components, lang)
    book.close()
    return written.getvalue()


def _front(book: Workbook, instrument: Instrument, components: Sequence[str], lang: Language) -> None:
    sheet = book.add_worksheet(text("panel.sheet_front", lang))
    bold = book.add_format({"bold": True, "font_size": 14})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    small = book.add_format({"font_color": "#6B6B6B", "font_size": 8})
    answer = book.add_format({"locked": False, "border": 1, "bg_color": "#FFF9E5"})
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, text("panel.title", lang), bold)
    sheet.write_string(1, 0, f"{instrument.title[lang]}, {instrument.stamp(lang)}")
    sheet.write_string(3, 0, text("panel.expert", lang))
    sheet.write_blank(3, 1, None, answer)
    row = 5
    for name in INSTRUCTIONS:
        words = text(f"panel.how_{name}", lang)
        sheet.merge_range(row, 0, row, 1, words, plain)
        sheet.set_row(row, LINE * math.ceil(len(words) / 100) + 4)
        row += 1
    sheet.write_string(row + 1, 0, text("panel.origin", lang), small)
    sheet.write_string(row + 1, 1, origin_of(instrument, components, lang).line(), small)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _items(book: Workbook, instrument: Instrument, components: Sequence[str], lang: Language) -> None:
    sheet = book.add_worksheet(text("panel.sheet_items", lang))
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EEF5"})
    plain = book.add_format({"text_wrap": True, "valign": "top", "bottom": 4})
    answer = book.add_format({"locked": False, "text_wrap": True, "valign": "top", "border": 1, "bg_color": "#FFF9E5"})
    columns = [*SHOWN, *QUESTIONS]
    for j, name in enumerate(columns):
        sheet.write_string(0, j, text(f"panel.column_{name}", lang), head)
        sheet.set_column(j, j, WIDTHS.get(name, 17))
    items = panel_items(instrument, components)
    for i, item in enumerate(items, start=1):
        meaning = [item.idea[lang]] + ([] if item.definition is None else [item.definition[lang]])
        component = instrument.by_component[item.component].label[lang]
        cells = {
            "item": [item.id, item.label, component],
            "idea": meaning,
            "wording": wording_lines(instrument, item, lang),
            "anchors": anchor_lines(instrument, item, lang),
        }
        for j, name in enumerate(SHOWN):
            sheet.write_string(i, j, "\n".join(cells[name]), plain)
        for j in range(len(SHOWN), len(columns)):
            sheet.write_blank(i, j, None, answer)
        sheet.set_row(i, _height(cells))
    sheet.set_row(0, 3 * LINE)
    for j, name in enumerate(QUESTIONS, start=len(SHOWN)):
        _list(sheet, j, len(items), name, lang)
    sheet.freeze_panes(1, 1)
    sheet.protect("", {"format_columns": True, "format_rows": True})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _height(cells: dict[str, list[str]]) -> float:
    """Return the points that the longest cell of a row needs."""
    lines = max(
        sum(max(math.ceil(len(line) * FULL / WIDTHS[name]), 1) for line in texts) for name, texts in cells.items()
    )
    return min(LINE * lines + 4, MOST_POINTS)


def _list(sheet: Any, j: int, n: int, question: Question, lang: Language) -> None:
    """Let an expert choose from the answers of a question, and nothing else."""
    words = list(options(question, lang))
    if not words:
        return
    rule = {
        "validate": "list",
        "source": words,
        "input_title": text(f"panel.column_{question}", lang)[:32],
        "input_message": text(f"panel.how_{question}", lang)[:255],
        "error_title": text("panel.choose", lang)[:32],
        "error_message": text("panel.choose_listed", lang)[:255],
    }
    sheet.data_validation(1, j, n, j, rule)
