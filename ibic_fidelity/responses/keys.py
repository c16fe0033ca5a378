"""The keys of rows: sites, areas, waves, units, clusters, raters, weights."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.registers import suggest_site
from ibic_fidelity.responses.cells import general_fault, number_of
from ibic_fidelity.responses.model import TEXT_KEYS
from ibic_fidelity.responses.tables import BLANKS, Found, RawTable, fold

if TYPE_CHECKING:
    from ibic_fidelity.instrument.model import ServiceArea

#: Keys that either stand in every row of a source or in none.
_ALL_OR_NONE = ("service_area", "wave", "unit")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")
#: The nation in the registers of Statistics Sweden and Kolada; no municipality.
NATION = "0000"


def text_keys(
    table: RawTable,
    keys: Mapping[str, int],
    index: Sequence[int],
    instrument: Instrument,
    found: Found,
) -> dict[str, list[str]]:
    """Return the texts of every key that the rows of one source have, checked."""
    made: dict[str, list[str]] = {}
    if "site" not in keys:
        found.fault("no_site_column", table, row=1, known=["site", *instrument.keys.get("site", ())])
        made["site"] = [""] * len(index)
    for key in TEXT_KEYS:
        if key in keys:
            texts = _texts(table, keys[key], index, key, instrument, found)
            if texts is not None:
                made[key] = texts
    return made


def _texts(
    table: RawTable, j: int, index: Sequence[int], key: str, instrument: Instrument, found: Found
) -> list[str] | None:
    cells = [table.cells[j][i] for i in index]
    plain = {cell: unicodedata.normalize("NFC", cell.strip(BLANKS)) for cell in dict.fromkeys(cells)}
    trimmed = {cell for cell, text in plain.items() if cell != text}
    if not any(plain.values()) and key != "site":
        return None
    rules: dict[str, Message] = {}
    area_of = _areas(instrument.service_areas) if key == "service_area" else {}
    labels = table.labels.get(j, {})
    for cell, text in plain.items():
        rule = _common_fault(text, key, instrument)
        if rule is None and key == "site":
            rule = _site_fault(text, instrument)
        elif rule is None and key == "service_area" and area_of and text:
            area = area_of.get(fold(text)) or area_of.get(fold(labels.get(cell, "")))
            rule = _area_fault(text, area_of, instrument) if area is None else None
            plain[cell] = area or text
        if rule is not None:
            rules[cell] = rule
    found.cells(table, j, rules, index)
    _tell(table, j, cells, plain, trimmed - set(rules), found)
    return [plain[cell] for cell in cells]


def _common_fault(text: str, key: str, instrument: Instrument) -> Message | None:
    if not text:
        if key == "site":
            return Message("responses.site_blank", {"site": instrument.site.one.as_dict()})
        return Message("responses.key_blank", {"key": key}) if key in _ALL_OR_NONE else None
    if _HIDDEN.search(text):
        return Message("responses.hidden_character")
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


def _tell(
    table: RawTable, j: int, cells: Sequence[str], plain: Mapping[str, str], trimmed: set[str], found: Found
) -> None:
    if trimmed:
        n = sum(cell in trimmed for cell in cells)
        found.note("note_trimmed", file=table.file, column=table.headers[j], n=n)
    named = sorted({f"{cell.strip(BLANKS)} → {text}" for cell, text in plain.items() if fold(cell) != fold(text)})
    if named:
        found.note("note_areas", file=table.file, names=named)


def weights(table: RawTable, keys: Mapping[str, int], index: Sequence[int], found: Found) -> NDArray[np.float64]:
    """Return the weight of each row, 1 where there is no column or it is blank for the whole source."""
    if "weight" not in keys:
        return np.ones(len(index))
    cells = [table.cells[keys["weight"]][i] for i in index]
    read = {cell: number_of(cell) for cell in dict.fromkeys(cells)}
    if all(isinstance(value, float) and math.isnan(value) for value in read.values()):
        return np.ones(len(index))
    rules = {
        cell: Message("responses.bad_weight")
        for cell, value in read.items()
        if isinstance(value, Message) or not (math.isfinite(value) and value > 0)
    }
    found.cells(table, keys["weight"], rules, index)
    found.note("note_weights", file=table.file, column=table.headers[keys["weight"]])
    values = {cell: math.nan if isinstance(value, Message) else value for cell, value in read.items()}
    return np.array([values[cell] for cell in cells])
