"""The tables of a site's page: pure functions from material to cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.foundation.results import Provenance
from ibic_fidelity.instrument.parts import Item, Source
from ibic_fidelity.plotting._rows import Row
from ibic_fidelity.plotting.profile import profile_rows
from ibic_fidelity.reports.cells import Cell, Column, Table
from ibic_fidelity.reports.material import Material, Place, Spoken, hidden_people, minimum

GATES = {
    "passed": "reports.gate_passed",
    "undecided": "reports.gate_undecided",
    "held": "reports.gate_held",
    "unknown": "reports.gate_unknown",
}
SPECIFICITY = {
    "ibic": "reports.specificity_ibic",
    "shared": "reports.specificity_shared",
    "law": "reports.specificity_law",
}


def score_cells(row: Row, material: Material, *, cuts: bool = False) -> tuple[Cell, ...]:
    """Return score, interval and strip of a row; a withheld score is the words why, in the place of all three."""
    if row["reason"]:
        words = material.say("plotting.withheld", reason=material.why(row))
        return (Cell(words, tone="withheld", span=3),)
    drawn = (row["ci_low"], row["estimate"], row["ci_high"])
    interval = material.interval(row) if math.isfinite(row["ci_low"]) else material.say("plotting.no_interval")
    return Cell.number(material.score(row["estimate"], cuts=cuts), row["estimate"]), Cell(interval), Cell(strip=drawn)


def figure_columns(material: Material) -> tuple[Column, ...]:
    """Return the columns of `score_cells` and `n_cell`."""
    return (
        Column(material.say("reports.score"), "number"),
        Column(material.say("reports.interval", level=material.level), "number"),
        Column("0–100", "strip"),
        Column(material.say("reports.n"), "number"),
    )


def n_cell(row: Row, material: Material) -> Cell:
    """Return the number of units behind a row; registers are not counted in composites."""
    source = material.instrument.by_source.get(row["source"])
    if source is not None and source.kind == "register" and row["n"] == 0:
        return Cell(source.label[material.lang])
    return Cell.number(material.whole(row["n"]), row["n"])


def profile_table(material: Material, place: Place) -> Table:
    """Return totals and the components that enter them."""
    rows = profile_rows(material.rows[place], material.instrument, material.entering)
    return _composites(material, rows, material.say("reports.profile_caption", level=material.level))


def dimension_table(material: Material, place: Place, components: Sequence[str], caption: str) -> Table:
    """Return components that never enter a total."""
    rows = [
        row
        for row in profile_rows(material.rows[place], material.instrument, components)
        if row["level"] == "component"
    ]
    return _composites(material, rows, caption)


def _composites(material: Material, rows: Sequence[Row], caption: str) -> Table:
    say = material.say
    columns = (
        Column(say("reports.part"), "head", 34),
        *figure_columns(material),
        Column(say("reports.source")),
        Column(say("reports.remark"), width=40),
    )
    return Table(caption, columns, tuple(_composite(row, material) for row in rows)).without_empty()


def _composite(row: Row, material: Material) -> tuple[Cell, ...]:
    total = row["level"] == "total"
    source = material.instrument.by_source.get(row["source"])
    from_where = source.label[material.lang] if source is not None else material.say("reports.several_sources")
    return (
        Cell(composite_label(row, material), tone="total" if total else ""),
        *score_cells(row, material, cuts=total),
        n_cell(row, material),
        Cell(from_where),
        Cell(material.flag(row)),
    )


def composite_label(row: Row, material: Material) -> str:
    """Return the label of a total or component."""
    if row["level"] == "total":
        return next(one.label[material.lang] for one in material.instrument.totals if one.id == row["statistic"])
    return material.instrument.by_component[row["component"]].label[material.lang]


def areas_table(material: Material, site: str, wave: str) -> Table:
    """Return the profile by service area, an area a column."""
    areas = material.areas(site, wave)
    by_area = [_by_label(profile_rows(material.rows[site, wave, area], material.instrument)) for area in areas]
    columns = (
        Column(material.say("reports.part"), "head", 34),
        *(Column(material.area(area), "number") for area in areas),
    )
    rows = []
    for row in profile_rows(material.rows[site, wave, ""], material.instrument):
        label = Cell(composite_label(row, material), tone="total" if row["level"] == "total" else "")
        rows.append((label, *(_area_cell(one[_key(row)], material) for one in by_area)))
    return Table(material.say("reports.areas_caption", level=material.level), columns, tuple(rows))


def _area_cell(row: Row, material: Material) -> Cell:
    if row["reason"]:
        return Cell(material.say("plotting.withheld", reason=material.why(row)), tone="withheld")
    score = material.score(row["estimate"], cuts=row["level"] == "total")
    return Cell(f"{score} ({material.interval(row)})", row["estimate"], note=f"n = {n_cell(row, material).text}")


def _key(row: Row) -> tuple[str, str]:
    return row["statistic"], row["component"]


def _by_label(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {_key(row): row for row in rows}


def gates_table(material: Material, place: Place) -> Table:
    """Return the gates with the probability that each lies below its cut."""
    say = material.say
    columns = (
        Column(say("reports.question"), "head", 40),
        Column(say("reports.score"), "number"),
        Column(say("reports.cut"), "number"),
        Column(say("reports.probability_below"), "number"),
        Column(say("reports.status"), width=40),
    )
    rows = []
    for gate in material.gates.get(place, ()):
        item = material.instrument.by_item[gate["item"]]
        rows.append(
            (
                Cell(f"{item.label} {item.idea[material.lang]}"),
                Cell.number(material.score(gate["estimate"]), gate["estimate"]),
                Cell.number(material.score(gate["cut"]), gate["cut"]),
                Cell.number(material.probability(gate["probability_below"]), gate["probability_below"]),
                Cell(say(GATES[gate["status"]]), tone=f"gate-{gate['status']}"),
            )
        )
    return Table(say("reports.gates_caption"), columns, tuple(rows))


def item_tables(material: Material, place: Place, components: Sequence[str]) -> tuple[Table, ...]:
    """Return a table of items for each component that has any, other sources' answers beside the primary one.

    Forms apart are not among them, see `own_forms`.
    """
    found: dict[str, list[Row]] = {}
    for row in material.rows[place]:
        apart = row["level"] == "triangulating" and material.instrument.by_source[row["source"]].apart
        if row["level"] in ("item", "triangulating") and not apart:
            found.setdefault(row["item"], []).append(row)
    made = []
    for name in components:
        items = [item for item in material.instrument.items_of(name) if item.id in found]
        if items:
            caption = material.instrument.by_component[name].label[material.lang]
            rows = tuple(cells for item in items for cells in _item_rows(item, found[item.id], material))
            made.append(Table(caption, _item_columns(material), rows).without_empty())
    return tuple(made)


def _item_columns(material: Material) -> tuple[Column, ...]:
    say = material.say
    return (
        Column(say("reports.question"), "head", 44),
        Column(say("reports.source"), width=24),
        *figure_columns(material),
        Column(say("reports.kind")),
        Column(say("reports.remark"), width=30),
    )


def _item_rows(item: Item, rows: Sequence[Row], material: Material) -> list[tuple[Cell, ...]]:
    made: list[tuple[Cell, ...]] = []
    for row in sorted(rows, key=lambda one: one["level"]):  # item before triangulating
        primary = row["level"] == "item"
        source = material.instrument.by_source[row["source"]]
        role = "" if primary else material.say("reports.beside")
        made.append(
            (
                Cell(f"{item.label} {item.idea[material.lang]}", tone="" if primary else "beside"),
                Cell(source.label[material.lang], note=role),
                *score_cells(row, material),
                n_cell(row, material),
                Cell(material.say(SPECIFICITY[item.specificity]) if item.specificity and primary else ""),
                Cell(_remarks(item, row, material, primary=primary)),
            )
        )
    return made


def _remarks(item: Item, row: Row, material: Material, *, primary: bool) -> str:
    remarks = [material.flag(row)]
    if item.reverse:
        remarks.append(material.say("reports.reversed"))
    if item.gate is not None and primary:
        remarks.append(material.say("reports.is_gate"))
    return "; ".join(remark for remark in remarks if remark)


def response_table(material: Material, place: Place) -> Table:
    """Return how many units each source rests on, of how many."""
    say = material.say
    columns = (
        Column(say("reports.source"), "head", 28),
        Column(say("reports.n"), "number"),
        Column(say("reports.eligible"), "number"),
        Column(say("reports.invited"), "number"),
        Column(say("reports.share"), "number"),
        Column(say("reports.least_needed"), "number"),
        Column(say("reports.in_words"), width=50),
    )
    by_source = {row["source"]: row for row in material.response.get(place, ())}
    rows = tuple(_response_row(source, by_source.get(source.id), material) for source in material.instrument.sources)
    return Table(say("reports.response_caption"), columns, rows).without_empty()


def _response_row(source: Source, row: Row | None, material: Material) -> tuple[Cell, ...]:
    label = Cell(source.label[material.lang])
    if row is None:
        return label, Cell.number("0", 0), *[Cell()] * 4, Cell(material.say("reports.not_collected"))
    counted = [Cell.number(material.whole(row[name]), row[name]) if math.isfinite(row[name]) else Cell()
               for name in ("eligible", "invited")]  # fmt: skip
    rate = row["share_taken"]
    share = Cell(percent(rate, material.lang), rate) if math.isfinite(rate) else Cell()
    least = minimum(source, census=bool(row["census"]))
    return (
        label,
        Cell.number(material.whole(row["n"]), row["n"]),
        *counted,
        share,
        Cell.number(material.whole(least), least),
        Cell(response_words(source, row, material)),
    )


def response_words(source: Source, row: Row, material: Material) -> str:
    """Return in words how much of what there is a source covers."""
    units = source.units[material.lang]
    numbers = {name: material.whole(row[name]) for name in ("n", "eligible", "invited")}
    if row["n"] == 0:
        return material.say("reports.not_collected")
    if row["census"]:
        words = material.say("reports.census", units=units, **numbers)
    elif source.invited is not None and math.isfinite(row["invited"]):
        words = material.say("reports.answered_of", units=units, **numbers)
    elif math.isfinite(row["eligible"]):
        words = material.say("reports.sample_of", units=units, **numbers)
    elif source.single or source.kind == "register":
        words = material.say("reports.by_nature_one", site=material.noun)
    else:
        words = material.say("reports.of_unknown", units=units)
    return words if row["enough"] else f"{words} {material.say('reports.not_enough')}"


def missing_table(material: Material, place: Place) -> Table:
    """Return the answer columns in which something is blank, not known, not applicable or not asked."""
    say = material.say
    names = ("blank", "dont_know", "not_applicable", "not_asked")
    columns = (
        Column(say("reports.column"), "head", 12),
        Column(say("reports.question"), width=44),
        Column(say("reports.source")),
        Column(say("reports.rows"), "number"),
        Column(say("reports.blank"), "number"),
        Column(say("reports.dont_know"), "number"),
        Column(say("reports.not_applicable"), "number"),
        Column(say("reports.not_asked"), "number"),
        Column(say("reports.without_answer"), "number"),
    )
    questions = column_questions(material)
    rows = []
    for row in material.missing.get(place, ()):
        if row["answered"] == row["rows"] or not row["rows"] or hidden_people(row, material.instrument):
            continue
        without = (row["rows"] - row["answered"]) / row["rows"]
        rows.append(
            (
                Cell(row["column"]),
                Cell(questions.get((row["source"], row["column"]), "")),
                Cell(material.instrument.by_source[row["source"]].label[material.lang]),
                Cell.number(material.whole(row["rows"]), row["rows"]),
                *(Cell.number(material.whole(row[name]), row[name]) for name in names),
                Cell(percent(without, material.lang), without),
            )
        )
    return Table(say("reports.missing_caption"), columns, tuple(rows))


def column_questions(material: Material) -> dict[tuple[str, str], str]:
    """Return what each answer column of each source asks."""
    asked = {}
    for item in material.instrument.items:
        for measure in item.measures:
            asked[measure.source, measure.id] = f"{item.label} {measure.wording[material.lang]}"
            for part in measure.parts:
                asked[measure.source, part.id] = f"{item.label} {part.wording[material.lang]}"
    return asked


def hidden_missing(material: Material, place: Place) -> tuple[str, ...]:
    """Return the sources whose missing answers are not shown because too few people answered."""
    hidden = {row["source"] for row in material.missing.get(place, ()) if hidden_people(row, material.instrument)}
    return tuple(source.label[material.lang] for source in material.instrument.sources if source.id in hidden)


def versions_table(material: Spoken, made: Provenance) -> Table:
    """Return from what the numbers were made."""
    say = material.say
    pairs = [
        (say("reports.version_package"), f"ibic-fidelity {made.package}"),
        (say("reports.version_instrument"), material.instrument.stamp(material.lang)),
        (say("reports.version_instrument_sha"), made.instrument_sha256[:12]),
        (say("reports.version_data_sha"), made.data_sha256[:12]),
        *([(say("reports.version_seed"), str(made.seed))] if made.seed is not None else []),
        *((say("reports.version_option", name=name), str(value)) for name, value in sorted(made.options.items())),
        *((name, str(version)) for name, version in sorted(made.libraries.items())),
    ]
    columns = (Column(say("reports.version_what"), "head", 34), Column(say("reports.version_value"), width=60))
    return Table(say("reports.versions_caption"), columns, tuple((Cell(a), Cell(b)) for a, b in pairs))
