"""The rules that need a whole table, or all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ibic_fidelity.foundation.messages import LANGUAGES, Message, text
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.coding import Part
from ibic_fidelity.responses.columns import Rows
from ibic_fidelity.responses.privacy import has_personal_number, personal_numbers
from ibic_fidelity.responses.tables import BLANKS, LISTED, Found, RawTable, fold, shown

_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    "|â€|\ufffd|√[•§∂Ö]|├[ÑñÂ]"
)
_UNIT = ("site", "wave", "service_area", "unit")
_TOO_FEW = {"eligible": "eligible_too_few", "invited": "invited_too_few"}
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
        _check_one_cluster(named, found)
    if named or register:
        _check_duplicates(parts if register else named, found, register=register)
    return bool(named)


def _check_clusters(part: Part, found: Found) -> None:
    if part.rows.n > 1 and part.key("cluster") == part.key("unit"):
        cluster, unit = part.rows.key_name("cluster"), part.rows.key_name("unit")
        j = part.rows.layout.keys["cluster"]
        found.fault("cluster_is_unit", part.rows.table, row=1, column=j, cluster=cluster, unit=unit)


def _check_one_cluster(parts: Sequence[Part], found: Found) -> None:
    """Find units that stand under two clusters, which scoring would count as two units.

    Rows of one rater are left to the search for duplicates.
    """
    first: dict[tuple[str, ...], tuple[Part, int]] = {}
    n = 0
    for part in parts:
        keys = zip(*(part.key(name) for name in _UNIT), strict=True)
        clusters, raters = part.key("cluster"), part.key("rater")
        for i, key in enumerate(keys):
            other, at = first.setdefault(key, (part, i))
            if clusters[i] == other.key("cluster")[at] or raters[i] == other.key("rater")[at]:
                continue
            n += 1
            if n <= LISTED:
                _two_clusters(part, i, other, at, found)
    if n > LISTED:
        example = Message("responses.two_clusters")
        found.fault("more_like_this", parts[-1].rows.table, n=n - LISTED, listed=LISTED, example=example)


def _two_clusters(part: Part, i: int, other: Part, at: int, found: Found) -> None:
    rows = part.rows
    here, there = part.key("cluster")[i], other.key("cluster")[at]
    blank = {language: text("responses.no_text", language) for language in LANGUAGES}
    found.fault(
        "unit_in_two_clusters",
        rows.table,
        row=rows.table.rows[rows.index[i]],
        column=rows.layout.keys.get("cluster", rows.layout.keys["unit"]),
        value=here,
        unit=shown(part.key("unit")[i]),
        a=shown(there) or blank,
        b=shown(here) or blank,
        other=other.rows.table.file,
        first=other.rows.table.rows[other.rows.index[at]],
        cluster=rows.key_name("cluster"),
    )


def check_frame(parts: Sequence[Part], instrument: Instrument, named: Mapping[str, bool], found: Found) -> None:
    """Find registers that count fewer units to take, or persons asked, than there are answers from."""
    if not any(part.units for part in parts):
        return
    answered = _answered(parts, named)
    for part in parts:
        for column, numbers in part.units.items():
            source, counted = instrument.count_columns()[column]
            places = zip(part.key("site"), part.key("wave"), part.key("service_area"), numbers, strict=True)
            for i, (site, wave, area, n) in enumerate(places):
                there = answered.get((source, site, wave), {})
                seen = len(there.get(area, ())) if area else len(set[object]().union(*there.values()))
                if n < seen:
                    _too_few(part, i, column, _TOO_FEW[counted], seen, found)


def _too_few(part: Part, i: int, column: str, code: str, seen: int, found: Found) -> None:
    rows = part.rows
    j = rows.layout.answers[rows.source][column]
    place = rows.index[i]
    source = rows.instrument.by_source[rows.instrument.count_columns()[column][0]].label.as_dict()
    value = rows.table.cells[j][place]
    found.fault(code, rows.table, row=rows.table.rows[place], column=j, value=value, seen=seen, source=source)


def _answered(parts: Sequence[Part], named: Mapping[str, bool]) -> dict[tuple[str, str, str], dict[str, set[object]]]:
    """Return the units with answers by source, site and wave, and by area within them."""
    units: dict[tuple[str, str, str], dict[str, set[object]]] = {}
    for p, part in enumerate(parts):
        source = part.rows.source
        keys = zip(*(part.key(name) for name in ("site", "wave", "service_area", "unit")), strict=True)
        for i, (site, wave, area, unit) in enumerate(keys):
            who: object = (area, unit) if named.get(source) else (p, i)
            units.setdefault((source, site, wave), {}).setdefault(area, set()).add(who)
    return units


def check_areas(parts: Sequence[Part], instrument: Instrument, found: Found) -> None:
    """Note sources whose rows name no service area where those of others do."""
    if not any("service_area" in part.keys for part in parts):
        return
    for part in parts:
        if "service_area" not in part.keys:
            label = instrument.by_source[part.rows.source].label.as_dict()
            found.note("note_no_area", file=part.rows.table.file, source=label)


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
    names = {name: part.rows.key_name(name) for name in ("wave", "rater")} if code == "id_with_two_answers" else {}
    found.fault(code, part.rows.table, row=row, column=j, value=part.key(key)[i], first=place, other=where, **names)


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
        rule = Message("responses.bad_synthetic", {"column": part.rows.key_name("synthetic")})
        part.rows.refuse(j, dict.fromkeys(wrong, rule))
        said |= {fold(text) in _YES for text in texts if text not in wrong}
    if len(said) > 1:
        part = next(part for part in parts if "synthetic" in part.rows.layout.keys)
        found.fault("synthetic_mixed", part.rows.table, row=1, column=part.rows.layout.keys["synthetic"])
    return said == {True}
