"""Make calibration/comparison_coverage.csv: how often differences of sites are held, and how many are found falsely.

Run offline, from the root of the repository (about five minutes on one core)::

    python calibration/make_comparison.py

Sites have files of assessors, read by raters who each take whole sites and read a part of the others' files again. A
yes is a latent normal value above a threshold, so that the expected share is the planted level whatever assessors,
raters and files hold. Everything goes through `score_municipalities` and `compare_sites`, with the rater's part told
(``seen``) or not. Coverage is the mean over all pairs of a study; false discoveries are pairs of sites planted alike,
or found to differ in the wrong direction, among all pairs that are called different.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from coverage_table import REQUIRED, write_table
from scipy.special import ndtri

import ibic_fidelity as ibic
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Frame, Responses, source_table
from ibic_fidelity.scoring.comparison.false_discovery import adjusted

SEED = 20261128
STUDIES = 400
LEVEL = 0.95
RATE = 0.05
AGAIN = 0.3
#: Latent shares of assessors, of the rater and of one reading.
ASSESSOR, READING = 0.10, 0.10
#: Planted levels, dealt to the sites in turn: all alike, or three levels, or high ones.
WORLDS = {"alike": (0.7,), "middle": (0.3, 0.6, 0.85), "high": (0.8, 0.9, 0.97)}
TABLE = Path(__file__).with_name("comparison_coverage.csv")
COLUMNS = (
    "world", "sites", "files", "assessors", "raters", "rater_share", "seen", "studies", "coverage", "mc_low", "mc_high",
    "required_low", "required_high", "within", "width", "fdr_bh", "fdr_bh_mc_low", "fdr_by", "power", "flagged",
    "seed",
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One cell: how many sites of how many files, which world, how many raters and how severe."""

    world: str
    sites: int
    files: int
    assessors: int
    raters: int
    rater_share: float

    @property
    def levels(self) -> np.ndarray:
        """Return the planted level of every site."""
        levels = WORLDS[self.world]
        return np.array([levels[site % len(levels)] for site in range(self.sites)])


def cells() -> list[Cell]:
    """Return all cells of the table."""
    made = [Cell(world, 24, files, 5, 6, 0.03) for world in WORLDS for files in (10, 30)]
    return [
        *made,
        Cell("middle", 24, 30, 5, 3, 0.06),
        Cell("middle", 8, 30, 5, 3, 0.03),
        Cell("high", 48, 20, 4, 12, 0.0),
    ]


def instrument() -> Instrument:
    """Return an instrument with one audited yes or no."""
    both = {"sv": "x", "en": "x"}
    source = {"id": "files", "label": both, "kind": "audit", "unit": both, "units": both}
    levels = [{"code": code, "anchor": {"sv": str(code), "en": str(code)}} for code in (0, 1)]
    measure = {"id": "m1", "source": "files", "scale": "yesno", "role": "primary", "wording": both}
    item = {"id": "m1", "label": "M1", "component": "c", "idea": both, "rationale": both, "cites": ["r"]}
    return Instrument.model_validate({
        "format": 1, "id": "one", "version": "1.0.0", "status": "candidate", "rubric": "none",
        "title": both, "about": both, "site": {"one": both, "many": both}, "sources": [source],
        "scales": [{"id": "yesno", "type": "share", "levels": levels}],
        "components": [{"id": "c", "label": both, "dimension": "core", "measurement_model": "formative"}],
        "references": [{"id": "r", "citation": "x"}], "items": [{**item, "measures": [measure]}],
    })  # fmt: skip


def study(cell: Cell, rng: np.random.Generator, severity: np.ndarray | None = None) -> Responses:
    """Return the answers of one study, read by raters of a severity drawn anew or given (raters,), standard normal."""
    site = np.repeat(np.arange(cell.sites), cell.files)
    assessor = np.tile(np.arange(cell.files) % cell.assessors, cell.sites) + cell.assessors * site
    first = site % cell.raters
    again = np.flatnonzero(rng.random(len(site)) < AGAIN)
    second = (first[again] + 1 + rng.integers(0, cell.raters - 1, len(again))) % cell.raters
    row = np.concatenate([np.arange(len(site)), again])
    rater = np.concatenate([first, second])
    file_share = 1 - ASSESSOR - READING - cell.rater_share
    latent = (
        ndtri(cell.levels)[site][row]
        + math.sqrt(ASSESSOR) * rng.normal(size=cell.sites * cell.assessors)[assessor][row]
        + math.sqrt(file_share) * rng.normal(size=len(site))[row]
        + math.sqrt(cell.rater_share) * (rng.normal(size=cell.raters) if severity is None else severity)[rater]
        + math.sqrt(READING) * rng.normal(size=len(row))
    )
    keys = {
        "site": [f"{one:04d}" for one in site[row].tolist()],
        "cluster": [f"a{one}" for one in assessor[row].tolist()],
        "unit": [f"u{one}" for one in row.tolist()],
        "rater": [f"r{one}" for one in rater.tolist()],
    }
    table = source_table("files", ("m1",), (latent > 0).astype(np.int8)[:, None], keys)
    return Responses({"files": table}, Frame(), "one", "1.0.0", "", "simulated", synthetic=True)


def outcomes(cell: Cell, studies: int, rng: np.random.Generator, made: Instrument) -> Iterator[dict[bool, np.ndarray]]:
    """Yield of each study, by whether raters are seen: coverage, width, false share by BH and BY, power, flagged."""
    levels = 100 * cell.levels
    for _ in range(studies):
        found = study(cell, rng)
        scores = ibic.score_municipalities(found, made, confidence_level=LEVEL)
        told = {}
        for seen in (True, False):
            given = {"responses": found, "instrument": made} if seen else {}
            rows = ibic.compare_sites(scores, "c", false_discovery=RATE, **given).rows
            truth = levels[rows["site"].astype(int)] - levels[rows["other"].astype(int)]
            held = (rows["ci_low"] <= truth + 1e-9) & (truth - 1e-9 <= rows["ci_high"])
            false, power = {}, math.nan
            for way in ("bh", "by"):
                sign = np.where(adjusted(rows["p_value"], way) <= RATE, np.sign(rows["estimate"]), 0)
                wrong = (sign != 0) & (sign != np.sign(np.round(truth, 9)))
                false[way] = wrong.sum() / max((sign != 0).sum(), 1)
                if way == "bh" and (np.abs(truth) > 1e-9).any():
                    power = ((sign != 0) & ~wrong).sum() / (np.abs(truth) > 1e-9).sum()
            width = float((rows["ci_high"] - rows["ci_low"]).mean())
            told[seen] = np.array([held.mean(), width, false["bh"], false["by"], power, (rows["flag"] != "").mean()])
        yield told


def rows(cell: Cell, studies: int = STUDIES, seed: int = SEED) -> list[dict[str, object]]:
    """Return the lines of one cell, raters seen or not."""
    made = instrument()
    rng = stream(seed, "/".join(map(str, cell.__dict__.values())))
    told = list(outcomes(cell, studies, rng, made))
    lines = []
    for seen in (True, False):
        values = np.stack([one[seen] for one in told])
        mean, error = values.mean(axis=0), 1.96 * values.std(axis=0, ddof=1) / math.sqrt(studies)
        lines.append({
            **cell.__dict__, "seen": "yes" if seen else "no", "studies": studies,
            "coverage": f"{mean[0]:.4f}", "mc_low": f"{mean[0] - error[0]:.4f}", "mc_high": f"{mean[0] + error[0]:.4f}",
            "required_low": REQUIRED[0], "required_high": REQUIRED[1],
            "within": "yes" if REQUIRED[0] <= mean[0] <= REQUIRED[1] else "no", "width": f"{mean[1]:.2f}",
            "fdr_bh": f"{mean[2]:.4f}", "fdr_bh_mc_low": f"{mean[2] - error[2]:.4f}", "fdr_by": f"{mean[3]:.4f}",
            "power": f"{mean[4]:.4f}", "flagged": f"{mean[5]:.4f}", "seed": seed,
        })  # fmt: skip
    return lines


def main() -> None:
    """Write the table."""
    write_table(TABLE, COLUMNS, (row for cell in cells() for row in rows(cell)))


if __name__ == "__main__":
    main()
