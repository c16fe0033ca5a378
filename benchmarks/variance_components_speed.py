"""Likelihood intervals of the components of InstEval: 73,421 ratings, 2,972 students, 1,128 lecturers, 14 departments.

    python benchmarks/variance_components_speed.py

lme4's confint() profiles the likelihood that is not restricted; it took 435 seconds, and its limits stand in
tests/reference/variance_components.json.  The same intervals are made here, and beside them those of the restricted
likelihood, which `variance_components` gives: with 14 departments these differ.  Printed are seconds and limits of
the standard deviations.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from ibic_fidelity.psychometrics import variance_components
from ibic_fidelity.psychometrics._engines.mixedlm import MixedModel
from ibic_fidelity.psychometrics.generalizability._limits import profile_limits, satterthwaite_limits

REFERENCE = Path(__file__).parents[1] / "tests/reference/variance_components.json"
FACTORS = ("s", "d", "dept")
LEVEL = 0.95


def main() -> None:
    """Fit, find the limits, and print them beside those of lme4."""
    import mixedlm

    expected = json.loads(REFERENCE.read_text(encoding="utf-8"))["insteval"]
    data = mixedlm.load_insteval()
    y = data["y"].to_numpy(dtype=float)
    if (len(y), y.sum()) != (expected["n"], expected["sum"]):
        raise SystemExit("mixedlm.load_insteval() is not lme4's InstEval")
    said = expected["confint"]

    start = time.perf_counter()
    made = MixedModel.fit(y, {name: data[name].to_numpy() for name in FACTORS}, restricted=False)
    print(f"whole likelihood, fit: {time.perf_counter() - start:.1f} s, criterion {made.criterion:.6f}")
    for at, name in enumerate((*FACTORS, "residual")):
        value, error = float(made.values[at]), math.sqrt(float(made.covariance[at, at]))
        guess = satterthwaite_limits(value, error, LEVEL)
        found = profile_limits(
            lambda held, at=at: made.profile(at, held), value, made.criterion, guess, LEVEL, float(made.values[-1])
        )
        shown = [
            f"{math.sqrt(limit):.4f} (confint {other:.4f})" for limit, other in zip(found, said[name], strict=True)
        ]
        print(f"  {name:9}{shown[0]} to {shown[1]}")
    seconds = time.perf_counter() - start
    print(f"whole likelihood, all: {seconds:.1f} s; confint {said['seconds']} s, {said['seconds'] / seconds:.0f} times")

    start = time.perf_counter()
    result = variance_components(y, data[[*FACTORS]], design="s x (d : dept)", omit=("s x dept",), interval="profile")
    print(f"variance_components, REML with profiles: {time.perf_counter() - start:.1f} s")
    print(result.summary())


if __name__ == "__main__":
    main()
