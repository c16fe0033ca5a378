"""Scoring with intervals beside the reference call, in one run, as a ratio; and its peak memory.

python benchmarks/score_speed.py [sites units measures]
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from reference import answers, best_of, peak_memory, responses_of, survey_instrument, wide_group_means

from ibic_fidelity import score_municipalities

CLUSTERS = 6


def main() -> None:
    """Print the ratio of times, and peak memory as a multiple of the float64 array."""
    n_sites, units, measures = (int(a) for a in sys.argv[1:4]) if len(sys.argv) > 3 else (290, 400, 50)
    codes, site = answers(n_sites, units, measures)
    wide = np.where(codes >= 0, codes, np.nan).astype(np.float64)
    instrument = survey_instrument(measures)
    responses = responses_of(codes, site, instrument, clusters_per_site=CLUSTERS)
    frame = pd.DataFrame(wide)
    rounds = []
    for _ in range(5):
        reference = best_of(lambda: wide_group_means(wide, site), 3)
        built = best_of(lambda: frame.groupby(site).mean(), 3)
        ours = best_of(lambda: score_municipalities(responses, instrument), 3)
        rounds.append((ours / reference, ours, reference, built))
    ratio, ours, reference, built = sorted(rounds)[len(rounds) // 2]
    memory = peak_memory(lambda: score_municipalities(responses, instrument)) / wide.nbytes
    print(f"{n_sites} sites x {units} units x {measures} measures, {CLUSTERS} clusters a site")
    print(f"score_municipalities {1000 * ours:.0f} ms, groupby mean {1000 * reference:.0f} ms, ratio {ratio:.1f}")
    print(f"groupby mean of a frame that stood ready {1000 * built:.0f} ms, ratio {ours / built:.1f}")
    print(f"peak memory {memory:.2f} x the float64 array")


if __name__ == "__main__":
    main()
