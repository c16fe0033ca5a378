"""The planted truth: levels of items, components and totals that the generator's parameters imply.

This module computes what scoring should find, from parameters alone; it never sees an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import FIDELITY, Item, Scale, Source
from ibic_fidelity.studies.departures import NONE, Departures
from ibic_fidelity.studies.design import StudyDesign

Floats = NDArray[np.float64]
QUANTILES = 400  # of a heavy-tailed file effect, over which an expected value is the mean
LEVEL_STEP = 0.45  # latent distance between neighbouring thresholds of a scale of levels


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Latent levels of every item in every group, and what they imply.

    Attributes
    ----------
    sites, areas : tuple of str
        The groups, in order: every area of the first site, then the second, …
    latent : mapping of str to ndarray, shape (G,)
        Latent level of each item, high meaning more of it as intended.
    """

    sites: tuple[str, ...]
    areas: tuple[str, ...]
    latent: Mapping[str, Floats]


def plant_world(
    design: StudyDesign, instrument: Instrument, sites: tuple[str, ...], seed: int, departures: Departures = NONE
) -> World:
    """Draw latent levels: sites, areas within sites, components within those, items everywhere alike."""
    areas = design.service_areas or ("",)
    rng = stream(seed, "studies/world")
    site = np.repeat(design.site_sd * departures.effects(rng, len(sites)), len(areas))
    practice = design.mean + site
    latent: dict[str, Floats] = {}
    for component in instrument.components:
        own = rng.normal(0, design.component_sd, len(practice))
        base = practice if component.dimension in FIDELITY else design.mean + design.fidelity_effect * site
        for item in instrument.items_of(component.id):
            latent[item.id] = base + own + rng.normal(0, design.item_sd)
    groups = [(one, area) for one in sites for area in areas]
    return World(tuple(one for one, _ in groups), tuple(area for _, area in groups), latent)


def thresholds(scale: Scale) -> Floats:
    """Return the latent offset of each step of a scale; one step for yes/no."""
    steps = 1 if scale.type == "register" else len(scale.levels) - 1
    return np.asarray((np.arange(steps) - (steps - 1) / 2) * LEVEL_STEP, dtype=np.float64)


def part_offsets(n_parts: int) -> Floats:
    """Return the latent offset of each part of a checklist: parts are not equally common."""
    return np.linspace(0.3, -0.3, n_parts) if n_parts else np.zeros(1)


def expected_value(item: Item, scale: Scale, latent: Floats, sd: float = 1.0) -> Floats:
    """Return the expected value 0–1 of an item, exactly: the mean of normal probabilities over steps.

    `sd` is the latent standard deviation of what varies inside a group: 1 where units are drawn, less
    where the group has one document and only its raters vary. A reversed item is planted as practice: its
    value after reversing is what `latent` says.
    """
    from scipy.special import ndtr

    offsets = part_offsets(len(item.primary.parts)) if scale.type == "checklist" else -thresholds(scale)
    return np.asarray(ndtr((latent[:, None] + offsets) / sd).mean(axis=1))


def _expected(
    item: Item, scale: Scale, source: Source, latent: Floats, design: StudyDesign, departures: Departures
) -> Floats:
    """Return the expected value of an item where files may have heavy tails: its mean over what files may be."""
    if np.isinf(departures.tails) or source.kind != "audit" or source.single:
        return expected_value(item, scale, latent, reading_sd(source, design))
    from scipy.special import stdtrit

    share = design.shares.unit
    scaled = np.sqrt(share * (departures.tails - 2) / departures.tails)
    files = scaled * stdtrit(departures.tails, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    given = latent[:, None] - files
    value = expected_value(item, scale, given.ravel(), float(np.sqrt(1 - share))).reshape(given.shape)
    return np.asarray(value.mean(axis=1))


def reading_sd(source: Source, design: StudyDesign) -> float:
    """Return the latent standard deviation of answers inside a group of a source."""
    if source.kind == "audit" and source.single:
        return float(np.sqrt(design.shares.rater + design.shares.rater_error))
    return 1.0


def truth_table(
    world: World,
    instrument: Instrument,
    design: StudyDesign,
    eligible: NDArray[np.int64],
    departures: Departures = NONE,
) -> Records:
    """Return site, service_area, level, id, value (0–100) of every item, component and total.

    In a whole site every area counts alike, as it does in a sample of as many files from each; what a
    register counts is weighted by its `eligible` cases, shape (G,).
    """
    places = _Places.of(world)
    value = {}
    for item in instrument.items:
        scale = instrument.by_scale[item.primary.scale]
        source = instrument.by_source[item.primary.source]
        by_area = _expected(item, scale, source, world.latent[item.id], design, departures)
        value[item.id] = places.with_whole(by_area, eligible if scale.type == "register" else np.ones(len(by_area)))
    rows = [("item", item, values) for item, values in value.items()]
    component: dict[str, Floats] = {}
    for part in instrument.components:
        items = instrument.items_of(part.id)
        weight = np.array([item.weight for item in items])
        if len(items):
            component[part.id] = np.average([value[item.id] for item in items], axis=0, weights=weight)
            rows.append(("component", part.id, component[part.id]))
    for total in instrument.totals:
        parts = [part for part in instrument.components_of(total) if part.id in component]
        weight = np.array([part.weight for part in parts])
        rows.append(("total", total.id, np.average([component[part.id] for part in parts], axis=0, weights=weight)))
    out: dict[str, list[object]] = {name: [] for name in ("site", "service_area", "level", "id", "value")}
    for level, name, values in rows:
        out["site"] += places.site
        out["service_area"] += places.area
        out["level"] += [level] * len(values)
        out["id"] += [name] * len(values)
        out["value"] += (100 * values).tolist()
    return Records.of(**out)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Whole sites, followed by their areas where areas are named."""

    site: tuple[str, ...]
    area: tuple[str, ...]
    index: NDArray[np.int64]
    named: bool

    @classmethod
    def of(cls, world: World) -> _Places:
        sites = tuple(dict.fromkeys(world.sites))
        named = any(world.areas)
        index = np.array([sites.index(site) for site in world.sites])
        if not named:
            return cls(sites, ("",) * len(sites), index, named)
        return cls((*sites, *world.sites), (*("",) * len(sites), *world.areas), index, named)

    def with_whole(self, by_area: Floats, mass: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
        """Return the means of whole sites, then the areas' own values where areas are named."""
        whole = np.bincount(self.index, weights=by_area * mass) / np.bincount(self.index, weights=mass)
        return np.concatenate([whole, by_area]) if self.named else whole
