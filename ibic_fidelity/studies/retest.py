"""Two occasions with a known truth: people asked again, sites audited again, files rated again by the same rater."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Source
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import TEXT_KEYS, Frame, Responses, SourceTable, source_table
from ibic_fidelity.studies.answers import (
    SURVEY_SHARE,
    Floats,
    Ints,
    Latent,
    Rows,
    SharedParts,
    answers,
    audit_rows,
    document_rows,
    register_table,
    site_numbers,
    sites_of,
    survey_rows,
)
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import eligible_units, frame_of
from ibic_fidelity.studies.occasion_truth import expected_drift, expected_retest_icc
from ibic_fidelity.studies.truth import World, plant_world

Booleans = NDArray[np.bool_]
LEAST_RATERS = 4  # two for the first audit of a site, two others for the second


@dataclass(frozen=True, slots=True)
class RetestDesign:
    """A design of two occasions between which nothing changes but the raters' severity.

    Parameters
    ----------
    study : StudyDesign
        What the first occasion looks like.
    waves : tuple of str
        How the two occasions are called.
    answer_again : float
        Share of a survey's respondents who answer the same questions again, at random.
    correlation : float
        Test–retest correlation of every latent answer of a respondent, within groups.
    reaudited : int
        Sites, spread among the others, that other raters audit again on as many fresh files.
    rerated : float
        Share of each rater's files, where it was the first rater, that the same rater rates again.
    drift : tuple of float
        Change of each rater's severity, latent, by rater and from the start again where raters are more;
        above 0 is stricter.

    Examples
    --------
    >>> RetestDesign(correlation=0.7).waves
    ('2026-03', '2026-04')
    """

    study: StudyDesign = field(default_factory=lambda: StudyDesign(n_sites=12, files=24, raters=6))
    waves: tuple[str, str] = ("2026-03", "2026-04")
    answer_again: float = 0.6
    correlation: float = 0.8
    reaudited: int = 10
    rerated: float = 0.25
    drift: tuple[float, ...] = (0.0, 0.0, 0.3)

    def __post_init__(self) -> None:
        for name in ("answer_again", "correlation", "rerated"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError("studies.share", name=name, value=getattr(self, name))
        if self.reaudited < 0:
            raise UsageError("studies.not_negative", name="reaudited", value=self.reaudited)
        if self.reaudited > self.study.n_sites:
            raise UsageError("studies.too_many_sites", n=self.reaudited, known=self.study.n_sites)
        if self.reaudited and self.study.raters < LEAST_RATERS:
            raise UsageError("studies.reaudit_raters", n=self.study.raters, least=LEAST_RATERS)
        if not self.drift:
            raise UsageError("studies.at_least_one", name="drift", value=self.drift)

    def drift_of(self, rater: Ints) -> Floats:
        """Return the planted drift of raters, latent."""
        return np.asarray(self.drift, dtype=np.float64)[rater % len(self.drift)]

    def as_dict(self) -> dict[str, Any]:
        """Return the design as plain JSON data."""
        names = ("waves", "answer_again", "correlation", "reaudited", "rerated", "drift")
        return {"study": self.study.as_dict(), **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, slots=True, eq=False)
class RetestStudy:
    """Two simulated occasions.

    Attributes
    ----------
    responses : Responses
        The answers of both, told apart by the key `wave`, marked as synthetic.
    truth : Records
        quantity, source, target, value: ``latent_correlation``; ``retest_icc`` of each component that a
        survey answers (ICC(A,1) of the mean of its answers, over all groups, expected of the parameters);
        ``drift`` of each rater in points of 100 of a file's score, expected likewise; ``true_change`` of
        sites, which is 0.
    instrument, design, seed : Instrument, RetestDesign, int
        From what they were made.
    """

    responses: Responses
    truth: Records
    instrument: Instrument
    design: RetestDesign
    seed: int


def simulate_retest(
    design: RetestDesign | None = None, *, seed: int = 0, instrument: Instrument | None = None
) -> RetestStudy:
    """Simulate two occasions with a known truth.

    Parameters
    ----------
    design : RetestDesign, optional
        What the occasions look like.
    seed : int
        The same design and seed give the same occasions, to the bit.
    instrument : Instrument, optional
        Read already; by default the design's is loaded.

    Returns
    -------
    RetestStudy
        ``.responses``, ``.truth``.

    Notes
    -----
    A respondent's latent answers at the second occasion are ρ times those of the first plus √(1 − ρ²) times
    new ones of the same make.  Files rated again keep their latent state; the rater errs anew and has
    drifted.  Fresh files lie under the same assessors, with other raters than at the first audit.

    Examples
    --------
    >>> study = simulate_retest(RetestDesign(reaudited=3, study=StudyDesign(n_sites=4)), seed=1)
    >>> study.responses.tables["user"].wave.labels
    ('2026-03', '2026-04')
    """
    design = design if design is not None else RetestDesign()
    instrument = instrument if instrument is not None else load_instrument(design.study.instrument)
    world = plant_world(design.study, instrument, sites_of(instrument, design.study.n_sites), seed)
    eligible = eligible_units(design.study, world, seed)
    tables = {}
    for source in instrument.sources:
        rng = stream(seed, "studies/retest", source.id)
        table = (
            _registers(source, instrument, design, world, eligible, rng)
            if source.kind == "register"
            else _answered(source, instrument, design, world, rng)
        )
        if table is not None and table.n:
            tables[source.id] = table
    responses = Responses(
        tables=tables,
        frame=_frame(instrument, design, world, eligible),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_sha256=instrument.sha256,
        data_sha256=sha256(repr((design.as_dict(), seed, instrument.sha256)).encode()),
        synthetic=True,
    )
    return RetestStudy(responses, _truth(instrument, design, world), instrument, design, seed)


def _reaudited(design: RetestDesign, world: World) -> Booleans:
    """Return for each group whether its site is audited again."""
    sites = np.linspace(0, design.study.n_sites - 1, design.reaudited).round().astype(np.int64)
    return np.isin(site_numbers(world), sites)


def _answered(
    source: Source, instrument: Instrument, design: RetestDesign, world: World, rng: np.random.Generator
) -> SourceTable | None:
    """Return both occasions of a source that people or raters answer."""
    asked = instrument.measures_of(source.id)
    if not asked:
        return None
    if source.kind == "survey":
        rows, again = _asked_again(survey_rows(source, design.study, world, rng), design, rng)
    else:
        made = document_rows if source.single else audit_rows
        first = document_rows(design.study, world) if source.single else audit_rows(design.study, world, rng)
        rows, again = _rated_again(first, design, world, rng, rerate=made is audit_rows)
    if not len(rows.group):
        return None
    latent = _latent(source, instrument, design, rows, again, rng)
    columns: list[NDArray[np.int8]] = []
    for item, measure in asked:
        columns += answers(item, measure, instrument, design.study, world, rows, latent, rng)
    keys = {**rows.keys(world), "wave": [design.waves[int(later)] for later in again]}
    return source_table(source.id, instrument.columns_of(source.id), np.stack(columns, axis=1), keys)


def _asked_again(first: Rows, design: RetestDesign, rng: np.random.Generator) -> tuple[Rows, Booleans]:
    chosen = np.flatnonzero(rng.random(len(first.unit)) < design.answer_again)
    rows = _stacked(first, first, chosen)
    return rows, np.arange(len(rows.unit)) >= len(first.unit)


def _rated_again(
    first: Rows, design: RetestDesign, world: World, rng: np.random.Generator, *, rerate: bool
) -> tuple[Rows, Booleans]:
    """Return the first audit, the second on fresh files by other raters, and files rated again by their rater."""
    chosen = np.flatnonzero(_reaudited(design, world)[first.group])
    others = _other_raters(design, world)
    _, own = np.unique(first.unit, return_index=True)  # the row of a unit's first rater
    primary = np.zeros(len(first.unit), dtype=bool)
    primary[own] = True
    place = np.where(primary, 0, 1)[chosen]
    fresh = replace(first, unit=first.unit + first.unit.max() + 1)
    rows = _stacked(first, fresh, chosen)
    rater = rows.rater.copy()
    rater[len(first.unit) :] = others[first.group[chosen], place]
    rows = replace(rows, rater=rater)
    again = np.arange(len(rows.unit)) >= len(first.unit)
    if not rerate:
        return rows, again
    order = own[rng.permutation(len(own))]
    kept = [order[first.rater[order] == one] for one in np.unique(first.rater)]
    blind = np.concatenate([files[: round(design.rerated * len(files))] for files in kept])
    return _stacked(rows, first, np.sort(blind)), np.append(again, np.ones(len(blind), dtype=bool))


def _other_raters(design: RetestDesign, world: World) -> Ints:
    """Return two raters of each group, none of whom takes part in the first audit of its site."""
    n = design.study.raters
    made = []
    for site in site_numbers(world).tolist():
        primary = site % n
        seen = {primary, (primary + 1 + (site // n) % max(n - 1, 1)) % n, (primary + 1) % n}
        row = [(primary + n // 2 + step) % n for step in range(n)]
        left = [rater for rater in row if rater not in seen] or row
        made.append((left[0], left[1 % len(left)]))
    return np.array(made, dtype=np.int64)


def _stacked(first: Rows, second: Rows, chosen: NDArray[np.intp]) -> Rows:
    """Return rows followed by some rows of others."""
    names = ("group", "unit", "cluster", "rater")
    parts = {name: np.concatenate([getattr(first, name), getattr(second, name)[chosen]]) for name in names}
    return Rows(**parts, prefix=first.prefix)


@dataclass(frozen=True, slots=True, eq=False)
class _Respondents:
    """Respondents' latent answers at two occasions: one factor for each component, and what is each answer's own."""

    factor: Mapping[str, Floats]
    unit: Ints
    again: Booleans
    correlation: float

    def latent(self, component: str, rng: np.random.Generator) -> Floats:
        """Return a new standard normal latent value for each row."""
        factor = self.factor[component]
        person = np.sqrt(SURVEY_SHARE) * factor + np.sqrt(1 - SURVEY_SHARE) * rng.standard_normal(factor.shape)
        later = self.correlation * person[0] + np.sqrt(1 - self.correlation**2) * person[1]
        made: Floats = np.where(self.again, later[self.unit], person[0][self.unit])
        return made


def _latent(
    source: Source,
    instrument: Instrument,
    design: RetestDesign,
    rows: Rows,
    again: Booleans,
    rng: np.random.Generator,
) -> Latent:
    if source.kind == "survey":
        shape = (2, int(rows.unit.max()) + 1)
        components = sorted({item.component for item, _ in instrument.measures_of(source.id)})
        factor = {name: rng.standard_normal(shape) for name in components}
        return _Respondents(factor, rows.unit, again, design.correlation).latent
    shared = SharedParts.draw(rows, source, instrument, design.study, rng)
    return replace(shared, common=shared.common + np.where(again, design.drift_of(rows.rater), 0.0)).latent


def _registers(
    source: Source,
    instrument: Instrument,
    design: RetestDesign,
    world: World,
    eligible: Ints,
    rng: np.random.Generator,
) -> SourceTable:
    """Return a register at the first occasion, and counted anew for the sites that are audited again."""
    asked = instrument.measures_of(source.id)
    first, second = (register_table(source, asked, instrument, world, eligible, rng) for _ in design.waves)
    groups = list(zip(world.sites, world.areas, strict=True))
    kept = {groups[g] for g in np.flatnonzero(_reaudited(design, world))}
    chosen = [
        i for i, place in enumerate(zip(second.site.text, second.service_area.text, strict=True)) if place in kept
    ]
    keys = {
        name: np.concatenate([getattr(first, name).text, getattr(second, name).text[chosen]])
        for name in TEXT_KEYS
        if name != "wave"
    }
    keys["wave"] = np.repeat(np.array(design.waves, dtype=object), [first.n, len(chosen)])
    joined = {
        name: np.concatenate([getattr(first, name), getattr(second, name)[chosen]])
        for name in ("codes", "values", "counts")
    }
    return source_table(
        source.id, first.columns, joined["codes"], keys, values=joined["values"], counts=joined["counts"]
    )


def _frame(instrument: Instrument, design: RetestDesign, world: World, eligible: Ints) -> Frame:
    """Return what there was to take at both occasions; who was asked again is not told."""
    frame = frame_of(instrument, design.study, world, eligible)
    first, second = design.waves
    groups = list(zip(world.sites, world.areas, strict=True))
    kept = {groups[g] for g in np.flatnonzero(_reaudited(design, world))}
    there = {(site, area, first, source): n for (site, area, _, source), n in frame.eligible.items()}
    there |= {
        (site, area, second, source): n for (site, area, _, source), n in frame.eligible.items() if (site, area) in kept
    }
    invited = {(site, area, first, source): n for (site, area, _, source), n in frame.invited.items()}
    return Frame(there, invited)


def _truth(instrument: Instrument, design: RetestDesign, world: World) -> Records:
    rows: list[tuple[str, str, str, float]] = [("latent_correlation", "", "", design.correlation)]
    for (source, component), value in expected_retest_icc(instrument, world, design.correlation).items():
        rows.append(("retest_icc", source, component, value))
    group_rater = site_numbers(world) % design.study.raters
    drift = design.drift_of(np.arange(design.study.raters))
    for audit in instrument.sources:
        if audit.kind == "audit" and not audit.single:
            points = expected_drift(instrument, audit.id, world, group_rater, drift)
            rows += [("drift", audit.id, f"g{rater + 1:02d}", value) for rater, value in points.items()]
    rows.append(("true_change", "", "", 0.0))
    names = ("quantity", "source", "target", "value")
    return Records.of(**{name: [row[j] for row in rows] for j, name in enumerate(names)})
