"""The rescaled bootstrap of scores beside drawing and gathering the same indices by numpy, in one run, as a ratio.

python benchmarks/bootstrap_speed.py [sites units measures replicates]

The reference draws n − 1 of the n clusters of every site and gathers the clusters' values of total and components.
"""

from __future__ import annotations

import sys

import numpy as np
from reference import answers, best_of, responses_of, survey_instrument

from ibic_fidelity import score_municipalities

CLUSTERS, TARGETS = 6, 9


def main() -> None:
    """Print the ratio of times, the bootstrap's being what it adds to a call without one."""
    given = [int(a) for a in sys.argv[1:5]] if len(sys.argv) > 4 else [290, 690, 50, 2000]
    n_sites, units, measures, replicates = given
    codes, site = answers(n_sites, units, measures)
    instrument = survey_instrument(measures, n_components=TARGETS - 1)
    responses = responses_of(codes, site, instrument, clusters_per_site=CLUSTERS)
    values = np.random.default_rng(0).random((n_sites, CLUSTERS, TARGETS))

    def gather() -> float:
        rng = np.random.default_rng(1)
        return sum(v[rng.integers(0, CLUSTERS, (replicates, CLUSTERS - 1))].mean(axis=1)[0, 0] for v in values)

    rounds = []
    for _ in range(5):
        reference = best_of(gather, 2)
        plain = best_of(lambda: score_municipalities(responses, instrument), 2)
        whole = best_of(lambda: score_municipalities(responses, instrument, bootstrap=replicates, seed=1), 2)
        rounds.append(((whole - plain) / reference, whole - plain, reference))
    ratio, ours, reference = sorted(rounds)[len(rounds) // 2]
    print(f"{replicates} replicates, {n_sites} sites of {CLUSTERS} clusters, total and {TARGETS - 1} components")
    print(f"bootstrap {1000 * ours:.0f} ms, draw and gather {1000 * reference:.0f} ms, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
