"""Excel workbooks: every visible sheet with content becomes rows of text cells."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ibic_fidelity.errors import UsageError
from ibic_fidelity.platforms.sheets import cell_text
from ibic_fidelity.responses.columns import source_names, source_of_headings
from ibic_fidelity.responses.privacy import masked
from ibic_fidelity.responses.tables import Found, Origin, RawTable, assemble, fold, heading_row, letters, nonblank
from ibic_fidelity.responses.zipped import Place, SheetFacts, facts, opened, percent_styles, sheet_parts

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

    from ibic_fidelity.instrument.model import Instrument

#: What stands in the neutral table for a formula that was saved without its value.
UNCOMPUTED = "=…"


def read_workbook(
    raw: bytes, origin: Origin, found: Found, instrument: Instrument, *, sheet: str | None
) -> list[RawTable]:
    """Return the tables of a workbook.

    Parameters
    ----------
    raw : bytes
        The file.
    origin, found : Origin, Found
        Where it comes from, and what collects its faults.
    instrument : Instrument
        Whose sources may give the sheets their names.
    sheet : str, optional
        The sheet to read. Without it the sheets that are named after a source are read, or the only
        sheet with content.
    """
    import python_calamine as calamine

    parts = opened(raw, origin, found)
    if parts is None:
        return []
    percent = percent_styles(parts)
    known = {name: facts(xml, percent) for name, xml in sheet_parts(parts).items()}
    if any(fact.too_large for fact in known.values()):
        found.fault("too_many_cells", origin)
        return []
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        pages = [meta for meta in book.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet]
        visible = [meta.name for meta in pages if meta.visible == calamine.SheetVisibleEnum.Visible]
        sheets = {meta.name: book.get_sheet_by_name(meta.name) for meta in pages}
    except calamine.CalamineError:
        found.fault("damaged", origin)
        return []
    if not set(sheets) <= set(known):  # a sheet whose errors and formulas could not be looked for
        found.fault("damaged", origin)
        return []
    filled = [name for name in sheets if sheets[name].height]
    hidden = [name for name in filled if name not in visible]
    if sheet is None:
        seen = {name: sheets[name] for name in filled if name in visible}
        chosen = _chosen(seen, hidden, origin, found, instrument)
    elif sheet in filled:
        chosen = [sheet]
    else:
        raise UsageError("responses.no_such_sheet", sheet=sheet, file=origin.file, sheets=_masked(filled))
    return [
        table
        for number, name in enumerate(chosen)
        if (table := _table(sheets[name], known[name], _named(origin, name, number), found)) is not None
    ]


def _named(origin: Origin, sheet: str, number: int) -> Origin:
    return replace(origin, file=f"{origin.file} [{masked(sheet)}]", stem=sheet, order=origin.order + number)


def _masked(names: list[str]) -> list[str]:
    return [masked(name) for name in names]


def _chosen(
    sheets: Mapping[str, CalamineSheet],
    hidden: list[str],
    origin: Origin,
    found: Found,
    instrument: Instrument,
) -> list[str]:
    filled = list(sheets)
    if hidden:
        found.note("note_hidden_sheets", file=origin.file, sheets=_masked(hidden))
    if not filled:
        found.fault("empty_file", origin)
        return []
    names = source_names(instrument)
    named = [name for name in filled if fold(name) in names]
    if len(filled) > 1 and not named:
        found.fault("which_sheet", origin, sheets=_masked(filled))
        return []
    others = [name for name in filled if name not in named] if named else []
    answered = {name: _answered(sheets[name], instrument) for name in others}
    for number, (name, source) in enumerate(answered.items(), start=len(named)):
        if source is not None:
            label = instrument.by_source[source].label.as_dict()
            found.fault("sheet_aside", _named(origin, name, number), row=1, source=source, label=label)
    others = [name for name in others if answered[name] is None]
    if others:
        found.note("note_other_sheets", file=origin.file, sheets=_masked(others))
    return named or filled


def _answered(sheet: CalamineSheet, instrument: Instrument) -> str | None:
    """Return the source whose answer columns stand in the first rows of a sheet."""
    rows = [[cell_text(value) for value in row] for row in sheet.to_python(nrows=12)]
    return next((source for row in rows if (source := source_of_headings(row, instrument)) is not None), None)


def _table(sheet: CalamineSheet, fact: SheetFacts, origin: Origin, found: Found) -> RawTable | None:
    if fact.hidden_rows:
        found.note("note_hidden_rows", file=origin.file, n=fact.hidden_rows)
    rows = [[cell_text(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    _put(rows, dict.fromkeys(fact.formulas, UNCOMPUTED))
    _put(rows, fact.errors)
    heading = heading_row(nonblank(rows), origin.known) or 1  # a merged title above is told with the title
    ranges = [pair for pair in sheet.merged_cell_ranges or [] if pair[1][0] + 1 >= heading]
    merged = [f"{_cell(top)}:{_cell(bottom)}" for top, bottom in ranges]
    if merged:
        row = ranges[0][0][0] + 1
        found.fault("merged_cells", origin, row=row, value=merged[0], cells=merged[:20])
    percent: dict[int, set[int]] = {}
    for row, column in fact.percent:
        percent.setdefault(column, set()).add(row + 1)
    return assemble(origin, rows, found, percent={column: frozenset(some) for column, some in percent.items()})


def _put(rows: list[list[str]], texts: Mapping[Place, str]) -> None:
    """Put texts where the reader gives blanks: the sheet is padded where a cell lies outside."""
    for (row, column), text in texts.items():
        while len(rows) <= row:
            rows.append([""] * (len(rows[0]) if rows else 0))
        if column >= len(rows[row]):
            for cells in rows:
                cells.extend([""] * (column + 1 - len(cells)))
        rows[row][column] = text


def _cell(place: Place) -> str:
    return f"{letters(place[1])}{place[0] + 1}"
