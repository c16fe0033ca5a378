"""The ratings of an expert panel: read from the forms that came back, all faults at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import FormError, UsageError
from ibic_fidelity.foundation.archives import ArchiveError
from ibic_fidelity.foundation.files import read_bytes
from ibic_fidelity.foundation.messages import LANGUAGES, Message, text
from ibic_fidelity.foundation.results import Fault
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.platforms.panel_form import QUESTIONS, RATED, VALUES, FormOrigin, Question, options
from ibic_fidelity.platforms.sheets import FILE_LIMIT, archive_error, form_error, read_book
from ibic_fidelity.platforms.word import read_fields
from ibic_fidelity.responses.privacy import has_personal_number, masked
from ibic_fidelity.responses.tables import fold, shown

if TYPE_CHECKING:
    import pandas as pd

NOTE_BLANK = "panel.note_blank"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PanelRatings:
    """What a panel's experts said of items, as `read_panel` reads it; arrays are (experts, items), NaN where blank.

    Attributes
    ----------
    instrument_id, instrument_version, instrument_sha256 : str
        The version that was rated.
    experts, items : tuple of str
        Experts sorted; items in the order of the instrument, those that the form held.
    relevance, clarity : array of float
        1 to 4.
    one_thing : array of float
        1 where the item asks one thing only.
    essential : array of float
        2 essential, 1 useful, 0 not necessary.
    comments : tuple of (expert, item, text)
    data_sha256 : str
    notes : tuple of Message
    """

    instrument_id: str
    instrument_version: str
    instrument_sha256: str
    experts: tuple[str, ...]
    items: tuple[str, ...]
    relevance: Floats
    clarity: Floats
    one_thing: Floats
    essential: Floats
    comments: tuple[tuple[str, str, str], ...]
    data_sha256: str
    notes: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one row an expert and item: expert, item, the four ratings, comment."""
        import pandas as pd

        said = {(expert, item): words for expert, item, words in self.comments}
        pairs = [(expert, item) for expert in self.experts for item in self.items]
        columns: dict[str, object] = {"expert": [expert for expert, _ in pairs], "item": [item for _, item in pairs]}
        columns |= {name: getattr(self, name).ravel() for name in RATED}
        return pd.DataFrame({**columns, "comment": [said.get(pair, "") for pair in pairs]})

    def summary(self) -> str:
        """Return how many experts rated how many items, in English."""
        head = f"{len(self.experts)} experts rated {len(self.items)} items of "
        head += f"{self.instrument_id} {self.instrument_version}"
        return "\n".join([head, *(f"  note: {note.text('en')}" for note in self.notes)])


@dataclass(frozen=True, slots=True)
class _Form:
    """One form as it came back: who filled it in, of which instrument it is, and what stands where."""

    file: str
    expert: str
    origin: FormOrigin | None
    cells: Mapping[tuple[str, Question], tuple[int | None, str]]
    items: tuple[tuple[int | None, str], ...]


def read_panel(
    files: str | Path | Sequence[str | Path], instrument: Instrument, *, experts: Sequence[str] = ()
) -> PanelRatings:
    """Read the rating forms of a panel, Excel and Word together.

    Parameters
    ----------
    files : str, Path or sequence
        One form an expert, or a folder of them.
    instrument : Instrument
        The version that was rated; forms of another are refused.
    experts : sequence of str, optional
        Who was asked; a form from anybody else is refused.

    Returns
    -------
    PanelRatings
        Blank answers are NaN and counted in a note.

    Raises
    ------
    FormError
        A damaged file; a form of another instrument or version; no expert, one twice or an unknown one; an unknown or
        missing item; a rating that is none of the answers; a personal number. All faults are told at once.
    FileError
        A file cannot be read.
    UsageError
        There is no file.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> read_panel([], load_instrument("lq2002"))
    Traceback (most recent call last):
    ...
    ibic_fidelity.errors.UsageError: No rating form was given.
    """
    paths = _paths(files)
    faults: list[Fault] = []
    forms, digests = [], []
    for path in paths:
        try:
            raw = read_bytes(path, limit=FILE_LIMIT)
            digests.append(hashlib.sha256(raw).digest())
            forms.append(_form(path, raw))
        except FormError as error:
            faults += error.faults
    ratings: dict[tuple[str, str, Question], float] = {}
    comments = []
    wanted = _wanted(forms, instrument)
    for form in forms:
        faults += _whose(form, forms, experts) + _of_which(form, instrument) + _lacking(form, wanted)
        for (item, question), (row, value) in form.cells.items():
            if question == "comment":
                faults += _personal(form, row, question, value)
                comments += [(form.expert, item, value)] if value else []
            elif value:
                number = answer_value(question, value)
                if number is None:
                    known = [*options(question, "sv"), *options(question, "en")]
                    faults.append(_fault(form, "panel.not_an_answer", row, f"{item}.{question}", value, known=known))
                else:
                    ratings[form.expert, item, question] = float(number)
    if faults:
        where = ", ".join(masked(path.name) for path in paths)
        raise FormError("panel.faulty", faults=tuple(faults), n=len(faults), path=where)
    return _ratings(forms, instrument, ratings, tuple(sorted(comments)), hashlib.sha256(b"".join(sorted(digests))))


def answer_value(question: Question, words: str) -> int | None:
    """Return the value of an answer as an expert gave it, in either language, or None where it is none.

    Examples
    --------
    >>> answer_value("relevance", "4"), answer_value("one_thing", "Nej"), answer_value("clarity", "5")
    (4, 0, None)
    """
    known = {
        fold(word): value
        for lang in LANGUAGES
        for word, value in zip(options(question, lang), VALUES[question], strict=True)
    }
    if question in ("relevance", "clarity"):
        known |= {str(value): value for value in VALUES[question]}
    return known.get(fold(words))


def _paths(files: str | Path | Sequence[str | Path]) -> list[Path]:
    given = [Path(files)] if isinstance(files, str | Path) else [Path(file) for file in files]
    found = [
        file
        for one in given
        for file in (
            sorted(
                p for p in one.iterdir() if p.suffix.casefold() in (".xlsx", ".docx") and not p.name.startswith("~$")
            )
            if one.is_dir()
            else [one]
        )
    ]
    if not found:
        raise UsageError("panel.no_files")
    return found


def _form(path: Path, raw: bytes) -> _Form:
    ending = path.suffix.casefold()
    if not raw:
        raise form_error(path, "platforms.empty_table")
    if ending == ".docx":
        return _from_word(path, raw)
    if ending == ".xlsx":
        return _from_excel(path, raw)
    raise form_error(path, "platforms.unknown_kind", ending=ending, endings=[".xlsx", ".docx"])


def _from_word(path: Path, raw: bytes) -> _Form:
    try:
        fields = read_fields(raw)
    except ArchiveError as error:
        raise archive_error(path, error) from None
    cells: dict[tuple[str, Question], tuple[int | None, str]] = {}
    for tag, words in fields.items():
        item, _, name = tag.partition(".")
        question = next((one for one in QUESTIONS if one == name), None)
        if question is not None:
            cells[item, question] = (None, words)
    items = tuple((None, item) for item in dict.fromkeys(item for item, _ in cells))
    return _Form(path.name, fields.get("expert", ""), FormOrigin.of_line(fields.get("form", "")), cells, items)


def _from_excel(path: Path, raw: bytes) -> _Form:
    grids = [rows for _, rows in read_book(raw, path)]
    front = {fold(row[0]): row[1].strip() for rows in grids[:1] for row in rows if len(row) > 1}
    expert, origin = (_told(front, code) for code in ("panel.expert", "panel.origin"))
    rows = grids[1] if len(grids) > 1 else []
    heading = {fold(cell): j for j, cell in enumerate(rows[0])} if rows else {}
    places: dict[str, int] = {}
    for name in ("item", *QUESTIONS):
        for lang in LANGUAGES:
            place = heading.get(fold(text(f"panel.column_{name}", lang)))
            if place is not None:
                places[name] = place
    if len(places) < 1 + len(QUESTIONS):
        lacking = [name for name in ("item", *QUESTIONS) if name not in places]
        raise form_error(path, "platforms.lacking_columns", columns=lacking)
    cells, items = {}, []
    for number, row in enumerate(rows[1:], start=2):
        item = row[places["item"]].split("\n")[0].strip()
        if not item:
            continue
        items.append((number, item))
        for question in QUESTIONS:
            cells[item, question] = (number, row[places[question]].strip())
    return _Form(path.name, expert, FormOrigin.of_line(origin), cells, tuple(items))


def _told(front: Mapping[str, str], code: str) -> str:
    """Return what stands beside a label of the first sheet, in whichever language it is."""
    labels = [fold(text(code, lang)) for lang in LANGUAGES]
    return next((front[label] for label in labels if label in front), "")


def _wanted(forms: Sequence[_Form], instrument: Instrument) -> list[str]:
    """Return the items that any form holds, in the order of the instrument: every form has to hold them all."""
    held = {item for form in forms for _, item in form.items}
    return [item.id for item in instrument.items if item.id in held]


def _whose(form: _Form, forms: Sequence[_Form], experts: Sequence[str]) -> list[Fault]:
    if not form.expert:
        return [_fault(form, "panel.no_expert")]
    faults = _personal(form, None, "expert", form.expert)
    same = [one.file for one in forms if one.expert == form.expert]
    if len(same) > 1 and form.file == same[-1]:
        faults.append(_fault(form, "panel.expert_twice", value=form.expert, files=[masked(name) for name in same]))
    if experts and form.expert not in experts:
        faults.append(_fault(form, "panel.unknown_expert", value=form.expert, known=list(experts)))
    return faults


def _of_which(form: _Form, instrument: Instrument) -> list[Fault]:
    origin = form.origin
    if origin is None:
        return [_fault(form, "panel.no_origin")]
    rated = (origin.instrument_id, origin.version, origin.sha256)
    if rated == (instrument.id, instrument.version, instrument.sha256):
        return []
    named, given = f"{rated[0]} {rated[1]}", f"{instrument.id} {instrument.version}"
    code = "panel.same_version_other_words" if named == given else "panel.other_version"
    return [_fault(form, code, rated=named, given=given)]


def _lacking(form: _Form, wanted: Sequence[str]) -> list[Fault]:
    names = [item for _, item in form.items]
    faults = [_fault(form, "panel.unknown_item", row, value=item) for row, item in form.items if item not in wanted]
    twice = sorted({item for item in names if names.count(item) > 1})
    faults += [_fault(form, "panel.item_twice", value=item) for item in twice]
    lacking = [item for item in wanted if item not in names]
    if lacking:
        faults.append(_fault(form, "panel.items_missing", items=lacking))
    elif form.origin is not None and len(set(names)) < form.origin.n_items:
        faults.append(_fault(form, "panel.items_fewer", n=len(set(names)), expected=form.origin.n_items))
    return faults


def _personal(form: _Form, row: int | None, column: str, words: str) -> list[Fault]:
    return [_fault(form, "panel.personal_number", row, column, words)] if has_personal_number(words) else []


def _fault(
    form: _Form, code: str, row: int | None = None, column: str = "", value: str = "", **params: object
) -> Fault:
    return Fault(Message(code, params), file=masked(form.file), row=row, column=column, value=shown(value))


def _ratings(
    forms: Sequence[_Form],
    instrument: Instrument,
    ratings: Mapping[tuple[str, str, Question], float],
    comments: tuple[tuple[str, str, str], ...],
    digest: object,
) -> PanelRatings:
    experts = tuple(sorted(form.expert for form in forms))
    items = tuple(_wanted(forms, instrument))
    arrays = {}
    for question in RATED:
        made = np.array([[ratings.get((expert, item, question), np.nan) for item in items] for expert in experts])
        made.setflags(write=False)
        arrays[question] = made
    blank = sum(int(np.isnan(one).sum()) for one in arrays.values())
    notes = (Message(NOTE_BLANK, {"n": blank, "of": 4 * len(experts) * len(items)}),) if blank else ()
    return PanelRatings(
        instrument.id, instrument.version, instrument.sha256, experts, items, **arrays,
        comments=comments, data_sha256=digest.hexdigest(), notes=notes,  # type: ignore[attr-defined]
    )  # fmt: skip
