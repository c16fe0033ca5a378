"""Scores as an Excel workbook: real numbers, texts that are never formulas, the same bytes every time."""

from __future__ import annotations

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.reports import sheets
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    from xlsxwriter import Workbook

CREATED = datetime(2000, 1, 1)  # no clock: the same bytes every time
WRAPPED = 55  # characters; texts in wider columns are folded
LONGEST = 32_000  # Excel takes 32,767 characters in a cell


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
    from xlsxwriter import Workbook

    material = Material(scores, instrument, lang)
    written = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(written, options)
    book.set_properties({"title": instrument.title[lang], "comments": instrument.stamp(lang), "created": CREATED})
    formats: dict[Any, Any] = {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "text": book.add_format({"valign": "top"}),
        "long": book.add_format({"text_wrap": True, "valign": "top"}),
        **{digits: book.add_format({"num_format": f"{0:.{digits}f}", "valign": "top"}) for digits in (0, 1, 3)},
    }
    for name, table in _sheets(material).items():
        _write(book, name, table, formats)
    book.close()
    return written.getvalue()


def _sheets(material: Material) -> dict[str, Table]:
    """Return the sheets by name; those in which nothing stands are left out."""
    say = material.say
    made = {
        say("reports.sheet_totals"): sheets.totals_sheet(material),
        say("reports.sheet_components"): sheets.components_sheet(material),
        say("reports.sheet_items"): sheets.items_sheet(material),
        say("reports.sheet_withheld"): sheets.withheld_sheet(material),
        say("reports.sheet_gates"): sheets.gates_sheet(material),
        say("reports.sheet_response"): sheets.response_sheet(material),
        say("reports.sheet_missing"): sheets.missing_sheet(material),
        say("reports.sheet_spread"): sheets.spread_sheet(material),
        say("reports.sheet_method"): sheets.method_sheet(material),
    }
    filled = {name: table for name, table in made.items() if table.rows}
    return {say("reports.sheet_readme"): sheets.readme_sheet(material, filled), **filled}


def _write(book: Workbook, name: str, table: Table, formats: dict[Any, Any]) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for j, column in enumerate(table.columns):
        sheet.write_string(0, j, column.title, formats["head"])
        sheet.set_column(j, j, column.width)
    if len(table.rows) > 1 and len(table.columns) > 2:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    for i, row in enumerate(table.rows, start=1):
        for j, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            _write_cell(sheet, i, j, column, cell, formats)


def _write_cell(sheet: Any, i: int, j: int, column: Column, cell: Cell, formats: dict[Any, Any]) -> None:
    if cell.value is not None:
        sheet.write_number(i, j, cell.value, formats[column.digits])
    elif column.kind != "number" and cell.text:
        sheet.write_string(i, j, cell.text[:LONGEST], formats["long" if column.width > WRAPPED else "text"])
