"""Tables of cells: what stands in each, as text for a page and as a number for a workbook."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["head", "text", "number", "strip"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, its number where it is one, and what a page may add.

    `strip` is (low, estimate, high), drawn as a small dot and whisker; `tone` names a style that never
    says more than the text does; `note` is a second, smaller line; `span` is how many columns it takes; `share`
    is whether a workbook shows the number as a percentage.
    """

    text: str = ""
    value: float | int | None = None
    strip: tuple[float, float, float] | None = None
    href: str = ""
    tone: str = ""
    note: str = ""
    span: int = 1
    share: bool = False

    @classmethod
    def number(cls, text: str, value: float) -> Cell:
        """Return a cell of a number, or of text alone where it is not finite."""
        return cls(text, value if math.isfinite(value) else None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and what its cells hold; `width` in characters and `digits` are a workbook's."""

    title: str
    kind: Kind = "text"
    width: int = 14
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first column heads its rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(sum(cell.span for cell in row) != len(self.columns) for row in self.rows):
            msg = f"a row of “{self.caption}” has not {len(self.columns)} cells"
            raise ValueError(msg)

    @property
    def pairs(self) -> tuple[tuple[tuple[Column, Cell], ...], ...]:
        """Return the rows with each cell beside the column that it begins in."""
        return tuple(tuple((self.columns[j], cell) for j, cell in _placed(row)) for row in self.rows)

    def without_empty(self) -> Table:
        """Return the table without columns in which no cell begins that says anything (the first stays)."""
        filled = {
            j for row in self.rows for j, cell in _placed(row) if cell.text or cell.strip or cell.value is not None
        }
        kept = [j for j in range(len(self.columns)) if j == 0 or j in filled]
        rows = (
            tuple(replace(cell, span=width) for j, cell in _placed(row) if (width := _within(kept, j, cell.span)))
            for row in self.rows
        )
        return Table(self.caption, tuple(self.columns[j] for j in kept), tuple(rows))


def _placed(row: Sequence[Cell]) -> Iterator[tuple[int, Cell]]:
    """Yield each cell after the column that it begins in."""
    j = 0
    for cell in row:
        yield j, cell
        j += cell.span


def _within(kept: Sequence[int], begin: int, span: int) -> int:
    return sum(begin <= j < begin + span for j in kept)
