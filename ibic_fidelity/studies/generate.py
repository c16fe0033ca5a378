"""Answers from a planted world: files under assessors, linked raters, surveys, registers, holes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, Measure, Source
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import (
    BLANK,
    NOT_APPLICABLE,
    NOT_ASKED,
    Frame,
    Responses,
    SourceTable,
    source_table,
)
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.truth import World, part_offsets, plant_world, thresholds, truth_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SURVEY_SHARE = 0.45  # latent variance that a respondent's answers to one component share
ELIGIBLE_FACTOR = (2.0, 6.0)  # eligible files for each audited one


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A simulated study.

    Attributes
    ----------
    responses : Responses
        The answers, marked as synthetic.
    truth : Records
        site, service_area, level, id, value (0–100) of every item, component and total: the planted way
        of working, over all assessors, files and raters that might have been.
    outcomes : Records
        site, service_area, outcome, value: the planted level of every outcome that a component measures.
    instrument, design, seed : Instrument, StudyDesign, int
        From what it was made.
    """

    responses: Responses
    truth: Records
    outcomes: Records
    instrument: Instrument
    design: StudyDesign
    seed: int


def simulate_study(design: StudyDesign, *, seed: int = 0, instrument: Instrument | None = None) -> Study:
    """Simulate a study with a known truth.

    Parameters
    ----------
    design : StudyDesign
        What the study looks like.
    seed : int
        The same design and seed give the same study, to the bit.
    instrument : Instrument, optional
        Read already; by default the design's is loaded.

    Returns
    -------
    Study
        ``.responses``, ``.truth``, ``.outcomes``.

    Notes
    -----
    An answer is yes where a standard normal latent value is below a threshold. The latent value is a sum
    of assessor, file, item in file, rater severity and rater error (`LatentShares`), so that answers in a
    file, files of an assessor, and ratings by a rater go together, while the expected answer over all of
    them is exactly the planted level.

    Examples
    --------
    >>> study = simulate_study(StudyDesign(n_sites=3), seed=1)
    >>> study.responses.synthetic, len(study.responses.sites)
    (True, 3)
    """
    instrument = instrument if instrument is not None else load_instrument(design.instrument)
    sites = _sites(instrument, design.n_sites)
    world = plant_world(design, instrument, sites, seed)
    rng = stream(seed, "studies/eligible")
    audited = float(design.files)
    eligible = np.round(audited * rng.uniform(*ELIGIBLE_FACTOR, len(world.sites))).astype(np.int64)
    tables = {}
    for source in instrument.sources:
        table = _source(source, instrument, design, world, eligible, seed)
        if table is not None and table.n:
            tables[source.id] = table
    fingerprint = sha256(repr((design.as_dict(), seed, instrument.sha256)).encode())
    responses = Responses(
        tables=tables,
        frame=_frame(instrument, design, world, eligible),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_sha256=instrument.sha256,
        data_sha256=fingerprint,
        synthetic=True,
    )
    truth = truth_table(world, instrument, design, eligible)
    return Study(responses, truth, _outcomes(truth, instrument), instrument, design, seed)


def _sites(instrument: Instrument, n: int) -> tuple[str, ...]:
    """Return sites spread evenly over the register, or numbered where there is none."""
    codes = sorted(instrument.register_codes)
    if not codes:
        return tuple(f"{i + 1:04d}" for i in range(n))
    if n > len(codes):
        raise UsageError("studies.too_many_sites", n=n, known=len(codes))
    return tuple(codes[i] for i in np.linspace(0, len(codes) - 1, n).round().astype(int))


def _source(
    source: Source, instrument: Instrument, design: StudyDesign, world: World, eligible: Ints, seed: int
) -> SourceTable | None:
    rng = stream(seed, "studies/source", source.id)
    asked = instrument.measures_of(source.id)
    if source.kind == "register":
        return _register_table(source, asked, instrument, world, eligible, rng)
    if not asked:
        return None
    if source.kind == "audit":
        rows = _document_rows(design, world) if source.single else _audit_rows(design, world, rng)
    else:
        rows = _survey_rows(source, design, world, rng)
    if not len(rows.group):
        return None
    shared = _SharedParts.draw(rows, source, instrument, design, rng)
    columns: list[NDArray[np.int8]] = []
    for item, measure in asked:
        columns += _answers(item, measure, instrument, design, world, rows, shared, rng)
    return source_table(source.id, instrument.columns_of(source.id), np.stack(columns, axis=1), rows.keys(world))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
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


def _audit_rows(design: StudyDesign, world: World, rng: np.random.Generator) -> _Rows:
    """Return files nested under assessors, one rater a site, a second one on a share of the files."""
    n_groups, files = len(world.sites), design.files
    group = np.repeat(np.arange(n_groups), files)
    unit = np.arange(n_groups * files)
    first = np.tile(np.arange(files) % design.assessors, n_groups)
    assessor = group * design.assessors + first
    site = _site_numbers(world)[group]
    short = np.linspace(0, design.n_sites - 1, design.short_sites + 2)[1:-1].round().astype(np.int64)
    audited = ~np.isin(site, short) | (unit % files < files // 4)
    primary = site % design.raters
    second = (primary + 1 + (site // design.raters) % max(design.raters - 1, 1)) % design.raters
    twice = np.concatenate([rng.permutation(files) < round(design.double_rated * files) for _ in range(n_groups)]) & (
        second != primary
    )
    twice &= audited
    return _Rows(
        group=np.concatenate([group[audited], group[twice]]),
        unit=np.concatenate([unit[audited], unit[twice]]),
        cluster=np.concatenate([assessor[audited], assessor[twice]]),
        rater=np.concatenate([primary[audited], second[twice]]),
        prefix="a",
    )


def _document_rows(design: StudyDesign, world: World) -> _Rows:
    """Return one set of documents a group, read by the site's rater; every third by a second one too."""
    group = np.arange(len(world.sites))
    site = _site_numbers(world)
    primary = site % design.raters
    second = (primary + 1) % design.raters
    twice = (site % 3 == 0) & (second != primary)
    return _Rows(
        group=np.concatenate([group, group[twice]]),
        unit=np.concatenate([group, group[twice]]),
        cluster=np.full(len(group) + twice.sum(), -1),
        rater=np.concatenate([primary, second[twice]]),
        prefix="d",
    )


def _survey_rows(source: Source, design: StudyDesign, world: World, rng: np.random.Generator) -> _Rows:
    asked = 1 if source.single else _asked(source.id, design)
    n_groups = len(world.sites)
    group = np.repeat(np.arange(n_groups), asked)
    answers = rng.random(len(group)) < (1.0 if asked == 1 else design.response_rate)
    group = group[answers]
    none = np.full(len(group), -1)
    return _Rows(group, np.arange(len(group)), none, none, source.id[0])


def _asked(source: str, design: StudyDesign) -> int:
    numbers = {"assessor": design.assessors, "provider": design.providers, "manager": design.managers,
               "user": design.users, "relative": design.relatives}  # fmt: skip
    return numbers.get(source, design.users)


def _site_numbers(world: World) -> Ints:
    order = {site: i for i, site in enumerate(dict.fromkeys(world.sites))}
    return np.array([order[site] for site in world.sites])


@dataclass(frozen=True, slots=True, eq=False)
class _SharedParts:
    """What a row's answers have in common: standardised effects, already times their root shares."""

    common: Floats
    of_component: Mapping[str, Floats]
    unit: Ints
    own: float
    error: float

    @classmethod
    def draw(
        cls,
        rows: _Rows,
        source: Source,
        instrument: Instrument,
        design: StudyDesign,
        rng: np.random.Generator,
    ) -> _SharedParts:
        n_units = int(rows.unit.max()) + 1
        if source.kind == "survey":
            components = sorted({item.component for item, _ in instrument.measures_of(source.id)})
            shared = {name: np.sqrt(SURVEY_SHARE) * rng.standard_normal(n_units)[rows.unit] for name in components}
            return cls(np.zeros(len(rows.unit)), shared, rows.unit, np.sqrt(1 - SURVEY_SHARE), 0.0)
        shares = design.shares
        if source.single:  # what the documents say is the site's own level: only their raters vary
            severity = np.sqrt(shares.rater) * rng.standard_normal(design.raters)[rows.rater]
            return cls(severity, {}, rows.unit, 0.0, np.sqrt(shares.rater_error))
        common = np.sqrt(shares.unit) * rng.standard_normal(n_units)[rows.unit]
        common += np.sqrt(shares.rater) * rng.standard_normal(design.raters)[rows.rater]
        common += np.sqrt(shares.assessor) * rng.standard_normal(int(rows.cluster.max()) + 1)[rows.cluster]
        own = 1 - shares.unit - shares.rater - shares.assessor - shares.rater_error
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


def _answers(
    item: Item,
    measure: Measure,
    instrument: Instrument,
    design: StudyDesign,
    world: World,
    rows: _Rows,
    shared: _SharedParts,
    rng: np.random.Generator,
) -> list[NDArray[np.int8]]:
    """Return the codes of every column of a measure."""
    scale = instrument.by_scale[measure.scale]
    level = world.latent[item.id][rows.group]
    steps = -thresholds(scale) if scale.type != "checklist" else np.zeros(1)
    offsets = part_offsets(len(measure.parts)) if scale.type == "checklist" else np.zeros(1)
    lowest, highest = int(scale.lowest), int(scale.highest)
    not_applicable = _not_applicable(design, world)[rows.group]
    n_units = int(rows.unit.max()) + 1
    made = []
    for offset in offsets:
        latent = shared.latent(item.component, rng)
        code = (latent[:, None] < level[:, None] + offset + steps).sum(axis=1) + lowest
        if item.reverse:
            code = highest + lowest - code
        if item.not_applicable is not None and scale.missing.not_applicable:
            code[rng.random(n_units)[rows.unit] < not_applicable] = NOT_APPLICABLE
        code[rng.random(len(code)) < design.missing] = BLANK
        made.append(code.astype(np.int8))
    return made


def _not_applicable(design: StudyDesign, world: World) -> Floats:
    """Return the share of answers that do not apply, by group."""
    site = _site_numbers(world)
    rank = 2 * site / max(int(site.max()), 1) - 1
    share: Floats = np.clip(design.not_applicable * (1 + design.uneven * rank), 0, 1)
    return share


def _register_table(
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


def _frame(instrument: Instrument, design: StudyDesign, world: World, eligible: Ints) -> Frame:
    there: dict[tuple[str, str, str, str], int] = {}
    invited: dict[tuple[str, str, str, str], int] = {}
    for g, (site, area) in enumerate(zip(world.sites, world.areas, strict=True)):
        for source in instrument.sources:
            if source.eligible is not None:
                there[site, area, "", source.id] = int(eligible[g])
            if source.invited is not None and source.kind == "survey":
                invited[site, area, "", source.id] = 1 if source.single else _asked(source.id, design)
    return Frame(there, invited)


def _outcomes(truth: Records, instrument: Instrument) -> Records:
    rows: dict[str, list[Any]] = {name: [] for name in ("site", "service_area", "outcome", "value")}
    for outcome in instrument.outcomes:
        if outcome.component is None:
            continue
        mine = truth.where((truth["level"] == "component") & (truth["id"] == outcome.component))
        rows["site"] += mine["site"].tolist()
        rows["service_area"] += mine["service_area"].tolist()
        rows["outcome"] += [outcome.id] * len(mine)
        rows["value"] += mine["value"].tolist()
    return Records.of(**rows)
