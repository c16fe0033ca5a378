"""Make calibration/content_validity_coverage.csv: how often intervals of a panel's indices hold the truth.

Run offline, from the root of the repository (under a minute)::

    python calibration/make_content_validity_coverage.py

Experts are drawn from all who could have been asked. For Aiken's V, ratings on 1-4 are ``points`` (three independent
points, what the interval assumes), ``gathered`` (at the two ratings beside the mean) or ``divided`` (experts differ,
beta with intraclass correlation .5).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.content_validity._panels import LEAST_EXPERTS, exact_limits
from ibic_fidelity.psychometrics.content_validity.aiken import MOST_SPREAD, score_limits

SEED = 20261128
LEVEL = 0.95
STUDIES = 4000
POINTS = 3
SIZES = (4, 6, 10, 20)
TRUTHS = (0.6, 0.8, 0.95)
DIVIDED = 0.5
TABLE = Path(__file__).with_name("content_validity_coverage.csv")
COLUMNS = ("statistic", "method", "data", "n", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One cell: a panel of n, and what all who could have been asked would give."""

    statistic: str
    method: str
    data: str
    n: int
    truth: float

    @property
    def name(self) -> str:
        """Return the name of the cell's stream."""
        return f"{self.statistic}/{self.data}/{self.n}/{self.truth}"


def cells() -> list[Cell]:
    """Return all cells of the table."""
    index = [Cell("content_validity_index", "Clopper-Pearson", "yes or no", n, p) for n in SIZES for p in TRUTHS]
    return index + [
        Cell("aiken_v", "score", data, n, v)
        for data in ("points", "gathered", "divided")
        for n in SIZES
        for v in TRUTHS
    ]


def ratings(cell: Cell, rng: np.random.Generator, studies: int) -> np.ndarray:
    """Return ratings (studies, n): 0 or 1 for the index, 0-3 for V."""
    shape = (studies, cell.n)
    if cell.statistic == "content_validity_index":
        return (rng.random(shape) < cell.truth).astype(float)
    if cell.data == "gathered":
        below = np.floor(POINTS * cell.truth)
        return below + (rng.random(shape) < POINTS * cell.truth - below)
    total = (1 - DIVIDED) / DIVIDED
    own = rng.beta(total * cell.truth, total * (1 - cell.truth), shape) if cell.data == "divided" else cell.truth
    return rng.binomial(POINTS, own, shape).astype(float)


def limits(cell: Cell, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the limits of every study, and whether they are flagged."""
    few = np.full(len(x), cell.n < LEAST_EXPERTS)
    if cell.statistic == "content_validity_index":
        low, high = exact_limits(x.sum(axis=1).astype(np.int64), np.full(len(x), cell.n), LEVEL)
        return low, high, few
    value = x.mean(axis=1) / POINTS
    low, high = score_limits(value, np.full(len(x), cell.n * float(POINTS)), LEVEL)
    assumed = POINTS * value * (1 - value)
    spread = np.divide(x.var(axis=1, ddof=1), assumed, out=np.zeros(len(x)), where=assumed > 1e-12)
    return low, high, few | (spread > MOST_SPREAD)


def row(cell: Cell) -> dict[str, object]:
    """Return the line of one cell."""
    low, high, flagged = limits(cell, ratings(cell, stream(SEED, cell.name), STUDIES))
    return {**cell.__dict__, **counted(low, high, cell.truth, flagged, SEED)}


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, (row(cell) for cell in cells()))


if __name__ == "__main__":
    main()
