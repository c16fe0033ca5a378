"""The tables of a workbook: one row a score, numbers as numbers, nothing that a page would not print."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ibic_fidelity.plotting._rows import Row, printable
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material, hidden_people, minimum
from ibic_fidelity.reports.overview import spread_table
from ibic_fidelity.reports.sentences import band_label, method, notes
from ibic_fidelity.reports.tables import GATES, SPECIFICITY, column_questions, composite_label, versions_table

Wanted = Callable[[Row], bool]
DIMENSIONS = {
    "core": "reports.dimension_core",
    "extended": "reports.dimension_extended",
    "experience": "reports.apart_experience",
    "precondition": "reports.apart_precondition",
    "context": "reports.apart_context",
    "outcome": "reports.apart_outcome",
}
LEVELS = ("total", "component", "item", "triangulating")


def readme_sheet(material: Material, sheets: Iterable[str]) -> Table:
    """Return what the workbook is: instrument, synthetic or not, sheets, notes, versions."""
    say = material.say
    lines = [
        material.instrument.title[material.lang],
        say("reports.instrument_stamp", stamp=material.instrument.stamp(material.lang)),
    ]
    if material.synthetic:
        lines.append(f"{say('plotting.synthetic')}. {say('reports.synthetic_means', sites=material.nouns)}")
    lines += [
        say("reports.readme_sheets", sheets=", ".join(sheets)),
        say("reports.readme_numbers"),
        say("reports.readme_empty"),
    ]
    lines += [*notes(material)]
    rows = [(Cell(line), Cell()) for line in lines] + list(versions_table(material, material.scores.provenance).rows)
    return Table(
        "", (Column(say("reports.version_what"), width=90), Column(say("reports.version_value"), width=60)), tuple(rows)
    )


def totals_sheet(material: Material) -> Table:
    """Return every total of every site and area, with its bands."""
    say = material.say
    bands = {
        (row["site"], row["wave"], row["service_area"], row["statistic"]): row
        for rows in material.bands.values()
        for row in rows
    }
    columns = (
        *_place_columns(material),
        Column(say("reports.part"), width=24),
        *_score_columns(material),
        Column(say("reports.band"), width=30),
        Column(say("reports.band_with_gates"), width=30),
    )
    made = []
    for row in _rows(material, lambda one: one["level"] == "total"):
        band = bands.get((row["site"], row["wave"], row["service_area"], row["statistic"]), {})
        words = [Cell(band_label(band.get(name, ""), material)) for name in ("band", "band_with_gates")]
        made.append((*_place(row, material), Cell(composite_label(row, material)), *_score(row, material), *words))
    return Table("", columns, tuple(made))


def components_sheet(material: Material) -> Table:
    """Return every component of every site and area, and whether it enters a total."""
    say = material.say
    columns = (
        *_place_columns(material),
        Column(say("reports.component"), width=30),
        Column(say("reports.dimension")),
        Column(say("reports.in_score"), width=16),
        *_score_columns(material),
    )
    has_totals = bool(material.instrument.totals)
    made = []
    for row in _rows(material, lambda one: one["level"] == "component"):
        component = material.instrument.by_component[row["component"]]
        enters = say("reports.yes" if has_totals and component.id in material.entering else "reports.no")
        words = (Cell(component.label[material.lang]), Cell(say(DIMENSIONS[component.dimension])), Cell(enters))
        made.append((*_place(row, material), *words, *_score(row, material)))
    return Table("", columns, tuple(made))


def items_sheet(material: Material) -> Table:
    """Return every item of every site and area, by source."""
    say = material.say
    columns = (
        *_place_columns(material),
        Column(say("reports.component"), width=24),
        Column(say("reports.question"), width=50),
        Column(say("reports.source"), width=24),
        Column(say("reports.role"), width=16),
        Column(say("reports.kind"), width=24),
        *_score_columns(material),
    )
    made = []
    for row in _rows(material, lambda one: one["level"] in ("item", "triangulating")):
        item = material.instrument.by_item[row["item"]]
        beside = (
            "reports.role_apart" if material.instrument.by_source[row["source"]].apart else "reports.role_triangulating"
        )
        role = "reports.role_primary" if row["level"] == "item" else beside
        words = (
            Cell(material.instrument.by_component[item.component].label[material.lang]),
            Cell(f"{item.label} {item.idea[material.lang]}"),
            Cell(material.instrument.by_source[row["source"]].label[material.lang]),
            Cell(say(role)),
            Cell(say(SPECIFICITY[item.specificity]) if item.specificity else ""),
        )
        made.append((*_place(row, material), *words, *_score(row, material)))
    return Table("", columns, tuple(made))


def withheld_sheet(material: Material) -> Table:
    """Return every score that is not shown, with the reason in full."""
    say = material.say
    columns = (
        *_place_columns(material),
        Column(say("reports.part"), width=50),
        Column(say("reports.source"), width=24),
        Column(say("reports.n"), "number", 8),
        Column(say("reports.reason"), width=60),
    )
    made = []
    for row in _rows(material, lambda one: bool(one["reason"])):
        source = material.instrument.by_source.get(row["source"])
        words = (Cell(_label(row, material)), Cell(source.label[material.lang] if source else ""))
        made.append((*_place(row, material), *words, Cell.number("", row["n"]), Cell(material.why(row))))
    return Table("", columns, tuple(made))


def gates_sheet(material: Material) -> Table:
    """Return every gate of every site and area."""
    say = material.say
    columns = (
        *_place_columns(material),
        Column(say("reports.question"), width=50),
        Column(say("reports.score"), "number", 10, 1),
        Column(say("reports.cut"), "number", 10, 1),
        Column(say("reports.probability_below"), "number", 24, 3),
        Column(say("reports.status"), width=28),
    )
    made = []
    for place in _places(material):
        for gate in material.gates.get(place, ()):
            item = material.instrument.by_item[gate["item"]]
            numbers = (Cell.number("", gate[name]) for name in ("estimate", "cut", "probability_below"))
            words = Cell(f"{item.label} {item.idea[material.lang]}")
            made.append((*_place(gate, material), words, *numbers, Cell(say(GATES[gate["status"]]))))
    return Table("", columns, tuple(made))


def response_sheet(material: Material) -> Table:
    """Return the units of every source in every site and area."""
    say = material.say
    columns = (
        *_place_columns(material),
        Column(say("reports.source"), width=28),
        Column(say("reports.n"), "number", 8),
        Column(say("reports.eligible"), "number"),
        Column(say("reports.invited"), "number"),
        Column(say("reports.share"), "number", 10, 3),
        Column(say("reports.minimum"), "number"),
        Column(say("reports.is_census"), width=18),
    )
    made = []
    for place in _places(material):
        for row in material.response.get(place, ()):
            source = material.instrument.by_source[row["source"]]
            counts = (Cell.number("", row[name]) for name in ("n", "eligible", "invited", "share_taken"))
            least = Cell.number("", minimum(source, census=bool(row["census"])))
            census = Cell(say("reports.yes" if row["census"] else "reports.no"))
            made.append((*_place(row, material), Cell(source.label[material.lang]), *counts, least, census))
    return Table("", columns, tuple(made))


def missing_sheet(material: Material) -> Table:
    """Return what is missing in every answer column, but not of fewer than five people."""
    say = material.say
    names = ("rows", "answered", "blank", "dont_know", "not_applicable", "not_asked")
    titles = ("reports.rows", "reports.answered", "reports.blank", "reports.dont_know", "reports.not_applicable",
              "reports.not_asked")  # fmt: skip
    columns = (
        *_place_columns(material),
        Column(say("reports.source"), width=24),
        Column(say("reports.column"), width=10),
        Column(say("reports.question"), width=50),
        *(Column(say(title), "number", 12) for title in titles),
    )
    questions = column_questions(material)
    made = []
    for place in _places(material):
        for row in material.missing.get(place, ()):
            if row["answered"] == row["rows"] or hidden_people(row, material.instrument):
                continue
            source = material.instrument.by_source[row["source"]].label[material.lang]
            asked = questions.get((row["source"], row["column"]), "")
            counts = (Cell.number("", row[name]) for name in names)
            made.append((*_place(row, material), Cell(source), Cell(row["column"]), Cell(asked), *counts))
    return Table("", columns, tuple(made))


def method_sheet(material: Material) -> Table:
    """Return how the numbers were made."""
    return Table(
        "",
        (Column(material.say("reports.method_column"), width=120),),
        tuple((Cell(paragraph),) for paragraph in method(material)),
    )


def spread_sheet(material: Material) -> Table:
    """Return the pooled spread of every target."""
    return spread_table(material, measures=True)


def _places(material: Material) -> list[tuple[str, str, str]]:
    return [
        (site, wave, area)
        for site in material.sites()
        for wave in material.waves(site)
        for area in ("", *material.areas(site, wave))
    ]


def _rows(material: Material, wanted: Wanted) -> Iterable[Row]:
    """Return the rows that are wanted, place by place, totals before components before items."""
    for place in _places(material):
        yield from sorted(filter(wanted, material.rows.get(place, ())), key=lambda row: LEVELS.index(row["level"]))


def _place_columns(material: Material) -> tuple[Column, ...]:
    say = material.say
    return (
        Column(say("reports.code"), width=10),
        Column(say("reports.name"), width=24),
        Column(say("reports.wave_column"), width=10),
        Column(say("reports.area"), width=20),
    )


def _place(row: Row, material: Material) -> tuple[Cell, ...]:
    area = material.area(row["service_area"]) if row["service_area"] else material.say("reports.all_areas")
    return Cell(printable(row["site"])), Cell(material.name(row["site"])), Cell(printable(row["wave"])), Cell(area)


def _score_columns(material: Material) -> tuple[Column, ...]:
    say = material.say
    return (
        Column(say("reports.n"), "number", 8),
        Column(say("reports.score"), "number", 10, 1),
        Column(say("reports.std_error"), "number", 12, 1),
        Column(say("reports.low"), "number", 14, 1),
        Column(say("reports.high"), "number", 14, 1),
        Column(say("reports.remark"), width=36),
        Column(say("reports.reason"), width=44),
    )


def _score(row: Row, material: Material) -> tuple[Cell, ...]:
    reason = material.why(row) if row["reason"] else ""
    numbers = (Cell.number("", row[name]) for name in ("n", "estimate", "std_error", "ci_low", "ci_high"))
    return *numbers, Cell(material.flag(row)), Cell(reason)


def _label(row: Row, material: Material) -> str:
    if row["level"] in ("total", "component"):
        return composite_label(row, material)
    item = material.instrument.by_item[row["item"]]
    return f"{item.label} {item.idea[material.lang]}"
