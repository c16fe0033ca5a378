"""The bundled pilot: 24 municipalities that do not exist in this way, and the truth behind their answers."""

from __future__ import annotations

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import Study, simulate_study

#: Two service areas; two municipalities got too few files audited, as happens. None has children in it.
PILOT = StudyDesign(
    service_areas=("aldre", "lss"),
    files=24,
    assessors=6,
    short_sites=2,
    providers=10,
    users=12,
    relatives=9,
    representatives=6,
)
PILOT_SEED = 2020
PILOT_FILES = ("pilot.csv", "pilot_truth.csv", "pilot_outcomes.csv")


def simulate_pilot(instrument: Instrument | None = None) -> Study:
    """Return the study that ``data/synthetic`` holds; a test compares the bytes."""
    return simulate_study(PILOT, seed=PILOT_SEED, instrument=instrument)
