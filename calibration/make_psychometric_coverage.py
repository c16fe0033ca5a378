"""Make calibration/psychometric_coverage.csv: how often the intervals of alpha and ICC(1) hold the truth.

Run offline, from the root of the repository (about two minutes on one core)::

    python calibration/make_psychometric_coverage.py

Each cell draws its own named stream under one seed, so that cells can be added without moving others.
Studies are a leading axis; the kernels are those of the package.  Truth comes from the parameters alone:
for answers on few levels by Gauss–Hermite integration over the common part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from coverage_table import COUNTED, counted, write_table
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics._arguments import end_share
from ibic_fidelity.psychometrics.consistency.internal_consistency import (
    PILED_UP,
    SKEWED,
    TOO_NARROW,
    alpha_of,
    feldt_limits,
    variance_inflation,
)
from ibic_fidelity.psychometrics.intraclass.groups import PILED_UP as ICC_PILED_UP
from ibic_fidelity.psychometrics.intraclass.groups import reliability, variance_ratio_limits

SEED = 20261121
STUDIES = 2000
LEVEL = 0.95
#: Shares of the answers, low to high; the last share is the ceiling; "normal" is not cut.
ANSWERS = {
    "normal": None,
    "symmetric": (0.07, 0.24, 0.38, 0.24, 0.07),
    "skewed": (0.05, 0.10, 0.15, 0.30, 0.40),
    "ceiling60": (0.04, 0.06, 0.10, 0.20, 0.60),
    "ceiling80": (0.02, 0.04, 0.06, 0.08, 0.80),
    "binary": (0.50, 0.50),
}
SIZES = {"equal": (20,), "unequal": (5, 10, 20, 30, 100)}
#: Both intervals of alpha are tried on the same studies.
FELDT = ("Feldt", "Feldt, adjusted")
TABLE = Path(__file__).with_name("psychometric_coverage.csv")
COLUMNS = ("statistic", "method", "data", "n", "k", "groups", "sizes", *COUNTED)


@dataclass(frozen=True)
class Cell:
    """One cell: for alpha n respondents and k items, for icc1 a number of groups and their sizes."""

    statistic: str
    method: str
    data: str
    truth: float
    n: int = 0
    k: int = 0
    groups: int = 0
    sizes: str = ""

    @property
    def name(self) -> str:
        """Return the name of the cell's random stream."""
        return f"{self.statistic}/{self.data}/{self.truth}/{self.n}/{self.k}/{self.groups}/{self.sizes}"

    @property
    def group_sizes(self) -> np.ndarray:
        """Return the sizes (J,), the pattern repeated."""
        pattern = SIZES[self.sizes]
        return np.array([pattern[i % len(pattern)] for i in range(self.groups)])


def cells() -> list[Cell]:
    """Return all cells of the table."""
    alphas = product(ANSWERS, (0.5, 0.7, 0.9), (20, 50, 200), (3, 5, 10))
    iccs = product(ANSWERS, (0.05, 0.15, 0.30), (12, 24, 50), SIZES)
    return [
        *(Cell("alpha", method, data, truth, n=n, k=k) for data, truth, n, k in alphas for method in FELDT),
        *(Cell("icc1", "exact F", data, truth, groups=j, sizes=sizes) for data, truth, j, sizes in iccs),
    ]


def cut(latent: np.ndarray, data: str) -> np.ndarray:
    """Return answers: standard normal as it is, or cut to levels 0, 1, … of the given shares."""
    shares = ANSWERS[data]
    if shares is None:
        return latent
    return np.searchsorted(ndtri(np.cumsum(shares)[:-1]), latent).astype(np.float64)


def correlation_of_answers(latent_correlation: float, data: str) -> float:
    """Return the correlation of two answers whose latent parts correlate so (one common normal part)."""
    shares = ANSWERS[data]
    if shares is None:
        return latent_correlation
    nodes, weights = np.polynomial.hermite_e.hermegauss(201)
    weights = weights / weights.sum()
    cuts = ndtri(np.cumsum(shares)[:-1])
    common = math.sqrt(latent_correlation) * nodes[:, None]
    above = ndtr((common - cuts) / math.sqrt(1.0 - latent_correlation))
    expected = above.sum(axis=1)  # an answer is the number of cuts that it exceeds
    levels = np.arange(len(shares))
    mean = levels @ np.array(shares)
    variance = np.square(levels - mean) @ np.array(shares)
    return float((weights @ np.square(expected) - mean**2) / variance)


@cache
def latent_correlation(correlation: float, data: str) -> float:
    """Return the latent correlation that gives answers this correlation."""
    return float(brentq(lambda r: correlation_of_answers(r, data) - correlation, 1e-9, 0.9999, xtol=1e-14))


def draw(cell: Cell, studies: int, rng: np.random.Generator) -> np.ndarray:
    """Return studies (studies, n, k) of alpha, or (studies, members) of icc1, group after group."""
    if cell.statistic == "alpha":
        r = latent_correlation(cell.truth / (cell.k - (cell.k - 1) * cell.truth), cell.data)
        common = rng.standard_normal((studies, cell.n, 1))
        own = rng.standard_normal((studies, cell.n, cell.k))
    else:
        r = latent_correlation(cell.truth, cell.data)
        sizes = cell.group_sizes
        common = np.repeat(rng.standard_normal((studies, len(sizes))), sizes, axis=1)
        own = rng.standard_normal((studies, int(sizes.sum())))
    return cut(math.sqrt(r) * common + math.sqrt(1.0 - r) * own, cell.data)


def limits(cell: Cell, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper limits (studies,) by the package's kernels."""
    if cell.statistic == "alpha":
        inflation = np.maximum(variance_inflation(data), 1.0) if cell.method == "Feldt, adjusted" else 1.0
        return feldt_limits(alpha_of(data), cell.n, cell.k, LEVEL, inflation)
    sizes = cell.group_sizes
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(data, starts, axis=1) / sizes
    within = np.square(data - np.repeat(means, sizes, axis=1)).sum(axis=1)
    low, high = variance_ratio_limits(sizes, means, within, LEVEL)
    return reliability(low, 1.0), reliability(high, 1.0)


def flagged(cell: Cell, data: np.ndarray) -> np.ndarray:
    """Return in which studies (studies,) the package flags this interval."""
    if cell.statistic == "icc1":
        return end_share(data[..., np.newaxis])[..., 0] >= ICC_PILED_UP
    piled_up = end_share(data).mean(axis=-1)
    if cell.method == "Feldt, adjusted":
        return piled_up >= PILED_UP
    return (piled_up >= SKEWED) | (variance_inflation(data) > TOO_NARROW**2)


def row(cell: Cell) -> dict[str, object]:
    """Return one line of the table."""
    data = draw(cell, STUDIES, stream(SEED, cell.name))
    low, high = limits(cell, data)
    return {
        "statistic": cell.statistic, "method": cell.method, "data": cell.data,
        "n": cell.n or int(cell.group_sizes.sum()), "k": cell.k or "",
        "groups": cell.groups or "", "sizes": cell.sizes,
        **counted(low, high, cell.truth, flagged(cell, data), SEED),
    }  # fmt: skip


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, map(row, cells()))


if __name__ == "__main__":
    main()
