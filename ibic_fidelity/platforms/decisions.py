"""Decisions on items, as a panel's secretary writes them in Excel: one row a decision."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ibic_fidelity.errors import FormError
from ibic_fidelity.instrument.revision import ItemDecision
from ibic_fidelity.platforms.sheets import SheetTable, read_table

if TYPE_CHECKING:
    from ibic_fidelity.foundation.results import Fault
    from ibic_fidelity.instrument.history import Decision

NEEDED = ("item", "decision", "evidence", "date")
#: Swedish headings, to the names that a decision has.
HEADINGS = {
    "fråga": "item",
    "beslut": "decision",
    "underlag": "evidence",
    "datum": "date",
    "fält": "field",
    "källa": "source",
    "svenska": "sv",
    "engelska": "en",
}
WORDS: dict[str, Decision] = {
    "retain": "retain",
    "behåll": "retain",
    "reword": "reword",
    "formulera om": "reword",
    "drop": "drop",
    "stryk": "drop",
}


def read_decisions(path: Path) -> tuple[ItemDecision, ...]:
    """Return the decisions of a table, for `revise`.

    Parameters
    ----------
    path : Path
        .xlsx or .csv with the columns item, decision (retain, reword, drop), evidence, date (2026-11-28), and for
        rewordings field, source, sv, en; in Swedish fråga, beslut (behåll, formulera om, stryk), underlag, datum,
        fält, källa, svenska, engelska.

    Raises
    ------
    FormError
        The file is damaged, lacks a column, or has a decision or date that is none; all faults at once.
    """
    table = read_table(path, needed=NEEDED, also=HEADINGS)
    faults: list[Fault] = []
    made = [_decision(table, number, row, faults) for number, row in table.rows]
    if faults:
        raise FormError("platforms.faulty", faults=tuple(faults), n=len(faults), path=path.name)
    return tuple(one for one in made if one is not None)


def _decision(table: SheetTable, number: int, row: object, faults: list[Fault]) -> ItemDecision | None:
    cells = dict(row) if isinstance(row, dict) else {}
    word, day = WORDS.get(cells["decision"].casefold()), cells["date"]
    if word is None:
        known = list(WORDS)
        faults.append(table.broken("platforms.unknown_decision", number, "decision", cells["decision"], known=known))
        return None
    try:
        when = date.fromisoformat(day) if day else None
    except ValueError:
        faults.append(table.broken("platforms.bad_date", number, "date", day))
        return None
    texts = {name: cells.get(name, "") for name in ("field", "source", "sv", "en")}
    return ItemDecision(cells["item"].lower(), word, cells["evidence"], when, **texts, file=table.file, row=number)
