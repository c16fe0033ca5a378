"""The reference call of the speed figures, and what scoring is timed on.

The reference is ``pd.DataFrame(x).groupby(site).mean()`` on the same answers as float64 in wide form with
integer site codes.  `answers` makes them; `responses_of` holds them as `Responses` already read.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import BLANK, Frame, Responses, source_table


def wide_group_means(x: NDArray[np.float64], site: NDArray[np.int64]) -> pd.DataFrame:
    """The reference call."""
    return pd.DataFrame(x).groupby(site).mean()


def answers(n_sites: int, units: int, measures: int, *, seed: int = 0) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return codes 0-4 with 3 % blanks, shape (n_sites * units, measures), and the site of every row."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(n_sites), units)
    codes = rng.binomial(4, rng.uniform(0.2, 0.9, n_sites)[site][:, None], (len(site), measures)).astype(np.int8)
    codes[rng.random(codes.shape) < 0.03] = BLANK
    return codes, site


def survey_instrument(measures: int, *, n_components: int = 8) -> Instrument:
    """Return an instrument with one source and a number of 0-4 measures."""
    both = {"sv": "x", "en": "x"}
    levels = [{"code": c, "anchor": {"sv": f"n{c}", "en": f"n{c}"}} for c in range(5)]
    items = [
        {
            "id": f"m{j:03d}", "label": f"M{j}", "component": f"c{j % n_components}", "idea": both,
            "rationale": both, "cites": ["ref"],
            "measures": [{"id": f"m{j:03d}", "source": "files", "scale": "five", "role": "primary", "wording": both}],
        }
        for j in range(measures)
    ]  # fmt: skip
    return Instrument.model_validate(
        {
            "format": 1, "id": "bench", "version": "1.0.0", "status": "candidate", "rubric": "none",
            "title": both, "about": both, "site": {"one": both, "many": both},
            "sources": [{"id": "files", "label": both, "kind": "audit", "unit": both, "units": both}],
            "scales": [{"id": "five", "type": "levels", "levels": levels}],
            "components": [
                {"id": f"c{c}", "label": both, "dimension": "core", "measurement_model": "formative"}
                for c in range(n_components)
            ],
            "totals": [{"id": "total_core", "label": both, "dimensions": ["core"]}],
            "references": [{"id": "ref", "citation": "none"}],
            "items": items,
        }
    )  # fmt: skip


def responses_of(
    codes: NDArray[np.int8], site: NDArray[np.int64], instrument: Instrument, *, clusters_per_site: int = 6
) -> Responses:
    """Return the answers as `Responses`, files nested under assessors."""
    n = len(site)
    keys = {
        "site": [f"{s:04d}" for s in site],
        "unit": [f"u{i:07d}" for i in range(n)],
        "cluster": [f"{s}-{i % clusters_per_site}" for i, s in enumerate(site)],
    }
    table = source_table("files", instrument.columns_of("files"), codes, keys)
    return Responses({"files": table}, Frame(), instrument.id, instrument.version, instrument.sha256, "", True)


def best_of(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of some timings, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory(function: Callable[[], Any]) -> int:
    """Return the peak of memory that a call allocates, in bytes."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
