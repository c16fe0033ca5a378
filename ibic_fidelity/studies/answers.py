"""Rows to be answered and their answers: files under assessors, linked raters, respondents; latent values cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item, Measure, Source
from ibic_fidelity.responses.model import BLANK, NOT_APPLICABLE, NOT_ASKED, SourceTable, source_table
from ibic_fidelity.studies.departures import NONE, Departures
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.truth import World, part_offsets, thresholds

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: What gives the rows of a source new standard normal latent values of a component's item, one call a column.
Latent = Callable[[str, np.random.Generator], Floats]
SURVEY_SHARE = 0.45  # latent variance that a respondent's answers to one component share


def sites_of(instrument: Instrument, n: int) -> tuple[str, ...]:
    """Return sites spread evenly over the register, or numbered where there is none."""
    codes = sorted(instrument.register_codes)
    if not codes:
        return tuple(f"{i + 1:04d}" for i in range(n))
    if n > len(codes):
        raise UsageError("studies.too_many_sites", n=n, known=len(codes))
    return tuple(codes[i] for i in np.linspace(0, len(codes) - 1, n).round().astype(int))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows to be answered: their group, unit, cluster and rater, numbered from 0; -1 for none."""

    group: Ints
    unit: Ints
    cluster: Ints
    rater: Ints
    prefix: str

    def keys(self, world: World) -> dict[str, list[str]]:
        """Return the text keys of the rows."""
        site, area = np.array(world.sites, dtype=object), np.array(world.areas, dtype=object)
        keys = {
            "site": site[self.group].tolist(),
            "service_area": area[self.group].tolist(),
            "unit": [f"{self.prefix}{unit + 1:05d}" for unit in self.unit],
        }
        if (self.cluster >= 0).all():
            keys["cluster"] = [f"h{cluster + 1:03d}" for cluster in self.cluster]
        if (self.rater >= 0).all():
            keys["rater"] = [f"g{rater + 1:02d}" for rater in self.rater]
        return keys


def audit_rows(design: StudyDesign, world: World, rng: np.random.Generator) -> Rows:
    """Return files nested under assessors, one rater a site, a second one on a share of the files."""
    n_groups, files = len(world.sites), design.files
    group = np.repeat(np.arange(n_groups), files)
    unit = np.arange(n_groups * files)
    first = np.tile(np.arange(files) % design.assessors, n_groups)
    assessor = group * design.assessors + first
    site = site_numbers(world)[group]
    short = np.linspace(0, design.n_sites - 1, design.short_sites + 2)[1:-1].round().astype(np.int64)
    audited = ~np.isin(site, short) | (unit % files < files // 4)
    primary = site % design.raters
    second = (primary + 1 + (site // design.raters) % max(design.raters - 1, 1)) % design.raters
    twice = np.concatenate([rng.permutation(files) < round(design.double_rated * files) for _ in range(n_groups)]) & (
        second != primary
    )
    twice &= audited
    return Rows(
        group=np.concatenate([group[audited], group[twice]]),
        unit=np.concatenate([unit[audited], unit[twice]]),
        cluster=np.concatenate([assessor[audited], assessor[twice]]),
        rater=np.concatenate([primary[audited], second[twice]]),
        prefix="a",
    )


def document_rows(design: StudyDesign, world: World) -> Rows:
    """Return one set of documents a group, read by the site's rater; every third by a second one too."""
    group = np.arange(len(world.sites))
    site = site_numbers(world)
    primary = site % design.raters
    second = (primary + 1) % design.raters
    twice = (site % 3 == 0) & (second != primary)
    return Rows(
        group=np.concatenate([group, group[twice]]),
        unit=np.concatenate([group, group[twice]]),
        cluster=np.full(len(group) + twice.sum(), -1),
        rater=np.concatenate([primary, second[twice]]),
        prefix="d",
    )


def survey_rows(source: Source, design: StudyDesign, world: World, rng: np.random.Generator) -> Rows:
    """Return the respondents who answer, of those asked in each group."""
    asked = 1 if source.single else asked_of(source.id, design)
    n_groups = len(world.sites)
    group = np.repeat(np.arange(n_groups), asked)
    given = rng.random(len(group)) < (1.0 if asked == 1 else design.response_rate)
    group = group[given]
    none = np.full(len(group), -1)
    return Rows(group, np.arange(len(group)), none, none, source.id[0])


def asked_of(source: str, design: StudyDesign) -> int:
    """Return how many a source's design asks in each group."""
    numbers = {"assessor": design.assessors, "provider": design.providers, "manager": design.managers,
               "user": design.users, "relative": design.relatives, "representative": design.representatives,
               "guardian": design.children, "child": design.children - design.children // 3}  # fmt: skip
    return numbers.get(source, design.users)


def site_numbers(world: World) -> Ints:
    """Return the site of each group, numbered from 0."""
    order = {site: i for i, site in enumerate(dict.fromkeys(world.sites))}
    return np.array([order[site] for site in world.sites])


@dataclass(frozen=True, slots=True, eq=False)
class SharedParts:
    """What a row's answers have in common: standardised effects, already times their root shares."""

    common: Floats
    of_component: Mapping[str, Floats]
    unit: Ints
    own: float
    error: float

    @classmethod
    def draw(
        cls,
        rows: Rows,
        source: Source,
        instrument: Instrument,
        design: StudyDesign,
        rng: np.random.Generator,
        departures: Departures = NONE,
    ) -> SharedParts:
        """Draw what assessors, units and raters, or respondents, bring to all their answers."""
        n_units = int(rows.unit.max()) + 1
        if source.kind == "survey":
            components = sorted({item.component for item, _ in instrument.measures_of(source.id)})
            shared = {name: np.sqrt(SURVEY_SHARE) * rng.standard_normal(n_units)[rows.unit] for name in components}
            return cls(np.zeros(len(rows.unit)), shared, rows.unit, np.sqrt(1 - SURVEY_SHARE), 0.0)
        shares = design.shares
        if source.single:  # what the documents say is the site's own level: only their raters vary
            severity = np.sqrt(shares.rater) * rng.standard_normal(design.raters)[rows.rater]
            return cls(severity, {}, rows.unit, 0.0, np.sqrt(shares.rater_error))
        common = np.sqrt(shares.unit) * departures.effects(rng, n_units)[rows.unit]
        common += np.sqrt(shares.rater) * rng.standard_normal(design.raters)[rows.rater]
        common += np.sqrt(shares.assessor) * rng.standard_normal(int(rows.cluster.max()) + 1)[rows.cluster]
        if departures.halo:
            opinion = rng.standard_normal((int(rows.group.max()) + 1, design.raters))
            common += np.sqrt(departures.halo) * opinion[rows.group, rows.rater]
        own = 1 - shares.unit - shares.rater - shares.assessor - shares.rater_error - departures.halo
        if own < 0:
            raise UsageError("studies.latent_shares", shares=[*astuple(shares), departures.halo])
        return cls(common, {}, rows.unit, np.sqrt(own), np.sqrt(shares.rater_error))

    def latent(self, component: str, rng: np.random.Generator) -> Floats:
        """Return a new standard normal latent value for each row."""
        n_units = int(self.unit.max()) + 1
        value = self.common + self.own * rng.standard_normal(n_units)[self.unit]
        if component in self.of_component:
            value = value + self.of_component[component]
        if self.error:
            value = value + self.error * rng.standard_normal(len(self.unit))
        return value


def answers(
    item: Item,
    measure: Measure,
    instrument: Instrument,
    design: StudyDesign,
    world: World,
    rows: Rows,
    latent: Latent,
    rng: np.random.Generator,
) -> list[NDArray[np.int8]]:
    """Return the codes of every column of a measure."""
    scale = instrument.by_scale[measure.scale]
    level = world.latent[item.id][rows.group]
    steps = -thresholds(scale) if scale.type != "checklist" else np.zeros(1)
    offsets = part_offsets(len(measure.parts)) if scale.type == "checklist" else np.zeros(1)
    lowest, highest = int(scale.lowest), int(scale.highest)
    not_applicable = _not_applicable(design, world)[rows.group]
    fidelity = instrument.by_component[item.component].dimension in FIDELITY
    n_units = int(rows.unit.max()) + 1
    made = []
    for offset in offsets:
        value = latent(item.component, rng)
        code = (value[:, None] < level[:, None] + offset + steps).sum(axis=1) + lowest
        if item.reverse:
            code = highest + lowest - code
        if fidelity and item.not_applicable is not None and scale.missing.not_applicable:
            code[rng.random(n_units)[rows.unit] < not_applicable] = NOT_APPLICABLE
        code[rng.random(len(code)) < design.missing] = BLANK
        made.append(code.astype(np.int8))
    return made


def _not_applicable(design: StudyDesign, world: World) -> Floats:
    """Return the share of answers that do not apply, by group."""
    site = site_numbers(world)
    rank = 2 * site / max(int(site.max()), 1) - 1
    share: Floats = np.clip(design.not_applicable * (1 + design.uneven * rank), 0, 1)
    return share


def register_table(
    source: Source,
    asked: tuple[tuple[Item, Measure], ...],
    instrument: Instrument,
    world: World,
    eligible: Ints,
    rng: np.random.Generator,
) -> SourceTable:
    """Return one row a group: percentages of eligible cases with the number of cases."""
    from scipy.special import ndtr

    n, columns = len(world.sites), instrument.columns_of(source.id)
    values, counts = np.full((n, len(columns)), np.nan), np.full((n, len(columns)), np.nan)
    for j, (item, measure) in enumerate(asked):
        scale = instrument.by_scale[measure.scale]
        share = rng.binomial(eligible, ndtr(world.latent[item.id])) / eligible
        share = 1 - share if item.reverse else share
        values[:, j] = (scale.lowest + share * (scale.highest - scale.lowest)).round(1)
        counts[:, j] = eligible
    codes = np.full((n, len(columns)), NOT_ASKED)
    keys = {"site": world.sites, "service_area": world.areas, "unit": [f"r{i + 1:05d}" for i in range(n)]}
    return source_table(source.id, columns, codes, keys, values=values, counts=counts)
