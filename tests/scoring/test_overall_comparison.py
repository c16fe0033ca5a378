"""Everything compared at once: each part is the verb's own, or the reason why there is none."""

import dataclasses

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.psychometrics.standards.classification import classification_accuracy
from ibic_fidelity.scoring.standards import CutSet


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(ibic.StudyDesign(n_sites=12, files=24, service_areas=("aldre", "lss")), seed=2)


@pytest.fixture(scope="module")
def halves(study):
    return {site: "north" if i < 6 else "south" for i, site in enumerate(study.responses.sites)}


@pytest.fixture(scope="module")
def compared(study, halves):
    return ibic.compare_all(study.responses, study.instrument, groups=halves, draws=1000, seed=5)


def same(one, other):
    """JSON, but for the seed and options that the whole adds."""
    return one.to_json() == other.to_json()


def test_each_part_is_what_its_own_verb_returns(study, compared, halves):
    scores = ibic.score_municipalities(study.responses, study.instrument)
    coded = {"responses": study.responses, "instrument": study.instrument}
    assert same(compared.shrunken, ibic.shrink_scores(scores, study.instrument, draws=1000, seed=5))
    assert same(compared.funnel, ibic.site_funnel(scores))
    assert same(compared.pairs, ibic.compare_sites(scores, **coded))
    assert same(compared.peers, ibic.compare_with_peers(scores, groups=halves, **coded))
    assert same(compared.sources, ibic.compare_sources(scores))
    assert same(compared.weights, ibic.weight_sensitivity(scores, study.instrument, seed=5))
    assert same(compared.specificity, ibic.score_by_specificity(study.responses, study.instrument))
    assert same(compared.gaps["sex"], ibic.gap_between_items(scores, "ta3w", "ta3m"))
    assert same(compared.gaps["law_older"], ibic.gap_between_areas(scores, "lss", "aldre"))


def test_what_cannot_be_made_says_why(compared):
    assert compared.change.code == "scoring.one_wave"
    assert compared.gaps["age"].code == "scoring.unknown_area"
    assert "no earlier wave" in compared.summary()


def test_classification_is_that_of_the_scores_and_cuts(study, compared):
    scores = ibic.score_municipalities(study.responses, study.instrument)
    core = scores.core[scores.core["service_area"] == ""]
    core = core[np.isfinite(core["ci_low"])]
    made = classification_accuracy(
        core["estimate"].to_numpy(), std_error=core["std_error"].to_numpy(), cuts=[50, 75, 90]
    )
    assert compared.classification["accuracy"].tolist() == pytest.approx([*made.cut_accuracy, made.accuracy])
    assert compared.classification["consistency"][-1] == pytest.approx(made.consistency)


def test_it_comes_back_from_json(compared):
    read = ibic.OverallComparison.from_json(compared.to_json())
    assert read.to_json() == compared.to_json()
    assert isinstance(read.change, Message)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"target": "nothing"}, "scoring.unknown_target"),
        ({"wave": "2031"}, "scoring.unknown_wave"),
        ({"earlier": "2031"}, "scoring.unknown_wave"),
        ({"groups": {}}, "scoring.nobody_has_peers"),
        ({"weights": {"ut": 1.0}}, "scoring.weights_names"),
        ({"target": "ut", "weights": {"ut": 1.0}}, "scoring.weights_of_component"),
        ({"draws": 10}, "scoring.few_draws"),
        ({"false_discovery": 2}, "scoring.false_discovery_rate"),
        ({"adjustment": "none"}, "scoring.unknown_adjustment"),
        ({"confidence_level": 1}, "scoring.confidence_level"),
    ],
)
def test_what_is_asked_for_in_so_many_words_is_refused(study, options, code):
    with pytest.raises(UsageError) as raised:
        ibic.compare_all(study.responses, study.instrument, **options)
    assert raised.value.code == code


def test_a_component_has_no_bands_and_no_weights(study):
    made = ibic.compare_all(study.responses, study.instrument, target="ut", draws=1000)
    assert (made.classification.code, made.weights.code) == (
        "scoring.bands_of_component",
        "scoring.weights_of_component",
    )
    assert len(made.pairs.rows) == 66


def test_a_site_alone_is_compared_with_nobody():
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=1), seed=1)
    made = ibic.compare_all(study.responses, study.instrument)
    assert made.pairs.code == made.funnel.code == made.classification.code == "scoring.too_few_sites"
    assert made.shrunken.withheld.code == "scoring.shrunken_few_sites"


def test_two_waves_show_the_change_from_the_one_before():
    instrument = ibic.load_instrument("ibic")
    responses = ibic.read_responses(bundled("data/synthetic") / "retest.csv", instrument)
    made = ibic.compare_all(responses, instrument, target="ut", draws=1000)
    scores = ibic.score_municipalities(responses, instrument)
    by_verb = ibic.compare_waves(
        scores, target="ut", waves=("2026-03", "2026-04"), responses=responses, instrument=instrument
    )
    assert made.wave == "2026-04"
    assert made.change.to_json() == by_verb.to_json()
    assert set(made.specificity.rows["wave"]) == {"2026-04"}


def test_bands_carry_the_error_of_a_standard_setting_study(study):
    """P(over a cut with error) is the mean of P(over c + σz) over a normal z, by Gauss and Hermite."""
    cuts = CutSet(tuple(band.id for band in study.instrument.bands), (50.0, 60.0, 90.0), (4.0, 3.0, 2.0))
    instrument = study.instrument.replaced(bands=cuts.carried_by(study.instrument))
    responses = dataclasses.replace(study.responses, instrument_sha256=instrument.sha256)
    scores = ibic.score_municipalities(responses, instrument)
    node, weight = np.polynomial.hermite_e.hermegauss(21)
    asked = [np.clip(cut + error * node, 0.5, 99.5) for cut, error in zip(cuts.cuts, cuts.std_errors, strict=True)]
    made = ibic.shrink_scores(scores, instrument, draws=4000, seed=1, cuts=np.concatenate(asked).tolist())
    over = made.cuts
    for site in scores.sites:
        mine = over.where(over["site"] == site)
        by_cut = dict(zip(mine["cut"].astype(float).round(9), mine["probability"].astype(float), strict=True))
        bands = made.bands.where(made.bands["site"] == site)["probability"].astype(float)
        if not np.isfinite(bands).all():
            continue
        reached = [
            sum(w * by_cut[round(float(cut), 9)] for cut, w in zip(row, weight / weight.sum(), strict=True))
            for row in asked
        ]
        assert np.cumsum(bands[::-1])[::-1][1:] == pytest.approx(reached, abs=0.02)
        assert bands.sum() == pytest.approx(1)
