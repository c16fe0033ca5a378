"""Make calibration/within_group_coverage.csv: how often the intervals of mean rwg, rwg(j), awg and AD hold the truth.

Run offline, from the root of the repository (about a minute on one core)::

    python calibration/make_within_group_coverage.py

Groups differ in mean and in how much their members differ.  The truth is the mean of an index over all such groups of
the same size, from two hundred thousand of them: its own error is below a hundredth of an interval's width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.within_group import mean_is_uncertain, mean_limits

SEED = 20261124
STUDIES = 2000
LEVEL = 0.95
ITEMS = 5
POPULATION = 200_000
INDICES = ("rwg", "rwg_j", "awg", "ad")
#: Latent mean of all groups: in the middle of the scale, or high on it.
WORLDS = {"middle": 0.0, "high": 1.2}
TABLE = Path(__file__).with_name("within_group_coverage.csv")
COLUMNS = ("statistic", "method", "data", "groups", "members", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One cell: how many groups of how many members, in which world."""

    data: str
    groups: int
    members: int


def cells() -> list[Cell]:
    """Return all cells of the table."""
    return [Cell(*each) for each in product(WORLDS, (6, 12, 24, 50), (5, 20))]


def indices(cell: Cell, groups: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return each index of groups drawn anew (groups,): five answers, items alike."""
    size = (groups, cell.members, ITEMS)
    level = WORLDS[cell.data] + 0.4 * rng.normal(size=(groups, 1, 1))
    spread = np.exp(0.35 * rng.normal(size=(groups, 1, 1)))
    person = math.sqrt(0.5) * rng.normal(size=(groups, cell.members, 1))
    latent = level + spread * (person + math.sqrt(0.5) * rng.normal(size=size))
    answers = np.clip(np.round(3 + latent), 1, 5).reshape(-1, ITEMS)
    made = pm.within_group_agreement(answers, np.repeat(np.arange(groups), cell.members), low=1, high=5)
    return {name: getattr(made, name).estimate for name in INDICES}


def rows(cell: Cell) -> list[dict[str, object]]:
    """Return the lines of one cell, one an index."""
    name = f"{cell.data}/{cell.groups}/{cell.members}"
    truth = indices(cell, POPULATION, stream(SEED, f"truth/{cell.data}/{cell.members}"))
    drawn = indices(cell, STUDIES * cell.groups, stream(SEED, name))
    made = []
    for index in INDICES:
        estimates = drawn[index].reshape(STUDIES, cell.groups)
        low, high = mean_limits(estimates, LEVEL)
        counts = counted(low, high, float(np.nanmean(truth[index])), mean_is_uncertain(estimates), SEED)
        place = {"statistic": index, "method": "t, corrected for skewness", **cell.__dict__}
        made.append({**place, **counts})
    return made


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, (row for cell in cells() for row in rows(cell)))


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")  # awg is not defined at extreme means, which is part of the truth
    main()
