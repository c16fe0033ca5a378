"""What comparisons refuse, one row a case, by the code of what is said."""

import dataclasses

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import IbicError
from ibic_fidelity.foundation.results import Records


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(ibic.StudyDesign(n_sites=4, files=30, users=0, relatives=0), seed=1)


@pytest.fixture(scope="module")
def scores(study):
    return ibic.score_municipalities(study.responses, study.instrument)


def other(scores, **changes):
    """Return scores of an instrument that differs."""
    return dataclasses.replace(scores, provenance=dataclasses.replace(scores.provenance, **changes))


def waved(scores, *waves):
    """Return scores with the same rows at each of some waves."""
    rows = scores.rows.columns
    made = {name: np.concatenate([column] * len(waves)) for name, column in rows.items()}
    made["wave"] = np.repeat(np.array(waves, dtype=object), len(scores.rows))
    return dataclasses.replace(scores, rows=Records.of(**made))


def weights(study, **changes):
    total = next(one for one in study.instrument.totals if one.id == "total_core")
    names = [part.id for part in study.instrument.components_of(total)]
    return {**dict.fromkeys(names, 1 / len(names)), **changes}


CASES = {
    "one site": ("scoring.too_few_sites", lambda s, _: ibic.compare_sites(s.of_site(s.sites[0]))),
    "one site, funnel": ("scoring.too_few_sites", lambda s, _: ibic.site_funnel(s.of_site(s.sites[0]))),
    "one site, peers": ("scoring.too_few_sites", lambda s, _: ibic.compare_with_peers(s.of_site(s.sites[0]))),
    "no interval": ("scoring.too_few_sites", lambda s, _: ibic.compare_sites(s, "by3")),
    "no target": ("scoring.unknown_target", lambda s, _: ibic.compare_sites(s, "zz")),
    "no wave": ("scoring.unknown_wave", lambda s, _: ibic.compare_sites(s, wave="3")),
    "which wave": ("scoring.which_wave", lambda s, _: ibic.compare_sites(waved(s, "1", "2"))),
    "no scores": ("scoring.not_raw_scores", lambda s, _: ibic.compare_sites(s.rows)),
    "adjustment": ("scoring.unknown_adjustment", lambda s, _: ibic.compare_sites(s, adjustment="holm")),
    "rate 0": ("scoring.false_discovery_rate", lambda s, _: ibic.compare_sites(s, false_discovery=0)),
    "rate 1": ("scoring.false_discovery_rate", lambda s, _: ibic.compare_sites(s, false_discovery=1.0)),
    "rate NaN": ("scoring.false_discovery_rate", lambda s, _: ibic.compare_sites(s, false_discovery=float("nan"))),
    "rate as text": ("scoring.false_discovery_rate", lambda s, _: ibic.compare_sites(s, false_discovery="5 %")),
    "responses alone": (
        "scoring.responses_need_instrument", lambda s, t: ibic.compare_sites(s, responses=t.responses)
    ),
    "other responses": (
        "scoring.other_responses",
        lambda s, t: ibic.compare_sites(
            other(s, data_sha256="x"), responses=t.responses, instrument=t.instrument
        ),
    ),
    "responses of another instrument": (
        "responses.other_instrument",
        lambda s, t: ibic.compare_sites(
            s, responses=t.responses, instrument=t.instrument.replaced(version="9.0.0")
        ),
    ),
    "what is no responses": (
        "scoring.wrong_kind", lambda s, t: ibic.compare_sites(s, responses={}, instrument=t.instrument)
    ),
    "groups that lack all sites": (
        "scoring.nobody_has_peers", lambda s, _: ibic.compare_with_peers(s, groups={"9999": "a"})
    ),
    "no groups": ("scoring.nobody_has_peers", lambda s, _: ibic.compare_with_peers(s, groups={})),
    "groups of one": (
        "scoring.nobody_has_peers", lambda s, _: ibic.compare_with_peers(s, groups={site: site for site in s.sites})
    ),
    "codes as numbers": ("scoring.group_not_text", lambda s, _: ibic.compare_with_peers(s, groups={114: "a"})),
    "groups of a kind": ("scoring.groups_kind", lambda s, _: ibic.compare_with_peers(s, groups=3)),
    "no file of groups": ("files.not_found", lambda s, _: ibic.compare_with_peers(s, groups="nowhere.csv")),
    "another version": (
        "scoring.waves_other_instrument", lambda s, _: ibic.compare_waves(s, other(s, instrument_version="9.9.9"))
    ),
    "another instrument": (
        "scoring.waves_other_instrument", lambda s, _: ibic.compare_waves(s, other(s, instrument_id="lq2002"))
    ),
    "another wording": (
        "scoring.waves_other_wording", lambda s, _: ibic.compare_waves(s, other(s, instrument_sha256="x"))
    ),
    "another level": (
        "scoring.waves_other_level", lambda s, _: ibic.compare_waves(s, dataclasses.replace(s, confidence_level=0.9))
    ),
    "one wave": ("scoring.two_waves", lambda s, _: ibic.compare_waves(s)),
    "three waves": ("scoring.two_waves", lambda s, _: ibic.compare_waves(waved(s, "1", "2", "3"))),
    "one wave twice": ("scoring.two_waves", lambda s, _: ibic.compare_waves(waved(s, "1", "2"), waves=("1", "1"))),
    "a wave that is not": (
        "scoring.unknown_wave", lambda s, _: ibic.compare_waves(waved(s, "1", "2"), waves=("1", "5"))
    ),
    "three names of waves": (
        "scoring.two_waves", lambda s, _: ibic.compare_waves(waved(s, "1", "2"), waves=("1", "2", "3"))
    ),
    "no site at both": (
        "scoring.no_site_has_both_waves",
        lambda s, _: ibic.compare_waves(s.of_site(s.sites[0]), s.of_site(s.sites[1])),
    ),
    "three parts of responses": (
        "scoring.two_responses",
        lambda s, t: ibic.compare_waves(waved(s, "1", "2"), responses=(t.responses,) * 3, instrument=t.instrument),
    ),
    "no area": ("scoring.unknown_area", lambda s, _: ibic.gap_between_areas(s, "aldre", "lss")),
    "an area with itself": ("scoring.same_twice", lambda s, _: ibic.gap_between_areas(s, "lss", "lss")),
    "an item with itself": ("scoring.same_twice", lambda s, _: ibic.gap_between_items(s, "ta3w", "ta3w")),
    "items of the same files": ("scoring.same_units", lambda s, _: ibic.gap_between_items(s, "ut1", "ut2")),
    "an item of one source": ("scoring.asked_of_one_source", lambda s, _: ibic.compare_sources(s, items=["ut1"])),
    "items as one text": ("scoring.items_one_text", lambda s, _: ibic.compare_sources(s, items="pl6")),
    "no items": ("scoring.no_second_source", lambda s, _: ibic.compare_sources(s, items=[])),
    "a weight of zero": (
        "scoring.weights_not_positive",
        lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights=weights(t, ut=0.0)),
    ),
    "a weight below zero": (
        "scoring.weights_not_positive",
        lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights=weights(t, ut=-0.1)),
    ),
    "a weight that is none": (
        "scoring.weights_not_positive",
        lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights=weights(t, ut=float("nan"))),
    ),
    "weights above 1": (
        "scoring.weights_sum", lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights=weights(t, ut=0.9))
    ),
    "a missing weight": (
        "scoring.weights_names", lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights={"ut": 1.0})
    ),
    "an unknown weight": (
        "scoring.weights_names", lambda s, t: ibic.weight_sensitivity(s, t.instrument, weights=weights(t, zz=0.1))
    ),
    "no draws": ("scoring.draws", lambda s, t: ibic.weight_sensitivity(s, t.instrument, draws=0)),
    "half a draw": ("scoring.draws", lambda s, t: ibic.weight_sensitivity(s, t.instrument, draws=1.5)),
    "concentration 0": (
        "scoring.concentration", lambda s, t: ibic.weight_sensitivity(s, t.instrument, concentration=0)
    ),
    "concentration NaN": (
        "scoring.concentration", lambda s, t: ibic.weight_sensitivity(s, t.instrument, concentration=float("nan"))
    ),
    "seed below 0": ("scoring.seed", lambda s, t: ibic.weight_sensitivity(s, t.instrument, seed=-1)),
    "weights of no total": ("scoring.unknown_target", lambda s, t: ibic.weight_sensitivity(s, t.instrument, "ut")),
    "weights of another instrument": (
        "scoring.weights_other_instrument",
        lambda s, t: ibic.weight_sensitivity(s, t.instrument.replaced(version="9.0.0")),
    ),
    "weights of no instrument": ("scoring.wrong_kind", lambda s, _: ibic.weight_sensitivity(s, {})),
    "specificity of no total": (
        "scoring.unknown_target", lambda _, t: ibic.score_by_specificity(t.responses, t.instrument, "ut")
    ),
    "specificity of no responses": ("scoring.wrong_kind", lambda s, t: ibic.score_by_specificity(s, t.instrument)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("lang", ["sv", "en"])
def test_bad_input_is_refused_by_its_code(name, lang, scores, study):
    code, call = CASES[name]
    with pytest.raises(IbicError) as refused:
        call(scores, study)
    assert refused.value.code == code
    said = refused.value.message.text(lang)
    assert said
    assert "{" not in said.replace("{'", "")


def test_items_that_say_nothing_of_specificity_are_refused(mini, responses_of):
    files = [("0114", f"u{i}", "k", "g", i % 2, 0, 1, 1, 1) for i in range(8)]
    with pytest.raises(IbicError) as refused:
        ibic.score_by_specificity(responses_of(files), mini)
    assert refused.value.code == "scoring.no_specificity"


def test_an_instrument_without_bands_is_refused(mini, responses_of):
    files = [(site, f"u{i}", "k", "g", i % 2, 0, 1, 1, 1) for site in ("0114", "0180") for i in range(8)]
    plain = mini.replaced(bands=())
    scores = ibic.score_municipalities(responses_of(files, instrument=plain), plain)
    with pytest.raises(IbicError) as refused:
        ibic.weight_sensitivity(scores, plain)
    assert refused.value.code == "scoring.no_bands"
