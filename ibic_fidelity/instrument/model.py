"""The instrument as data: frozen, validated, knowing nothing of answers or statistics."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.messages import Language, Message
from ibic_fidelity.instrument.calibration import Calibration, Uncertainty
from ibic_fidelity.instrument.history import Retired, Revised
from ibic_fidelity.instrument.parts import (
    Band,
    Component,
    Item,
    Measure,
    Name,
    Outcome,
    Part,
    Reference,
    Scale,
    ServiceArea,
    Site,
    Source,
    Text,
    Total,
    fail,
)

KEYS = ("site", "service_area", "source", "wave", "unit", "cluster", "rater", "weight", "synthetic")


class Instrument(Part):
    """A whole instrument.

    Read it with `load_instrument`, which adds `sha256` (of every file that defines it) and the `register`
    of sites, a mapping from code to name that is empty where the instrument has none.
    """

    format: Annotated[int, Field(ge=1, le=1)]
    id: Name
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    status: Literal["candidate", "pilot", "validated"]
    rubric: Literal["untested", "tested", "none"]
    validated_by: tuple[Name, ...] = ()
    title: Text
    about: Text
    site: Site
    keys: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    service_areas: tuple[ServiceArea, ...] = ()
    sources: tuple[Source, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    components: tuple[Component, ...] = Field(min_length=1)
    totals: tuple[Total, ...] = ()
    bands: tuple[Band, ...] = ()
    uncertainty: Uncertainty | None = None
    calibration: Calibration | None = None
    outcomes: tuple[Outcome, ...] = ()
    references: tuple[Reference, ...] = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)
    retired: tuple[Retired, ...] = ()
    changes: tuple[Revised, ...] = ()
    register_codes: dict[str, str] = Field(default_factory=dict)
    sha256: str = ""

    @model_validator(mode="after")
    def _everything_named_exists(self, info: ValidationInfo) -> Instrument:
        if not (info.context or {}).get("collect_faults"):
            for error in broken_references(self):
                raise error
        return self

    @cached_property
    def by_item(self) -> dict[str, Item]:
        """Return items by id."""
        return {item.id: item for item in self.items}

    @cached_property
    def by_component(self) -> dict[str, Component]:
        """Return components by id."""
        return {component.id: component for component in self.components}

    @cached_property
    def by_source(self) -> dict[str, Source]:
        """Return sources by id."""
        return {source.id: source for source in self.sources}

    @cached_property
    def by_scale(self) -> dict[str, Scale]:
        """Return scales by id."""
        return {scale.id: scale for scale in self.scales}

    def replaced(self, **changes: object) -> Instrument:
        """Return the instrument with some fields changed, validated anew.

        For studies of what would happen if. It has a SHA-256 of its own, so that answers coded by the
        unchanged instrument are refused with it.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        changed = type(self).model_validate({**fields, **changes})
        content = changed.model_dump_json(exclude={"sha256"})
        return type(self).model_validate({**fields, **changes, "sha256": sha256(content.encode())})

    def items_of(self, component: str) -> tuple[Item, ...]:
        """Return the items of a component, in the order of the instrument."""
        return tuple(item for item in self.items if item.component == component)

    def components_of(self, total: Total) -> tuple[Component, ...]:
        """Return the components that enter a total."""
        return tuple(part for part in self.components if part.dimension in total.dimensions)

    def measures_of(self, source: str) -> tuple[tuple[Item, Measure], ...]:
        """Return what a source is asked, as (item, measure) pairs."""
        return tuple((item, measure) for item in self.items for measure in item.measures if measure.source == source)

    def primary_items(self, source: str) -> frozenset[str]:
        """Return the items that are scored from a source."""
        return frozenset(item.id for item, measure in self.measures_of(source) if measure.role == "primary")

    def columns_of(self, source: str) -> tuple[str, ...]:
        """Return the answer columns of a source: a measure's id, or the ids of its parts."""
        return tuple(
            column
            for _, measure in self.measures_of(source)
            for column in ([part.id for part in measure.parts] or [measure.id])
        )

    def count_columns(self) -> dict[str, tuple[str, Literal["eligible", "invited"]]]:
        """Return the register columns that count units: column to (source, what it counts)."""
        counts: dict[str, tuple[str, Literal["eligible", "invited"]]] = {}
        for source in self.sources:
            if source.eligible is not None:
                counts[source.eligible] = (source.id, "eligible")
            if source.invited is not None:
                counts[source.invited] = (source.id, "invited")
        return counts

    def stamp(self, language: Language) -> str:
        """Return id, version and status in one line, as every printout carries it."""
        status = Message(f"instrument.status_{self.status}").text(language)
        line = f"{self.id} {self.version} ({status}"
        if self.rubric == "untested":
            line += f"; {Message('instrument.rubric_untested').text(language)}"
        return line + ")"


def broken_references(instrument: Instrument) -> list[PydanticCustomError]:
    """Return every name that points nowhere, and every id that stands twice."""
    return [
        *_duplicates(instrument),
        *_dangling(instrument),
        *_bad_measures(instrument),
        *_bad_bands(instrument),
        *_bad_status(instrument),
    ]


def _duplicates(instrument: Instrument) -> list[PydanticCustomError]:
    errors = []
    dropped = dict.fromkeys(one.item for one in instrument.changes if one.decision == "drop")
    gone = [name for name in dropped if name not in {item.id for item in instrument.retired}]
    lists: dict[str, list[str]] = {
        "items": [item.id for item in instrument.items] + [item.id for item in instrument.retired] + gone,
        "components": [part.id for part in instrument.components],
        "sources": [part.id for part in instrument.sources],
        "scales": [part.id for part in instrument.scales],
        "outcomes": [part.id for part in instrument.outcomes],
        "references": [part.id for part in instrument.references],
        "service_areas": [part.id for part in instrument.service_areas],
        "totals": [part.id for part in instrument.totals],
    }
    for source in instrument.sources:
        lists[f"columns of {source.id}"] = list(instrument.columns_of(source.id))
    for where, ids in lists.items():
        errors += [
            fail("instrument.id_twice", id=one, where=where) for one in sorted({i for i in ids if ids.count(i) > 1})
        ]
    return errors


def _dangling(instrument: Instrument) -> list[PydanticCustomError]:
    components = {part.id for part in instrument.components}
    outcomes = {part.id for part in instrument.outcomes}
    references = {part.id for part in instrument.references}
    pointers: list[tuple[str, str, str, set[str]]] = []
    for item in instrument.items:
        pointers.append((item.id, "component", item.component, components))
        pointers += [(item.id, "restates", name, outcomes) for name in item.restates]
        pointers += [(item.id, "cites", name, references) for name in item.cites]
        for measure in item.measures:
            pointers.append((measure.id, "source", measure.source, set(instrument.by_source)))
            pointers.append((measure.id, "scale", measure.scale, set(instrument.by_scale)))
    if instrument.calibration is not None:
        targets = components | {item.id for item in instrument.items} | {total.id for total in instrument.totals}
        for row in instrument.calibration.rows:
            pointers.append(("calibration", "source", row.source, set(instrument.by_source)))
            pointers.append(("calibration", "target", row.target, targets))
    for outcome in instrument.outcomes:
        pointers += [(outcome.id, "cites", name, references) for name in outcome.cites]
        if outcome.component is not None:
            pointers.append((outcome.id, "component", outcome.component, components))
    for source in instrument.sources:
        pointers += [(source.id, "drawn", name, set(instrument.by_source)) for name in source.drawn]
    unknown_keys = sorted(set(instrument.keys) - set(KEYS))
    return [fail("instrument.unknown_key", key=key, known=list(KEYS)) for key in unknown_keys] + [
        fail("instrument.dangling", owner=owner, field=field, name=name)
        for owner, field, name, known in pointers
        if name not in known
    ]


def _bad_measures(instrument: Instrument) -> list[PydanticCustomError]:
    errors = []
    for item in instrument.items:
        for measure in item.measures:
            scale, source = instrument.by_scale.get(measure.scale), instrument.by_source.get(measure.source)
            if scale is None or source is None:
                continue
            if (scale.type == "checklist") != (len(measure.parts) >= 2):
                errors.append(fail("instrument.checklist_parts", measure=measure.id))
            for anchors in (measure.anchors, *(variant.anchors for variant in measure.by_law.values())):
                n, k = len(anchors), len(scale.levels)
                if n not in (0, k):
                    errors.append(fail("instrument.anchor_count", measure=measure.id, n=n, k=k))
            if (scale.type == "register") != (source.kind == "register"):
                errors.append(fail("instrument.register_source", measure=measure.id))
            if source.apart and measure.role == "primary":
                errors.append(fail("instrument.apart_scores", measure=measure.id, source=source.id))
    for component in instrument.components:
        if component.measurement_model != "reflective":
            continue
        formats = {(item.primary.source, item.primary.scale) for item in instrument.items_of(component.id)}
        if len(formats) > 1:
            errors.append(fail("instrument.reflective_mixed", component=component.id))
    return errors


def _bad_status(instrument: Instrument) -> list[PydanticCustomError]:
    """Return a fault where an instrument beyond candidate names no study: a word is no validation."""
    if instrument.status == "candidate":
        return []
    known = {part.id for part in instrument.references}
    if not instrument.validated_by or not set(instrument.validated_by) <= known:
        return [fail("instrument.status_without_studies", status=instrument.status)]
    return []


def _bad_bands(instrument: Instrument) -> list[PydanticCustomError]:
    lows = [band.low for band in instrument.bands]
    if lows and (lows[0] != 0 or lows != sorted(set(lows))):
        return [fail("instrument.bands_unsorted", lows=lows)]
    return []
