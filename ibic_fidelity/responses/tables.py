"""The neutral table that every file format arrives at, and the list of what was found on the way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault
from ibic_fidelity.responses.privacy import masked

#: What counts as blank around a text: ordinary and no-break spaces, tabs, line ends.
BLANKS = " \t\r\n\f\v\u00a0\u2007\u202f"
#: Faults of one rule in one column that are listed one by one; the rest are counted in one line.
LISTED = 200
SHOWN = 60

_SPACES = re.compile(rf"[{BLANKS}]+")


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """A table of text cells, as one file or sheet gave it.

    Attributes
    ----------
    file : str
        The name shown to the user: the file, and the sheet in brackets.
    stem : str
        What may name a source: the file's name without ending, or the sheet's.
    order : int
        The place among all tables read, by which faults are sorted.
    headers : tuple of str, length k
        The column names, trimmed.
    cells : tuple of tuple of str, k columns of n cells
        The text of every cell, one tuple a column.
    rows : sequence of int, length n
        The row number that the user sees in the file (1 is the header).
    labels : mapping of int to mapping
        The value labels of a column by its place, from statistics programs.
    user_missing : mapping of int to frozenset
        The texts of a column that the file declares missing, from statistics programs.
    source : str or None
        The source that the caller named for the file.
    percent : mapping of int to frozenset of int
        The rows of a column, by its place, whose numbers a spreadsheet shows as percent.
    numbers : mapping of int to str
        The columns that a statistics program stores as numbers, and the program: ``spss`` or ``stata``.
    """

    file: str
    stem: str
    order: int
    headers: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    rows: Sequence[int]
    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    user_missing: Mapping[int, frozenset[str]] = field(default_factory=dict)
    source: str | None = None
    percent: Mapping[int, frozenset[int]] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table comes from, before there is one; `known` are the folded names that its columns may have."""

    file: str
    stem: str
    order: int
    source: str | None = None
    known: frozenset[str] = frozenset()


@dataclass(slots=True)
class Found:
    """Collects faults and notes; the one thing in this room that changes while a file is read."""

    _faults: list[tuple[tuple[int, int, int], Fault]] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Return the faults by file, row and column."""
        return tuple(fault for _, fault in sorted(self._faults, key=lambda pair: pair[0]))

    def note(self, code: str, **params: object) -> None:
        """Add a note, once."""
        message = Message(f"responses.{code}", params)
        if message not in self.notes:
            self.notes.append(message)

    def fault(
        self,
        rule: str | Message,
        table: RawTable | Origin,
        *,
        row: int | None = None,
        column: int | None = None,
        name: str = "",
        value: str = "",
        **params: object,
    ) -> None:
        """Add a fault; `row` is the number that the user sees, `column` the place of the column."""
        message = rule if isinstance(rule, Message) else Message(f"responses.{rule}", params)
        header = table.headers[column] if isinstance(table, RawTable) and column is not None else name
        fault = Fault(message, file=table.file, row=row, column=shown(header), value=shown(value))
        place = (table.order, -1 if row is None else row, -1 if column is None else column)
        self._faults.append((place, fault))

    def cells(self, table: RawTable, column: int, rules: Mapping[str, Message], index: Sequence[int]) -> None:
        """Add a fault for every cell of a column whose text breaks a rule, counting them past `LISTED`."""
        if not rules:
            return
        cells = table.cells[column]
        seen: dict[str, int] = {}
        for i in index:
            rule = rules.get(cells[i])
            if rule is None:
                continue
            seen[rule.code] = seen.get(rule.code, 0) + 1
            if seen[rule.code] <= LISTED:
                self.fault(rule, table, row=table.rows[i], column=column, value=cells[i])
        for code, n in sorted(seen.items()):
            if n > LISTED:
                same = Message(code, next(rule.params for rule in rules.values() if rule.code == code))
                self.fault("more_like_this", table, column=column, n=n - LISTED, listed=LISTED, example=same)

    def rows(self, rule: str, table: RawTable, hits: Iterable[int], *, column: int | None = None) -> None:
        """Add a fault without parameters on each of some rows, counting them past `LISTED`."""
        places = list(hits)
        for i in places[:LISTED]:
            value = "" if column is None else table.cells[column][i]
            self.fault(rule, table, row=table.rows[i], column=column, value=value)
        if len(places) > LISTED:
            n = len(places) - LISTED
            example = Message(f"responses.{rule}")
            self.fault("more_like_this", table, column=column, n=n, listed=LISTED, example=example)


def shown(text: str) -> str:
    r"""Return a text as it may be echoed: personal numbers masked, no control characters, cut at 60.

    Examples
    --------
    >>> shown("x" * 61)[-2:], shown("a" + chr(0) + "b")
    ('x…', 'a\ufffdb')
    """
    plain = "".join(
        "\ufffd" if unicodedata.category(char).startswith("C") else char for char in masked(text[: 4 * SHOWN])
    )
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"


def fold(text: str) -> str:
    r"""Return a text trimmed, composed, its spaces single, without regard to case.

    Examples
    --------
    >>> fold("  UT1" + chr(0xA0)), fold("I  hög\tgrad")
    ('ut1', 'i hög grad')
    """
    return _SPACES.sub(" ", unicodedata.normalize("NFC", text).strip(BLANKS)).casefold()


def squash(text: str) -> str:
    """Return a name without anything but letters and digits, leading zeros dropped: for suggestions.

    Examples
    --------
    >>> squash("UT_01") == squash("ut1")
    True
    """
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]+", "", fold(text)))


def assemble(
    origin: Origin, rows: list[list[str]], found: Found, *, percent: Mapping[int, frozenset[int]] | None = None
) -> RawTable | None:
    """Return the neutral table of a list of rows, the first that is not blank being the header.

    Ragged rows and repeated headers become faults and are left out, blank rows are counted in a note.
    """
    numbered = nonblank(rows)
    if not numbered:
        found.fault("empty_file", origin)
        return None
    header_row, header = numbered[0]
    heading = heading_row(numbered, origin.known)
    if heading is not None:
        found.fault("title_row", origin, row=header_row, value="".join(header).strip(BLANKS), heading=heading)
        return None
    if any(cell.lstrip(BLANKS).startswith('{"ImportId"') for _, row in numbered[1:3] for cell in row):
        found.fault("qualtrics_header", origin, row=header_row + 1)
        return None
    header = [cell.strip(BLANKS) for cell in header]
    while header and not header[-1] and all(len(row) < len(header) for _, row in numbered[1:]):
        header.pop()
    blank = len(rows) - (header_row - 1) - len(numbered)
    if blank:
        found.note("note_blank_rows", file=origin.file, n=blank)
    body = _even(origin, header, numbered[1:], found)
    repeated = {number for number, row in body if row[0].strip(BLANKS) == header[0] and _same(row, header)}
    body = [pair for pair in body if pair[0] not in repeated] if repeated else body
    if not body:
        found.fault("no_rows", origin, row=header_row)
        return None
    columns = tuple(zip(*(row for _, row in body), strict=True))
    numbers = [number for number, _ in body]
    made = RawTable(origin.file, origin.stem, origin.order, tuple(header), columns, numbers, source=origin.source)
    table = made if not percent else replace(made, percent=percent)
    table, pasted = unpasted(table, found)
    for number in sorted(repeated) if not pasted else ():
        found.fault("header_again", origin, row=number)
    return without_empty_columns(table, found)


def nonblank(rows: Sequence[list[str]]) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank with their numbers as the user sees them."""
    return [(1 + i, row) for i, row in enumerate(rows) if any(row) and "".join(row).strip(BLANKS)]


def heading_row(numbered: Sequence[tuple[int, list[str]]], known: frozenset[str]) -> int | None:
    """Return the number of the row that has the headings, where others stand above it."""
    if len(numbered) < 2:
        return None
    first = numbered[0][1]
    alone = sum(1 for cell in first if cell.strip(BLANKS)) == 1
    if known_names(first, known) >= (2 if alone else 1):
        return None
    least = 2 if alone else 3
    return next((number for number, row in numbered[1:6] if known_names(row, known) >= least), None)


def known_names(row: Iterable[str], known: frozenset[str]) -> int:
    """Return how many different cells of a row are the name of a column."""
    return len({fold(cell) for cell in row} & known)


def _same(row: list[str], header: list[str]) -> bool:
    return [cell.strip(BLANKS) for cell in row] == header


def _even(
    origin: Origin, header: list[str], rows: list[tuple[int, list[str]]], found: Found
) -> list[tuple[int, list[str]]]:
    k = len(header)
    if all(len(row) == k for _, row in rows):
        return rows
    kept, padded, uneven = [], 0, 0
    for number, row in rows:
        if len(row) > k and not "".join(row[k:]).strip(BLANKS):
            padded += 1
            kept.append((number, row[:k]))
        elif len(row) == k:
            kept.append((number, row))
        else:
            uneven += 1
            if uneven <= LISTED:
                code = "row_long" if len(row) > k else "row_short"
                found.fault(code, origin, row=number, n=len(row), expected=k)
    if uneven > LISTED:
        example = Message("responses.row_uneven")
        found.fault("more_like_this", origin, n=uneven - LISTED, listed=LISTED, example=example)
    if padded:
        found.note("note_trailing_separators", file=origin.file, n=padded)
    return kept


def unpasted(table: RawTable, found: Found) -> tuple[RawTable, bool]:
    """Return a table once where its rows are all there several times over, with one fault."""
    for times in (2, 3, 4, 5):
        part, rest = divmod(table.n, times)
        if rest or part < 3 or any(cells[: table.n - part] != cells[part:] for cells in table.cells):
            continue
        if len(set(zip(*(cells[:part] for cells in table.cells), strict=True))) < 3:
            continue
        found.fault("pasted", table, row=table.rows[part], times=times, n=part)
        return cut(table, range(part)), True
    return table, False


def cut(table: RawTable, index: Sequence[int], columns: Sequence[int] | None = None) -> RawTable:
    """Return some rows of a table, and optionally some of its columns."""
    places = range(len(table.headers)) if columns is None else columns
    return RawTable(
        table.file,
        table.stem,
        table.order,
        tuple(table.headers[j] for j in places),
        tuple(tuple(table.cells[j][i] for i in index) for j in places),
        [table.rows[i] for i in index],
        {new: table.labels[j] for new, j in enumerate(places) if j in table.labels},
        {new: table.user_missing[j] for new, j in enumerate(places) if j in table.user_missing},
        table.source,
        {new: table.percent[j] for new, j in enumerate(places) if j in table.percent},
        {new: table.numbers[j] for new, j in enumerate(places) if j in table.numbers},
    )


def without_empty_columns(table: RawTable, found: Found) -> RawTable:
    """Return a table without its nameless columns; one that has content is a fault."""
    nameless = [j for j, name in enumerate(table.headers) if not name]
    if not nameless:
        return table
    empty = 0
    for j in nameless:
        filled = next((i for i, cell in enumerate(table.cells[j]) if cell.strip(BLANKS)), None)
        if filled is not None:
            value, row = table.cells[j][filled], table.rows[filled]
            found.fault("column_nameless", table, row=row, column=j, value=value, place=letters(j))
        else:
            empty += 1
    if empty:
        found.note("note_empty_columns", file=table.file, n=empty)
    keep = [j for j in range(len(table.headers)) if j not in set(nameless)]
    return cut(table, range(table.n), keep)


def letters(j: int) -> str:
    """Return the letters by which a spreadsheet names a column, counted from 0.

    Examples
    --------
    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    name = ""
    j += 1
    while j:
        j, rest = divmod(j - 1, 26)
        name = chr(65 + rest) + name
    return name
