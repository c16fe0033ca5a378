"""What the public gets: a table and files of published scores, and of no others."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from ibic_fidelity.disclosure.published import PublishedScores
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.files import write_file
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.numbers import number
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import Row, area_label, check, printable, site_name
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Spoken, level_text

ENDINGS = (".json", ".csv")


class _Public(Spoken):
    """Published scores in a language."""

    def __init__(self, published: PublishedScores, instrument: Instrument, lang: Language) -> None:
        given: object = published
        if not isinstance(given, PublishedScores):
            raise ArgumentTypeError("disclosure.only_published", got=type(given).__name__)
        check(published, instrument, lang)
        self.published, self.instrument, self.lang = published, instrument, lang

    def what(self, row: Row) -> str:
        """Return the label of the total, component or question of a row."""
        if row["level"] == "total":
            return next(one.label[self.lang] for one in self.instrument.totals if one.id == row["statistic"])
        if row["level"] == "component":
            return self.instrument.by_component[row["component"]].label[self.lang]
        item = self.instrument.by_item[row["item"]]
        return f"{item.label} {item.idea[self.lang]}"

    def cells(self, row: Row) -> tuple[Cell, ...]:
        """Return a row's cells; a hidden number is an empty one."""
        source = self.instrument.by_source.get(row["source"])
        area = row["service_area"]
        numbers = (row[name] for name in ("n", "estimate", "ci_low", "ci_high"))
        return (
            Cell(printable(row["site"])),
            Cell(site_name(row["site"], self.instrument)),
            Cell(area_label(area, self.instrument, self.lang) if area else self.say("reports.all_areas")),
            Cell(printable(row["wave"])),
            Cell(self.say(f"disclosure.level_{row['level']}")),
            Cell(row["item"] or row["component"] or row["statistic"]),
            Cell(self.what(row)),
            Cell(source.label[self.lang] if source is not None else ""),
            *(self.number(value) for value in numbers),
            Cell(self.published.reason_text(row["reason"] or row["flag"], self.lang)),
            Cell(self.instrument.stamp(self.lang)),
            Cell(self.say("disclosure.synthetic" if self.published.provenance.synthetic else "disclosure.collected")),
        )

    def number(self, value: float) -> Cell:
        """Return a number as it is published, with one decimal where it has any."""
        if not math.isfinite(value):
            return Cell()
        return Cell.number(number(value, self.lang, digits=0 if float(value).is_integer() else 1), value)


def public_table(published: PublishedScores, instrument: Instrument, *, lang: Language) -> Table:
    """Return every published score as a row of cells, a hidden one with the reason in words."""
    made = _Public(published, instrument, lang)
    say = made.say
    level = level_text(published.confidence_level, lang)
    columns = (
        Column(say("reports.code"), "head"),
        Column(say("reports.name"), width=24),
        *(Column(say(f"disclosure.column_{name}")) for name in ("area", "wave", "level", "id", "what", "source")),
        Column(say("reports.n"), "number"),
        Column(say("reports.score"), "number", digits=1),
        Column(say("disclosure.column_low", level=level), "number", digits=1),
        Column(say("disclosure.column_high", level=level), "number", digits=1),
        Column(say("reports.remark"), width=40),
        Column(say("disclosure.column_instrument"), width=40),
        Column(say("disclosure.column_data"), width=20),
    )
    caption = say("disclosure.caption", title=instrument.title[lang], stamp=instrument.stamp(lang))
    if published.provenance.synthetic:
        caption = f"{caption} {say('disclosure.synthetic')}"
    return Table(caption, columns, tuple(made.cells(row) for row in published.rows.rows()))


def write_published(
    path: Path, published: PublishedScores, instrument: Instrument, *, lang: Language, force: bool = False
) -> Path:
    """Write published scores as JSON (``ibic.published/1``) or as a table that Swedish Excel opens, by the ending."""
    table = public_table(published, instrument, lang=lang)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError("disclosure.ending", path=path.name, endings=list(ENDINGS))
    content = published.to_json() if path.suffix.lower() == ".json" else _delimited(table)
    return write_file(path, content, force=force)


def _delimited(table: Table) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    writer.writerow(column.title for column in table.columns)
    writer.writerows([_harmless(cell.text) for cell in row] for row in table.rows)
    return "\ufeff" + buffer.getvalue()


def _harmless(text: str) -> str:
    """Return a text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠") else text
