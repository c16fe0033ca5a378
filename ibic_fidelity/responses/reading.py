"""From files to `Responses`, or to every fault in them at once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ibic_fidelity.errors import FileError, ResponseError, UsageError
from ibic_fidelity.foundation.files import read_bytes
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.results import Fault, fault_table
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.checking import (
    check_areas,
    check_frame,
    check_ids,
    check_other_source,
    check_synthetic,
    check_texts,
    distinct_tables,
    is_asked,
)
from ibic_fidelity.responses.coding import Part, coded
from ibic_fidelity.responses.columns import (
    Rows,
    check_headers,
    find_answers,
    find_keys,
    known_headings,
    row_sources,
    source_names,
)
from ibic_fidelity.responses.delimited import read_delimited
from ibic_fidelity.responses.model import TEXT_KEYS, Frame, Responses, SourceTable, source_table
from ibic_fidelity.responses.privacy import masked
from ibic_fidelity.responses.statfiles import read_statistics_file
from ibic_fidelity.responses.tables import Found, Origin, RawTable, fold
from ibic_fidelity.responses.workbook import read_workbook
from ibic_fidelity.responses.zipped import disguise, kind_of

if TYPE_CHECKING:
    import pandas as pd

File = str | Path
Files = File | Sequence[File] | Mapping[str, File]

FILE_LIMIT = 1_000_000_000
_KINDS = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".xlsx": "zip",
    ".xlsm": "zip",
    ".sav": "sav",
    ".zsav": "sav",
    ".dta": "dta",
}
#: Notes that say that something was not used, which come before those that only tell.
_SETTING_ASIDE = frozenset(
    f"responses.note_{name}"
    for name in (
        *("other_files", "other_sheets", "hidden_sheets", "set_aside", "other_source", "no_items", "no_area"),
        *("not_asked", "weights_on", "trailing_separators", "blank_rows", "empty_columns"),
    )
)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """What was found in files of answers.

    Attributes
    ----------
    faults : tuple of Fault
        Everything that is wrong, by file, row and column.
    notes : tuple of Message
        Everything that was recognised, set aside or generated.
    responses : Responses or None
        The answers, where there is no fault.
    """

    faults: tuple[Fault, ...]
    notes: tuple[Message, ...]
    responses: Responses | None

    def table(self, language: Language = "en") -> pd.DataFrame:
        """Return one line a fault: file, row, column, value, rule, remedy, code."""
        return fault_table(self.faults, language)

    def text(self, language: Language = "en") -> str:
        """Return faults and notes as lines of text."""
        lines = [text("responses.examined_faults", language, n=len(self.faults))] if self.faults else []
        lines += [fault.line(language) for fault in self.faults]
        if self.responses is not None:
            rows = sum(table.n for table in self.responses.tables.values())
            lines.append(text("responses.examined_clean", language, rows=rows, sites=len(self.responses.sites)))
        return "\n".join([*lines, *(note.text(language) for note in self.notes)])


def read_responses(
    path: Files,
    instrument: Instrument,
    *,
    sheet: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    source: str | None = None,
    partial: bool = False,
) -> Responses:
    """Read answers and check every cell against the instrument.

    Parameters
    ----------
    path : str, Path, sequence or mapping
        A file (.csv, .tsv, .txt, .xlsx, .sav, .dta), a folder, several files, or a mapping from source
        to file. All sources may stand in one table with a ``source`` column, or each in a file or sheet
        that bears its name.
    instrument : Instrument
        What was asked.
    sheet : str, optional
        The sheet of a workbook, where several have content and none bears the name of a source.
    separator : str, optional
        What stands between the cells of a text file: ``";"``, ``","``, ``"tab"`` or ``"|"``; found by
        default.
    encoding : str, optional
        The encoding of a text or .sav file; found by default (byte order mark, UTF-8, Windows-1252).
    source : str, optional
        The source of all rows, by id or label.
    partial : bool
        Accept that columns are missing; their answers are "not asked".

    Returns
    -------
    Responses
        One table a source, with ``notes`` of everything that was recognised, set aside or generated.

    Raises
    ------
    ResponseError
        The data break the rules: ``.faults`` and ``.failures`` have all faults, with row, column, value,
        rule and remedy.
    FileError
        A file does not exist or cannot be read.
    UsageError
        A sheet, separator, encoding or source that does not exist was asked for.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> read_responses("answers.csv", load_instrument("lq2002"))
    Traceback (most recent call last):
    ...
    ibic_fidelity.errors.FileError: The file answers.csv does not exist.
    """
    examined = examine(
        path, instrument, sheet=sheet, separator=separator, encoding=encoding, source=source, partial=partial
    )
    if examined.responses is None:
        n, where = (
            len(examined.faults),
            ", ".join(masked(file.name) for file, _ in _inputs(path, instrument, source, Found())),
        )
        raise ResponseError("responses.faulty", faults=examined.faults, n=n, path=where)
    return examined.responses


def examine(
    path: Files,
    instrument: Instrument,
    *,
    sheet: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    source: str | None = None,
    partial: bool = False,
) -> Examination:
    """Return everything that is wrong with answers, and the answers where nothing is.

    Parameters and errors as in `read_responses`, but for `ResponseError`, which is never raised.
    """
    found = Found()
    inputs = _inputs(path, instrument, source, found)
    if sheet is not None and not any(_KINDS.get(file.suffix.casefold()) == "zip" for file, _ in inputs):
        raise UsageError("responses.sheet_without_workbook", sheet=sheet)
    tables: list[RawTable] = []
    known = known_headings(instrument)
    digests = []
    names = Counter(file.name for file, _ in inputs)
    for number, (file, named) in enumerate(inputs):
        raw = read_bytes(file, limit=FILE_LIMIT)
        digests.append(hashlib.sha256(raw))
        shown = masked(file.name if names[file.name] == 1 else str(file))
        origin = Origin(shown, file.stem, 1000 * number, named, known)
        tables += _tables(file, raw, origin, instrument, found, sheet=sheet, separator=separator, encoding=encoding)
    whole = digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(one.digest() for one in digests))
    for table in tables:
        check_texts(table, found)
    parts = [
        part for table in distinct_tables(tables, found) for part in _parts(table, instrument, found, partial=partial)
    ]
    return _examined(parts, instrument, found, whole.hexdigest())


def _inputs(path: Files, instrument: Instrument, source: str | None, found: Found) -> list[tuple[Path, str | None]]:
    pairs: list[tuple[Path, str | None]]
    if isinstance(path, Mapping):
        pairs = [(Path(file), _source(name, instrument)) for name, file in path.items()]
        if source is not None:
            raise UsageError("responses.source_twice_named", source=source)
    else:
        named = None if source is None else _source(source, instrument)
        files = [Path(path)] if isinstance(path, str | Path) else [Path(file) for file in path]
        pairs = [(file, named) for one in files for file in _expanded(one, found)]
    if not pairs:
        raise UsageError("responses.no_path")
    return sorted(pairs, key=lambda pair: (pair[0].name, str(pair[0]), pair[1] or ""))


def _source(name: str, instrument: Instrument) -> str:
    known = source_names(instrument).get(fold(name))
    if known is None:
        raise UsageError("responses.no_such_source", source=name, known=list(instrument.by_source))
    return known


def _expanded(path: Path, found: Found) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith((".", "~$")))
    files = [file for file in inside if file.suffix.casefold() in _KINDS]
    if not files:
        raise FileError("responses.folder_without_files", path=str(path), endings=list(_KINDS))
    others = [file.name for file in inside if file not in files]
    if others:
        found.note("note_other_files", files=[masked(name) for name in others])
    return files


def _tables(
    file: Path,
    raw: bytes,
    origin: Origin,
    instrument: Instrument,
    found: Found,
    *,
    sheet: str | None,
    separator: str | None,
    encoding: str | None,
) -> list[RawTable]:
    wanted = _KINDS.get(file.suffix.casefold())
    if wanted is None:
        found.fault("unknown_kind", origin, ending=file.suffix or "–", endings=list(_KINDS))
        return []
    if not raw:
        found.fault("empty_file", origin)
        return []
    seen = kind_of(raw)
    if seen != wanted:
        if seen == "ole" and _ENCRYPTED in raw:
            found.fault("password", origin)
        else:
            found.fault("wrong_kind", origin, seen=disguise(seen), ending=file.suffix)
        return []
    if wanted == "zip":
        return read_workbook(raw, origin, found, instrument, sheet=sheet)
    if wanted == "text":
        table = read_delimited(raw, origin, found, separator=separator, encoding=encoding)
    else:
        table = read_statistics_file(file, raw, origin, found, encoding=encoding)
    return [] if table is None else [table]


def _parts(table: RawTable, instrument: Instrument, found: Found, *, partial: bool) -> list[Part]:
    usable = check_headers(table, found)
    keys = find_keys(table, instrument, usable, found)
    rows = row_sources(table, instrument, keys, found)
    if not rows:
        return []
    layout = find_answers(table, instrument, found, usable=usable, keys=keys, sources=rows, partial=partial)
    some = [Rows(table, rows[source], source, layout, instrument, found) for source in layout.answers]
    for one in some:
        check_other_source(one)
    return [coded(one) for one in some if is_asked(one)]


def _examined(parts: Sequence[Part], instrument: Instrument, found: Found, digest: str) -> Examination:
    synthetic = check_synthetic(parts, found)
    by_source = {source: [part for part in parts if part.rows.source == source] for source in instrument.by_source}
    named = {
        source: check_ids(some, found, register=instrument.by_source[source].kind == "register")
        for source, some in by_source.items()
        if some
    }
    for source, has_ids in named.items():
        if not has_ids and instrument.by_source[source].kind != "register":
            found.note("note_no_ids", source=instrument.by_source[source].label.as_dict())
    check_frame(parts, instrument, named, found)
    check_areas(parts, instrument, found)
    notes = tuple(sorted(found.notes, key=lambda note: note.code not in _SETTING_ASIDE))
    if found.faults:
        return Examination(found.faults, notes, None)
    responses = Responses(
        tables={source: _joined(source, by_source[source], instrument, has_ids=named[source]) for source in named},
        frame=_frame(parts, instrument),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_sha256=instrument.sha256,
        data_sha256=digest,
        synthetic=synthetic,
        notes=notes,
    )
    return Examination((), responses.notes, responses)


def _joined(source: str, parts: Sequence[Part], instrument: Instrument, *, has_ids: bool) -> SourceTable:
    keys = {
        name: [value for part in parts for value in part.key(name)]
        for name in TEXT_KEYS
        if any(name in part.keys for part in parts)
    }
    register = instrument.by_source[source].kind == "register"
    return source_table(
        source,
        instrument.columns_of(source),
        np.concatenate([part.codes for part in parts]),
        keys,
        weight=np.concatenate([part.weight for part in parts]),
        values=np.concatenate([part.values for part in parts]) if register else None,  # noqa: PD011 — no frame
        counts=np.concatenate([part.counts for part in parts]) if register else None,
        has_ids=has_ids,
    )


def _frame(parts: Sequence[Part], instrument: Instrument) -> Frame:
    frame: dict[str, dict[tuple[str, str, str, str], int]] = {"eligible": {}, "invited": {}}
    for part in parts:
        for column, numbers in part.units.items():
            source, counted = instrument.count_columns()[column]
            places = zip(part.key("site"), part.key("service_area"), part.key("wave"), numbers, strict=True)
            for site, area, wave, n in places:
                if not np.isnan(n):
                    frame[counted][(site, area, wave, source)] = int(n)
    return Frame(**{name: dict(sorted(counts.items())) for name, counts in frame.items()})
