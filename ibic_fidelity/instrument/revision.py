"""A new version of an instrument from decisions on its items, each with its evidence and date."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from ibic_fidelity.errors import InstrumentError, UsageError
from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault
from ibic_fidelity.instrument.differences import InstrumentDiff, diff_instruments
from ibic_fidelity.instrument.history import Decision
from ibic_fidelity.instrument.model import Instrument, broken_references
from ibic_fidelity.instrument.parts import Item
from ibic_fidelity.instrument.writing import plain

#: What an item says itself, and what each of its measures says.
ITEM_FIELDS = ("idea", "definition", "not_applicable", "rationale", "judgement")
CALIBRATION_GONE = "instrument.revise_calibration"
MEASURE_FIELDS = ("wording", "easy", "look", "doubt")


@dataclass(frozen=True, slots=True)
class ItemDecision:
    """What somebody decided on an item, on what evidence, and when.

    Attributes
    ----------
    item : str
    decision : {"retain", "reword", "drop"}
    evidence : str
        What the decision rests on: a panel's indices, a round of interviews, an agreement study.
    date : datetime.date or None
    field : str
        What is reworded: a field of the item (idea, definition, not_applicable, rationale, judgement) or of a measure
        (wording, easy, look, doubt), the id of a checklist's part, or ``anchor:0`` for the anchor of a code.
    source : str
        Whose measure; the one that is scored by default.
    sv, en : str
        The new words in both languages.
    file, row : str, int or None
        Where the decision stands, for messages.
    """

    item: str
    decision: Decision
    evidence: str
    date: date | None
    field: str = ""
    source: str = ""
    sv: str = ""
    en: str = ""
    file: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Revision:
    """A new version of an instrument, as `revise` makes it.

    Attributes
    ----------
    instrument : Instrument
        The new version, its change log in `changes`.
    diff : InstrumentDiff
        What it changed, and what stays comparable.
    undecided : tuple of str
        Items that no decision names; they are kept as they are.
    notes : tuple of Message
        What else had to change.
    """

    instrument: Instrument
    diff: InstrumentDiff
    undecided: tuple[str, ...]
    notes: tuple[Message, ...]

    def summary(self) -> str:
        """Return what changed and what stays comparable, in English."""
        return "\n".join([self.diff.summary(), *(note.text("en") for note in self.notes)])


def revise(instrument: Instrument, decisions: Sequence[ItemDecision], *, version: str) -> Revision:
    """Return a new version of an instrument.

    Parameters
    ----------
    instrument : Instrument
        The version that the decisions are about.
    decisions : sequence of ItemDecision
        Any number of rewordings of an item, or one decision to retain or drop it.
    version : str
        Three numbers, higher than the present version.

    Returns
    -------
    Revision
        A calibration of the old version is left out as soon as a word changes: it was made of other questions.

    Raises
    ------
    InstrumentError
        A decision cannot be carried out: an unknown item or field, no evidence, date or one language; words that are
        as before; two decisions on one item; a gate that would be lost; a component that would be left empty. All
        faults are told at once.
    UsageError
        The version is not higher.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> keep = ItemDecision("lead01", "retain", "Panel, I-CVI 1.00", date(2026, 11, 1))
    >>> revise(load_instrument("lq2002"), [keep], version="9.0.0").instrument.changes[-1].decision
    'retain'
    """
    if _numbers(version) <= _numbers(instrument.version):
        raise UsageError("instrument.revise_version", version=version, old=instrument.version)
    faults = _faults(instrument, decisions)
    if faults:
        raise _error(instrument, faults)
    data = plain(instrument)
    items = {item["id"]: item for item in data["items"]}
    log = list(data.get("changes", []))
    for one in decisions:
        entry: dict[str, Any] = {"version": version, "date": str(one.date), "item": one.item}
        entry |= {"decision": one.decision, "evidence": one.evidence}
        if one.decision == "reword":
            entry["before"], source = _reword(items[one.item], one, instrument)
            entry |= {"field": one.field, **({"source": source} if source else {})}
        log.append({name: value for name, value in entry.items() if value is not None})
    dropped = {one.item for one in decisions if one.decision == "drop"}
    data["items"] = [item for item in data["items"] if item["id"] not in dropped]
    data |= {"version": version, "changes": log}
    notes = []
    if "calibration" in data and any(one.decision != "retain" for one in decisions):
        del data["calibration"]
        notes.append(Message(CALIBRATION_GONE))
    made = _validated(instrument, data)
    named = {one.item for one in decisions}
    undecided = tuple(item.id for item in instrument.items if item.id not in named)
    return Revision(made, diff_instruments(instrument, made), undecided, tuple(notes))


def _validated(instrument: Instrument, data: dict[str, Any]) -> Instrument:
    try:
        made = Instrument.model_validate(data, context={"collect_faults": True})
    except ValidationError as error:
        faults = [
            Fault(Message("instrument.bad_value", {"field": ".".join(map(str, one["loc"])), "why": one["msg"]}))
            for one in error.errors(include_url=False)
        ]
        raise _error(instrument, faults) from None
    broken = [
        Fault(Message(one.message_template, dict((one.context or {})["params"]))) for one in broken_references(made)
    ]
    if broken:
        raise _error(instrument, broken)
    digest = sha256(made.model_dump_json(exclude={"sha256"}).encode())
    return made.model_copy(update={"sha256": digest})


def _faults(instrument: Instrument, decisions: Sequence[ItemDecision]) -> list[Fault]:
    faults = [_fault("instrument.revise_nothing")] if not decisions else []
    by_item: dict[str, list[ItemDecision]] = defaultdict(list)
    for one in decisions:
        faults += _of_one(instrument, one)
        by_item[one.item].append(one)
    for item, some in by_item.items():
        kinds = {one.decision for one in some}
        places = [(one.field, one.source) for one in some]
        if len(kinds) > 1 or len(set(places)) < len(places):
            faults.append(_fault("instrument.revise_twice", some[-1], item=item))
    return faults + _losses(instrument, [one for one in decisions if one.decision == "drop"])


def _of_one(instrument: Instrument, one: ItemDecision) -> list[Fault]:
    item = instrument.by_item.get(one.item)
    if item is None:
        return [_fault("instrument.revise_unknown_item", one, value=one.item)]
    faults = []
    if not one.evidence.strip():
        faults.append(_fault("instrument.revise_no_evidence", one, item=one.item))
    if one.date is None:
        faults.append(_fault("instrument.revise_no_date", one, item=one.item))
    if one.decision != "reword":
        return faults
    lacking = [name for name in ("sv", "en") if not getattr(one, name).strip()]
    if lacking:
        faults.append(_fault("instrument.revise_language", one, item=one.item, lacking=lacking))
    fields = fields_of(instrument, item, one.source)
    if not fields:
        sources = [measure.source for measure in item.measures]
        faults.append(_fault("instrument.revise_unknown_source", one, value=one.source, item=one.item, known=sources))
    elif one.field not in fields:
        faults.append(
            _fault("instrument.revise_unknown_field", one, value=one.field, item=one.item, known=list(fields))
        )
    elif not lacking and fields[one.field] == {"sv": one.sv.strip(), "en": one.en.strip()}:
        faults.append(_fault("instrument.revise_same", one, item=one.item, field=one.field))
    return faults


def _losses(instrument: Instrument, drops: Sequence[ItemDecision]) -> list[Fault]:
    """Return a fault for each gate that would be lost, and for each component left empty."""
    known = [one for one in drops if one.item in instrument.by_item]
    faults = [
        _fault("instrument.revise_gate", one, item=one.item)
        for one in known
        if instrument.by_item[one.item].gate is not None
    ]
    dropped = {one.item for one in known}
    for one in known:
        component = instrument.by_item[one.item].component
        if {item.id for item in instrument.items_of(component)} <= dropped:
            faults.append(_fault("instrument.revise_empty_component", one, component=component))
    return faults


def fields_of(instrument: Instrument, item: Item, source: str = "") -> dict[str, Mapping[str, str] | None]:
    """Return the texts of an item and of one of its measures by the names that a decision uses; empty if none is.

    Anchors that belong to a scale in common are no item's own and are left out.
    """
    measure = next((one for one in item.measures if one.source == source or (not source and one is item.primary)), None)
    if measure is None:
        return {}
    owners = [(item, ITEM_FIELDS), (measure, MEASURE_FIELDS)]
    texts = {name: getattr(owner, name) for owner, names in owners for name in names}
    texts |= {part.id: part.wording for part in measure.parts}
    codes = [level.code for level in instrument.by_scale[measure.scale].levels] if measure.anchors else []
    texts |= {f"anchor:{code}": anchor for code, anchor in zip(codes, measure.anchors, strict=True)}
    return {name: None if text is None else text.as_dict() for name, text in texts.items()}


def _reword(item: dict[str, Any], one: ItemDecision, instrument: Instrument) -> tuple[Any, str]:
    """Put the new words in the place of the old ones, and return these and the source whose they are."""
    new = {"sv": one.sv.strip(), "en": one.en.strip()}
    if one.field in ITEM_FIELDS:
        before, item[one.field] = item.get(one.field), new
        return before, ""
    source = one.source or instrument.by_item[one.item].primary.source
    measure = next(measure for measure in item["measures"] if measure["source"] == source)
    if one.field in MEASURE_FIELDS:
        before, measure[one.field] = measure.get(one.field), new
    elif one.field.startswith("anchor:"):
        codes = [level.code for level in instrument.by_scale[measure["scale"]].levels]
        place = codes.index(int(one.field.removeprefix("anchor:")))
        before, measure["anchors"][place] = measure["anchors"][place], new
    else:
        part = next(part for part in measure["parts"] if part["id"] == one.field)
        before, part["wording"] = part["wording"], new
    return before, source


def _fault(code: str, one: ItemDecision | None = None, /, *, value: str = "", **params: object) -> Fault:
    file, row = ("", None) if one is None else (one.file, one.row)
    return Fault(Message(code, params), file=file, row=row, value=value)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError("instrument.revise_version", version=version, old="0.0.0")
    return tuple(int(part) for part in parts)


def _error(instrument: Instrument, faults: Sequence[Fault]) -> InstrumentError:
    return InstrumentError("instrument.revise_faulty", faults=tuple(faults), n=len(faults), id=instrument.id)
