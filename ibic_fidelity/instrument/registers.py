"""Registers of sites: which codes exist, and what an unknown one may have meant."""

from __future__ import annotations

import csv
import difflib
import io
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from ibic_fidelity.errors import InstrumentError, UsageError
from ibic_fidelity.foundation.files import read_bytes
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault


def read_register(path: Path) -> dict[str, str]:
    """Return code to name from a UTF-8 CSV with the columns ``code`` and ``name``; codes stay text."""
    rows = csv.DictReader(io.StringIO(read_bytes(path).decode("utf-8-sig")))
    if rows.fieldnames is None or not {"code", "name"} <= set(rows.fieldnames):
        fault = Fault(Message("instrument.register_columns"), file=path.name, row=1)
        raise InstrumentError("instrument.faulty", faults=(fault,), n=1, path=str(path))
    return {row["code"]: row["name"] for row in rows}


#: Other headings of the columns that the two readers below take.
ALSO = {
    "code": ("kommun_kod", "kommunkod", "kommun", "kod", "site"),
    "group": ("grupp", "kommungrupp"),
    "component": ("komponent",),
    "weight": ("vikt",),
}


def read_groups(path: Path, column: str) -> dict[str, str]:
    """Return code to group from a CSV with the columns ``code`` and `column`, commas or semicolons.

    Codes stay text; a code without a group is left out. Raises `UsageError` where a column is lacking or a code
    has two groups.
    """
    groups: dict[str, str] = {}
    for code, group in _pairs(path, "code", column):
        if group and groups.setdefault(code, group) != group:
            raise UsageError("instrument.group_twice", file=path.name, code=code)
    return groups


def read_weights(path: Path) -> dict[str, float]:
    """Return component to weight from a CSV with the columns ``component`` and ``weight``, commas or semicolons.

    Decimal commas are read in a file with semicolons. Raises `UsageError` where a column is lacking, a weight is no
    number, or a component stands twice.
    """
    weights: dict[str, float] = {}
    for line, (component, given) in enumerate(_pairs(path, "component", "weight"), start=2):
        if component in weights:
            raise UsageError("instrument.weight_twice", file=path.name, row=line, component=component)
        try:
            weights[component] = float(given.replace(",", "."))
        except ValueError:
            raise UsageError("instrument.weight_number", file=path.name, row=line, value=given) from None
    return weights


def _pairs(path: Path, first: str, second: str) -> list[tuple[str, str]]:
    """Return two columns of a CSV as stripped text; UTF-8, or the encoding that Excel saves in Sweden."""
    raw = read_bytes(path)
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        content = raw.decode("cp1252", errors="replace")
    rows = csv.DictReader(io.StringIO(content), delimiter=";" if ";" in content.partition("\n")[0] else ",")
    headings = {(name or "").strip().casefold(): name for name in rows.fieldnames or ()}
    found = [next((headings[one] for one in (name, *ALSO.get(name, ())) if one in headings), None)
             for name in (first, second)]  # fmt: skip
    if None in found:
        raise UsageError("instrument.pair_columns", file=path.name, first=first, second=second)
    one, two = found
    return [((row[one] or "").strip(), (row[two] or "").strip()) for row in rows]


def suggest_site(value: str, register: Mapping[str, str]) -> str | None:
    """Return the code that an unknown value most likely meant, or ``None``.

    A code that lost its leading zeros, a code followed by its name, a name with or without its genitive
    and "kommun" or "stad", and near misses of a name are recognised. The caller only ever suggests it.

    Examples
    --------
    >>> register = {"0180": "Stockholm", "0305": "Håbo", "1480": "Göteborg"}
    >>> suggest_site("180", register), suggest_site("Göteborgs Stad", register), suggest_site("Habo", register)
    ('0180', '1480', '0305')
    """
    bare = value.strip().removesuffix(".0")
    width = max((len(code) for code in register), default=0)
    if bare.isdigit() and bare.zfill(width) in register:
        return bare.zfill(width)
    first = bare.split(maxsplit=1)[0] if bare.split() else ""
    if first in register:
        return first
    by_name = {plain_name(name): code for code, name in register.items()}
    name = plain_name(bare)
    for candidate in (name, name.removesuffix("s")):
        if candidate in by_name:
            return by_name[candidate]
    close = difflib.get_close_matches(name, by_name, n=1, cutoff=0.8)
    return by_name[close[0]] if close else None


def plain_name(name: str) -> str:
    """Return a name without case, accents, and the words kommun, stad, municipality."""
    text = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = [word for word in text.split() if word not in {"kommun", "stad", "municipality", "city"}]
    return " ".join(words)
