"""The bundled retest and the bundled certification round: of places and raters that do not exist in this way."""

from __future__ import annotations

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.studies.certification import Certification, simulate_certification
from ibic_fidelity.studies.retest import RetestDesign, RetestStudy, simulate_retest

RETEST = RetestDesign()
RETEST_SEED = 2026
RETEST_FILES = ("retest.csv", "retest_truth.csv")
CERTIFICATION_SEED = 2026
CERTIFICATION_FILES = ("certification.csv", "certification_truth.csv")


def bundled_retest(instrument: Instrument | None = None) -> RetestStudy:
    """Return the two occasions that ``data/synthetic`` holds; a test compares the bytes."""
    return simulate_retest(RETEST, seed=RETEST_SEED, instrument=instrument)


def bundled_certification(instrument: Instrument | None = None) -> Certification:
    """Return the certification round that ``data/synthetic`` holds; a test compares the bytes."""
    return simulate_certification(seed=CERTIFICATION_SEED, instrument=instrument)
