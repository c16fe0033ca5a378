"""SPSS and Stata files: values as text, with their labels and the missing values that the file declares."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ibic_fidelity.errors import UsageError
from ibic_fidelity.platforms.sheets import cell_text
from ibic_fidelity.responses.tables import BLANKS, Found, Origin, RawTable, cut, unpasted

_LETTERS = frozenset(string.ascii_lowercase)
_SECONDS = 600

Value = float | str | None


@dataclass(frozen=True, slots=True)
class _Data:
    """What a file holds: columns by name, value labels, missing ranges and values, and which columns are numbers.

    `letters` are those among them whose letters are missing values.
    """

    columns: Mapping[str, Sequence[Value]]
    labels: Mapping[str, Sequence[tuple[Value, str]]]
    ranges: Mapping[str, Sequence[tuple[Value, Value]]]
    missing: Mapping[str, Sequence[Value]]
    letters: frozenset[str]
    numbers: frozenset[str]

    def text(self, name: str, value: Value) -> str:
        """Return a value as text; a letter among the numbers of Stata is one of its missing values."""
        if name in self.letters and isinstance(value, str) and value in _LETTERS:
            return f".{value}"
        return cell_text(value)


def read_statistics_file(
    path: Path, raw: bytes, origin: Origin, found: Found, *, encoding: str | None
) -> RawTable | None:
    """Return the table of a .sav, .zsav or .dta file, every value as text; rows are numbered as cases.

    User-missing values (discrete, ranges, Stata's ``.a`` to ``.z``) keep their codes, and the table says
    which they are, so that "don't know" and "not applicable" stay apart from blank.
    """
    stata = path.suffix.casefold() == ".dta"
    data = _read(path, origin, found, stata=stata, encoding=encoding)
    if data is None:
        return None
    if not stata and raw[76:80] != b"\0\0\0\0":  # the place of the weight variable in the header
        found.note("note_weights_on", file=origin.file)
    names = list(data.columns)
    n = len(data.columns[names[0]]) if names else 0
    if not n:
        found.fault("no_rows" if names else "empty_file", origin)
        return None
    table = RawTable(
        origin.file,
        origin.stem,
        origin.order,
        tuple(name.strip(BLANKS) for name in names),
        tuple(tuple(data.text(name, value) for value in data.columns[name]) for name in names),
        range(1, n + 1),
        {j: _labels(data, name) for j, name in enumerate(names) if name in data.labels},
        {j: missing for j, name in enumerate(names) if (missing := _missing(data, name))},
        origin.source,
        numbers={j: "stata" if stata else "spss" for j, name in enumerate(names) if name in data.numbers},
    )
    return unpasted(_without_blank_rows(table, found), found)[0]


def _read(path: Path, origin: Origin, found: Found, *, stata: bool, encoding: str | None) -> _Data | None:
    program = files(__package__).joinpath("statchild.py").read_text(encoding="utf-8")
    command = [sys.executable, "-c", program, str(path), "dta" if stata else "sav", encoding or ""]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        child = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=_SECONDS)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        found.fault("damaged", origin)
        return None
    read = json.loads(child.stdout)
    if "error" in read:
        if encoding is not None and "character set" in read["error"]:
            raise UsageError("responses.unknown_encoding", encoding=encoding)
        found.fault("statistics_encoding" if "convert string" in read["error"] else "damaged", origin)
        return None
    columns = dict(read["columns"])
    if None in columns or len({len(values) for values in columns.values()}) > 1:
        found.fault("damaged", origin)
        return None
    numbers = frozenset(name for name, kind in read["types"].items() if kind != "string")
    lettered = numbers if stata else frozenset[str]()
    return _Data(columns, read["labels"], read["ranges"], read["missing"], lettered, numbers)


def _labels(data: _Data, name: str) -> dict[str, str]:
    return {data.text(name, value): label for value, label in data.labels[name]}


def _missing(data: _Data, name: str) -> frozenset[str]:
    declared = data.missing.get(name, ())
    bounds = data.ranges.get(name, ())
    return frozenset(
        data.text(name, value)
        for value in set(data.columns[name])
        if value in declared or any(_within(value, low, high) for low, high in bounds)
    )


def _within(value: Value, low: Value, high: Value) -> bool:
    if isinstance(value, str):
        return isinstance(low, str) and isinstance(high, str) and low <= value <= high
    if value is None or not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return low <= value <= high


def _without_blank_rows(table: RawTable, found: Found) -> RawTable:
    kept = [i for i, row in enumerate(zip(*table.cells, strict=True)) if "".join(row).strip(BLANKS)]
    if len(kept) == table.n:
        return table
    found.note("note_blank_rows", file=table.file, n=table.n - len(kept))
    return cut(table, kept)
