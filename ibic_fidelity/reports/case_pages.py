"""Fictitious case files to print, and their key: headings, paragraphs, lists and tables of plain Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.cases import Case, CaseSet
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.reports.document import Block, Document, Grid, Heading, Paragraph, Points, page_stamp

_RULE = re.compile(r"[-:| ]+")
LEVELS = 3
SPACE, BROAD = 5, 30  # characters: beside the longest word of a column, and of its longest line
KEY = (2.2, 1.6, 6.6, 6.6)


def case_document(case: Case, instrument: Instrument, *, lang: Language = "sv") -> Document:
    """Return a fictitious case file, without the key; its text is in the language in which it was written.

    Examples
    --------
    >>> from ibic_fidelity.instrument.cases import load_cases
    >>> from ibic_fidelity.instrument.reading import load_instrument
    >>> ibic = load_instrument("ibic")
    >>> case_document(load_cases("ibic", ibic).cases[0], ibic).title
    'Fiktiv akt 01'
    """
    title, *blocks = _blocks(case.content)
    assert isinstance(title, Heading)  # noqa: S101 - a test holds every case to it
    return Document(title.words, lang, page_stamp(instrument, lang), tuple(blocks))


def key_document(cases: CaseSet, instrument: Instrument, *, lang: Language = "sv") -> Document:
    """Return the key of all cases with reasons, for whoever leads the certification."""
    return Document(
        text("reports.key_title", lang, title=instrument.title[lang]),
        lang,
        page_stamp(instrument, lang),
        tuple(_key_blocks(cases, instrument, lang)),
    )


def _key_blocks(cases: CaseSet, instrument: Instrument, lang: Language) -> Iterator[Block]:
    yield Paragraph(text("reports.key_keep_apart", lang), "note")
    for case in cases.cases:
        right = cases.of(case.id)
        yield Heading(f"{case.id} ({case.law})", breaks=True)
        yield Paragraph(case.teaches[lang])
        rows = [
            (part.id, right[part.id].code, part.wording[lang], right[part.id].reason[lang])
            for _, measure in instrument.measures_of(case.source)
            for part in measure.under(case.law).parts or (measure.under(case.law),)
        ]
        names = ("column", "answer", "question", "reason")
        yield Grid(tuple(text(f"reports.key_{name}", lang) for name in names), tuple(rows), KEY)


def _blocks(content: str) -> Iterator[Block]:
    """Yield the blocks of a text in plain Markdown."""
    for kind, lines in groupby((line.rstrip() for line in content.splitlines()), key=_kind):
        if kind == "table":
            yield _grid([_cells(line) for line in lines if not _RULE.fullmatch(line)])
        elif kind == "points":
            yield Points(tuple(line.removeprefix("- ") for line in lines))
        elif kind == "heading":
            for line in lines:
                marks, _, words = line.partition(" ")
                yield Heading(words, min(max(len(marks) - 1, 1), LEVELS), breaks=words.startswith("Del B"))
        elif kind == "text":
            yield Paragraph(" ".join(lines))


def _kind(line: str) -> str:
    if not line:
        return ""
    return {"#": "heading", "|": "table", "-": "points"}.get(line[0], "text")


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip("|").split("|"))


def _grid(rows: list[tuple[str, ...]]) -> Grid:
    """Return a table whose columns are as wide as their texts ask for, within limits."""
    shares = []
    for cells in zip(*rows, strict=True):
        longest_word = max(len(word) for cell in cells for word in cell.split() or [""])
        shares.append(float(max(longest_word + SPACE, min(max(map(len, cells)), BROAD))))
    return Grid(rows[0], tuple(rows[1:]), tuple(shares))
