"""What an expert panel is asked of every item, and how the form says of which instrument it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import LANGUAGES, Language, text
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item, Measure

FORM = "ibic.panel/1"
Question = Literal["relevance", "clarity", "one_thing", "essential", "comment"]
#: The questions in their order, and how many answers each has; a comment is free text.
QUESTIONS: dict[Question, int] = {"relevance": 4, "clarity": 4, "one_thing": 2, "essential": 3, "comment": 0}
#: The value of each answer, in the order in which the form has them.
VALUES: dict[Question, tuple[int, ...]] = {
    "relevance": (1, 2, 3, 4),
    "clarity": (1, 2, 3, 4),
    "one_thing": (1, 0),
    "essential": (2, 1, 0),
}
RATED: tuple[Question, ...] = tuple(VALUES)


@dataclass(frozen=True, slots=True)
class FormOrigin:
    """Of which version of which instrument a form is, and how many items it holds."""

    instrument_id: str
    version: str
    sha256: str
    n_items: int
    language: Language

    def line(self) -> str:
        """Return the origin in one line, as the form carries it."""
        return "|".join([FORM, self.instrument_id, self.version, self.sha256, str(self.n_items), self.language])

    @classmethod
    def of_line(cls, line: str) -> FormOrigin | None:
        """Return the origin that a form carries, or None where it carries none."""
        parts = line.strip().split("|")
        if len(parts) != 6 or parts[0] != FORM or parts[5] not in LANGUAGES or not parts[4].isdecimal():
            return None
        return cls(parts[1], parts[2], parts[3], int(parts[4]), "en" if parts[5] == "en" else "sv")


def origin_of(instrument: Instrument, components: Sequence[str], lang: Language) -> FormOrigin:
    """Return the origin of a form of an instrument."""
    n = len(panel_items(instrument, components))
    return FormOrigin(instrument.id, instrument.version, instrument.sha256, n, lang)


def options(question: Question, lang: Language) -> tuple[str, ...]:
    """Return the answers of a question, as the form prints them."""
    return tuple(text(f"panel.answer_{question}_{value}", lang) for value in VALUES.get(question, ()))


def panel_items(instrument: Instrument, components: Sequence[str] = ()) -> tuple[Item, ...]:
    """Return the items that a panel is asked about: those of fidelity, or of the components that are named."""
    unknown = sorted(set(components) - set(instrument.by_component))
    if unknown:
        raise UsageError("panel.unknown_component", names=unknown, known=list(instrument.by_component))
    wanted = set(components) or {part.id for part in instrument.components if part.dimension in FIDELITY}
    wanted = wanted or set(instrument.by_component)
    chosen = tuple(item for item in instrument.items if item.component in wanted)
    return chosen or instrument.items


def wording_lines(instrument: Instrument, item: Item, lang: Language) -> list[str]:
    """Return how an item is asked of each source, checklists with their parts, and otherwise under a law."""
    lines = []
    for measure in item.measures:
        source = instrument.by_source[measure.source].label[lang]
        lines.append(f"{source}: {measure.wording[lang]}")
        lines += [f"– {part.wording[lang]}" for part in measure.parts]
        for law in measure.by_law:
            other = measure.under(law)
            if other.wording != measure.wording:
                lines.append(f"{law}: {other.wording[lang]}")
            if other.parts != measure.parts:
                lines += [f"{law} – {part.wording[lang]}" for part in other.parts]
    return lines


def anchor_lines(instrument: Instrument, item: Item, lang: Language) -> list[str]:
    """Return what each code of the scored measure means, and otherwise under a law."""
    measure = item.primary
    lines = _anchors(instrument, measure, lang, "")
    for law in measure.by_law:
        if measure.under(law).anchors != measure.anchors:
            lines += _anchors(instrument, measure.under(law), lang, f"{law}: ")
    return lines


def _anchors(instrument: Instrument, measure: Measure, lang: Language, before: str) -> list[str]:
    scale = instrument.by_scale[measure.scale]
    if scale.type == "register":
        return [f"{before}{scale.lowest:g}–{scale.highest:g}"]
    anchors = measure.anchors or tuple(level.anchor for level in scale.levels)
    return [f"{before}{level.code} = {anchor[lang]}" for level, anchor in zip(scale.levels, anchors, strict=True)]
