"""Text files: bytes to characters to rows of cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.responses.tables import BLANKS, Found, Origin, RawTable, assemble, heading_row

SEPARATORS = (";", ",", "\t", "|")
SAMPLE = 200

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
#: Bytes that are å, ä, ö in Mac OS Roman or in DOS code pages, and no letter of Swedish in Windows-1252.
_FOREIGN = re.compile(
    rb"[\x81\x8a\x8c\x8d\x8e\x8f\x90\x9a\x9d]"
    rb"|[\x80\x84\x85\x86\x94\x99][a-z0-9]|[A-Za-z][\x84\x86]"
    rb"|[A-Za-z][\x80\x84\x85\x86\x87\x88\x89\x8b\x93\x94\x95\x98\x99\x9b\x9c\x9e\x9f][A-Za-z]"
)


def read_delimited(
    raw: bytes, origin: Origin, found: Found, *, separator: str | None, encoding: str | None
) -> RawTable | None:
    """Return the table of a text file, or ``None`` where faults stand in the way."""
    text = decoded(raw, origin, found, encoding=encoding)
    if text is None:
        return None
    if "\0" in text:
        line = len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")])) + 1
        found.fault("nul", origin, row=line)
        return None
    if not text.strip(BLANKS):
        found.fault("empty_file", origin)
        return None
    text, announced = _announced_separator(text, origin, found)
    mark = _separator(text, origin, found, wanted=_named(separator) or announced)
    if mark is None:
        return None
    rows = _rows(text, mark, origin, found)
    return None if rows is None else assemble(origin, rows, found)


def decoded(raw: bytes, origin: Origin, found: Found, *, encoding: str | None) -> str | None:
    """Return the text of bytes: by the encoding named, a byte order mark, UTF-8, or Windows-1252."""
    name = encoding or next((codec for mark, codec in _BOMS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(name).removeprefix("\ufeff")
    except LookupError:
        raise UsageError("responses.unknown_encoding", encoding=name) from None
    except UnicodeDecodeError as error:
        if encoding is not None or name != "utf-8":
            found.fault("not_decodable", origin, row=_line_of(raw, error.start), encoding=name)
            return None
    foreign = _FOREIGN.search(raw)
    if foreign is not None:
        found.fault("encoding_unclear", origin, row=_line_of(raw, foreign.start()))
        return None
    found.note("note_cp1252", file=origin.file)
    return raw.decode("cp1252")


def _line_of(raw: bytes, place: int) -> int:
    return len(re.findall(rb"\r\n|\r|\n", raw[:place])) + 1


def _named(separator: str | None) -> str | None:
    if separator is None:
        return None
    mark = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ","}.get(separator.casefold(), separator)
    if len(mark) != 1 or mark in '"\r\n' or mark.isalnum():
        raise UsageError("responses.bad_separator", separator=separator)
    return mark


def _announced_separator(text: str, origin: Origin, found: Found) -> tuple[str, str | None]:
    match = re.match(r'"?sep=([;,|\t])"?[ \t]*(?:\r\n|\r|\n)', text, re.IGNORECASE)
    if match is None:
        return text, None
    found.note("note_sep_line", file=origin.file)
    return text[match.end() :], match.group(1)


def _separator(text: str, origin: Origin, found: Found, *, wanted: str | None) -> str | None:
    if wanted is not None:
        return wanted
    header = next(line for line in io.StringIO(text, newline="") if line.strip(BLANKS))
    titled = _below_a_title(text, origin.known)
    if titled is not None:
        return titled
    outside = re.sub(r'"[^"]*"', "", header)
    seen = [mark for mark in SEPARATORS if mark in outside]
    if len(seen) <= 1:
        return seen[0] if seen else ";"
    even = [mark for mark in seen if _is_even(text, mark)]
    if len(even) == 1:
        return even[0]
    names = " ".join("tab" if mark == "\t" else mark for mark in seen)
    found.fault("separator_unclear", origin, row=1, value=header, seen=names)
    return None


def _below_a_title(text: str, known: frozenset[str]) -> str | None:
    """Return what separates the headings where other lines stand above them."""
    lines = [line for _, line in zip(range(12), io.StringIO(text), strict=False) if line.strip(BLANKS)][:6]
    for mark in SEPARATORS:
        cells = [[cell.strip(f'"{BLANKS}') for cell in line.split(mark)] for line in lines]
        if heading_row(list(enumerate(cells)), known) is not None:
            return mark
    return None


def _is_even(text: str, mark: str) -> bool:
    widths = set()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    for _, row in zip(range(SAMPLE), _safely(reader), strict=False):
        if any(row):
            widths.add(len(row))
    return len(widths) == 1


def _safely(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error:
        return


def _rows(text: str, mark: str, origin: Origin, found: Found) -> list[list[str]] | None:
    if '"' not in text:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        return [line.split(mark) for line in lines]
    limit = csv.field_size_limit()
    if len(text) > limit:  # the limit belongs to the whole process: lent for the time of this file
        csv.field_size_limit(len(text))
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    start = 1
    try:
        for row in reader:
            rows.append(row)
            start = reader.line_num + 1
    except csv.Error as error:
        code = "quote_open" if "unexpected end" in str(error) else "quote_inside"
        found.fault(Message(f"responses.{code}"), origin, row=start)
        return None
    finally:
        csv.field_size_limit(limit)
    return rows
