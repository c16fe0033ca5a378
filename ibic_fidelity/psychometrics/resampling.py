"""Bootstrap over rows: a replicate is how often each row counts, so that a block of replicates is one product."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.foundation.results import ConfidenceInterval
from ibic_fidelity.psychometrics._arguments import Floats, Integers

PERCENTILE = "percentile bootstrap of units"
#: Cells of a block of replicates, which bounds the memory of the bootstrap.
BLOCK = 2_000_000


def check_replicates(bootstrap: object) -> int:
    """Return the number of bootstrap replicates, 0 for none, or raise."""
    if not isinstance(bootstrap, int | np.integer) or isinstance(bootstrap, bool) or bootstrap < 0:
        raise UsageError("psychometrics.bootstrap", value=repr(bootstrap))
    return int(bootstrap)


def as_generator(rng: object, name: str) -> np.random.Generator:
    """Return a generator given, or the named stream of a seed given."""
    if isinstance(rng, np.random.Generator):
        return rng
    if not isinstance(rng, int | np.integer) or isinstance(rng, bool) or rng < 0:
        raise UsageError("psychometrics.rng", value=repr(rng))
    return stream(int(rng), name)


def bootstrap_estimates(
    kernel: Callable[[Floats], Floats], n: int, replicates: int, rng: np.random.Generator
) -> Floats:
    """Return the estimates (replicates, …) of samples of n rows drawn with replacement.

    The kernel takes how often each row counts (block, n) and gives estimates (block, …).  Replicates are drawn
    and computed in blocks, all of a block at once; the block changes no number drawn.
    """
    blocks = []
    step = max(1, BLOCK // max(n, 1))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        blocks.append(kernel(_counts(rng.integers(0, n, (size, n)), n)))
    return np.concatenate(blocks) if blocks else np.empty(0)


def _counts(drawn: Integers, n: int) -> Floats:
    """Return how often each of n rows was drawn (block, n); ten times as fast as multinomial draws."""
    counts = np.empty(drawn.shape)
    for row, of_row in zip(drawn, counts, strict=True):
        of_row[:] = np.bincount(row, minlength=n)
    return counts


def percentile_interval(estimates: Floats, level: float, method: str = PERCENTILE) -> tuple[ConfidenceInterval, int]:
    """Return the percentile interval of the estimates that are defined, and how many are not."""
    known = estimates[~np.isnan(estimates)]
    low, high = math.nan, math.nan
    if known.size:
        low, high = (float(limit) for limit in np.quantile(known, [0.5 - level / 2.0, 0.5 + level / 2.0]))
    return ConfidenceInterval(low, high, level, method), int(estimates.size - known.size)
