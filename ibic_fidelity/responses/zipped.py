"""What an .xlsx file is inside, looked at before anything parses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import join, normpath

from ibic_fidelity.foundation.archives import MAX_BYTES, ArchiveError, safe_parts
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.responses.tables import Found, Origin

WORKBOOK_PART = "xl/workbook.xml"
MAX_CELLS = 5_000_000

_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_ROW_NUMBER = re.compile(rb"""\br=["'](\d+)["']""")
_HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
_COLUMN = re.compile(rb"""\br=["']([A-Z]{1,3})\d""")
_CELL_ROW = re.compile(rb"""\br=["'][A-Z]{1,3}(\d{5,})["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\bt=["']e["'][^>]*>.*?<(?:\w+:)?v>([^<]*)""", re.DOTALL)
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)(.*?)</(?:\w+:)?c>", re.DOTALL
)
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d+)["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>[^<]+<")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_NUMBER_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b[^>]*>")
_STYLES = re.compile(rb"<(?:\w+:)?cellXfs\b[^>]*>(.*?)</(?:\w+:)?cellXfs>", re.DOTALL)
_STYLE = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*)>")
_STYLED = re.compile(rb"""\bs=["'](\d+)["']""")
_ATTRIBUTE = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")

#: (row, column), both counted from 0.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the cells that a reader hands over do not tell.

    Attributes
    ----------
    errors : mapping of Place to str
        Cells with a spreadsheet error, and the error.
    formulas : tuple of Place
        Cells with a formula and no computed value.
    hidden_rows : int
        How many rows are hidden.
    too_large : bool
        Whether the sheet spans more than `MAX_CELLS` cells.
    percent : tuple of Place
        Cells whose number is shown as percent.
    """

    errors: Mapping[Place, str]
    formulas: tuple[Place, ...]
    hidden_rows: int
    too_large: bool
    percent: tuple[Place, ...] = ()


def kind_of(raw: bytes) -> str:
    r"""Return what bytes are by their beginning: zip, ole, html, xml, sav, dta or text.

    Examples
    --------
    >>> kind_of(b"PK\x03\x04"), kind_of(b" <HTML>"), kind_of(b"site;ut1"), kind_of(b"$FL2@(#)")
    ('zip', 'html', 'text', 'sav')
    """
    head = raw[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if raw.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "ole"
    if raw.startswith((b"$FL2", b"$FL3")):
        return "sav"
    if raw.startswith(b"<stata_dta>") or re.match(rb"[\x6c-\x76][\x01\x02]\x01\x00", raw):
        return "dta"
    markup = head.startswith((b"<?xml", b"<!doctype html", b"<html", b"<table", b"<head", b"<meta"))
    if markup:
        return "xml" if head.startswith(b"<?xml") and b"<html" not in head else "html"
    return "text"


def opened(raw: bytes, origin: Origin, found: Found) -> Mapping[str, bytes] | None:
    """Return the XML parts of a workbook, or ``None`` with a fault where it is not safe or whole."""
    try:
        return safe_parts(raw, WORKBOOK_PART)
    except ArchiveError as error:
        if error.why == "packed_too_much":
            found.fault("packed_too_much", origin, megabytes=error.megabytes, limit=MAX_BYTES // 1_000_000)
        else:
            found.fault("not_a_workbook" if error.why == "wrong_content" else error.why, origin)
        return None


def sheet_parts(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the XML of every sheet by the sheet's name."""
    targets: dict[str, str] = {}
    for tag in _RELATION.findall(parts.get("xl/_rels/workbook.xml.rels", b"")):
        attributes = _attributes(tag)
        targets[attributes.get("Id", "")] = attributes.get("Target", "")
    sheets = {}
    for tag in _SHEET.findall(parts["xl/workbook.xml"]):
        attributes = _attributes(tag)
        relation = next((value for name, value in attributes.items() if name.endswith(":id")), "")
        target = targets.get(relation, "")
        path = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
        if path in parts:
            sheets[attributes.get("name", "")] = parts[path]
    return sheets


def _attributes(tag: bytes) -> dict[str, str]:
    from html import unescape

    return {
        name.decode("utf-8", "replace"): unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(tag)
    }


def percent_styles(parts: Mapping[str, bytes]) -> frozenset[bytes]:
    """Return the numbers of the cell styles of a workbook that show a number as percent."""
    xml = parts.get("xl/styles.xml", b"")
    formats = {"9", "10"}
    for tag in _NUMBER_FORMAT.findall(xml):
        attributes = _attributes(tag)
        if "%" in attributes.get("formatCode", ""):
            formats.add(attributes.get("numFmtId", ""))
    styles = _STYLES.search(xml)
    tags = _STYLE.findall(styles.group(1)) if styles else []
    return frozenset(
        str(place).encode() for place, tag in enumerate(tags) if _attributes(tag).get("numFmtId") in formats
    )


def facts(xml: bytes, percent: frozenset[bytes] = frozenset()) -> SheetFacts:
    """Return what has to be known about a sheet besides its values; `percent` are the styles of percent."""
    rows = _ROW.findall(xml)
    numbers = [int(match.group(1)) for row in rows if (match := _ROW_NUMBER.search(row))]
    numbers += [int(number) for number in set(_CELL_ROW.findall(xml))]
    widest = max((_column(letters) for letters in set(_COLUMN.findall(xml))), default=0) + 1
    errors = {}
    for match in _ERROR.finditer(xml) if b't="e"' in xml or b"t='e'" in xml else ():
        place = _place(match.group(0).split(b">", 1)[0])
        if place is not None:
            errors[place] = match.group(1).decode("utf-8", "replace")
    formulas = []
    for match in _FORMULA.finditer(xml):
        place = _place(match.group(1))
        if place is not None and _VALUE.search(match.group(2)) is None:
            formulas.append(place)
    tall = max([len(rows), *numbers])
    hidden = sum(1 for row in rows if _HIDDEN.search(row))
    return SheetFacts(errors, tuple(formulas), hidden, tall * widest > MAX_CELLS, _styled(xml, percent))


def _styled(xml: bytes, styles: frozenset[bytes]) -> tuple[Place, ...]:
    if not styles:
        return ()
    places = [
        _place(attributes)
        for attributes in _CELL.findall(xml)
        if (match := _STYLED.search(attributes)) is not None and match.group(1) in styles
    ]
    return tuple(place for place in places if place is not None)


def _place(attributes: bytes) -> Place | None:
    match = _REFERENCE.search(attributes)
    return None if match is None else (int(match.group(2)) - 1, _column(match.group(1)))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1


def disguise(kind: str) -> Message:
    """Return the name of a kind of file, to be shown."""
    return Message(f"responses.kind_{kind}")
