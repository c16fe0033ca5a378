"""Make calibration/grid_coverage.csv: score intervals over number of units, ceiling, differences of sites and blanks.

Run offline, from the root of the repository; cells that stand there already are kept::

    python calibration/make_grid.py

Each of 48 sites has n respondents who answer four questions of five levels. An answer is how many of four thresholds a
normal latent value is below, shifted by the site's level; `ceiling` is the share of answers at the highest level, over
all sites, `icc` the share of the latent variance that is between sites, and blanks are at random. Everything goes
through `score_municipalities`; coverage is of the component's planted mean, its limits over studies. A cell holds
19,200 intervals from 400 studies or more, with Monte Carlo limits; raise `STUDIES` and run again to have more.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from coverage_table import REQUIRED, read_table, write_table
from make_coverage import this_commit
from scipy.special import ndtr, ndtri

import ibic_fidelity as ibic
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import BLANK, Frame, Responses, source_table

SEED = 20261206
STUDIES = 400
SITES, ITEMS, LEVELS = 48, 4, 5
STEP = 0.45
#: Latent variance inside a site that one respondent's answers share.
PERSON = 0.4
GRID = ((5, 10, 30, 100), (0.1, 0.4, 0.6, 0.8), (0.05, 0.15, 0.30), (0.0, 0.2))
TABLE = Path(__file__).with_name("grid_coverage.csv")
COLUMNS = (
    "n", "ceiling", "icc", "missing", "studies", "intervals", "coverage", "below", "above", "mc_low", "mc_high",
    "required_low", "required_high", "within", "width", "bias", "flagged", "coverage_unflagged", "seed", "commit",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell."""

    n: int
    ceiling: float
    icc: float
    missing: float

    @property
    def name(self) -> str:
        """Return the name of its stream."""
        return "/".join(map(str, self.__dict__.values()))


def cells() -> list[Cell]:
    """Return all cells, 96."""
    return [Cell(*values) for values in itertools.product(*GRID)]


def instrument() -> Instrument:
    """Return an instrument with one component of four questions to respondents."""
    both = {"sv": "x", "en": "x"}
    source = {"id": "people", "label": both, "kind": "survey", "unit": both, "units": both, "minimum": 3,
              "item_minimum": 2}  # fmt: skip
    levels = [{"code": code, "anchor": {"sv": str(code), "en": str(code)}} for code in range(LEVELS)]
    items = [
        {
            "id": f"m{i}", "label": f"M{i}", "component": "c", "idea": both, "rationale": both, "cites": ["r"],
            "measures": [{"id": f"m{i}", "source": "people", "scale": "five", "role": "primary", "wording": both}],
        }
        for i in range(1, ITEMS + 1)
    ]  # fmt: skip
    return Instrument.model_validate({
        "format": 1, "id": "grid", "version": "1.0.0", "status": "candidate", "rubric": "none",
        "title": both, "about": both, "site": {"one": both, "many": both}, "sources": [source],
        "scales": [{"id": "five", "type": "levels", "levels": levels}],
        "components": [{"id": "c", "label": both, "dimension": "core", "measurement_model": "formative"}],
        "references": [{"id": "r", "citation": "x"}], "items": items,
    })  # fmt: skip


def studies_of(cell: Cell, rng: np.random.Generator) -> Iterator[tuple[Responses, np.ndarray]]:
    """Yield responses and the true mean 0–100 of every site, without end."""
    columns = tuple(f"m{i}" for i in range(1, ITEMS + 1))
    site = np.repeat(np.arange(SITES), cell.n)
    keys = {"site": [f"{one:04d}" for one in site], "unit": [f"u{i:05d}" for i in range(len(site))]}
    frame = source_table("people", columns, np.zeros((len(site), ITEMS), np.int8), keys)
    # the highest level is below the lowest threshold: P(z < shift + steps[0]) = ceiling, z of variance 1 in all
    steps = STEP * np.arange(LEVELS - 1) + ndtri(cell.ceiling)
    within = math.sqrt(1 - cell.icc)
    while True:
        level = math.sqrt(cell.icc) * rng.standard_normal(SITES)
        own = within * (
            math.sqrt(PERSON) * rng.standard_normal((len(site), 1))
            + math.sqrt(1 - PERSON) * rng.standard_normal((len(site), ITEMS))
        )
        codes = ((own - level[site, None])[..., None] < steps).sum(axis=2).astype(np.int8)
        codes[rng.random(codes.shape) < cell.missing] = BLANK
        truth = 100 * ndtr((steps + level[:, None]) / within).mean(axis=1)
        table = replace(frame, codes=np.asfortranarray(codes))
        yield Responses({"people": table}, Frame(), "grid", "1.0.0", "", "simulated", synthetic=True), truth


def row(cell: Cell, studies: int = STUDIES, *, seed: int = SEED) -> dict[str, object]:
    """Return the line of a cell."""
    made = instrument()
    drawn = studies_of(cell, stream(seed, "calibration/grid", cell.name))
    sums = np.zeros((studies, 8))
    for place, (responses, truth) in zip(range(studies), drawn, strict=False):
        rows = ibic.score_municipalities(responses, made).rows
        rows = rows.where(rows["level"] == "component")
        low, high, estimate = (rows[name].astype(float) for name in ("ci_low", "ci_high", "estimate"))
        known = np.isfinite(low)
        below, above = (high < truth)[known], (low > truth)[known]
        clean = (rows["flag"] == "")[known]
        held = ~(below | above)
        sums[place] = (
            known.sum(), held.sum(), below.sum(), above.sum(), (high - low)[known].sum(),
            (estimate - truth)[known].sum(), clean.sum(), (held & clean).sum(),
        )  # fmt: skip
    n, held, below, above, width, bias, clean, clean_held = sums.sum(axis=0)
    coverage = held / n
    error = 1.96 * math.sqrt(((sums[:, 1] - coverage * sums[:, 0]) ** 2).sum() / (studies - 1) * studies) / n
    return {
        **cell.__dict__, "studies": studies, "intervals": int(n), "coverage": f"{coverage:.4f}",
        "below": f"{below / n:.4f}", "above": f"{above / n:.4f}",
        "mc_low": f"{coverage - error:.4f}", "mc_high": f"{coverage + error:.4f}",
        "required_low": REQUIRED[0], "required_high": REQUIRED[1],
        "within": "yes" if REQUIRED[0] <= coverage <= REQUIRED[1] else "no", "width": f"{width / n:.2f}",
        "bias": f"{bias / n:.3f}", "flagged": f"{1 - clean / n:.4f}",
        "coverage_unflagged": f"{clean_held / clean:.4f}" if clean else "nan", "seed": seed, "commit": this_commit(),
    }  # fmt: skip


def main() -> None:
    """Make the cells that are lacking, and write the table after each."""
    done = {Cell(int(r["n"]), *(float(r[k]) for k in ("ceiling", "icc", "missing"))): r for r in (
        read_table(TABLE) if TABLE.exists() else []
    )}  # fmt: skip
    for cell in cells():
        if cell not in done or int(done[cell]["studies"]) < STUDIES:
            done[cell] = row(cell)
            write_table(TABLE, COLUMNS, (done[one] for one in cells() if one in done))


if __name__ == "__main__":
    main()
