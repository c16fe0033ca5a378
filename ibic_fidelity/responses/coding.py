"""The answers of one source in one table become arrays of codes, values and counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item, Measure, Scale
from ibic_fidelity.responses.cells import (
    FAULTY,
    AnswerRule,
    answer_rule,
    column_codes,
    missing_kinds,
    number_of,
    whole_text,
)
from ibic_fidelity.responses.columns import Rows
from ibic_fidelity.responses.keys import text_keys, weights
from ibic_fidelity.responses.model import BLANK, DONT_KNOW, NOT_APPLICABLE, NOT_ASKED
from ibic_fidelity.responses.tables import BLANKS, fold


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows of one source in one table, coded.

    Every array and list has one entry for each of `rows`. `units` holds the counts of units by column of
    the instrument, blank ones as NaN.
    """

    rows: Rows
    keys: Mapping[str, list[str]]
    codes: NDArray[np.int8]
    values: NDArray[np.float64]
    counts: NDArray[np.float64]
    weight: NDArray[np.float64]
    units: Mapping[str, NDArray[np.float64]]

    def key(self, name: str) -> list[str]:
        """Return the texts of a key, empty where there is none."""
        return self.keys.get(name) or [""] * self.rows.n


def coded(rows: Rows) -> Part:
    """Return the coded rows of a source; cells that break a rule become faults."""
    instrument, columns = rows.instrument, rows.layout.answers[rows.source]
    register = instrument.by_source[rows.source].kind == "register"
    keys = text_keys(rows)
    k = len(instrument.columns_of(rows.source))
    if register:
        codes = np.full((rows.n, k), NOT_ASKED, dtype=np.int8)
        values, counts = _registers(rows)
        units = {name: _counts(rows, columns[name], lowest=0) for name in instrument.count_columns() if name in columns}
    else:
        codes, values, counts, units = _answers(rows), np.empty((0, 0)), np.empty((0, 0)), {}
    return Part(rows, keys, codes, values, counts, weights(rows), units)


def _answers(rows: Rows) -> NDArray[np.int8]:
    instrument, columns = rows.instrument, rows.layout.answers[rows.source]
    place = {column: j for j, column in enumerate(instrument.columns_of(rows.source))}
    codes = np.full((rows.n, len(place)), NOT_ASKED, dtype=np.int8, order="F")
    mixed: list[str] = []
    for item, measure in instrument.measures_of(rows.source):
        scale = instrument.by_scale[measure.scale]
        applies_to_all = not _may_not_apply(item, measure, scale, instrument)
        rule = answer_rule(item, measure, scale, may_not_apply=not applies_to_all)
        for column in [part.id for part in measure.parts] or [measure.id]:
            if column in columns:
                codes[:, place[column]], both = _column(rows, columns[column], rule)
                mixed += [rows.table.headers[columns[column]]] if both else []
    if mixed:
        rows.found.note("note_mixed", file=rows.table.file, columns=mixed)
    _count_missing(rows, codes)
    return codes


def _count_missing(rows: Rows, codes: NDArray[np.int8]) -> None:
    blank, unknown, inapplicable = (int((codes == kind).sum()) for kind in (BLANK, DONT_KNOW, NOT_APPLICABLE))
    if blank or unknown or inapplicable:
        rows.found.note(
            "note_missing",
            file=rows.table.file,
            source=rows.instrument.by_source[rows.source].label.as_dict(),
            blank=blank,
            dont_know=unknown,
            not_applicable=inapplicable,
        )


def _may_not_apply(item: Item, measure: Measure, scale: Scale, instrument: Instrument) -> bool:
    """Return whether "not applicable" is an answer.

    An audited item of fidelity must say when it does not apply, since every such answer takes a unit out
    of the score; the parts of checklists and the answers to surveys need not.
    """
    audited = instrument.by_source[measure.source].kind == "audit"
    fidelity = instrument.by_component[item.component].dimension in FIDELITY
    return item.not_applicable is not None or scale.type == "checklist" or not (audited and fidelity)


def _column(rows: Rows, j: int, rule: AnswerRule) -> tuple[NDArray[np.int8], bool]:
    """Return the codes of a column, and whether it mixes codes with texts."""
    cells = rows.cells(j)
    labels = rows.table.labels.get(j, {})
    read = column_codes(rule, dict.fromkeys(cells), labels, rows.table.user_missing.get(j, frozenset()))
    rules = {text: code for text, code in read.items() if isinstance(code, Message)}
    rows.refuse(j, rules)
    answers = [whole_text(text.strip(BLANKS)) for text, code in read.items() if not _is_missing(code)]
    wholes = {int(whole) for whole in answers if whole is not None}
    if wholes and (min(wholes), max(wholes)) == (rule.low + 1, rule.high + 1):
        ends = {"low": rule.low, "high": rule.high, "first": rule.low + 1, "last": rule.high + 1}
        rows.found.fault(Message("responses.looks_shifted", ends), rows.table, column=j)
    codes = {text: FAULTY if isinstance(code, Message) else code for text, code in read.items()}
    mixed = bool(wholes) and None in answers and not rules
    return np.fromiter(map(codes.__getitem__, cells), dtype=np.int8, count=rows.n), mixed


def _is_missing(code: int | Message) -> bool:
    return isinstance(code, int) and code < 0


def _registers(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns, measures = rows.layout.answers[rows.source], rows.instrument.measures_of(rows.source)
    values, counts = (np.full((rows.n, len(measures)), np.nan) for _ in range(2))
    for k, (_, measure) in enumerate(measures):
        if measure.id not in columns:
            continue
        j, base = columns[measure.id], columns.get(f"{measure.id}n")
        values[:, k] = _values(rows, j, rows.instrument.by_scale[measure.scale])
        given = ~np.isnan(values[:, k])
        if base is not None:
            counts[:, k] = _counts(rows, base, lowest=1)
            blank = np.array([not cell.strip(BLANKS) for cell in rows.cells(base)])
            hits = [rows.index[int(i)] for i in np.flatnonzero(given & blank)]
            rows.found.rows("value_without_base", rows.table, hits, column=j)
        elif given.any():
            rows.found.fault("no_base_column", rows.table, row=1, column=j, base=f"{measure.id}n")
    return values, counts


def _values(rows: Rows, j: int, scale: Scale) -> NDArray[np.float64]:
    missing = missing_kinds(scale)
    read: dict[str, float | Message] = {}
    for text in dict.fromkeys(rows.cells(j)):
        plain = text.strip(BLANKS)
        known = fold(plain) in missing or whole_text(plain) in missing
        value = math.nan if known else number_of(text)
        if isinstance(value, float) and not math.isnan(value) and not scale.lowest <= value <= scale.highest:
            bounds = {"low": _bound(scale.lowest), "high": _bound(scale.highest)}
            value = Message("responses.value_out_of_range", bounds)
        read[text] = value
    values = _floats(rows, j, read)
    if (scale.lowest, scale.highest, scale.percentage_of_units) == (0, 100, True):
        _refuse_shares(rows, j, values)
    return values


def _refuse_shares(rows: Rows, j: int, values: NDArray[np.float64]) -> None:
    """Find shares where percentages are due: what a spreadsheet shows as percent, or a column of 0 to 1."""
    styled = rows.table.percent.get(j, frozenset())
    if styled:
        hits = [i for i, value in zip(rows.index, values, strict=True) if value > 0 and rows.table.rows[i] in styled]
        rows.found.rows("looks_like_share", rows.table, hits, column=j)
        if hits:
            return
    given = [i for i, value in zip(rows.index, values, strict=True) if not math.isnan(value)]
    if len(given) >= 2 and ((values > 0) & (values <= 1) | np.isnan(values)).all():
        shown = rows.table.cells[j][given[0]]
        rows.found.fault(
            "looks_like_shares", rows.table, row=rows.table.rows[given[0]], column=j, value=shown, n=len(given)
        )


def _bound(value: float) -> dict[str, str]:
    digits = 0 if value == int(value) else 2
    return {"sv": number(value, "sv", digits=digits), "en": number(value, "en", digits=digits)}


def _counts(rows: Rows, j: int, *, lowest: int) -> NDArray[np.float64]:
    read: dict[str, float | Message] = {}
    for text in dict.fromkeys(rows.cells(j)):
        value = number_of(text)
        if isinstance(value, float) and not math.isnan(value) and (value != int(value) or value < lowest):
            value = Message("responses.not_a_count", {"lowest": lowest})
        read[text] = value
    return _floats(rows, j, read)


def _floats(rows: Rows, j: int, read: Mapping[str, float | Message]) -> NDArray[np.float64]:
    rows.refuse(j, {text: value for text, value in read.items() if isinstance(value, Message)})
    plain = {text: math.nan if isinstance(value, Message) else value for text, value in read.items()}
    return np.array([plain[text] for text in rows.cells(j)], dtype=np.float64)
