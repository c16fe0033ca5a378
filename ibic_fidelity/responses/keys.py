"""The keys of rows: sites, areas, waves, units, clusters, raters, weights."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.registers import suggest_site
from ibic_fidelity.responses.cells import general_fault, number_of
from ibic_fidelity.responses.columns import Rows
from ibic_fidelity.responses.model import TEXT_KEYS
from ibic_fidelity.responses.privacy import has_personal_form, has_personal_number
from ibic_fidelity.responses.tables import BLANKS, fold

if TYPE_CHECKING:
    from ibic_fidelity.instrument.parts import ServiceArea

#: Keys that either stand in every row of a source or in none.
_ALL_OR_NONE = ("service_area", "wave", "unit")
_STORED_AS_NUMBER = {"spss": "responses.site_number_spss", "stata": "responses.site_number_stata"}
#: Keys that may stand for a person, so that nothing in the form of a personal number belongs there.
_OF_PERSONS = ("unit", "cluster", "rater")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")
ALIKE_SHOWN = 5
#: The nation in the registers of Statistics Sweden and Kolada; no municipality.
NATION = "0000"


def text_keys(rows: Rows) -> dict[str, list[str]]:
    """Return the texts of every key that the rows of one source have, checked."""
    made: dict[str, list[str]] = {}
    keys = rows.layout.keys
    if "site" not in keys:
        known = list(rows.instrument.keys.get("site", ("site",)))
        rows.found.fault("no_site_column", rows.table, row=1, known=known)
        made["site"] = [""] * rows.n
    for key in TEXT_KEYS:
        texts = _texts(rows, keys[key], key) if key in keys else None
        if texts is not None:
            made[key] = texts
    return made


def _texts(rows: Rows, j: int, key: str) -> list[str] | None:
    cells = rows.cells(j)
    plain = {cell: unicodedata.normalize("NFC", cell.strip(BLANKS)) for cell in dict.fromkeys(cells)}
    if not any(plain.values()) and key != "site":
        return None
    rules = {cell: rule for cell, text in plain.items() if (rule := _fault(text, key, j, rows)) is not None}
    if key in _OF_PERSONS:
        _note_alike(rows, j, plain.values())
    trimmed = {cell for cell, text in plain.items() if cell != text and cell not in rules}
    if trimmed:
        n = sum(cell in trimmed for cell in cells)
        rows.found.note("note_trimmed", file=rows.table.file, column=rows.table.headers[j], n=n)
    if key == "service_area" and rows.instrument.service_areas:
        rules |= _name_areas(rows, j, plain, rules)
    rows.refuse(j, rules)
    return [plain[cell] for cell in cells]


def _note_alike(rows: Rows, j: int, texts: Iterable[str]) -> None:
    """Tell which names differ in upper and lower case or blanks only: they count as different."""
    alike: dict[str, set[str]] = {}
    for text in texts:
        alike.setdefault("".join(text.split()).casefold(), set()).add(text)
    pairs = sorted(" / ".join(sorted(names)) for names in alike.values() if len(names) > 1)
    if pairs:
        column = rows.table.headers[j]
        shown = [*pairs[:ALIKE_SHOWN], *(["…"] if len(pairs) > ALIKE_SHOWN else [])]
        rows.found.note("note_alike", file=rows.table.file, column=column, n=len(pairs), names=shown)


def _name_areas(rows: Rows, j: int, plain: dict[str, str], faulty: Mapping[str, Message]) -> dict[str, Message]:
    """Put the ids of service areas in the place of their names; return the rules broken."""
    area_of = _areas(rows.instrument.service_areas)
    labels = rows.table.labels.get(j, {})
    rules, named = {}, []
    for cell, text in plain.items():
        if cell in faulty:
            continue
        area = area_of.get(fold(text)) or area_of.get(fold(labels.get(cell, "")))
        if area is None:
            rules[cell] = _area_fault(text, area_of, rows.instrument)
        else:
            plain[cell] = area
            if fold(text) != area:
                named.append(f"{text} → {area}")
    if named:
        rows.found.note("note_areas", file=rows.table.file, names=sorted(named))
    return rules


def _fault(text: str, key: str, j: int, rows: Rows) -> Message | None:
    rule = _common_fault(text, key, rows)
    if rule is not None or key != "site":
        return rule
    rule = _site_fault(text, rows.instrument)
    program = rows.table.numbers.get(j)
    if rule is not None and program is not None and rule.code == "responses.site_unknown_close":
        return Message(_STORED_AS_NUMBER[program], {**rule.params, "column": rows.table.headers[j]})
    return rule


def _common_fault(text: str, key: str, rows: Rows) -> Message | None:
    if not text:
        if key == "site":
            return Message("responses.site_blank", {"site": rows.instrument.site.one.as_dict()})
        return Message("responses.key_blank", {"key": rows.key_name(key)}) if key in _ALL_OR_NONE else None
    if _HIDDEN.search(text):
        return Message("responses.hidden_character")
    if key in _OF_PERSONS and has_personal_form(text) and not has_personal_number(text):
        return Message("responses.personal_form")
    return general_fault(text)


def _site_fault(code: str, instrument: Instrument) -> Message | None:
    register = instrument.register_codes
    site = instrument.site.one.as_dict()
    if not register or code in register:
        return None
    if code == NATION:
        return Message("responses.site_nation", {"site": site})
    meant = suggest_site(code, register)
    if meant is None:
        return Message("responses.site_unknown", {"site": site})
    return Message("responses.site_unknown_close", {"site": site, "suggestion": meant, "name": register[meant]})


def _areas(areas: Sequence[ServiceArea]) -> dict[str, str]:
    return {fold(name): area.id for area in areas for name in (*area.also, area.label.sv, area.label.en, area.id)}


def _area_fault(text: str, area_of: Mapping[str, str], instrument: Instrument) -> Message:
    known = [area.id for area in instrument.service_areas]
    close = difflib.get_close_matches(fold(text), area_of, n=1, cutoff=0.7)
    if close:
        return Message("responses.area_unknown_close", {"suggestion": area_of[close[0]], "known": known})
    return Message("responses.area_unknown", {"known": known})


def weights(rows: Rows) -> NDArray[np.float64]:
    """Return the weight of each row, 1 where there is no column or it is blank for the whole source."""
    j = rows.layout.keys.get("weight")
    if j is None:
        return np.ones(rows.n)
    cells = rows.cells(j)
    read = {cell: number_of(cell) for cell in dict.fromkeys(cells)}
    if all(isinstance(value, float) and math.isnan(value) for value in read.values()):
        return np.ones(rows.n)
    rules = {
        cell: Message("responses.bad_weight")
        for cell, value in read.items()
        if isinstance(value, Message) or not (math.isfinite(value) and value > 0)
    }
    rows.refuse(j, rules)
    rows.found.note("note_weights", file=rows.table.file, column=rows.table.headers[j])
    plain = {cell: math.nan if isinstance(value, Message) else value for cell, value in read.items()}
    return np.array([plain[cell] for cell in cells])
