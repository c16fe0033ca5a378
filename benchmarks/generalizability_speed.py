"""Variance components of a national audit, by REML for ratings nested in sites, beside mixedlm on the same model.

    python benchmarks/generalizability_speed.py [sites items [term left out]]

Every file of a site is read by the site's two raters of 24; 30 files, 49 items, a fifth of the ratings missing.
Answers 0 and 1 are thresholds on a latent normal value.  mixedlm is run once, on 60 sites and 12 items unless told:
with 49 items and rater×item it takes long, whatever the number of sites (`290 49 rater_item` takes minutes).
Printed are seconds, the peak of memory, and the curve over sites; every run has a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
from numpy.typing import NDArray

from ibic_fidelity.psychometrics.generalizability._design import Term, nested_design
from ibic_fidelity.psychometrics.generalizability._reml import fit_nested_reml

FILES, ITEMS, RATERS, MISSING = 30, 49, 24, 0.2
LATENT: dict[Term, float] = {
    "site": 0.15, "site_item": 0.05, "file": 0.10, "file_item": 0.10, "rater": 0.02, "rater_item": 0.02,
    "rater_file": 0.03,
}  # fmt: skip
MODEL: tuple[Term, ...] = tuple(LATENT)
Codes = dict[str, NDArray[np.int64]]


def audit(
    n_sites: int, *, files: int = FILES, items: int = ITEMS, raters: int = RATERS, binary: bool = True, seed: int = 0
) -> tuple[NDArray[np.float64], Codes]:
    """Return ratings and codes of an audit; raters s and s + 1 + s // raters read site s, so that all are linked."""
    rng = np.random.default_rng(seed)
    site, file, slot, item = (a.ravel() for a in np.indices((n_sites, files, 2, items)))
    kept = rng.random(len(site)) >= MISSING
    site, file, slot, item = site[kept], file[kept], slot[kept], item[kept]
    second = 1 + site // raters % (raters - 1)
    rater = (site + slot * second) % raters
    unit = site * files + file
    keys = {
        "site": site, "site_item": site * items + item, "file": unit, "file_item": unit * items + item,
        "rater": rater, "rater_item": rater * items + item, "rater_file": unit * raters + rater,
    }  # fmt: skip
    latent = rng.normal(scale=np.sqrt(1 - sum(LATENT.values())), size=len(site))
    for term, variance in LATENT.items():
        latent += rng.normal(scale=np.sqrt(variance), size=keys[term].max() + 1)[keys[term]]
    latent += rng.uniform(-1.5, 0.5, items)[item]
    y = (latent > 0).astype(np.float64) if binary else latent
    return y, {"site": site, "file": file, "item": item, "rater": rater, **{f"key_{t}": k for t, k in keys.items()}}


def ours(n_sites: int, n_items: int, terms: tuple[Term, ...]) -> dict[str, float]:
    """Count and fit; the rest of what is measured is in `main`."""
    y, codes = audit(n_sites, items=n_items)
    start, processor = time.perf_counter(), time.process_time()
    fit = fit_nested_reml(
        nested_design(y, **{name: codes[name] for name in ("site", "file", "item", "rater")}, terms=terms)
    )
    seconds = {"seconds": time.perf_counter() - start, "processor": time.process_time() - processor}
    return seconds | {"n": len(y), "evaluations": fit.n_evaluations, "criterion": fit.criterion} | fit.components


def other(n_sites: int, n_items: int, terms: tuple[Term, ...]) -> dict[str, float]:
    """The same model by mixedlm, its frame of strings not timed."""
    import mixedlm
    import pandas as pd

    y, codes = audit(n_sites, items=n_items)
    frame = pd.DataFrame(
        {"y": y, "item": codes["item"].astype(str)} | {t: codes[f"key_{t}"].astype(str) for t in terms}
    )
    formula = "y ~ item" + "".join(f" + (1 | {term})" for term in terms)
    start, processor = time.perf_counter(), time.process_time()
    made = mixedlm.lmer(formula, frame)
    seconds = {"seconds": time.perf_counter() - start, "processor": time.process_time() - processor}
    groups = made.VarCorr().groups
    components = {term: float(next(iter(groups[term].variance.values()))) for term in terms}
    return (
        seconds | {"n": len(y), "criterion": float(made.REMLcrit())} | components | {"residual": float(made.sigma) ** 2}
    )


def child(which: str, n_sites: int, n_items: int = ITEMS, left_out: str = "none") -> dict[str, float]:
    """Run one of the two in a process of its own, so that its peak of memory is its own."""
    made = subprocess.run(
        [sys.executable, __file__, which, str(n_sites), str(n_items), left_out],
        capture_output=True,
        text=True,
        check=True,
        timeout=3600,
    )
    return json.loads(made.stdout)


def told(what: str, made: dict[str, float]) -> str:
    """Return a line of the curve."""
    return (
        f"{what} {made['n']:7.0f} ratings: {made['seconds']:6.2f} s ({made['processor']:.2f} of processor), "
        f"{made['evaluations']:.0f} evaluations, peak {made['peak']:.0f} MB with Python and data"
    )


def main() -> None:
    """Print the curve over sites and, beside mixedlm, the ratio of times and the differences of estimates."""
    if len(sys.argv) == 5:
        terms = tuple(term for term in MODEL if term != sys.argv[4])
        made = {"ours": ours, "mixedlm": other}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]), terms)
        print(json.dumps(made | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    n_sites, n_items = (int(a) for a in sys.argv[1:3]) if len(sys.argv) >= 3 else (60, 12)
    left_out = sys.argv[3] if len(sys.argv) == 4 else "none"
    for k in (24, 60, 120, 290):
        print(told(f"{k:4d} sites {ITEMS} items", child("ours", k)))
    found = child("ours", n_sites, n_items, left_out)
    print(told(f"{n_sites:4d} sites {n_items} items", found))
    beside = child("mixedlm", n_sites, n_items, left_out)
    components = [name for name in (*MODEL, "residual") if name in beside]
    apart = max(abs(found[c] / beside[c] - 1) for c in components)
    print(
        f"mixedlm: {beside['seconds']:.1f} s ({beside['processor']:.1f} s of processor), "
        f"peak {beside['peak']:.0f} MB; {beside['seconds'] / found['seconds']:.1f} times as long"
    )
    print(f"criterion {found['criterion']:.6f} and {beside['criterion']:.6f}; components apart at most {apart:.1e}")


if __name__ == "__main__":
    main()
