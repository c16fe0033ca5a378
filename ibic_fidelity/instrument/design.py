"""Whether what is scored is complete and scored as it should be: fidelity items, gates, weights, bands, components."""

from __future__ import annotations

from collections.abc import Iterator

from ibic_fidelity.instrument.findings import Finding, informed, warned
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Component, Item

REFLECTIVE_MINIMUM = 4
#: Outside these a gate hardly ever, or nearly always, holds a band back.
GATE_CUTS = (0.2, 0.9)
#: One of three or more that weighs more than the rest together makes the sum its own.
HALF = 0.5


def fidelity_item(instrument: Instrument, item: Item) -> Iterator[Finding]:
    """Yield what an item of fidelity lacks: what it is, what it rests on, and how it is read."""
    if item.specificity is None:
        yield warned(item.id, "instrument.check_no_specificity", item=item.id)
    if not item.law:
        yield warned(item.id, "instrument.check_no_law", item=item.id)
    if instrument.by_source[item.primary.source].kind == "survey":
        yield warned(item.id, "instrument.check_self_report", item=item.id, source=item.primary.source)
    if instrument.by_scale[item.primary.scale].missing.not_applicable and item.not_applicable is None:
        yield warned(item.id, "instrument.check_no_rule", item=item.id)
    if item.definition is None:
        yield warned(item.id, "instrument.check_no_definition", item=item.id)
    standing = {reference.id for reference in instrument.references if reference.standing is not None}
    if not standing & set(item.cites):
        yield warned(item.id, "instrument.check_no_standing", item=item.id, cites=list(item.cites))
    for measure in item.measures:
        if instrument.by_source[measure.source].kind != "survey":
            for field in ("look", "doubt"):
                if getattr(measure, field) is None:
                    yield warned(item.id, "instrument.check_no_guide", item=item.id, measure=measure.id, field=field)


def laws_read_alike(instrument: Instrument) -> Iterator[Finding]:
    """Yield the items of fidelity that hold for several acts and are read alike under all: each is a claim to try."""
    alike = [
        item.id
        for item in fidelity_items(instrument)
        if len(item.law) > 1 and not any(measure.by_law for measure in item.measures)
    ]
    if alike:
        yield informed("", "instrument.check_laws_alike", n=len(alike), items=alike)


def fidelity_items(instrument: Instrument) -> list[Item]:
    """Return the items whose component is fidelity."""
    return [item for item in instrument.items if instrument.by_component[item.component].dimension in FIDELITY]


def gate(instrument: Instrument, item: Item) -> Iterator[Finding]:
    """Yield what keeps an item's gate from holding back a band as it should."""
    if item.gate is None:
        return
    component = instrument.by_component[item.component]
    if component.dimension != "core":
        yield warned(item.id, "instrument.check_gate_not_core", item=item.id, dimension=component.dimension)
    if instrument.by_scale[item.primary.scale].type == "register":
        yield warned(item.id, "instrument.check_gate_register", item=item.id)
    if not GATE_CUTS[0] <= item.gate.cut <= GATE_CUTS[1]:
        yield warned(item.id, "instrument.check_gate_cut", item=item.id, cut=item.gate.cut, between=list(GATE_CUTS))
    if not instrument.bands:
        yield warned(item.id, "instrument.check_gate_no_bands", item=item.id)


def component(instrument: Instrument, part: Component) -> Iterator[Finding]:
    """Yield what there is on a component: no items, too few for one scale, one that outweighs the rest."""
    items = instrument.items_of(part.id)
    if not items:
        yield warned("", "instrument.check_empty_component", component=part.id)
    elif part.measurement_model == "reflective" and len(items) < REFLECTIVE_MINIMUM:
        yield warned("", "instrument.check_few_items", component=part.id, n=len(items))
    yield from _heaviest(part.id, {item.id: item.weight for item in items})
    enters = any(part.dimension in total.dimensions for total in instrument.totals)
    if instrument.totals and part.weight != 1 and not enters:
        yield warned("", "instrument.check_weight_idle", component=part.id, weight=part.weight)


def totals_and_bands(instrument: Instrument) -> Iterator[Finding]:
    """Yield components that outweigh a total, and bands that say nothing or cannot be told apart."""
    for total in instrument.totals:
        yield from _heaviest(total.id, {part.id: part.weight for part in instrument.components_of(total)})
    if instrument.bands and not instrument.totals:
        yield warned("", "instrument.check_bands_no_total")
    lows = [band.low for band in instrument.bands]
    for band, high in zip(instrument.bands, (*lows, 1.0)[1:], strict=True):
        if band.se is not None and 2 * band.se >= high - band.low:
            width = round(100 * (high - band.low), 1)
            yield warned("", "instrument.check_band_narrow", band=band.id, width=width, se=round(100 * band.se, 1))
    labels = [band.label.sv.casefold() for band in instrument.bands]
    for label in sorted({one for one in labels if labels.count(one) > 1}):
        yield warned("", "instrument.check_band_label", label=label)


def _heaviest(whole: str, weights: dict[str, float]) -> Iterator[Finding]:
    if len(set(weights.values())) < 2:
        return
    heaviest = max(weights, key=lambda name: weights[name])
    share = weights[heaviest] / sum(weights.values())
    yield informed("", "instrument.check_weights", whole=whole, heaviest=heaviest, percent=round(100 * share))
    if len(weights) > 2 and share > HALF:
        yield warned("", "instrument.check_heavy", whole=whole, heaviest=heaviest, percent=round(100 * share))
