"""Alpha, omega, ICC and kappa with 2,000 bootstrap replicates beside R's psych::alpha with as many, as ratios.

python benchmarks/reliability_speed.py [replicates]

The 25 items of bfi, complete rows resampled to 2,800.  R's time is taken inside R, without its start; where R or
psych is not installed its part is skipped by name.
"""

from __future__ import annotations

import csv
import inspect
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import best_of

from ibic_fidelity import psychometrics as pm

BFI = Path(__file__).resolve().parents[1] / "tests/reference/data/bfi.csv"
ITEMS = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
#: How many times as fast as psych::alpha each is to be.
GOAL = 20.0

R_CODE = """
args <- commandArgs(TRUE)
if (!suppressWarnings(suppressPackageStartupMessages(require(psych)))) quit(status = 3)
x <- read.csv(args[1]); n <- as.integer(args[2])
set.seed(1)
took <- system.time(suppressWarnings(suppressMessages(psych::alpha(x, n.iter = n, check.keys = FALSE))))
cat("\\n", took[["elapsed"]], sep = "")
"""


def table() -> NDArray[np.float64]:
    """Return 2,800 complete rows of the 25 items."""
    with BFI.open(encoding="utf-8", newline="") as handle:
        rows = [[row[item] for item in ITEMS] for row in csv.DictReader(handle)]
    whole = np.array([row for row in rows if "NA" not in row], dtype=np.float64)
    return whole[np.random.default_rng(0).integers(0, len(whole), 2800)]


def seconds_in_r(x: NDArray[np.float64], replicates: int) -> float | None:
    """Return the seconds that psych::alpha takes, or None with a printed line where it is not there."""
    if shutil.which("Rscript") is None:
        print("psych::alpha: skipped, Rscript is not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder, "x.csv"), Path(folder, "alpha.R")
        np.savetxt(data, x, delimiter=",", header=",".join(ITEMS), comments="", fmt="%g")
        script.write_text(R_CODE, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", str(script), str(data), str(replicates)], capture_output=True, text=True, check=False
        )
    if done.returncode == 3:
        print("psych::alpha: skipped, the R package psych is not installed")
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the seconds of each and the ratio to R's."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    x = table()
    calls: dict[str, Callable[..., Any]] = {
        "cronbach_alpha": pm.cronbach_alpha,
        "mcdonald_omega": pm.mcdonald_omega,
        "intraclass_correlation": pm.intraclass_correlation,
        "fleiss_kappa": pm.fleiss_kappa,
    }
    print(f"{x.shape[0]} x {x.shape[1]}, {replicates} bootstrap replicates")
    theirs = seconds_in_r(x, replicates)
    if theirs is not None:
        print(f"psych::alpha(x, n.iter = {replicates}) {theirs:.2f} s")
    for name, function in calls.items():
        if "bootstrap" not in inspect.signature(function).parameters:
            print(f"{name}: skipped, it has no bootstrap")
            continue
        ours = best_of(lambda function=function: function(x, bootstrap=replicates), 3)
        ratio = f", {theirs / ours:.0f} x as fast as psych::alpha (goal {GOAL:.0f})" if theirs is not None else ""
        print(f"{name} {ours:.3f} s{ratio}")


if __name__ == "__main__":
    main()
