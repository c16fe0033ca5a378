"""The tables of a page of statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from ibic_fidelity.dossier.statistics import Statistic, shown
from ibic_fidelity.plotting._rows import printable
from ibic_fidelity.plotting.statistics import VERDICTS, coefficient_name
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.statistics_material import Remarks, Section, StatisticsMaterial

Part = Literal["item", "rater"]


def component_table(section: Section, material: StatisticsMaterial, remarks: Remarks) -> Table:
    """Return the statistics of a component, one a row."""
    say = material.say
    columns = (
        Column(say("reports.statistic"), "head", 34),
        Column(say("reports.value"), "number"),
        Column(say("reports.interval", level=material.level), "number"),
        Column(say("reports.n"), "number"),
        Column(say("reports.method"), width=24),
        Column(say("reports.remark")),
    )
    rows = section.level("component")
    caption = say("reports.component_statistics")
    if not any(math.isfinite(row.estimate) for row in rows):
        words = Column(say("reports.value"), width=60)
        bare = [(Cell(coefficient_name(row.statistic, material.lang)), _why(row, material)) for row in rows]
        return Table(caption, (columns[0], words), tuple(bare))
    made: list[tuple[Cell, ...]] = []
    for row in rows:
        name = Cell(coefficient_name(row.statistic, material.lang))
        if not math.isfinite(row.estimate):
            made.append((name, _why(row, material, span=4), Cell()))
            continue
        value, limits = shown(row, material.lang)
        rest = (Cell(value), Cell(limits), Cell(material.whole(row.n)), Cell(row.method))
        made.append((name, *rest, Cell(remarks.mark(row.notes))))
    return Table(caption, columns, tuple(made)).without_empty()


def parts_table(section: Section, material: StatisticsMaterial, remarks: Remarks, part: Part) -> Table:
    """Return the statistics of a section's items or raters: one a row, a statistic a column."""
    say = material.say
    rows = section.level(part)
    names = material.names(rows)
    columns = (
        Column(say("reports.question" if part == "item" else "reports.rater"), "head", 44 if part == "item" else 24),
        *(Column(coefficient_name(name, material.lang), "number") for name in names),
        Column(say("reports.n"), "number"),
        Column(say("reports.verdict"), width=30),
        Column(say("reports.remark")),
    )
    made = []
    for name, told in parts(rows, part).items():
        by_name = {row.statistic: row for row in told}
        cells = [_value(by_name[each], material) if each in by_name else Cell() for each in names]
        notes = [note for row in told for note in row.notes]
        verdict = Cell(" ".join(dict.fromkeys(material.message(note) for note in notes if note.code in VERDICTS)))
        remark = Cell(remarks.mark(note for note in notes if note.code not in VERDICTS))
        head = Cell(part_label(name, part, material))
        made.append((head, *cells, Cell(_counts(told, material)), verdict, remark))
    caption = say("reports.item_statistics" if part == "item" else "reports.rater_statistics", level=material.level)
    return Table(caption, columns, tuple(made)).without_empty()


def parts(rows: Sequence[Statistic], part: Part) -> dict[str, list[Statistic]]:
    """Return rows by their item or rater, in the order in which they come."""
    found: dict[str, list[Statistic]] = {}
    for row in rows:
        found.setdefault(getattr(row, part), []).append(row)
    return found


def part_label(name: str, part: Part, material: StatisticsMaterial) -> str:
    """Return what an item or rater is called."""
    return material.label(name) if part == "item" else printable(name)


def _why(row: Statistic, material: StatisticsMaterial, *, span: int = 1) -> Cell:
    return Cell(material.reason(row), tone="withheld", span=span)


def _value(row: Statistic, material: StatisticsMaterial) -> Cell:
    value, limits = shown(row, material.lang)
    return Cell(value, note=limits)


def _counts(rows: Sequence[Statistic], material: StatisticsMaterial) -> str:
    """Return from how many the statistics are, the fewest and the most where they differ."""
    counts = sorted({row.n for row in rows})
    low, high = material.whole(counts[0]), material.whole(counts[-1])
    return low if low == high else f"{low}–{high}"
