"""The rules of what may be published, stated once for every writer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ibic_fidelity.errors import UsageError
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Source

#: No figure of a source of people is shown where fewer than this many answered.
LEAST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """Minimum numbers and rounding of what is published; ours, not an authority's.

    Attributes
    ----------
    least : int
        No figure rests on fewer units (respondents, files) than this, and no smaller count is shown.
    few : int
        Of fewer respondents than this no single items are shown, means are whole numbers, at the ends no closer
        than `end`, and the interval rests on the spread pooled over sites alone.
    pooled_sites : int
        Over how many sites, at least, that spread must be pooled.
    protection : float
        How many points of 100 a hidden figure must be uncertain by, whatever is worked out from those shown.
    end : float
        Means of few respondents nearer 0 or 100 than this are shown as lying there: at the end all gave one answer.
    """

    least: int = LEAST_PEOPLE
    few: int = 10
    pooled_sites: int = 5
    protection: float = 25.0
    end: float = 5.0

    def __post_init__(self) -> None:
        whole = (("least", LEAST_PEOPLE), ("few", max(10, _whole(self.least))), ("pooled_sites", 3))
        for name, lowest in whole:
            if _whole(getattr(self, name)) < lowest:
                raise UsageError("disclosure.rule", rule=name, value=repr(getattr(self, name)), least=lowest)
        for name, low, high in (("protection", 10.0, 50.0), ("end", 1.0, 25.0)):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                raise UsageError("disclosure.rule_between", rule=name, value=repr(value), low=low, high=high)

    def as_dict(self) -> dict[str, Any]:
        """Return the rules as plain JSON data."""
        return asdict(self)


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def few_people(source: str, n: float, instrument: Instrument) -> bool:
    """Return whether a group of a source is too small for anything about its answers to be printed."""
    return instrument.by_source[source].kind == "survey" and n < LEAST_PEOPLE


def counted(source: Source) -> bool:
    """Return whether a source's n counts people or their files: neither a register nor the group's one document."""
    return source.kind == "survey" or (source.kind == "audit" and not source.single)
