"""Fictitious cases for certifying raters: what each rater reads, and the answers that are right, with reasons."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ibic_fidelity.errors import InstrumentError, UsageError
from ibic_fidelity.foundation.files import read_bytes
from ibic_fidelity.foundation.messages import LANGUAGES, Message
from ibic_fidelity.foundation.results import Fault
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Scale, Text
from ibic_fidelity.instrument.reading import instrument_folder

FOLDER, LIST_FILE, KEY_FILE = "cases", "cases.csv", "key.csv"
LIMIT = 5_000_000
#: The name under which the right answers stand among the raters.
KEY_RATER = "facit"


@dataclass(frozen=True, slots=True)
class Case:
    """A fictitious case: the source that it is a unit of, its area and law, its text, and what it teaches."""

    id: str
    source: str
    service_area: str
    law: str
    teaches: Text
    content: str


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """The right answer in one column for one case, with the reason."""

    case: str
    column: str
    code: str
    reason: Text


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases of an instrument and their key, which has an answer in every column for every case."""

    cases: tuple[Case, ...]
    answers: tuple[KeyAnswer, ...]

    def of(self, case: str) -> dict[str, KeyAnswer]:
        """Return the right answers of a case by column."""
        return {answer.column: answer for answer in self.answers if answer.case == case}


def load_cases(name: str | Path, instrument: Instrument) -> CaseSet:
    """Read the fictitious cases that stand beside an instrument, and their key.

    Parameters
    ----------
    name : str or Path
        The instrument as `load_instrument` takes it.
    instrument : Instrument
        That instrument.

    Raises
    ------
    UsageError
        The instrument has no cases.
    InstrumentError
        The key lacks an answer, has one twice or one that the scale does not have, or a reason is missing.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> len(load_cases("ibic", load_instrument("ibic")).cases)
    12
    """
    folder = instrument_folder(name) / FOLDER
    if not (folder / LIST_FILE).is_file():
        raise UsageError("instrument.no_cases", instrument=instrument.id)
    cases = tuple(_cases(folder))
    key_path = folder / KEY_FILE
    answers = tuple(
        KeyAnswer(row["case"], row["column"], row["code"], _text(row, "reason"))
        for row in _rows(key_path, ("case", "column", "code"), "reason")
    )
    faults = tuple(_faults(cases, answers, instrument))
    if faults:
        raise InstrumentError("instrument.faulty", faults=faults, n=len(faults), path=str(key_path))
    return CaseSet(cases, answers)


def _cases(folder: Path) -> Iterator[Case]:
    for row in _rows(folder / LIST_FILE, ("case", "source", "service_area", "law"), "teaches"):
        content = read_bytes(folder / f"{row['case']}.md", limit=LIMIT).decode("utf-8")
        yield Case(row["case"], row["source"], row["service_area"], row["law"], _text(row, "teaches"), content)


def _rows(path: Path, columns: tuple[str, ...], words: str) -> list[dict[str, str]]:
    """Return the rows of a table with `columns`, and `words` in each language."""
    content = read_bytes(path, limit=LIMIT).decode("utf-8-sig")
    needed = [*columns, *(f"{words}_{language}" for language in LANGUAGES)]
    rows = csv.DictReader(io.StringIO(content), delimiter=";")
    if not set(needed) <= set(rows.fieldnames or ()):
        fault = Fault(Message("instrument.answer_columns", {"columns": needed}), file=path.name, row=1)
        raise InstrumentError("instrument.faulty", faults=(fault,), n=1, path=str(path))
    return [{name: (row[name] or "").strip() for name in needed} for row in rows]


def _text(row: dict[str, str], words: str) -> Text:
    """Return a text that may be empty; the key's faults are told all at once."""
    return Text.model_construct(None, sv=row[f"{words}_sv"], en=row[f"{words}_en"])


def _faults(cases: tuple[Case, ...], answers: tuple[KeyAnswer, ...], instrument: Instrument) -> Iterator[Fault]:
    """Yield what is wrong with a key; rows are lines of its file."""
    scales = {case.id: _scales(case, instrument) for case in cases}
    seen: set[tuple[str, str]] = set()
    for row, answer in enumerate(answers, start=2):
        where, known = (answer.case, answer.column), scales.get(answer.case, {})
        if answer.column not in known:
            yield _fault("instrument.answer_unknown", row, answer)
        elif where in seen:
            yield _fault("instrument.answer_twice", row, answer)
        elif answer.code not in _codes(known[answer.column]):
            yield _fault("instrument.answer_code", row, answer, codes=_codes(known[answer.column]))
        elif not all(answer.reason[language] for language in LANGUAGES):
            yield _fault("instrument.answer_reason", row, answer)
        seen.add(where)
    for case, known in scales.items():
        lacking = [column for column in known if (case, column) not in seen]
        if lacking:
            rule = Message("instrument.answer_lacks", {"case": case, "columns": lacking})
            yield Fault(rule, file=KEY_FILE)


def _scales(case: Case, instrument: Instrument) -> dict[str, Scale]:
    return {
        part.id: instrument.by_scale[measure.scale]
        for _, measure in instrument.measures_of(case.source)
        for part in measure.parts or (measure,)
    }


def _codes(scale: Scale) -> list[str]:
    """Return what can be a right answer: a code of the scale, or that the item does not apply."""
    return [*(str(level.code) for level in scale.levels), *scale.missing.not_applicable[:1]]


def _fault(code: str, row: int, answer: KeyAnswer, **params: object) -> Fault:
    return Fault(Message(code, params), file=KEY_FILE, row=row, column=answer.column, value=answer.code)
