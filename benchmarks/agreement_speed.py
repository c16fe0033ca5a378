"""Krippendorff's alpha with 1,000 bootstrap samples beside the PyPI package krippendorff in a loop, in one run.

python benchmarks/agreement_speed.py

Both take 10,000 units and 5 raters with a tenth of the ratings missing.  The peer is timed on 20 tables of units
drawn with replacement and its time is multiplied by 50.  It has no bootstrap of its own.
"""

from __future__ import annotations

import krippendorff
import numpy as np
from reference import best_of

from ibic_fidelity.psychometrics import fleiss_kappa, krippendorff_alpha
from ibic_fidelity.psychometrics.agreement.krippendorff import MEASUREMENT_LEVELS

UNITS, RATERS, REPLICATES, TIMED = 10_000, 5, 1_000, 20


def ratings(units: int, raters: int, holes: float) -> np.ndarray:
    """Return ratings 1–5 (units, raters), most near the unit's own level, with holes."""
    rng = np.random.default_rng(0)
    x = np.clip(rng.integers(1, 6, (units, 1)) + rng.integers(-1, 2, (units, raters)), 1, 5).astype(np.float64)
    x[rng.random(x.shape) < holes] = np.nan
    return x


def main() -> None:
    """Print the ratio of times at each level of measurement, and the time of Fleiss' kappa."""
    x = ratings(UNITS, RATERS, 0.1)
    rng = np.random.default_rng(1)
    tables = [x[rng.integers(0, UNITS, UNITS)].T for _ in range(TIMED)]
    print(f"{UNITS} units x {RATERS} raters, {REPLICATES} samples, peer timed on {TIMED} and scaled")
    for level in MEASUREMENT_LEVELS:
        ours = best_of(lambda: krippendorff_alpha(x, measurement_level=level, bootstrap=REPLICATES), 3)  # noqa: B023
        peer = best_of(lambda: [krippendorff.alpha(table, level_of_measurement=level) for table in tables], 3)  # noqa: B023
        peer *= REPLICATES / TIMED
        print(f"{level:>8}: ours {ours:.2f} s, krippendorff {peer:.2f} s, ratio {peer / ours:.0f}")
    wide = ratings(2_800, 25, 0.0)
    seconds = best_of(lambda: fleiss_kappa(wide, bootstrap=2_000), 5)
    print(f"fleiss_kappa, 2,800 units x 25 raters, 2,000 samples: {seconds:.3f} s")


if __name__ == "__main__":
    main()
