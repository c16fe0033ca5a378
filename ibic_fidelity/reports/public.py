"""What the public gets: a table and files of published scores, and of no others."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ibic_fidelity.disclosure.published import PublishedScores
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.files import write_file
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.numbers import interval, number
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import Row, area_label, check, site_name
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
        """Return a row's cells."""
        source = self.instrument.by_source.get(row["source"])
        digits = 0 if float(row["estimate"]).is_integer() else 1
        remark = self.published.reason_text(row["reason"] or row["flag"], self.lang)
        return (
            Cell(site_name(row["site"], self.instrument)),
            Cell(area_label(row["service_area"], self.instrument, self.lang) if row["service_area"] else ""),
            Cell(row["wave"]),
            Cell(self.say(f"disclosure.level_{row['level']}")),
            Cell(self.what(row)),
            Cell(source.label[self.lang] if source is not None else ""),
            Cell.number(self.whole(row["n"]), row["n"]),
            Cell.number(number(row["estimate"], self.lang, digits=digits), row["estimate"]),
            Cell(interval(row["ci_low"], row["ci_high"], self.lang, digits=digits)),
            Cell(remark),
        )


def public_table(published: PublishedScores, instrument: Instrument, *, lang: Language) -> Table:
    """Return every published score as a row of cells, a hidden one with the reason in words."""
    made = _Public(published, instrument, lang)
    say = made.say
    names = ("site", "area", "wave", "level", "what", "source")
    columns = (
        *(Column(say(f"disclosure.column_{name}"), "head" if name == "site" else "text") for name in names),
        Column(say("reports.n"), "number"),
        Column(say("reports.score"), "number", digits=1),
        Column(say("reports.interval", level=level_text(published.confidence_level, lang)), "number"),
        Column(say("reports.remark"), width=40),
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
