"""Polychoric correlations of bfi's 25 items beside R's lavaan and psych, and of a million respondents.

python benchmarks/correlation_speed.py [respondents]

Ours is with standard errors, intervals and the covariance of 425 estimates; lavaan::lavCor and psych::polychoric give
the matrix alone.  R's times are taken inside R, the best of three, without its start; where R or a package is not
installed its part is skipped by name.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from reference import best_of

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.psychometrics.correlation._tables import count_pairs

BFI = Path(__file__).resolve().parents[1] / "tests/reference/data/bfi.csv"
ITEMS = [f"{scale}{i}" for scale in "ACENO" for i in range(1, 6)]
#: How many times as fast each is to be.
GOALS = {"lavaan": 5.0, "psych": 20.0}
CALLS = {"lavaan": "lavCor(x, ordered = names(x))", "psych": "polychoric(x)"}

R_CODE = """
args <- commandArgs(TRUE)
if (!suppressWarnings(suppressPackageStartupMessages(require(args[2], character.only = TRUE)))) quit(status = 3)
x <- read.csv(args[1])
took <- sapply(1:3, function(i) system.time(suppressWarnings(suppressMessages({call})))[["elapsed"]])
cat("\\n", min(took), sep = "")
"""


def table() -> NDArray[np.float64]:
    """Return the complete rows of the 25 items."""
    with BFI.open(encoding="utf-8", newline="") as handle:
        rows = [[row[item] for item in ITEMS] for row in csv.DictReader(handle)]
    return np.array([row for row in rows if "NA" not in row], dtype=np.float64)


def seconds_in_r(x: NDArray[np.float64], package: str) -> float | None:
    """Return the seconds that the package takes, or None with a printed line where it is not there."""
    if shutil.which("Rscript") is None:
        print(f"{package}: skipped, Rscript is not installed")
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder, "x.csv"), Path(folder, "speed.R")
        np.savetxt(data, x, delimiter=",", header=",".join(ITEMS), comments="", fmt="%d")
        script.write_text(R_CODE.replace("{call}", CALLS[package]), encoding="utf-8")
        done = subprocess.run(["Rscript", str(script), str(data), package], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        print(f"{package}: skipped, the R package is not installed")
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the seconds of each and the ratios to R's, then those of many respondents."""
    respondents = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    x = table()
    pm.polychoric_correlation(x)  # imports are not counted
    ours = best_of(lambda: pm.polychoric_correlation(x), 5)
    bare = best_of(lambda: pm.polychoric_correlation(x, asymptotic_covariance=False), 5)
    print(f"{x.shape[0]} x {x.shape[1]}: ours with the covariance {ours:.3f} s, without it {bare:.3f} s")
    for package, call in CALLS.items():
        theirs = seconds_in_r(x, package)
        if theirs is not None:
            times = theirs / ours
            print(f"{package}::{call} {theirs:.2f} s, ours {times:.1f} x as fast (goal {GOALS[package]:.0f})")
    many = x.astype(np.int8)[np.random.default_rng(0).integers(0, len(x), respondents)]
    counting = best_of(lambda: count_pairs(many - 1, 6), 1)
    whole = best_of(lambda: pm.polychoric_correlation(many, asymptotic_covariance=False), 1)
    print(f"{respondents} x {x.shape[1]}, int8: {whole:.2f} s with standard errors, of which counting {counting:.2f} s")


if __name__ == "__main__":
    main()
