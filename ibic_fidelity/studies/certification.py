"""A certification round with a known truth: raters rate the same fictitious files, and a key says what is right."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import Frame, Responses, SourceTable, source_table
from ibic_fidelity.studies.answers import Ints, Rows, SharedParts, answers, sites_of
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.truth import plant_world

#: The rater whose answers are the key.
FACIT = "facit"
Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class PlantedRater:
    """How a rater comes to an answer.

    Parameters
    ----------
    knows : float
        Share of answers that the rater reads as the key does; the others are guessed, every answer of the
        scale being as likely.  0 is a rater at random level.
    severe : float
        Share of those, above the least favourable answer of the scale, that are then put one step lower.
    """

    knows: float = 0.95
    severe: float = 0.0

    def __post_init__(self) -> None:
        for part in fields(self):
            if not 0 <= getattr(self, part.name) <= 1:
                raise UsageError("studies.share", name=part.name, value=getattr(self, part.name))


RATERS = (
    PlantedRater(0.97), PlantedRater(0.95), PlantedRater(0.90), PlantedRater(0.80),
    PlantedRater(0.95, severe=0.35), PlantedRater(0.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Certification:
    """A simulated certification round.

    Attributes
    ----------
    responses : Responses
        One source; the raters are ``facit``, the key, and ``g01``, ``g02``, …; marked as synthetic.
    truth : Records
        rater, knows, severe, right: the planted shares, and the share of answers that is expected to be as
        in the key, given the key.
    instrument, seed : Instrument, int
        From what it was made.
    """

    responses: Responses
    truth: Records
    instrument: Instrument
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The columns of a source: lowest and highest code, and whether a low code is the favourable one."""

    low: Ints
    high: Ints
    reverse: NDArray[np.bool_]


def simulate_certification(
    n_files: int = 12,
    *,
    raters: tuple[PlantedRater, ...] = RATERS,
    source: str | None = None,
    seed: int = 0,
    instrument: Instrument | None = None,
) -> Certification:
    """Simulate raters who rate the same fictitious files, and the key.

    Parameters
    ----------
    n_files : int
        Fictitious files; all raters rate all of them.
    raters : tuple of PlantedRater
        How each rater comes to an answer; by default four who are good, one who is severe, and one who guesses.
    source : str, optional
        The audited source; by default the instrument's first.
    seed : int
        The same call gives the same round, to the bit.
    instrument : Instrument, optional
        Read already; by default ``ibic``.

    Returns
    -------
    Certification
        ``.responses``, ``.truth``.

    Examples
    --------
    >>> simulate_certification(seed=1).responses.tables["files"].rater.labels[0]
    'facit'
    """
    for name, n in (("n_files", n_files), ("raters", len(raters))):
        if n < 1:
            raise UsageError("studies.at_least_one", name=name, value=n)
    instrument = instrument if instrument is not None else load_instrument("ibic")
    audits = [one.id for one in instrument.sources if one.kind == "audit" and not one.single]
    source = source if source is not None else next(iter(audits), "")
    if source not in audits:
        raise UsageError("studies.no_audit", source=source, known=audits)
    columns, key = _key(n_files, instrument, source, seed)
    rated = [_rated(key, columns, rater, stream(seed, "studies/certification", i)) for i, rater in enumerate(raters)]
    names = [FACIT, *(f"g{i + 1:02d}" for i in range(len(raters)))]
    responses = Responses(
        tables={source: _table(np.concatenate([key, *rated]), names, n_files, instrument, source)},
        frame=Frame(),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_sha256=instrument.sha256,
        data_sha256=sha256(repr((n_files, raters, source, seed, instrument.sha256)).encode()),
        synthetic=True,
    )
    rows: dict[str, list[Any]] = {
        "rater": names[1:],
        "knows": [rater.knows for rater in raters],
        "severe": [rater.severe for rater in raters],
        "right": [_expected(key, columns, rater) for rater in raters],
    }
    return Certification(responses, Records.of(**rows), instrument, seed)


def _key(n_files: int, instrument: Instrument, source: str, seed: int) -> tuple[_Columns, Codes]:
    """Return the columns of a source, and the right answers to fictitious files of all sorts, none of them blank."""
    design = StudyDesign(n_sites=n_files, files=1, assessors=1, raters=1, missing=0.0)
    world = plant_world(design, instrument, tuple(f"{i + 1}" for i in range(n_files)), seed)
    rng = stream(seed, "studies/certification", "key")
    one = np.arange(n_files)
    rows = Rows(group=one, unit=one, cluster=np.full(n_files, -1), rater=np.zeros(n_files, dtype=np.int64), prefix="f")
    own = SharedParts(np.zeros(n_files), {}, rows.unit, 1.0, 0.0).latent
    made: list[Codes] = []
    limits: list[tuple[int, int, bool]] = []
    for item, measure in instrument.measures_of(source):
        columns = answers(item, measure, instrument, design, world, rows, own, rng)
        scale = instrument.by_scale[measure.scale]
        limits += [(int(scale.lowest), int(scale.highest), item.reverse)] * len(columns)
        made += columns
    low, high, reverse = (np.array(part) for part in zip(*limits, strict=True))
    return _Columns(low, high, reverse), np.stack(made, axis=1)


def _rated(key: Codes, columns: _Columns, rater: PlantedRater, rng: np.random.Generator) -> Codes:
    guess = rng.integers(columns.low, columns.high + 1, key.shape)
    code = np.where(rng.random(key.shape) < rater.knows, key, guess)
    lower = (rng.random(key.shape) < rater.severe) & (code >= 0) & (code != _worst(columns))
    return np.asarray(code + np.where(lower, np.where(columns.reverse, 1, -1), 0), dtype=np.int8)


def _worst(columns: _Columns) -> Ints:
    """Return the least favourable code of each column."""
    return np.where(columns.reverse, columns.high, columns.low)


def _expected(key: Codes, columns: _Columns, rater: PlantedRater) -> float:
    """Return the expected share of answers as in the key; "not applicable" is never guessed."""
    applies = key >= 0
    guessed = (1 - rater.knows) / (columns.high - columns.low + 1)
    read = rater.knows + np.where(applies, guessed, 0.0)
    best = np.where(columns.reverse, columns.low, columns.high)
    kept = np.where(applies & (key != _worst(columns)), 1 - rater.severe, 1.0)
    lowered = np.where(applies & (key != best), rater.severe * guessed, 0.0)  # one better, guessed, and put lower
    return float((read * kept + lowered).mean())


def _table(codes: Codes, names: list[str], n_files: int, instrument: Instrument, source: str) -> SourceTable:
    """Return the rows of all raters; fictitious files stand under the first site of the register."""
    site = sites_of(instrument, 1)[0]
    keys = {
        "site": [site] * len(codes),
        "unit": [f"fiktiv{i + 1:02d}" for i in range(n_files)] * len(names),
        "rater": [name for name in names for _ in range(n_files)],
    }
    return source_table(source, instrument.columns_of(source), codes, keys)
