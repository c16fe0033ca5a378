"""What each column of a table is: a key, an answer, a number of units, or something set aside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import KEYS, Instrument
from ibic_fidelity.responses.privacy import masked
from ibic_fidelity.responses.tables import Found, RawTable, fold, squash


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of the columns of one table.

    Attributes
    ----------
    keys : mapping of str to int
        Key to column.
    answers : mapping of str to mapping of str to int
        For each source: answer column of the instrument (and for registers the number of units it rests
        on, and counts of units) to column of the table.
    """

    keys: Mapping[str, int]
    answers: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one source in one table, and what reads them: `index` are their places in the table."""

    table: RawTable
    index: Sequence[int]
    source: str
    layout: Layout
    instrument: Instrument
    found: Found

    @property
    def n(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    def cells(self, j: int) -> Sequence[str]:
        """Return the texts of a column."""
        cells = self.table.cells[j]
        return cells if self.n == self.table.n else [cells[i] for i in self.index]

    def refuse(self, j: int, rules: Mapping[str, Message]) -> None:
        """Add a fault for every cell of a column that breaks a rule."""
        self.found.cells(self.table, j, rules, self.index)

    def key_name(self, key: str) -> str:
        """Return what a key is called here: the column's name, or the instrument's first name for it."""
        j = self.layout.keys.get(key)
        return key_name(key, self.instrument) if j is None else masked(self.table.headers[j])


def key_name(key: str, instrument: Instrument) -> str:
    """Return the instrument's first name for a key."""
    return instrument.keys.get(key, (key,))[0]


def check_headers(table: RawTable, found: Found) -> frozenset[int]:
    """Return the columns that may be used: of those with one name, the first; the others become faults."""
    first: dict[str, int] = {}
    usable = set()
    for j, header in enumerate(table.headers):
        name = "".join(fold(header).split())
        if name in first:
            other = table.headers[first[name]]
            code = "column_twice" if other == header else "columns_alike"
            found.fault(code, table, row=1, column=j, other=masked(other))
        elif name:
            first[name] = j
            usable.add(j)
    return frozenset(usable)


def find_keys(table: RawTable, instrument: Instrument, usable: frozenset[int], found: Found) -> dict[str, int]:
    """Return the place of each key, by its name or one of the instrument's other names for it."""
    names: dict[str, str] = {}
    for canonical in KEYS:
        for name in (canonical, *instrument.keys.get(canonical, ())):
            names.setdefault(fold(name), canonical)
    columns = {fold(column) for source in instrument.sources for column in instrument.columns_of(source.id)}
    keys: dict[str, int] = {}
    for j in sorted(usable):
        header = fold(table.headers[j])
        key = names.get(header)
        if key is None or (header in columns and header not in KEYS):
            continue
        if key in keys:
            found.fault("column_same", table, row=1, column=j, other=masked(table.headers[keys[key]]))
        else:
            keys[key] = j
    return keys


def find_answers(
    table: RawTable,
    instrument: Instrument,
    found: Found,
    *,
    usable: frozenset[int],
    keys: Mapping[str, int],
    sources: Collection[str],
    partial: bool,
) -> Layout:
    """Return the layout of a table whose rows come from `sources`; missing columns become faults."""
    present = [source for source in instrument.by_source if source in sources]
    free = [j for j in sorted(usable) if j not in set(keys.values())]
    answers: dict[str, dict[str, int]] = {source: {} for source in present}
    used = set()
    for j in free:
        for source, column in _meanings(table.headers[j], instrument, present):
            used.add(j)
            before = answers[source].get(column)
            if before is None or _is_blank(table, before):
                answers[source][column] = j
            elif not _is_blank(table, j):  # an empty column is what is left of another source in a part of an export
                found.fault("column_same", table, row=1, column=j, other=masked(table.headers[before]))
    _tell(table, keys, answers, instrument, found)
    aside = [j for j in free if j not in used]
    missing = _missing_columns(table, instrument, answers, found, partial=partial)
    _set_aside(table, aside, missing, found)
    return Layout(keys, answers)


def _is_blank(table: RawTable, j: int) -> bool:
    return not any(cell.strip() for cell in table.cells[j])


def columns_read(instrument: Instrument, source: str) -> tuple[str, ...]:
    """Return all columns that a source may have: answers, and for registers numbers and counts of units."""
    columns = instrument.columns_of(source)
    if instrument.by_source[source].kind != "register":
        return columns
    return (*columns, *(f"{column}n" for column in columns), *instrument.count_columns())


def _meanings(header: str, instrument: Instrument, present: list[str]) -> list[tuple[str, str]]:
    name = fold(header)
    exact = [(source, column) for source in present for column in columns_read(instrument, source) if column == name]
    if exact:
        return exact
    return [
        (source, measure.id)
        for source in present
        for item, measure in instrument.measures_of(source)
        if fold(item.label) == name and not measure.parts
    ]


def _tell(
    table: RawTable,
    keys: Mapping[str, int],
    answers: Mapping[str, Mapping[str, int]],
    instrument: Instrument,
    found: Found,
) -> None:
    """Note the columns that stand under another name than their own."""
    pairs = [(j, key_name(key, instrument)) for key, j in keys.items() if fold(table.headers[j]) != key]
    pairs += [(j, column) for columns in answers.values() for column, j in columns.items()]
    renamed = [(table.headers[j], name) for j, name in sorted(set(pairs)) if fold(table.headers[j]) != fold(name)]
    told = [f"{masked(header)} → {name}" for header, name in renamed]
    if told:
        found.note("note_recognised", file=table.file, columns=told)


def _missing_columns(
    table: RawTable,
    instrument: Instrument,
    answers: Mapping[str, Mapping[str, int]],
    found: Found,
    *,
    partial: bool,
) -> list[str]:
    all_missing: list[str] = []
    for source, columns in answers.items():
        missing = [column for column in instrument.columns_of(source) if column not in columns]
        all_missing += missing
        label = instrument.by_source[source].label.as_dict()
        if missing and partial:
            found.note("note_not_asked", file=table.file, source=label, columns=missing)
        elif missing:
            found.fault("columns_missing", table, row=1, source=label, columns=missing, n=len(missing))
    return all_missing


def _set_aside(table: RawTable, aside: Sequence[int], missing: Sequence[str], found: Found) -> None:
    """Note the columns that mean nothing here; one that may be a missing one is a fault."""
    near = {squash(column): column for column in missing}
    for j in aside:
        meant = near.get(squash(table.headers[j]))
        if meant is not None:
            found.fault("column_near", table, row=1, column=j, suggestion=meant)
    rest = [masked(table.headers[j]) for j in aside if squash(table.headers[j]) not in near]
    if rest:
        found.note("note_set_aside", file=table.file, columns=rest, n=len(rest))


def known_headings(instrument: Instrument) -> frozenset[str]:
    """Return the folded names that the columns of answers to an instrument may have."""
    names = {name for key in KEYS for name in (key, *instrument.keys.get(key, ()))}
    names |= {column for source in instrument.sources for column in columns_read(instrument, source.id)}
    names |= {item.label for item in instrument.items}
    return frozenset(map(fold, names))


def source_of_headings(headers: Sequence[str], instrument: Instrument) -> str | None:
    """Return the source whose answer columns are among some headings, where at least three are."""
    present = list(instrument.by_source)
    pairs = {pair for header in headers if fold(header) for pair in _meanings(header, instrument, present)}
    hits = {source: sum(1 for one, _ in pairs if one == source) for source in present}
    best = max(present, key=lambda source: hits[source])
    return best if hits[best] >= 3 else None


def row_sources(
    table: RawTable, instrument: Instrument, keys: Mapping[str, int], found: Found
) -> dict[str, list[int]] | None:
    """Return the rows of each source, or ``None`` with a fault where nothing says whose answers they are."""
    names = source_names(instrument)
    only = table.source or (None if "source" in keys else names.get(fold(table.stem)))
    if only is None and "source" not in keys and len(instrument.sources) == 1:
        only = instrument.sources[0].id
    if "source" not in keys:
        if only is None:
            key = key_name("source", instrument)
            found.fault("no_source", table, row=1, known=list(instrument.by_source), key=key)
            return None
        if table.source is None and fold(table.stem) != only:
            label = instrument.by_source[only].label.as_dict()
            found.note("note_source", file=table.file, source=label)
        return {only: list(range(table.n))}
    j = keys["source"]
    labels = table.labels.get(j, {})
    of_text = {
        text: names.get(fold(text)) or names.get(fold(labels.get(text, ""))) for text in dict.fromkeys(table.cells[j])
    }
    if only is not None and not "".join(of_text).strip():
        return {only: list(range(table.n))}
    rules = {
        text: _source_fault(text, source, only, names, instrument)
        for text, source in of_text.items()
        if source is None or (only is not None and source != only)
    }
    found.cells(table, j, rules, range(table.n))
    rows: dict[str, list[int]] = {}
    for i, text in enumerate(table.cells[j]):
        if text not in rules:
            rows.setdefault(str(of_text[text]), []).append(i)
    told = sorted(f"{text} → {source}" for text, source in of_text.items() if source and fold(text) != source)
    if told:
        found.note("note_source_names", file=table.file, names=told)
    return rows


def source_names(instrument: Instrument) -> dict[str, str]:
    """Return folded ids and labels in every language to source ids."""
    names = {}
    for source in instrument.sources:
        for name in (source.label.sv, source.label.en, source.id):
            names[fold(name)] = source.id
    return names


def _source_fault(
    text: str, source: str | None, only: str | None, names: Mapping[str, str], instrument: Instrument
) -> Message:
    import difflib

    if source is not None:
        return Message("responses.source_conflict", {"named": only})
    if not fold(text):
        return Message("responses.source_blank", {"known": list(instrument.by_source)})
    close = difflib.get_close_matches(fold(text), names, n=1, cutoff=0.6)
    if close:
        return Message("responses.source_unknown_close", {"suggestion": names[close[0]]})
    return Message("responses.source_unknown", {"known": list(instrument.by_source)})
