"""Polychoric parallel analysis, 100 replicates, and minres factors beside R's psych, as ratios.

python benchmarks/exploratory_speed.py [replicates]

The 25 items of bfi, complete rows.  R's time is taken inside R, without its start; where R or psych is not installed
its part is skipped by name.  One thread of linear algebra each.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from reference import best_of
from threadpoolctl import threadpool_limits

from ibic_fidelity import psychometrics as pm

BFI = Path(__file__).resolve().parents[1] / "tests/reference/data/bfi.csv"
ITEMS = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
#: How many times as fast as psych::fa.parallel it is to be.
GOAL = 10.0

R_CODE = """
args <- commandArgs(TRUE)
if (!suppressWarnings(suppressPackageStartupMessages(require(psych)))) quit(status = 3)
options(mc.cores = 1)
x <- read.csv(args[1]); n <- as.integer(args[2]); set.seed(1)
took <- system.time(invisible(capture.output(suppressWarnings(suppressMessages(
  fa.parallel(x, cor = "poly", n.iter = n, plot = FALSE))))))
r <- cor(x)
fitted <- system.time(for (i in 1:20) suppressWarnings(suppressMessages(fa(r, 5, n.obs = nrow(x)))))
cat("\\n", took[["elapsed"]], " ", fitted[["elapsed"]] / 20, sep = "")
"""


def seconds_in_r(x: np.ndarray, replicates: int) -> tuple[float, float] | None:
    """Return the seconds of fa.parallel and of fa, or None with a printed line where they are not there."""
    if shutil.which("Rscript") is None:
        print("psych: skipped, Rscript is not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder, "x.csv"), Path(folder, "parallel.R")
        np.savetxt(data, x, delimiter=",", header=",".join(ITEMS), comments="", fmt="%g")
        script.write_text(R_CODE, encoding="utf-8")
        done = subprocess.run(
            ["Rscript", str(script), str(data), str(replicates)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    if done.returncode == 3:
        print("psych: skipped, the R package psych is not installed")
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    parallel, factors = (float(part) for part in done.stdout.split()[-2:])
    return parallel, factors


def main() -> int:
    """Print the seconds of each and the ratio to R's; 1 where parallel analysis misses its goal."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with BFI.open(encoding="utf-8", newline="") as handle:
        rows = [[row[item] for item in ITEMS] for row in csv.DictReader(handle)]
    x = np.array([row for row in rows if "NA" not in row], dtype=np.float64)
    threadpool_limits(1)
    ours = best_of(lambda: pm.parallel_analysis(x, correlation="polychoric", n_replicates=replicates), 3)
    fitted = best_of(lambda: pm.exploratory_factor_analysis(x, n_factors=5), 3)
    one = best_of(lambda: pm.exploratory_factor_analysis(x, n_factors=5, n_starts=1), 3)
    print(f"{x.shape[0]} x {x.shape[1]}, polychoric parallel analysis, {replicates} replicates: {ours:.2f} s")
    print(f"minres, 5 factors, oblimin from 30 starts {fitted:.3f} s, from one {one:.3f} s")
    theirs = seconds_in_r(x, replicates)
    if theirs is None:
        return 0
    print(f"psych::fa.parallel(cor = 'poly', n.iter = {replicates}) {theirs[0]:.2f} s: "
          f"{theirs[0] / ours:.0f} x as fast (goal {GOAL:.0f})")  # fmt: skip
    print(f"psych::fa(nfactors = 5), from the matrix, one start, {theirs[1]:.3f} s")
    return int(theirs[0] / ours < GOAL)


if __name__ == "__main__":
    sys.exit(main())
