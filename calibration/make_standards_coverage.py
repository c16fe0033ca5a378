"""Make calibration/standards_coverage.csv: how often the intervals of standard setting hold the truth.

Run offline, from the root of the repository (some minutes on one core)::

    python calibration/make_standards_coverage.py

Judges are normal, with items and judge × item beside; groups are normal with equal variance. (The area is of ranks:
skewed groups have the same coverage.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from scipy.special import ndtr

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.standards.angoff import LEAST_JUDGES, cut_error, t_interval

SEED = 20261128
LEVEL = 0.95
REPLICATES = 400
ITEMS = 8
#: Standard deviations of judge, item and judge × item.
SPREAD = (5.0, 8.0, 6.0)
STATISTICS = {
    "modified_angoff": (("fixed", "random"), ("normal",), (4, 8, 15), (0.0,)),
    "auc": (("DeLong, logit",), ("normal",), (10, 30, 100), (1.0, 2.0)),
    "contrasting_groups": (("logistic", "normal"), ("normal",), (10, 20, 50), (1.0, 2.0)),
    "youden_cut": (("bootstrap",), ("normal",), (20, 50, 150), (1.0,)),
}
FLAG = {
    "auc": "standard_small_group",
    "contrasting_groups": "standard_small_group",
    "youden_cut": "standard_cut_unsure",
}
TABLE = Path(__file__).with_name("standards_coverage.csv")
COLUMNS = ("statistic", "method", "data", "n", "distance", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One cell: n judges, or members of each group, whose means lie `distance` standard deviations apart."""

    statistic: str
    method: str
    data: str
    n: int
    distance: float

    @property
    def studies(self) -> int:
        """Return how many studies: fewer where each has a bootstrap."""
        return {"modified_angoff": 2000, "auc": 2000, "contrasting_groups": 500, "youden_cut": 300}[self.statistic]

    @property
    def name(self) -> str:
        """Return the name of the cell's stream."""
        return f"{self.statistic}/{self.method}/{self.data}/{self.n}/{self.distance}"


def cells() -> list[Cell]:
    """Return all cells of the table."""
    return [
        Cell(statistic, method, data, n, distance)
        for statistic, (methods, kinds, sizes, distances) in STATISTICS.items()
        for method in methods
        for data in kinds
        for n in sizes
        for distance in distances
    ]


def truth(statistic: str, distance: float) -> float:
    """Return the true cut, or the true area; two normals of equal variance cross in the middle."""
    if statistic == "modified_angoff":
        return 60.0
    if statistic != "auc":
        return distance / 2
    return float(ndtr(distance / math.sqrt(2.0)))


def limits(cell: Cell, rng: np.random.Generator, items: np.ndarray) -> tuple[float, float, bool]:
    """Return the limits of one study, and whether they are flagged."""
    if cell.statistic == "modified_angoff":
        judge, item, rest = SPREAD
        of_items = items if cell.method == "fixed" else item * rng.normal(size=ITEMS)
        x = 60 + judge * rng.normal(size=(cell.n, 1)) + of_items + rest * rng.normal(size=(cell.n, ITEMS))
        share = np.full(ITEMS, 1 / ITEMS)
        error, df = cut_error(x, x @ share, share, cell.method)
        ci = t_interval(float(x.mean()), error, df, LEVEL)
        return ci.low, ci.high, cell.n < LEAST_JUDGES
    y = np.concatenate([rng.normal(size=cell.n), cell.distance + rng.normal(size=cell.n)])
    groups = np.repeat([0, 1], cell.n)
    seed = int(rng.integers(2**31))
    if cell.statistic == "contrasting_groups":
        made = pm.contrasting_groups(y, groups, above=1, crossing=cell.method, bootstrap=REPLICATES, rng=seed)
        return made.ci.low, made.ci.high, _flagged(cell, made)
    replicates = REPLICATES if cell.statistic == "youden_cut" else 0
    made = pm.receiver_operating_characteristic(y, groups, above=1, bootstrap=replicates, rng=seed)
    ci = made.ci if cell.statistic == "auc" else made.cut_ci
    return ci.low, ci.high, _flagged(cell, made)


def _flagged(cell: Cell, made: object) -> bool:
    return any(flag.code == f"psychometrics.{FLAG[cell.statistic]}" for flag in made.flags)


def row(cell: Cell, studies: int | None = None, name: str = "") -> dict[str, object]:
    """Return the line of one cell."""
    rng = stream(SEED, name or cell.name)
    items = np.linspace(-1, 1, ITEMS) * SPREAD[1]
    made = np.array([limits(cell, rng, items) for _ in range(studies or cell.studies)])
    value = truth(cell.statistic, cell.distance)
    return {**cell.__dict__, **counted(made[:, 0], made[:, 1], value, made[:, 2], SEED)}


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, (row(cell) for cell in cells()))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")  # a group above that scores lower, in small samples
    main()
