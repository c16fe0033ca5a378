"""The instrument as data: frozen, validated, knowing nothing of answers or statistics."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from ibic_fidelity.foundation.messages import LANGUAGES, Language, Message

Dimension = Literal["core", "extended", "experience", "precondition", "outcome", "context"]
MeasurementModel = Literal["formative", "reflective"]
ScaleType = Literal["levels", "share", "checklist", "register"]
Role = Literal["primary", "triangulating"]
Specificity = Literal["ibic", "shared", "law"]
SourceKind = Literal["audit", "survey", "register"]
OutcomeKind = Literal["proximal", "distal", "unintended"]
KEYS = ("site", "service_area", "source", "wave", "unit", "cluster", "rater", "weight", "synthetic")

_ID = re.compile(r"[a-z][a-z0-9]{1,11}")
_LONG_ID = re.compile(r"[a-z][a-z0-9_]{0,30}")


def fail(code: str, **params: object) -> PydanticCustomError:
    """Return a validation error that carries one of our codes; the reader adds file and line."""
    return PydanticCustomError("instrument", code, {"params": params})


def _short_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise fail("instrument.bad_id", id=value)
    return value


def _long_id(value: str) -> str:
    if not _LONG_ID.fullmatch(value):
        raise fail("instrument.bad_name", id=value)
    return value


def _not_blank(value: str) -> str:
    value = " ".join(value.split())
    if not value:
        raise fail("instrument.empty_text")
    return value


ItemId = Annotated[str, AfterValidator(_short_id)]
Name = Annotated[str, AfterValidator(_long_id)]
Line = Annotated[str, AfterValidator(_not_blank)]


class Part(BaseModel):
    """Base of every part of an instrument: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Part):
    """A text in Swedish and English; both are required."""

    sv: Line
    en: Line

    def __getitem__(self, language: Language) -> str:
        return self.sv if language == "sv" else self.en

    def as_dict(self) -> dict[str, str]:
        """Return the text as a mapping from language to wording."""
        return {language: self[language] for language in LANGUAGES}


class Labelled(Part):
    """Something with an id and a printed label."""

    id: Name
    label: Text


class Site(Part):
    """What a site is called, and the register that its codes are checked against."""

    one: Text
    many: Text
    register_file: str | None = Field(default=None, alias="register")


class Reference(Part):
    """A source that an item or anchor is drawn from.

    A legal source says when it was last checked to be in force, or ``unchecked``, which `check_instrument`
    then tells.
    """

    id: Name
    citation: Line
    url: str | None = None
    legal: bool = False
    in_force_checked: date | Literal["unchecked"] | None = None

    @model_validator(mode="after")
    def _legal_sources_are_checked(self) -> Reference:
        if self.legal and self.in_force_checked is None:
            raise fail("instrument.legal_unchecked", id=self.id)
        return self


class Source(Labelled):
    """Who or what answers: audited files, staff, users, relatives, registers.

    `minimum` is the smallest number of units of a site from which a figure is made; `census_minimum` replaces
    it where the register says that all eligible units are in. `item_minimum` is the smallest number of units
    to which one item may apply and still have a figure. `eligible` and `invited` name the register
    columns that count the units that could have been taken and the respondents who were asked.

    `single` declares a source that by nature has one row a site and area (a register, a reading of the
    group's documents, a manager who answers for the organisation). Only such a source may have a minimum
    of 1: it says nothing of a person in need of hiding, and a larger minimum would withhold it everywhere.
    """

    kind: SourceKind
    unit: Text
    units: Text
    minimum: int = Field(default=5, ge=1)
    census_minimum: int | None = Field(default=None, ge=2)
    item_minimum: int = Field(default=5, ge=1)
    single: bool = False
    eligible: ItemId | None = None
    invited: ItemId | None = None

    @model_validator(mode="after")
    def _one_row_only_where_declared(self) -> Source:
        if min(self.minimum, self.item_minimum) < 2 and not self.single:
            raise fail("instrument.minimum_too_small", id=self.id)
        return self


class Level(Part):
    """One step of a scale of levels, with the code that stands in data files and its anchor."""

    code: int = Field(ge=0, le=100)
    anchor: Text


class MissingCodes(Part):
    """The answers, other than blank, that are no score: each kept apart."""

    dont_know: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()


class Scale(Part):
    """How an answer is given.

    - ``levels``: one code of consecutive whole numbers, low to high;
    - ``share``: yes (1) or no (0) for a unit, scored continuously as the share of yes;
    - ``checklist``: parts, each yes, no or not applicable; the unit's value is the share of yes among
      its applicable parts;
    - ``register``: one value for a site, `low` to `high`, with the number of units it rests on. With
      `percentage_of_units` it is how many of those units have something, and has the error of a share;
      without (hours, a median) its error is not known from the value.
    """

    id: Name
    type: ScaleType
    levels: tuple[Level, ...] = ()
    missing: MissingCodes = MissingCodes()
    low: float | None = None
    high: float | None = None
    percentage_of_units: bool = True

    @model_validator(mode="after")
    def _levels_fit_the_type(self) -> Scale:
        codes = [level.code for level in self.levels]
        if self.type == "register":
            if self.low is None or self.high is None or self.low >= self.high or self.levels:
                raise fail("instrument.register_range", id=self.id)
            return self
        if self.low is not None or self.high is not None:
            raise fail("instrument.range_without_register", id=self.id)
        if codes != list(range(codes[0], codes[0] + len(codes))) if codes else True:
            raise fail("instrument.codes_not_consecutive", id=self.id, codes=codes)
        if len(codes) < 2 or (self.type in ("share", "checklist") and codes != [0, 1]):
            raise fail("instrument.codes_for_type", id=self.id, codes=codes, type=self.type)
        printed = {str(code) for code in codes}
        taken = [*self.missing.dont_know, *self.missing.not_applicable]
        if len(set(taken)) != len(taken) or printed & set(taken):
            raise fail("instrument.missing_code_taken", id=self.id)
        return self

    @property
    def lowest(self) -> float:
        """Return the lowest possible answer."""
        return self.low if self.low is not None else float(self.levels[0].code)

    @property
    def highest(self) -> float:
        """Return the highest possible answer."""
        return self.high if self.high is not None else float(self.levels[-1].code)


class ChecklistPart(Part):
    """One part of a checklist item, with a column of its own."""

    id: ItemId
    wording: Text


class Measure(Part):
    """An item asked of one source on one scale in one wording.

    The id is the column in data files; a checklist has a column for each part instead.
    """

    id: ItemId
    source: Name
    scale: Name
    role: Role
    wording: Text
    anchors: tuple[Text, ...] = ()
    parts: tuple[ChecklistPart, ...] = ()


class Gate(Part):
    """A condition that can hold a band back: the item's share of its range must reach `cut`."""

    cut: float = Field(gt=0, lt=1)


class Item(Part):
    """One thing that would be seen in a site that works as intended."""

    id: ItemId
    label: Line
    component: Name
    idea: Text
    measures: tuple[Measure, ...] = Field(min_length=1)
    reverse: bool = False
    gate: Gate | None = None
    weight: float = Field(default=1.0, gt=0)
    not_applicable: Text | None = None
    specificity: Specificity | None = None
    law: tuple[str, ...] = ()
    restates: tuple[Name, ...] = ()
    rationale: Text
    cites: tuple[Name, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_primary_measure(self) -> Item:
        primary = [measure.id for measure in self.measures if measure.role == "primary"]
        if len(primary) != 1:
            raise fail("instrument.one_primary", item=self.id, n=len(primary))
        sources = [measure.source for measure in self.measures]
        if len(set(sources)) != len(sources):
            raise fail("instrument.source_twice", item=self.id)
        return self

    @property
    def primary(self) -> Measure:
        """Return the measure that enters the score."""
        return next(measure for measure in self.measures if measure.role == "primary")


class Component(Labelled):
    """A group of items that are scored together.

    `measurement_model` says what statistics fit: the items of a ``formative`` component define it,
    those of a ``reflective`` one are signs of the same thing. `shared` declares that those who answer
    within a site speak of the same thing, so that their agreement is a condition for using their mean.
    """

    dimension: Dimension
    measurement_model: MeasurementModel
    weight: float = Field(default=1.0, gt=0)
    shared: bool = False


class Total(Labelled):
    """A published total: the dimensions whose components it weighs together."""

    dimensions: tuple[Dimension, ...] = Field(min_length=1)


class Band(Labelled):
    """A band of the total; `low` is the share of the range at which it begins (the cut belongs to it)."""

    low: float = Field(ge=0, lt=1)


class Uncertainty(Part):
    """What the instrument states about errors that one collection of data may not show.

    `rater_sd` is the standard deviation of rater severity, as a share of the range, that widens the
    interval where an audit is not linked; `assumed` says that no study stands behind it.
    """

    rater_sd: float = Field(ge=0, lt=1)
    assumed: bool
    note: Text


class Outcome(Labelled):
    """An intended or unintended effect; never part of a fidelity score.

    `better` says which end is the good one.
    """

    kind: OutcomeKind
    better: Literal["high", "low"] = "high"
    component: Name | None = None
    cites: tuple[Name, ...] = ()


class Retired(Part):
    """A candidate that is not an item any more: what became of it and why."""

    id: ItemId
    label: Line
    became: tuple[str, ...] = ()
    why: Text


class ServiceArea(Labelled):
    """A service area within a site, with the other names that data may use for it."""

    also: tuple[str, ...] = ()


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
    keys: dict[str, tuple[str, ...]] = {}
    service_areas: tuple[ServiceArea, ...] = ()
    sources: tuple[Source, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    components: tuple[Component, ...] = Field(min_length=1)
    totals: tuple[Total, ...] = ()
    bands: tuple[Band, ...] = ()
    uncertainty: Uncertainty | None = None
    outcomes: tuple[Outcome, ...] = ()
    references: tuple[Reference, ...] = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)
    retired: tuple[Retired, ...] = ()
    register_codes: dict[str, str] = {}
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

        For studies of what would happen if; what is collected with it is another instrument and needs
        another version.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **changes})

    def items_of(self, component: str) -> tuple[Item, ...]:
        """Return the items of a component, in the order of the instrument."""
        return tuple(item for item in self.items if item.component == component)

    def components_of(self, total: Total) -> tuple[Component, ...]:
        """Return the components that enter a total."""
        return tuple(part for part in self.components if part.dimension in total.dimensions)

    def measures_of(self, source: str) -> tuple[tuple[Item, Measure], ...]:
        """Return what a source is asked, as (item, measure) pairs."""
        return tuple((item, measure) for item in self.items for measure in item.measures if measure.source == source)

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
    lists: dict[str, list[str]] = {
        "items": [item.id for item in instrument.items] + [item.id for item in instrument.retired],
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
    for outcome in instrument.outcomes:
        pointers += [(outcome.id, "cites", name, references) for name in outcome.cites]
        if outcome.component is not None:
            pointers.append((outcome.id, "component", outcome.component, components))
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
            if measure.anchors and len(measure.anchors) != len(scale.levels):
                errors.append(
                    fail(
                        "instrument.anchor_count",
                        measure=measure.id,
                        n=len(measure.anchors),
                        k=len(scale.levels),
                    )
                )
            if (scale.type == "register") != (source.kind == "register"):
                errors.append(fail("instrument.register_source", measure=measure.id))
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
