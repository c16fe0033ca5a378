"""Scores as an Excel workbook: real numbers, texts that are never formulas, the same bytes every time."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.reports import sheets as made_of
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    from xlsxwriter import Workbook

CREATED = datetime(2000, 1, 1)  # no clock: the same bytes every time
WRAPPED = 55  # characters; texts in wider columns are folded
LONGEST = 32_000  # Excel takes 32,767 characters in a cell
FULL = 1.1  # of a column's characters fill a folded line
LINE, MOST_LINES = 15, 25  # points a line; Excel takes 409 points a row
SHARE = "share"  # the format of percentages


def scores_workbook(scores: Scores, instrument: Instrument, *, lang: Language = "sv") -> bytes:
    """Return the scores as an Excel workbook.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned.
    instrument : Instrument
        The instrument of these scores.
    lang : {"sv", "en"}
        Language of headings and words.

    Returns
    -------
    bytes
        An .xlsx file. What a page withholds is withheld here too; numbers are numbers, not rounded;
        texts are never formulas or links.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> scores_workbook(scores, study.instrument)[:2]
    b'PK'
    """
    return workbook_bytes(_sheets(Material(scores, instrument, lang)), instrument, lang)


def workbook_bytes(sheets: Mapping[str, Table], instrument: Instrument, lang: Language) -> bytes:
    """Return a workbook of tables, one a sheet, by the sheets' names."""
    from xlsxwriter import Workbook

    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(written, options)
    book.set_properties({"title": instrument.title[lang], "comments": instrument.stamp(lang), "created": CREATED})
    formats: dict[Any, Any] = {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "text": book.add_format({"valign": "top"}),
        "long": book.add_format({"text_wrap": True, "valign": "top"}),
        **{digits: book.add_format({"num_format": f"{0:.{digits}f}", "valign": "top"}) for digits in (0, 1, 2, 3)},
        SHARE: book.add_format({"num_format": "0%", "valign": "top"}),
    }
    for name, table in sheets.items():
        _write(book, name, table, formats)
    book.close()
    return written.getvalue()


def _sheets(material: Material) -> dict[str, Table]:
    """Return the sheets by name; those in which nothing stands are left out."""
    say = material.say
    made = {
        say("reports.sheet_totals"): made_of.totals_sheet(material),
        say("reports.sheet_components"): made_of.components_sheet(material),
        say("reports.sheet_items"): made_of.items_sheet(material),
        say("reports.sheet_withheld"): made_of.withheld_sheet(material),
        say("reports.sheet_gates"): made_of.gates_sheet(material),
        say("reports.sheet_response"): made_of.response_sheet(material),
        say("reports.sheet_missing"): made_of.missing_sheet(material),
        say("reports.sheet_spread"): made_of.spread_sheet(material),
        say("reports.sheet_bootstrap"): made_of.bootstrap_sheet(material),
        say("reports.sheet_method"): made_of.method_sheet(material),
    }
    filled = {name: table for name, table in made.items() if table.rows}
    return {say("reports.sheet_readme"): made_of.readme_sheet(material, filled), **filled}


def _write(book: Workbook, name: str, table: Table, formats: dict[Any, Any]) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for j, column in enumerate(table.columns):
        sheet.write_string(0, j, column.title, formats["head"])
        sheet.set_column(j, j, column.width)
    _fold(sheet, 0, [(column.title, column.width) for column in table.columns])
    if len(table.rows) > 1 and len(table.columns) > 2:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    for i, row in enumerate(table.rows, start=1):
        for j, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write_cell(sheet, i, j, column, cell, formats)
        _fold(sheet, i, [(cell.text, column.width) for column, cell in zip(table.columns, row, strict=True)
                         if column.width > WRAPPED])  # fmt: skip


def _fold(sheet: Any, i: int, texts: Iterable[tuple[str, int]]) -> None:
    """Make a row as high as its folded texts need; not every program does so by itself."""
    lines = max((math.ceil(len(words) / (FULL * width)) for words, width in texts if words), default=1)
    if lines > 1:
        sheet.set_row(i, LINE * min(lines, MOST_LINES))


def _write_cell(sheet: Any, i: int, j: int, column: Column, cell: Cell, formats: dict[Any, Any]) -> None:
    if cell.value is not None:
        sheet.write_number(i, j, cell.value, formats[SHARE if cell.share else column.digits])
    elif column.kind != "number" and cell.text:
        sheet.write_string(i, j, cell.text[:LONGEST], formats["long" if column.width > WRAPPED else "text"])
