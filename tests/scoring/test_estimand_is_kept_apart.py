"""What compares, bands, ranks or publishes takes scores of the way of working only."""

import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.scoring.standards import CutSet, standard_bands


@pytest.fixture(scope="module")
def period():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=4), seed=1)
    return ibic.score_municipalities(study.responses, study.instrument, estimand="this_period"), study.instrument


VERBS = {
    "compare_sites": lambda s, i: ibic.compare_sites(s),
    "compare_with_peers": ibic.compare_with_peers,
    "site_funnel": lambda s, i: ibic.site_funnel(s),
    "compare_sources": lambda s, i: ibic.compare_sources(s),
    "weight_sensitivity": ibic.weight_sensitivity,
    "shrink_scores": ibic.shrink_scores,
    "standard_bands": lambda s, i: standard_bands(s, CutSet(("under", "over"), (55.0,), (3.0,))),
    "publish": ibic.publish,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_scores_of_this_period_are_refused(period, verb):
    with pytest.raises(UsageError) as caught:
        verb(*period)
    assert caught.value.code == "scoring.this_period_refused"
