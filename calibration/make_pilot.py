"""Write the bundled pilot and its truth into data/synthetic.

Run as ``python calibration/make_pilot.py``.
"""

from __future__ import annotations

from pathlib import Path

from ibic_fidelity.studies.pilot import PILOT_FILES, simulate_pilot
from ibic_fidelity.studies.writing import write_study

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent.parent / "data" / "synthetic"
    for path in write_study(simulate_pilot(), folder, PILOT_FILES, force=True):
        print(path.name)
