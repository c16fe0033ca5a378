"""What became of candidates, and what each version of an instrument decided."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from ibic_fidelity.instrument.parts import ItemId, Line, Part, Text

Decision = Literal["retain", "reword", "drop"]


class Retired(Part):
    """A candidate that is not an item any more: what became of it and why."""

    id: ItemId
    label: Line
    became: tuple[str, ...] = ()
    why: Text


class Revised(Part):
    """One line of the log of an instrument: what a version decided on an item, on what evidence, and when.

    `field` is what was reworded (``wording``, ``idea``, the id of a part, ``anchor:1``), `source` of which measure,
    and `before` the words that stood there.
    """

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    date: date
    item: ItemId
    decision: Decision
    evidence: Line
    field: str = ""
    source: str = ""
    before: Text | None = None
