"""What a page says in words: closed templates, filled with numbers of the result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ibic_fidelity.disclosure.rules import LEAST_PEOPLE, few_people
from ibic_fidelity.instrument.parts import Band, Source
from ibic_fidelity.plotting._rows import Row, band_cuts
from ibic_fidelity.plotting.profile import profile_rows
from ibic_fidelity.reports.material import Material, Place
from ibic_fidelity.reports.tables import composite_label

SHORTEST_LIST = 3  # components; with fewer, and without a common total, highest and lowest say nothing


def summary(material: Material, place: Place) -> tuple[str, ...]:
    """Return what a reader in a hurry must know of one site."""
    rows = material.rows[place]
    totals = [row for row in profile_rows(rows, material.instrument) if row["level"] == "total"]
    said = [] if material.of_way_of_working else [material.say("reports.says_this_period")]
    for position, row in enumerate(totals):
        said.append(" ".join(_total(row, material, place, with_band=position == 0)))
    if not totals:
        parts = profile_rows(rows, material.instrument, material.entering)
        listed = f"{material.say('reports.profile_caption', level=material.level)}: {alt_text(parts, material)}"
        said += [material.say("reports.says_no_total"), listed]
    said += _extremes(material, place)
    said += _withheld(material, place)
    return tuple(said)


def _total(row: Row, material: Material, place: Place, *, with_band: bool) -> list[str]:
    label = composite_label(row, material)
    if row["reason"]:
        return [material.say("reports.says_withheld", label=label, reason=material.why(row))]
    score = material.score(row["estimate"], cuts=True)
    if not math.isfinite(row["ci_low"]):
        return [
            material.say("reports.says_total_bare", label=label, score=score, built_on=_built_on(row, material, place))
        ]
    said = [
        material.say(
            "reports.says_total", label=label, score=score, level=material.level,
            interval=material.interval(row), built_on=_built_on(row, material, place),
        )
    ]  # fmt: skip
    return [*said, *(_band(row, material, place) if with_band else [])]


def _built_on(row: Row, material: Material, place: Place) -> str:
    """Return how many units of which sources a total rests on."""
    total = next(one for one in material.instrument.totals if one.id == row["statistic"])
    parts = {part.id for part in material.instrument.components_of(total)}
    sources = {item.primary.source for item in material.instrument.items if item.component in parts}
    counts = {one["source"]: one["n"] for one in material.response.get(place, ())}
    return ", ".join(
        _counted(source, counts.get(source.id, 0), material)
        for source in material.instrument.sources
        if source.id in sources
    )


def _counted(source: Source, n: int, material: Material) -> str:
    if source.kind == "register":
        return source.units[material.lang]
    return f"{material.whole(n)} {source.unit[material.lang] if n == 1 else source.units[material.lang]}"


def _band(row: Row, material: Material, place: Place) -> list[str]:
    found = next((one for one in material.bands.get(place, ()) if one["statistic"] == row["statistic"]), None)
    if found is None or not found["band"]:
        return []
    plain, gated = band_short(found["band"], material), band_short(found["band_with_gates"], material)
    said = []
    if not material.gates.get(place):
        said.append(material.say("reports.says_band", band=plain))
    elif found["band"] == found["band_with_gates"]:
        said.append(material.say("reports.says_band_same", band=plain))
    else:
        held = _gates(material, place, "held")
        said.append(material.say("reports.says_band_held", band=plain, gated=gated, gates=held))
    undecided = _gates(material, place, "undecided")
    if undecided:
        said.append(material.say("reports.says_undecided", gates=undecided))
    if any(row["ci_low"] < cut <= row["ci_high"] for cut in band_cuts(material.instrument)):
        said.append(material.say("reports.says_spans"))
    return said


def _gates(material: Material, place: Place, status: str) -> str:
    found = [gate["item"] for gate in material.gates.get(place, ()) if gate["status"] == status]
    return ", ".join(material.instrument.by_item[item].label for item in found)


def band(name: str, material: Material) -> Band | None:
    """Return a band by its id, or nothing."""
    return next((one for one in material.instrument.bands if one.id == name), None)


def band_label(name: str, material: Material) -> str:
    """Return the label of a band."""
    found = band(name, material)
    return found.label[material.lang] if found is not None else ""


def band_short(name: str, material: Material) -> str:
    """Return the label of a band with its range instead of what stands in brackets.

    For where it is called provisional anyway.
    """
    bands = list(material.instrument.bands)
    if band(name, material) is None:
        return ""
    position = [one.id for one in bands].index(name)
    low = material.score(100 * bands[position].low)
    if position + 1 == len(bands):
        span = material.say("reports.band_top", low=low)
    else:
        high = material.score(100 * bands[position + 1].low)
        span = material.say("reports.band_span", low=low, high=high)
    return f"{band_label(name, material).split(' (')[0]} ({span})"


def _extremes(material: Material, place: Place) -> list[str]:
    """Return the highest and lowest component; no claim that they differ, which their overlap would not tell."""
    shown = [
        row
        for row in profile_rows(material.rows[place], material.instrument)
        if row["level"] == "component" and not row["reason"] and math.isfinite(row["ci_low"])
    ]
    if len(shown) < SHORTEST_LIST or not material.instrument.totals:
        return []
    low, high = min(shown, key=lambda row: row["estimate"]), max(shown, key=lambda row: row["estimate"])
    if material.score(low["estimate"]) == material.score(high["estimate"]):
        return []
    return [material.say("reports.says_extremes", high=_scored(high, material), low=_scored(low, material))]


def _scored(row: Row, material: Material) -> str:
    return f"{composite_label(row, material)} {material.score(row['estimate'])} ({material.interval(row)})"


def _withheld(material: Material, place: Place) -> list[str]:
    rows = [row for row in profile_rows(material.rows[place], material.instrument) if row["level"] == "component"]
    hidden = [composite_label(row, material) for row in rows if row["reason"]]
    if not hidden:
        return []
    numbers = {"n": material.whole(len(hidden)), "all": material.whole(len(rows))}
    return [material.say("reports.says_parts_withheld", parts=", ".join(hidden), **numbers)]


def alt_text(rows: Sequence[Row], material: Material) -> str:
    """Return what a profile figure shows, from its numbers."""
    parts = []
    for row in rows:
        if row["reason"]:
            parts.append(
                f"{composite_label(row, material)}: {material.say('plotting.withheld', reason=material.why(row))}"
            )
        elif math.isfinite(row["ci_low"]):
            parts.append(_scored(row, material))
        else:
            parts.append(f"{composite_label(row, material)} {material.score(row['estimate'])}")
    return "; ".join(parts) + "."


def notes(material: Material) -> tuple[str, ...]:
    """Return what scoring noted of these numbers."""
    return tuple(dict.fromkeys(material.message(note) for note in material.scores.notes))


def method(material: Material) -> tuple[str, ...]:
    """Return how the numbers were made, and what they are not; only what holds for this instrument."""
    instrument, say = material.instrument, material.say
    words = {"site": material.noun, "sites": material.nouns, "level": material.level}
    said = [instrument.about[material.lang], say("reports.method_score"), say("reports.method_composite")]
    if instrument.totals:
        said.append(say("reports.method_total"))
    if not material.of_way_of_working:
        said += [say("reports.method_estimand_period", **words), say("reports.method_covers_period", **words)]
        said.append(say("reports.method_not_covers_period", **words))
    else:
        said += [say("reports.method_estimand", **words), say("reports.method_covers", **words)]
        said.append(say("reports.method_not_covers"))
    said.append(say("reports.method_pooled", **words))
    if material.of_way_of_working and instrument.uncertainty is not None:
        said.append(instrument.uncertainty.note[material.lang])
    if material.of_way_of_working and instrument.bands and instrument.totals:
        bands = "; ".join(band.label[material.lang] for band in instrument.bands)
        said.append(say("reports.method_bands", bands=bands))
    if material.of_way_of_working and any(item.gate is not None for item in instrument.items):
        said.append(say("reports.method_gates"))
    if any(measure.role == "triangulating" for item in instrument.items for measure in item.measures):
        said.append(say("reports.method_triangulating"))
    said += [say("reports.method_withheld", n=material.whole(LEAST_PEOPLE)), say("reports.method_missing")]
    if len(material.waves()) > 1:
        said.append(say("reports.method_waves"))
    return tuple(said)


def hides_items(material: Material, place: Place) -> tuple[str, ...]:
    """Return the sources of which no item is shown here because too few people answered."""
    counts = {row["source"]: row["n"] for row in material.response.get(place, ())}
    return tuple(
        source.label[material.lang]
        for source in material.instrument.sources
        if counts.get(source.id) and few_people(source.id, counts[source.id], material.instrument)
    )


def overview_summary(material: Material, wave: str) -> tuple[str, ...]:
    """Return for how many sites each total is shown, and from where to where it goes."""
    places = [place for place in material.rows if place[1] == wave and not place[2]]
    said = []
    for total in material.instrument.totals:
        rows = [row for place in places for row in material.rows[place] if row["statistic"] == total.id]
        shown = [row["estimate"] for row in rows if not row["reason"]]
        words = {"label": total.label[material.lang], "all": material.whole(len(rows)), "sites": material.nouns}
        if not shown:
            said.append(material.say("reports.says_sites_none", **words))
            continue
        span = {"low": material.score(min(shown), cuts=True), "high": material.score(max(shown), cuts=True)}
        said.append(material.say("reports.says_sites", n=material.whole(len(shown)), **words, **span))
    return tuple(said) or (material.say("reports.says_no_total"),)
