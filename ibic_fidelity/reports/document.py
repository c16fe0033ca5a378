"""Texts to print: one list of blocks, written as a page or as a Word document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.model import Instrument

WIDTH = 17.0  # centimetres of text between the margins of a printed page
Kind = Literal["plain", "strong", "small", "note"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1, 2 or 3; `breaks` begins a new page."""

    words: str
    level: int = 1
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    words: str
    kind: Kind = "plain"


@dataclass(frozen=True, slots=True)
class Points:
    """A list, numbered where the order matters."""

    lines: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts.

    `shares` say how wide each column is, in parts of the width; an empty `header` leaves the first row out, and the
    first column then heads its rows. `lines` is how many lines of room each row leaves to write in.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]
    lines: int = 0

    def widths(self, whole: float) -> tuple[float, ...]:
        """Return the widths of the columns as parts of `whole`."""
        return tuple(round(whole * share / sum(self.shares), 2) for share in self.shares)


Block = Heading | Paragraph | Points | Grid


@dataclass(frozen=True, slots=True)
class Document:
    """A text to print.

    Attributes
    ----------
    title, lang : str
        Heading of the first page, and the language.
    stamp : str
        What stands on every page: the instrument, its version and its status, and the digest of its files.
    blocks : tuple
        From top to bottom.
    """

    title: str
    lang: Language
    stamp: str
    blocks: tuple[Block, ...]

    def html(self) -> str:
        """Return the document as a page: one file, no network, no script, with rules for print."""
        from ibic_fidelity.reports.html import render

        return render("document.html", document=self, names=[type(block).__name__ for block in self.blocks])

    def word(self) -> bytes:
        """Return the document as a Word file: the same bytes every time."""
        from ibic_fidelity.platforms.word import WordDocument

        made = WordDocument(self.title, stamp=self.stamp, lang=self.lang)
        for block in self.blocks:
            if isinstance(block, Heading):
                if block.breaks:
                    made.page_break()
                made.heading(block.words, block.level)
            elif isinstance(block, Paragraph):
                made.paragraph(block.words, kind="strong" if block.kind == "note" else block.kind)
            elif isinstance(block, Points):
                lines = block.lines
                if block.numbered:  # Word would count on from the list before
                    for number, line in enumerate(lines, start=1):
                        made.paragraph(f"{number}. {line}")
                else:
                    made.bullets(lines)
            else:
                rows = [(row[0] + "\n" * block.lines, *row[1:]) for row in block.rows]
                made.table(block.header, rows, widths=block.widths(WIDTH), strong_first=not block.header)
        return made.content()


def page_stamp(instrument: Instrument, lang: Language) -> str:
    """Return what every printed page says of where it comes from."""
    return text("reports.page_stamp", lang, stamp=instrument.stamp(lang), sha=instrument.sha256[:12])
