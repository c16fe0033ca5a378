"""The parts of an instrument: texts, sources, scales, measures, items, components, outcomes."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ibic_fidelity.foundation.messages import LANGUAGES, Language

Dimension = Literal["core", "extended", "experience", "precondition", "outcome", "context"]
#: The dimensions whose components are fidelity, practice as it is seen; no other enters a total of it.
FIDELITY: tuple[Dimension, ...] = ("core", "extended")
MeasurementModel = Literal["formative", "reflective"]
ScaleType = Literal["levels", "share", "checklist", "register"]
Role = Literal["primary", "triangulating"]
Specificity = Literal["ibic", "shared", "law"]
SourceKind = Literal["audit", "survey", "register"]
OutcomeKind = Literal["proximal", "distal", "unintended"]
#: How the statements that items rest on were taken: read in the source, or in a text about it that is at hand.
Standing = Literal["read", "seed"]

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
    then tells. `standing` says how the statements that are cited were taken: ``read`` in the source itself,
    often its preface or summary, or from a ``seed``, a text about it that the instrument started from. A source
    that nobody has read has no standing, and a fidelity item needs one that has.
    """

    id: Name
    citation: Line
    url: str | None = None
    legal: bool = False
    in_force_checked: date | Literal["unchecked"] | None = None
    standing: Standing | None = None

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

    `introduction` stands at the head of the form. `apart` declares a form of its own for those who answer for,
    or beside, somebody else (representatives, guardians, children): it may hold triangulating measures only, and
    reports print it apart. `drawn` names the sources whose invited together are the persons drawn; those of them
    whom this source did not ask could not answer themselves, and reports tell their share.
    """

    kind: SourceKind
    unit: Text
    units: Text
    introduction: Text | None = None
    minimum: int = Field(default=5, ge=1)
    census_minimum: int | None = Field(default=None, ge=2)
    item_minimum: int = Field(default=5, ge=1)
    single: bool = False
    apart: bool = False
    drawn: tuple[Name, ...] = ()
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


class LawVariant(Part):
    """What is asked or read otherwise under one law; what is not given is as in the measure itself.

    `parts` have the ids of the measure's own parts, in the same order: the columns of data files are the same.
    """

    wording: Text | None = None
    anchors: tuple[Text, ...] = ()
    parts: tuple[ChecklistPart, ...] = ()
    look: Text | None = None
    doubt: Text | None = None


class Measure(Part):
    """An item asked of one source on one scale in one wording.

    The id is the column in data files; a checklist has a column for each part instead. For those who read
    documents, `look` says in which document and under which heading, and `doubt` how the doubtful case is
    counted. `by_law` holds what is read otherwise under a law; `under` gives the measure as it is read there.
    `easy` is the wording in plain easy-to-read language, for users.
    """

    id: ItemId
    source: Name
    scale: Name
    role: Role
    wording: Text
    anchors: tuple[Text, ...] = ()
    parts: tuple[ChecklistPart, ...] = ()
    look: Text | None = None
    doubt: Text | None = None
    by_law: dict[str, LawVariant] = Field(default_factory=dict)
    easy: Text | None = None

    @model_validator(mode="after")
    def _variants_fit(self) -> Measure:
        for law, variant in self.by_law.items():
            if not variant.model_fields_set:
                raise fail("instrument.by_law_empty", measure=self.id, law=law)
            if variant.parts and [part.id for part in variant.parts] != [part.id for part in self.parts]:
                raise fail("instrument.by_law_parts", measure=self.id, law=law)
        return self

    def under(self, law: str) -> Measure:
        """Return the measure as it is read under a law."""
        variant = self.by_law.get(law)
        if variant is None:
            return self
        return self.model_copy(
            update={"by_law": {}, **{name: getattr(variant, name) for name in variant.model_fields_set}}
        )


class Gate(Part):
    """A condition that can hold a band back: the item's share of its range must reach `cut`."""

    cut: float = Field(gt=0, lt=1)


class Item(Part):
    """One thing that would be seen in a site that works as intended.

    `definition` says what the item means, `rationale` why it matters and `cites` from what; `judgement` says
    what in it is expert judgement and rests on no source; `discussion` is a question on which a management group must
    take a position, with no answer given.
    """

    id: ItemId
    label: Line
    component: Name
    idea: Text
    definition: Text | None = None
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
    judgement: Text | None = None
    discussion: Text | None = None

    @model_validator(mode="after")
    def _one_primary_measure(self) -> Item:
        primary = [measure.id for measure in self.measures if measure.role == "primary"]
        if len(primary) != 1:
            raise fail("instrument.one_primary", item=self.id, n=len(primary))
        sources = [measure.source for measure in self.measures]
        if len(set(sources)) != len(sources):
            raise fail("instrument.source_twice", item=self.id)
        for measure in self.measures:
            other = sorted(set(measure.by_law) - set(self.law))
            if other:
                raise fail("instrument.by_law_other", measure=measure.id, law=other[0], laws=list(self.law))
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
    """A band of the total; `low` is the share of the range at which it begins (the cut belongs to it).

    `se` is the standard error of that cut where a standard-setting study made it, as a share of the range.
    """

    low: float = Field(ge=0, lt=1)
    se: float | None = Field(default=None, ge=0, lt=0.5)


class Outcome(Labelled):
    """An intended or unintended effect; never part of a fidelity score.

    `better` says which end is the good one; `definition` what it is and who tells it.
    """

    definition: Text | None = None
    kind: OutcomeKind
    better: Literal["high", "low"] = "high"
    component: Name | None = None
    cites: tuple[Name, ...] = ()


class ServiceArea(Labelled):
    """A service area within a site, with the other names that data may use for it."""

    also: tuple[str, ...] = ()
