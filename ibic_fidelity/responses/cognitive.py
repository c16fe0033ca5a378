"""The log of cognitive interviews: what people had trouble with, coded by problem and attached to items."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ibic_fidelity.errors import FormError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.platforms.sheets import SheetTable, read_table
from ibic_fidelity.responses.privacy import has_personal_form, has_personal_number, masked

if TYPE_CHECKING:
    import pandas as pd

    from ibic_fidelity.foundation.results import Fault

Problem = Literal["comprehension", "recall", "judgement", "response", "format", "sensitive", "none"]
PROBLEMS: tuple[Problem, ...] = get_args(Problem)
NEEDED = ("round", "form", "respondent", "item", "problem", "note", "decision")
HEADINGS = {
    "runda": "round",
    "omgång": "round",
    "formulär": "form",
    "person": "respondent",
    "fråga": "item",
    "anteckning": "note",
    "beslut": "decision",
}
WORDS: dict[str, Problem] = {
    **{name: name for name in PROBLEMS},
    "förståelse": "comprehension",
    "minne": "recall",
    "bedömning": "judgement",
    "svar": "response",
    "känslig": "sensitive",
    "inget": "none",
}
#: What the protocol asks of each form in each round.
LEAST_INTERVIEWS = 5
FEW = "panel.note_few_interviews"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one person had trouble with in one item, in one round with one form; `decision` is what was done."""

    round: int
    form: str
    respondent: str
    item: str
    problem: Problem
    note: str
    decision: str


@dataclass(frozen=True, slots=True, eq=False)
class CognitiveLog:
    """The observations of cognitive interviews, as `read_cognitive` reads them.

    Attributes
    ----------
    observations : tuple of Observation
        In the order of the instrument's items, then by round, form and respondent.
    interviews : mapping of (round, form) to int
        How many people were interviewed.
    notes : tuple of Message
        Rounds with fewer than five interviews.
    """

    observations: tuple[Observation, ...]
    interviews: dict[tuple[int, str], int]
    notes: tuple[Message, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one row an observation."""
        import pandas as pd

        return pd.DataFrame({name: [getattr(one, name) for one in self.observations] for name in NEEDED})

    def problems_of(self, item: str) -> dict[Problem, int]:
        """Return how many people had each kind of trouble with an item, those that occur."""
        people: dict[Problem, set[tuple[str, str]]] = defaultdict(set)
        for one in self.observations:
            if one.item == item and one.problem != "none":
                people[one.problem].add((one.form, one.respondent))
        return {problem: len(people[problem]) for problem in PROBLEMS if people[problem]}


def read_cognitive(path: Path, instrument: Instrument) -> CognitiveLog:
    """Read a log of cognitive interviews.

    Parameters
    ----------
    path : Path
        .xlsx or .csv, a row for each item and person: round (1, 2, …), form, respondent (a code), item, problem, note,
        decision; in Swedish runda, formulär, person, fråga, problem, anteckning, beslut. Problems are comprehension,
        recall, judgement and response, the stages of answering [1]_, format (layout, skips), sensitive, and none; in
        Swedish förståelse, minne, bedömning, svar, format, känslig, inget.
    instrument : Instrument
        Whose items they are.

    Raises
    ------
    FormError
        A missing column; a round, item or problem that is none; a problem without a note; a blank form or respondent;
        a personal number. All faults are told at once.

    References
    ----------
    .. [1] Tourangeau, R., Rips, L. J., & Rasinski, K. (2000). The psychology of survey response. Cambridge.
    """
    table = read_table(path, needed=NEEDED, also=HEADINGS)
    faults: list[Fault] = []
    made = [_observation(table, number, row, instrument, faults) for number, row in table.rows]
    if faults:
        raise FormError("platforms.faulty", faults=tuple(faults), n=len(faults), path=path.name)
    order = {item.id: place for place, item in enumerate(instrument.items)}
    known = [one for one in made if one is not None]
    known.sort(key=lambda one: (order[one.item], one.round, one.form, one.respondent))
    people: dict[tuple[int, str], set[str]] = defaultdict(set)
    for one in known:
        people[one.round, one.form].add(one.respondent)
    interviews = {key: len(some) for key, some in sorted(people.items())}
    notes = tuple(
        Message(FEW, {"round": number, "form": form, "n": n, "least": LEAST_INTERVIEWS})
        for (number, form), n in interviews.items()
        if n < LEAST_INTERVIEWS
    )
    return CognitiveLog(tuple(known), interviews, notes)


def _observation(
    table: SheetTable, number: int, row: object, instrument: Instrument, faults: list[Fault]
) -> Observation | None:
    cells = dict(row) if isinstance(row, dict) else {}
    item, problem = cells["item"].lower(), WORDS.get(cells["problem"].casefold())
    before = len(faults)
    if not cells["round"].isdecimal() or int(cells["round"]) < 1:
        faults.append(table.broken("panel.bad_round", number, "round", cells["round"]))
    if item not in instrument.by_item:
        faults.append(table.broken("panel.unknown_item", number, "item", cells["item"]))
    if problem is None:
        faults.append(table.broken("panel.unknown_problem", number, "problem", cells["problem"], known=list(WORDS)))
    elif problem != "none" and not cells["note"]:
        faults.append(table.broken("panel.problem_without_note", number, "note"))
    faults += [table.broken("panel.blank_cell", number, name) for name in ("form", "respondent") if not cells[name]]
    faults += [
        table.broken("panel.personal_number", number, name, masked(cells[name]))
        for name in ("respondent", "note", "decision")
        if has_personal_number(cells[name]) or has_personal_form(cells[name])
    ]
    if problem is None or len(faults) > before:
        return None
    people = (int(cells["round"]), cells["form"], cells["respondent"])
    return Observation(*people, item, problem, cells["note"], cells["decision"])
