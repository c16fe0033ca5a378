"""Small tables that people fill in: the first sheet of a workbook, or a text file, as rows of text by heading."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path

from ibic_fidelity.errors import FormError
from ibic_fidelity.foundation.archives import MAX_BYTES, ArchiveError, Why, safe_parts
from ibic_fidelity.foundation.files import read_bytes
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault

WORKBOOK_PART = "xl/workbook.xml"
FILE_LIMIT = 20_000_000
MAX_ROWS = 100_000
TEXT_ENDINGS = (".csv", ".tsv", ".txt")
BOOK_ENDINGS = (".xlsx", ".xlsm")
_WHY: dict[Why, str] = {
    "damaged": "platforms.damaged",
    "doctype": "platforms.damaged",
    "password": "platforms.password",
    "packed_too_much": "platforms.packed_too_much",
    "wrong_content": "platforms.wrong_content",
}


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A table as a person filled it in: headings folded to lower case, and rows with the number that the user sees."""

    file: str
    headings: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    def broken(self, code: str, row: int | None = None, column: str = "", value: str = "", **params: object) -> Fault:
        """Return a fault in the table; the value is cut at sixty characters."""
        shown = value if len(value) <= 60 else value[:59] + "…"
        return Fault(Message(code, params), file=self.file, row=row, column=column, value=shown)


def read_table(path: Path, *, needed: Sequence[str], also: Mapping[str, str] | None = None) -> SheetTable:
    """Return the table of a file with a heading for everything that is needed.

    Parameters
    ----------
    path : Path
        .xlsx (its first sheet with content), or .csv, .tsv or .txt in UTF-8 or Windows-1252 with semicolons, tabs
        or commas.
    needed : sequence of str
        Headings that must be there.
    also : mapping of str to str, optional
        Other names of headings, to the names that the rows have.

    Raises
    ------
    FormError
        The file is damaged, locked, empty or of another kind, or lacks a heading.
    FileError
        It cannot be read.
    """
    grid = _grid(path)
    names = dict(also or {})
    numbered = [(number, [cell.strip() for cell in row]) for number, row in enumerate(grid, start=1)]
    numbered = [(number, row) for number, row in numbered if any(row)]
    if not numbered:
        raise form_error(path, "platforms.empty_table")
    headings = tuple(names.get(cell.casefold(), cell.casefold()) for cell in numbered[0][1])
    lacking = [name for name in needed if name not in headings]
    if lacking:
        raise form_error(path, "platforms.lacking_columns", row=numbered[0][0], columns=lacking)
    twice = sorted({name for name in headings if name and headings.count(name) > 1})
    if twice:
        raise form_error(path, "platforms.columns_twice", row=numbered[0][0], columns=twice)
    rows = tuple(
        (number, {name: cell for name, cell in zip(headings, row, strict=False) if name})
        for number, row in numbered[1:]
    )
    if not rows:
        raise form_error(path, "platforms.no_rows")
    return SheetTable(path.name, headings, tuple((number, _whole(row, headings)) for number, row in rows))


def _whole(row: Mapping[str, str], headings: Sequence[str]) -> dict[str, str]:
    return {name: row.get(name, "") for name in headings if name}


def form_error(path: Path, code: str, *, row: int | None = None, **params: object) -> FormError:
    """Return an error with one fault about a whole file."""
    fault = Fault(Message(code, params), file=path.name, row=row)
    return FormError("platforms.faulty", faults=(fault,), n=1, path=path.name)


def _grid(path: Path) -> list[list[str]]:
    raw = read_bytes(path, limit=FILE_LIMIT)
    ending = path.suffix.casefold()
    if not raw:
        raise form_error(path, "platforms.empty_table")
    if ending in BOOK_ENDINGS:
        return next((rows for _, rows in read_book(raw, path) if any(any(row) for row in rows)), [])
    if ending not in TEXT_ENDINGS:
        raise form_error(path, "platforms.unknown_kind", ending=ending, endings=[*BOOK_ENDINGS, *TEXT_ENDINGS])
    if raw.startswith(b"PK\x03\x04") or b"\0" in raw:
        raise form_error(path, "platforms.not_text", ending=ending)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    first = text.partition("\n")[0]
    separator = max(";\t,", key=first.count)
    return list(csv.reader(io.StringIO(text), delimiter=separator))


def read_book(raw: bytes, path: Path) -> list[tuple[str, list[list[str]]]]:
    """Return the visible sheets of a workbook by name, as rows of text that begin at row 1."""
    import python_calamine as calamine

    try:
        safe_parts(raw, WORKBOOK_PART)
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = []
        for meta in book.sheets_metadata:
            sheet = book.get_sheet_by_name(meta.name)
            if meta.visible != calamine.SheetVisibleEnum.Visible:
                continue
            rows = sheet.to_python(skip_empty_area=False, nrows=MAX_ROWS)
            sheets.append((meta.name, [[cell_text(value) for value in row] for row in rows]))
    except ArchiveError as error:
        raise archive_error(path, error) from None
    except calamine.CalamineError:
        raise form_error(path, "platforms.damaged") from None
    return sheets


def archive_error(path: Path, error: ArchiveError) -> FormError:
    """Return why a zipped file is not read, as an error about that file."""
    sizes = {"megabytes": error.megabytes, "limit": MAX_BYTES // 1_000_000}
    return form_error(path, _WHY[error.why], **(sizes if error.why == "packed_too_much" else {}))


def cell_text(value: object) -> str:
    """Return a typed cell as the text that a person would have typed.

    Examples
    --------
    >>> cell_text(3.0), cell_text(0.45), cell_text(True), cell_text(datetime(2026, 4, 1)), cell_text(None)
    ('3', '0.45', 'TRUE', '2026-04-01', '')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    return "" if value is None else str(value)


def number_text(value: float) -> str:
    """Return a number without an exponent, whole ones without decimals.

    Examples
    --------
    >>> number_text(1e22), number_text(1e-7), number_text(float("nan"))
    ('10000000000000000000000', '0.0000001', 'nan')
    """
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 — NaN is what differs from itself
        return str(value)
    if float(value).is_integer():
        return str(int(value))
    return format(Decimal(repr(float(value))), "f")
