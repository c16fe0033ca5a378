"""What the coverage tables of psychometric intervals have in common: how often the truth was held."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

#: What an honest interval of 95 % may cover.
REQUIRED = (0.93, 0.975)
#: The columns after those that name the cell.
COUNTED = (
    "truth", "studies", "undefined", "coverage", "below", "above", "mc_low", "mc_high",
    "required_low", "required_high", "within", "flagged", "seed",
)  # fmt: skip


def wilson(count: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's limits of a share."""
    share = count / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def counted(low: np.ndarray, high: np.ndarray, truth: float, flagged: np.ndarray, seed: int) -> dict[str, object]:
    """Return the counted columns of one cell from the limits (studies,) and in which studies they are flagged."""
    known = ~(np.isnan(low) | np.isnan(high))
    n = int(known.sum())
    below, above = int((high[known] < truth).sum()), int((low[known] > truth).sum())
    covered = n - below - above
    mc_low, mc_high = wilson(covered, n) if n else (math.nan, math.nan)
    share = covered / n if n else math.nan
    return {
        "truth": truth, "studies": len(low), "undefined": len(low) - n, "coverage": f"{share:.4f}",
        "below": f"{below / max(n, 1):.4f}", "above": f"{above / max(n, 1):.4f}",
        "mc_low": f"{mc_low:.4f}", "mc_high": f"{mc_high:.4f}",
        "required_low": REQUIRED[0], "required_high": REQUIRED[1],
        "within": "yes" if REQUIRED[0] <= share <= REQUIRED[1] else "no",
        "flagged": f"{np.mean(flagged):.4f}", "seed": seed,
    }  # fmt: skip


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write the rows, each as soon as it is made."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            handle.flush()


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as text."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
