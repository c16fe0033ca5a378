"""Answers as a delimited file that Swedish Excel opens and `read_responses` reads back to the same bits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Measure, Scale
from ibic_fidelity.responses.model import BLANK, DONT_KNOW, NOT_APPLICABLE, Responses, SourceTable

_KEYS = ("source", "site", "service_area", "wave", "unit", "cluster", "rater", "weight", "synthetic")


def responses_csv(responses: Responses, instrument: Instrument) -> str:
    """Return all sources in one table: semicolons, decimal comma, one row a respondent, file or site.

    Key columns that no row uses, and the columns of sources without rows, are left out; every other column
    is named as the instrument's first name for it. Begin the file with a byte-order mark, which Excel needs
    to see UTF-8.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=2), seed=1)
    >>> responses_csv(study.responses, study.instrument).split(";")[:2]
    ['kalla', 'kommun_kod']
    """
    keys = [name for name in _KEYS if _used(name, responses)]
    sources = [source for source in instrument.sources if source.id in responses.tables]
    columns = list(dict.fromkeys(column for source in sources for column in instrument.columns_of(source.id)))
    bases = [f"{column}n" for column in columns if column in _register_columns(instrument)]
    counts = list(instrument.count_columns()) if any(source.kind == "register" for source in sources) else []
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([instrument.keys.get(name, (name,))[0] for name in keys] + [*columns, *bases, *counts])
    for table in responses.tables.values():
        for row in _rows(table, responses, instrument):
            writer.writerow([row.get(name, "") for name in (*keys, *columns, *bases, *counts)])
    return out.getvalue()


def _used(key: str, responses: Responses) -> bool:
    if key == "synthetic":
        return responses.synthetic
    if key == "source":
        return True
    if key == "weight":
        return any((table.weight != 1).any() for table in responses.tables.values())
    if key == "unit":
        return any(table.has_ids for table in responses.tables.values())
    return any(any(getattr(table, key).labels) for table in responses.tables.values())


def _register_columns(instrument: Instrument) -> set[str]:
    return {
        column
        for source in instrument.sources
        if source.kind == "register"
        for column in instrument.columns_of(source.id)
    }


def _rows(table: SourceTable, responses: Responses, instrument: Instrument) -> Iterator[dict[str, str]]:
    register = instrument.by_source[table.source].kind == "register"
    answers = {
        column: _numbers(table, j) if register else _codes(table, j, scale)
        for j, (column, scale) in enumerate(_columns(table, instrument))
    }
    if register:
        answers |= {f"{column}n": _counts(table, j) for j, column in enumerate(table.columns)}
    texts = {name: getattr(table, name).text for name in ("site", "service_area", "wave", "unit", "cluster", "rater")}
    for i in range(table.n):
        row = {"source": table.source, "synthetic": "ja" if responses.synthetic else ""}
        row |= {name: str(values[i]) for name, values in texts.items()}
        row["weight"] = f"{table.weight[i]:.17g}".replace(".", ",")
        row |= {name: values[i] for name, values in answers.items()}
        if register:
            row |= _frame_cells(row, responses, instrument)
        yield row


def _columns(table: SourceTable, instrument: Instrument) -> Iterator[tuple[str, Scale]]:
    def names(measure: Measure) -> list[str]:
        return [part.id for part in measure.parts] or [measure.id]

    for _, measure in instrument.measures_of(table.source):
        for column in names(measure):
            yield column, instrument.by_scale[measure.scale]


def _codes(table: SourceTable, j: int, scale: Scale) -> list[str]:
    printed = {BLANK: "", **{level.code: str(level.code) for level in scale.levels}}
    printed[DONT_KNOW] = next(iter(scale.missing.dont_know), "")
    printed[NOT_APPLICABLE] = next(iter(scale.missing.not_applicable), "")
    return [printed.get(code, "") for code in table.codes[:, j].tolist()]


def _numbers(table: SourceTable, j: int) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.15g}".replace(".", ",") for value in table.values[:, j].tolist()]


def _counts(table: SourceTable, j: int) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.0f}" for value in table.counts[:, j].tolist()]


def _frame_cells(row: dict[str, str], responses: Responses, instrument: Instrument) -> dict[str, str]:
    cells = {}
    for column, (source, kind) in instrument.count_columns().items():
        known = responses.frame.eligible if kind == "eligible" else responses.frame.invited
        value = known.get((row["site"], row["service_area"], row["wave"], source))
        cells[column] = "" if value is None else str(value)
    return cells
