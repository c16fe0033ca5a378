"""The rules that need a whole table, or all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.responses.coding import Part
from ibic_fidelity.responses.columns import Rows
from ibic_fidelity.responses.privacy import has_personal_number, personal_numbers
from ibic_fidelity.responses.tables import BLANKS, LISTED, Found, RawTable, fold

_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    "|â€|\ufffd|√[•§∂Ö]|├[ÑñÂ]"
)
_YES = {"ja", "yes", "1", "true", "sant"}
_NO = {"nej", "no", "0", "false", "falskt", ""}


def check_texts(table: RawTable, found: Found) -> None:
    """Find personal numbers and wrongly decoded text in any cell or header of a table."""
    for j, header in enumerate(table.headers):
        if has_personal_number(header):
            found.fault("personal_number", table, row=1, column=j)
        if _MOJIBAKE.search(header):
            found.fault("mojibake", table, row=1, column=j, value=header, n=1)
    for j, cells in enumerate(table.cells):
        distinct = dict.fromkeys(cells)
        personal = personal_numbers(distinct)
        if personal:
            rules = dict.fromkeys(personal, Message("responses.personal_number"))
            found.cells(table, j, rules, range(table.n))
        if _MOJIBAKE.search("\n".join(distinct)):
            hits = [i for i, cell in enumerate(cells) if _MOJIBAKE.search(cell)]
            first = hits[0]
            found.fault("mojibake", table, row=table.rows[first], column=j, value=cells[first], n=len(hits))


def distinct_tables(tables: Sequence[RawTable], found: Found) -> list[RawTable]:
    """Return the tables without those that are word for word another one, each of which is a fault."""
    kept: list[RawTable] = []
    for table in tables:
        same = next((one for one in kept if _same(one, table)), None)
        if same is None:
            kept.append(table)
        else:
            found.fault("file_repeated", table, other=same.file)
    return kept


def _same(one: RawTable, other: RawTable) -> bool:
    return (
        (one.headers, one.source, one.n) == (other.headers, other.source, other.n)
        and one.cells == other.cells
        and (one.source is not None or one.stem == other.stem or "source" in map(fold, one.headers))
        and len(set(zip(*one.cells, strict=True))) >= 3
    )


def check_other_source(rows: Rows) -> None:
    """Note answers in the rows of a source to what that source is not asked; they are set aside."""
    own = set(rows.layout.answers[rows.source].values())
    used = {j for columns in rows.layout.answers.values() for j in columns.values()}
    hits = {j: sum(1 for cell in rows.cells(j) if cell.strip(BLANKS)) for j in sorted(used - own)}
    names = [rows.table.headers[j] for j, n in hits.items() if n]
    if names:
        label = rows.instrument.by_source[rows.source].label.as_dict()
        n = sum(hits.values())
        rows.found.note("note_other_source", file=rows.table.file, source=label, columns=names, n=n)


def is_asked(rows: Rows) -> bool:
    """Return whether the instrument asks a source anything; if not, its rows are noted and left out."""
    source = rows.instrument.by_source[rows.source]
    asked = source.kind == "register" or bool(rows.instrument.columns_of(rows.source))
    if not asked:
        rows.found.note("note_no_items", file=rows.table.file, source=source.label.as_dict(), n=rows.n)
    return asked


def check_ids(parts: Sequence[Part], found: Found, *, register: bool) -> bool:
    """Check the units of one source across all tables and return whether they are named."""
    named = [part for part in parts if "unit" in part.keys]
    if not register:
        for part in parts:
            if named and "unit" not in part.keys:
                found.fault("ids_in_some", part.rows.table, other=named[0].rows.table.file)
        for part in named:
            _check_clusters(part, found)
    if named or register:
        _check_duplicates(parts if register else named, found, register=register)
    return bool(named)


def _check_clusters(part: Part, found: Found) -> None:
    if part.rows.n > 1 and part.key("cluster") == part.key("unit"):
        found.fault("cluster_is_unit", part.rows.table, row=1, column=part.rows.layout.keys["cluster"])


def _check_duplicates(parts: Sequence[Part], found: Found, *, register: bool) -> None:
    names = ("site", "service_area", "wave", *(() if register else ("unit", "rater")))
    first: dict[tuple[str, ...], tuple[Part, int]] = {}
    n = 0
    for part in parts:
        for i, key in enumerate(zip(*(part.key(name) for name in names), strict=True)):
            if not key[0] or first.setdefault(key, (part, i)) == (part, i):
                continue
            n += 1
            if n <= LISTED:
                _duplicate(part, i, *first[key], found, register=register)
    if n > LISTED:
        example = Message("responses.unit_twice")
        found.fault("more_like_this", parts[-1].rows.table, n=n - LISTED, listed=LISTED, example=example)


def _duplicate(part: Part, i: int, other: Part, first: int, found: Found, *, register: bool) -> None:
    same = _answers(part, i) == _answers(other, first)
    code = "register_twice" if register else "respondent_twice" if same else "id_with_two_answers"
    key = "site" if register else "unit"
    j = part.rows.layout.keys.get(key)
    row = part.rows.table.rows[part.rows.index[i]]
    place = other.rows.table.rows[other.rows.index[first]]
    where = other.rows.table.file
    found.fault(code, part.rows.table, row=row, column=j, value=part.key(key)[i], first=place, other=where)


def _answers(part: Part, i: int) -> tuple[bytes, ...]:
    reals = (part.values[i].tobytes(), part.counts[i].tobytes()) if part.values.size else ()
    return (part.codes[i].tobytes(), *reals)


def check_synthetic(parts: Sequence[Part], found: Found) -> bool:
    """Return whether the data say that they are synthetic; all rows must agree."""
    said: set[bool] = set()
    for part in parts:
        j = part.rows.layout.keys.get("synthetic")
        if j is None:
            said.add(False)
            continue
        texts = dict.fromkeys(part.rows.cells(j))
        wrong = [text for text in texts if fold(text) not in _YES | _NO]
        part.rows.refuse(j, dict.fromkeys(wrong, Message("responses.bad_synthetic")))
        said |= {fold(text) in _YES for text in texts if text not in wrong}
    if len(said) > 1:
        part = next(part for part in parts if "synthetic" in part.rows.layout.keys)
        found.fault("synthetic_mixed", part.rows.table, row=1, column=part.rows.layout.keys["synthetic"])
    return said == {True}
