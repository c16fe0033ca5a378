"""Write the bundled retest and certification round, and what was planted in them, into data/synthetic.

Run as ``python calibration/make_rounds.py``.
"""

from __future__ import annotations

from pathlib import Path

from ibic_fidelity.studies.rounds import CERTIFICATION_FILES, RETEST_FILES, bundled_certification, bundled_retest
from ibic_fidelity.studies.writing import write_synthetic

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent.parent / "data" / "synthetic"
    for study, names in ((bundled_retest(), RETEST_FILES), (bundled_certification(), CERTIFICATION_FILES)):
        for path in write_synthetic(study.responses, study.instrument, folder, names, (study.truth,), force=True):
            print(path.name)
