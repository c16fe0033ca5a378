"""Tables of cells: what stands in each, as text for a page and as a number for a workbook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
Kind = Literal["head", "text", "number", "strip"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, its number where it is one, and what a page may add.

    `strip` is (low, estimate, high), drawn as a small dot and whisker; `tone` names a style that never
    says more than the text does; `note` is a second, smaller line.
    """

    text: str = ""
    value: float | int | None = None
    strip: tuple[float, float, float] | None = None
    href: str = ""
    tone: str = ""
    note: str = ""

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
        if any(len(row) != len(self.columns) for row in self.rows):
            msg = f"a row of “{self.caption}” has not {len(self.columns)} cells"
            raise ValueError(msg)

    @property
    def pairs(self) -> tuple[tuple[tuple[Column, Cell], ...], ...]:
        """Return the rows with each cell beside its column."""
        return tuple(tuple(zip(self.columns, row, strict=True)) for row in self.rows)

    def without_empty(self) -> Table:
        """Return the table without columns in which nothing stands (the first always stays)."""
        kept = [0, *(j for j in range(1, len(self.columns)) if any(_filled(row[j]) for row in self.rows))]
        return Table(self.caption, _take(self.columns, kept), tuple(_take(row, kept) for row in self.rows))


def _filled(cell: Cell) -> bool:
    return bool(cell.text or cell.strip or cell.value is not None)


def _take(values: Sequence[T], kept: Sequence[int]) -> tuple[T, ...]:
    return tuple(values[j] for j in kept)
