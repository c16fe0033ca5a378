"""SPSS and Stata files: values as text, with their labels and the missing values that the file declares."""

from __future__ import annotations

import string
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ibic_fidelity.errors import UsageError
from ibic_fidelity.responses.tables import BLANKS, Found, Origin, RawTable, cut, unpasted
from ibic_fidelity.responses.workbook import cell_text

if TYPE_CHECKING:
    from pyreadstat import metadata_container

_LETTERS = frozenset(string.ascii_lowercase)
#: Value labels, their variables, documents, extensions, the end of the dictionary.
_DICTIONARY_RECORDS = (3, 4, 6, 7, 999)


def read_statistics_file(
    path: Path, raw: bytes, origin: Origin, found: Found, *, encoding: str | None
) -> RawTable | None:
    """Return the table of a .sav, .zsav or .dta file, every value as text; rows are numbered as cases.

    User-missing values (discrete, ranges, Stata's ``.a`` to ``.z``) keep their codes, and the table says
    which they are, so that "don't know" and "not applicable" stay apart from blank.
    """
    import pyreadstat

    stata = path.suffix.casefold() == ".dta"
    if not stata and not sound_variables(raw):
        found.fault("damaged", origin)
        return None
    read = pyreadstat.read_dta if stata else pyreadstat.read_sav
    try:
        data, meta = read(str(path), output_format="dict", user_missing=True, encoding=encoding)
    except pyreadstat.ReadstatError as error:
        if encoding is not None and "character set" in str(error):
            raise UsageError("responses.unknown_encoding", encoding=encoding) from None
        found.fault("statistics_encoding" if "convert string" in str(error) else "damaged", origin)
        return None
    except UnicodeDecodeError:
        found.fault("statistics_encoding", origin)
        return None
    except (IndexError, KeyError, OverflowError, ValueError):  # what pyreadstat lets through from broken files
        found.fault("damaged", origin)
        return None
    if not stata and raw[64:68] in (b"\x02\0\0\0", b"\x03\0\0\0") and raw[76:80] != b"\0\0\0\0":
        found.note("note_weights_on", file=origin.file)
    names = list(data)
    n = len(data[names[0]]) if names else 0
    if not n:
        found.fault("no_rows" if names else "empty_file", origin)
        return None
    letter = {name for name, kind in meta.readstat_variable_types.items() if stata and kind != "string"}
    table = RawTable(
        origin.file,
        origin.stem,
        origin.order,
        tuple(name.strip(BLANKS) for name in names),
        tuple(tuple(_text(value, letters=name in letter) for value in data[name]) for name in names),
        range(1, n + 1),
        _labels(names, meta.variable_value_labels, letter),
        {j: _missing(data[name], meta, name, letter) for j, name in enumerate(names) if _declared(meta, name)},
        origin.source,
    )
    return unpasted(_without_blank_rows(table, found), found)[0]


def sound_variables(raw: bytes) -> bool:
    """Return whether the variable records of an SPSS file are whole.

    The library that reads the file crashes the whole process where the width of a text variable does
    not agree with the records that continue it.
    """
    order = next((mark for mark in "<>" if raw[64:68] in (struct.pack(f"{mark}i", n) for n in (2, 3))), None)
    if order is None:
        return False
    place, continued = 176, 0
    while place + 32 <= len(raw):
        record, width, has_label, n_missing = struct.unpack_from(f"{order}4i", raw, place)
        if record != 2:
            return record in _DICTIONARY_RECORDS and continued == 0
        if (width == -1) != (continued > 0) or not -1 <= width <= 255 or has_label not in (0, 1):
            return False
        continued = continued - 1 if width == -1 else max(0, (width + 7) // 8 - 1)
        place += 32
        if has_label:
            length = int.from_bytes(raw[place : place + 4], "little" if order == "<" else "big")
            place += 4 + (length + 3) // 4 * 4
        place += 8 * abs(n_missing)
    return False


def _text(value: object, *, letters: bool) -> str:
    if letters and isinstance(value, str) and value in _LETTERS:
        return f".{value}"
    return cell_text(value)


def _labels(
    names: Sequence[str], labels: Mapping[str, Mapping[float, str]], letter: set[str]
) -> dict[int, dict[str, str]]:
    return {
        j: {_text(value, letters=name in letter): label for value, label in labels[name].items()}
        for j, name in enumerate(names)
        if name in labels
    }


def _declared(meta: metadata_container, name: str) -> bool:
    return name in meta.missing_ranges or name in meta.missing_user_values


def _missing(values: Sequence[object], meta: metadata_container, name: str, letter: set[str]) -> frozenset[str]:
    bounds = [(one["lo"], one["hi"]) for one in meta.missing_ranges.get(name, []) if isinstance(one, dict)]
    declared = set(map(str, meta.missing_user_values.get(name, [])))
    return frozenset(
        _text(value, letters=name in letter)
        for value in set(values)
        if str(value) in declared or any(_within(value, low, high) for low, high in bounds)
    )


def _within(value: object, low: float | str, high: float | str) -> bool:
    if isinstance(value, str):
        return isinstance(low, str) and isinstance(high, str) and low <= value <= high
    if isinstance(low, str) or isinstance(high, str) or not isinstance(value, int | float):
        return False
    return low <= value <= high


def _without_blank_rows(table: RawTable, found: Found) -> RawTable:
    kept = [i for i, row in enumerate(zip(*table.cells, strict=True)) if "".join(row).strip(BLANKS)]
    if len(kept) == table.n:
        return table
    found.note("note_blank_rows", file=table.file, n=table.n - len(kept))
    return cut(table, kept)
