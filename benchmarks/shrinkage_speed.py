"""Shrinkage of 290 sites with 4,000 draws beside scoring them, in one run.

python benchmarks/shrinkage_speed.py [sites units measures]
"""

from __future__ import annotations

import sys

from reference import answers, best_of, responses_of, survey_instrument

from ibic_fidelity import score_municipalities, shrink_scores

LIMIT = 3.0  # seconds


def main() -> None:
    """Print both times; exit with 1 where shrinkage takes longer than its limit."""
    n_sites, units, measures = (int(a) for a in sys.argv[1:4]) if len(sys.argv) > 3 else (290, 60, 20)
    codes, site = answers(n_sites, units, measures)
    instrument = survey_instrument(measures)
    responses = responses_of(codes, site, instrument)
    scores = score_municipalities(responses, instrument)
    target = [*(part.id for part in instrument.totals), *(part.id for part in instrument.components)][0]
    scoring = best_of(lambda: score_municipalities(responses, instrument), 3)
    shrinking = best_of(lambda: shrink_scores(scores, instrument, statistic=target), 5)
    print(f"{n_sites} sites x {units} units x {measures} measures")
    print(f"score_municipalities {1000 * scoring:.0f} ms, shrink_scores with 4,000 draws {1000 * shrinking:.0f} ms")
    print(shrink_scores(scores, instrument, statistic=target).summary())
    if shrinking > LIMIT:
        sys.exit(1)


if __name__ == "__main__":
    main()
