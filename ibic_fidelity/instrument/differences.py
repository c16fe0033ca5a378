"""What differs between two versions of an instrument, and what stays comparable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.results import table
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, Measure, Text, Total

if TYPE_CHECKING:
    import pandas as pd

ChangeKind = Literal[
    "added", "dropped", "rescaled", "reversed", "column", "source_added", "source_dropped", "role", "reworded",
    "anchors", "instructions", "moved", "gate", "weight", "meaning", "component", "total", "bands",
]  # fmt: skip
#: `yes`: the same question on the same scale; `doubtful`: other words; `no`: another scale, or one side lacks it.
Comparable = Literal["yes", "doubtful", "no"]

#: What stands for a side that has nothing.
NOTHING = "instrument.diff_nothing"
_BREAKS: frozenset[ChangeKind] = frozenset({"added", "dropped", "rescaled", "reversed", "source_dropped", "role"})
_DOUBTFUL: frozenset[ChangeKind] = frozenset({"reworded", "anchors", "instructions"})
#: Changes of an item that alter what its component adds up to, though the item itself is the same.
_SHIFTS: frozenset[ChangeKind] = frozenset({"moved", "weight"})


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of what kind, of which item (or component, total), where in it, and both sides.

    `primary` says whether it touches the measure that is scored.
    """

    kind: ChangeKind
    owner: str
    where: str
    before: Text | str
    after: Text | str
    primary: bool = True

    def message(self) -> Message:
        """Return the change as something to say."""
        sides = {"before": _shown(self.before), "after": _shown(self.after)}
        return Message(f"instrument.diff_{self.kind}", {"owner": self.owner, "where": self.where, **sides})


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentDiff:
    """Two versions of an instrument, as `diff_instruments` compares them.

    Attributes
    ----------
    old, new : str
        Id and version of each.
    changes : tuple of Change
        In the order of the old instrument, added items last.
    items : mapping of str to {"yes", "doubtful", "no"}
        Whether answers to each item of either version can be compared.
    totals : mapping of str to {"yes", "doubtful", "no"}
        The same of totals: no where an item that enters is not, where what enters has changed, or its weight.
    """

    old: str
    new: str
    changes: tuple[Change, ...]
    items: dict[str, Comparable]
    totals: dict[str, Comparable]

    @property
    def table(self) -> pd.DataFrame:
        """Return one line a change: item, reason (English), kind, where, and whether the item stays comparable."""
        return table(
            {
                "item": [change.owner for change in self.changes],
                "reason": [change.message().text("en") for change in self.changes],
                "kind": [change.kind for change in self.changes],
                "where": [change.where for change in self.changes],
                "comparable": [self.items.get(change.owner, "") for change in self.changes],
            },
            extra=("kind", "where", "comparable"),
        )

    def text(self, language: Language = "en") -> str:
        """Return the changes, one a line, and what stays comparable."""
        lines = [text("instrument.diff_head", language, old=self.old, new=self.new, n=len(self.changes))]
        lines += [change.message().text(language) for change in self.changes]
        for code, names in (("items", self.items), ("totals", self.totals)):
            for word in ("yes", "doubtful", "no"):
                some = [name for name, comparable in names.items() if comparable == word]
                if some:
                    lines.append(text(f"instrument.diff_{code}_{word}", language, names=some, n=len(some)))
        return "\n".join(lines)

    def summary(self) -> str:
        """Return the changes in English."""
        return self.text("en")


def diff_instruments(old: Instrument, new: Instrument) -> InstrumentDiff:
    """Return what differs between two versions of an instrument, and what stays comparable.

    Parameters
    ----------
    old, new : Instrument
        Two versions with the same id.

    Returns
    -------
    InstrumentDiff
        Items added and dropped; wordings, anchors and instructions changed; scales, columns, sources and roles;
        items moved between components; gates, weights and what an item is (specificity, law, outcomes that it
        restates); components, totals and bands. Printed labels, sources and reasons change no answer and are left out.

    Raises
    ------
    UsageError
        They are two instruments, not two versions of one.

    Examples
    --------
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> lq = load_instrument("lq2002")
    >>> diff_instruments(lq, lq.replaced(items=lq.items[1:], version="2.0.0")).items[lq.items[0].id]
    'no'
    """
    if old.id != new.id:
        raise UsageError("instrument.diff_other", old=old.id, new=new.id)
    changes: list[Change] = []
    for item in old.items:
        other = new.by_item.get(item.id)
        if other is None:
            changes.append(Change("dropped", item.id, item.component, item.idea, ""))
        else:
            changes += _of_item(old, new, item, other)
    added = [item for item in new.items if item.id not in old.by_item]
    changes += [Change("added", item.id, item.component, "", item.idea) for item in added]
    changes += _of_whole(old, new)
    items = {item.id: _comparable(item.id, changes) for item in (*old.items, *added)}
    totals = {total.id: _total(total, old, new, items, changes) for total in new.totals}
    return InstrumentDiff(f"{old.id} {old.version}", f"{new.id} {new.version}", tuple(changes), items, totals)


def _of_item(old: Instrument, new: Instrument, before: Item, after: Item) -> Iterator[Change]:
    yield from _text("reworded", before.id, "idea", before.idea, after.idea, primary=False)
    yield from _text("instructions", before.id, "definition", before.definition, after.definition)
    yield from _text("instructions", before.id, "not_applicable", before.not_applicable, after.not_applicable)
    if before.reverse != after.reverse:
        yield Change("reversed", before.id, "reverse", str(before.reverse), str(after.reverse))
    sources = {measure.source: measure for measure in after.measures}
    for measure in before.measures:
        primary, other = measure.role == "primary", sources.pop(measure.source, None)
        if other is None:
            yield Change("source_dropped", before.id, measure.source, measure.source, "", primary)
        else:
            yield from _of_measure(old, new, before.id, measure, other)
    for source, measure in sources.items():
        yield Change("source_added", before.id, source, "", source, measure.role == "primary")
    pairs: tuple[tuple[ChangeKind, str, str, str], ...] = (
        ("moved", "component", before.component, after.component),
        ("gate", "gate", _cut(before), _cut(after)),
        ("weight", "weight", f"{before.weight:g}", f"{after.weight:g}"),
        ("meaning", "specificity", before.specificity or "", after.specificity or ""),
        ("meaning", "law", ", ".join(before.law), ", ".join(after.law)),
        ("meaning", "restates", ", ".join(before.restates), ", ".join(after.restates)),
    )
    yield from _pairs(before.id, pairs)


def _of_measure(old: Instrument, new: Instrument, item: str, before: Measure, after: Measure) -> Iterator[Change]:
    source, primary = before.source, before.role == "primary" or after.role == "primary"
    if before.role != after.role:
        yield Change("role", item, source, before.role, after.role)
    if _scale(old, before) != _scale(new, after):
        yield Change("rescaled", item, source, _scale(old, before), _scale(new, after), primary)
    elif _columns(before) != _columns(after):
        kind: ChangeKind = "column" if len(before.parts) == len(after.parts) else "rescaled"
        yield Change(kind, item, source, ", ".join(_columns(before)), ", ".join(_columns(after)), primary)
    laws = sorted({*before.by_law, *after.by_law})
    for law in ("", *laws):
        one, two, where = before.under(law), after.under(law), f"{source}/{law}" if law else source
        if law and (one == before.under("") and two == after.under("")):
            continue
        yield from _words(old, new, item, (one, two), where, primary=primary)


def _words(
    old: Instrument, new: Instrument, item: str, pair: tuple[Measure, Measure], where: str, *, primary: bool
) -> Iterator[Change]:
    one, two = pair
    yield from _text("reworded", item, where, one.wording, two.wording, primary=primary)
    yield from _text("reworded", item, f"{where}/easy", one.easy, two.easy, primary=primary)
    yield from _text("instructions", item, f"{where}/look", one.look, two.look, primary=primary)
    yield from _text("instructions", item, f"{where}/doubt", one.doubt, two.doubt, primary=primary)
    for part, other in zip(one.parts, two.parts, strict=False):
        yield from _text("reworded", item, f"{where}/{part.id}", part.wording, other.wording, primary=primary)
    for number, (low, high) in enumerate(zip(_anchors(old, one), _anchors(new, two), strict=False)):
        yield from _text("anchors", item, f"{where}/{number}", low, high, primary=primary)


def _of_whole(old: Instrument, new: Instrument) -> Iterator[Change]:
    for name in dict.fromkeys([*old.by_component, *new.by_component]):
        one, two = old.by_component.get(name), new.by_component.get(name)
        shown = [
            "" if part is None else f"{part.dimension}, {part.measurement_model}, {part.weight:g}"
            for part in (one, two)
        ]
        yield from _pairs(name, (("component", "component", shown[0], shown[1]),))
    totals = [{total.id: ", ".join(total.dimensions) for total in whole.totals} for whole in (old, new)]
    for name in dict.fromkeys([*totals[0], *totals[1]]):
        yield from _pairs(name, (("total", "total", totals[0].get(name, ""), totals[1].get(name, "")),))
    bands = [", ".join(f"{band.id} {band.low:g}" for band in whole.bands) for whole in (old, new)]
    yield from _pairs("bands", (("bands", "bands", bands[0], bands[1]),))


def _comparable(item: str, changes: list[Change]) -> Comparable:
    kinds = {change.kind for change in changes if change.owner == item and change.primary}
    if kinds & _BREAKS:
        return "no"
    return "doubtful" if kinds & _DOUBTFUL else "yes"


def _total(
    total: Total, old: Instrument, new: Instrument, items: dict[str, Comparable], changes: list[Change]
) -> Comparable:
    inside = {
        item.id
        for whole in (old, new)
        for component in whole.components_of(total)
        for item in whole.items_of(component.id)
    }
    parts = {component.id for whole in (old, new) for component in whole.components_of(total)}
    shifted = any(
        (change.kind in _SHIFTS and change.owner in inside)
        or (change.kind == "component" and change.owner in parts)
        or (change.kind == "total" and change.owner == total.id)
        for change in changes
    )
    words = {items[item] for item in inside}
    if shifted or "no" in words:
        return "no"
    return "doubtful" if "doubtful" in words else "yes"


def _text(
    kind: ChangeKind, owner: str, where: str, before: Text | None, after: Text | None, *, primary: bool = True
) -> Iterator[Change]:
    if before != after:
        yield Change(kind, owner, where, before or "", after or "", primary)


def _pairs(owner: str, pairs: tuple[tuple[ChangeKind, str, str, str], ...]) -> Iterator[Change]:
    for kind, where, before, after in pairs:
        if before != after:
            yield Change(kind, owner, where, before, after)


def _scale(instrument: Instrument, measure: Measure) -> str:
    """Return what the scale of a measure is, without its words."""
    scale = instrument.by_scale[measure.scale]
    missing = [*scale.missing.dont_know, *scale.missing.not_applicable]
    shown = f"{scale.type} {scale.lowest:g}-{scale.highest:g}"
    return f"{shown} ({', '.join(missing)})" if missing else shown


def _columns(measure: Measure) -> list[str]:
    return [part.id for part in measure.parts] or [measure.id]


def _anchors(instrument: Instrument, measure: Measure) -> tuple[Text, ...]:
    return measure.anchors or tuple(level.anchor for level in instrument.by_scale[measure.scale].levels)


def _cut(item: Item) -> str:
    return "" if item.gate is None else f"{item.gate.cut:g}"


def _shown(side: Text | str) -> object:
    if isinstance(side, Text):
        return side.as_dict()
    return side or Message(NOTHING)
