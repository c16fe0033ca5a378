"""What scoring does not assume, planted; and the truth of a finite population."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.responses.model import BLANK
from ibic_fidelity.studies.departures import Departures
from ibic_fidelity.studies.design import LatentShares, StudyDesign
from ibic_fidelity.studies.generate import simulate_study
from ibic_fidelity.studies.period import simulate_period
from ibic_fidelity.studies.selection import row_means
from ibic_fidelity.studies.truth import QUANTILES

SMALL = {"n_sites": 12, "providers": 0, "managers": 0, "relatives": 0}
DESIGN = StudyDesign(files=20, users=0, **SMALL)


def mean_of(study, source="files"):
    return row_means(study.responses.tables[source], study.instrument).mean()


def test_nothing_departs_by_default_to_the_bit():
    plain, same = (simulate_study(DESIGN, seed=1, **more) for more in ({}, {"departures": Departures()}))
    assert plain.responses.data_sha256 == same.responses.data_sha256
    np.testing.assert_array_equal(plain.responses.tables["files"].codes, same.responses.tables["files"].codes)
    assert simulate_study(DESIGN, seed=1, departures=Departures(halo=0.1)).responses.data_sha256 != (
        plain.responses.data_sha256
    )


def test_files_that_are_left_out_raise_what_is_seen_and_not_what_is_true():
    plain, chosen = (simulate_study(DESIGN, seed=1, departures=Departures(left_out=share)) for share in (0.0, 0.3))
    assert plain.truth["value"].tolist() == chosen.truth["value"].tolist()
    table = chosen.responses.tables["files"]
    assert {(table.site.codes[table.unit.codes == u]).tolist()[0] for u in set(table.unit.codes)} == set(range(12))
    assert len(set(table.unit.codes)) == 12 * 20
    assert mean_of(chosen) > mean_of(plain) + 0.03


def test_users_of_poor_services_answer_less():
    design = replace(DESIGN, users=60)
    plain, silent = (simulate_study(design, seed=1, departures=Departures(silence=b)) for b in (0.0, 1.0))
    assert mean_of(silent, "user") > mean_of(plain, "user") + 0.03
    asked = 12 * 60
    assert 0.55 < silent.responses.tables["user"].n / asked < 0.8
    np.testing.assert_array_equal(silent.responses.tables["files"].codes, plain.responses.tables["files"].codes)


def test_hidden_assessors_are_named_nowhere_and_the_scores_say_so():
    made = [simulate_study(DESIGN, seed=1, departures=Departures(hidden_assessors=hidden)) for hidden in (False, True)]
    named, hidden = (ibic.score_municipalities(one.responses, one.instrument) for one in made)
    assert made[1].responses.tables["files"].cluster.labels == ("",)
    assert set(hidden.core["flag"]) == {"scoring.assessors_unnamed"}
    assert set(named.core["flag"]) == {""}
    np.testing.assert_allclose(hidden.core["estimate"], named.core["estimate"])
    assert (hidden.core["ci_high"] - hidden.core["ci_low"]).mean() < (
        named.core["ci_high"] - named.core["ci_low"]
    ).mean()


def test_a_halo_moves_sites_and_takes_from_what_a_file_has_of_its_own():
    spread = {}
    for halo in (0.0, 0.3):
        shares = LatentShares(assessor=0.0, rater=0.0)
        design = replace(DESIGN, site_sd=0.0, component_sd=0.0, n_sites=24, shares=shares)
        study = simulate_study(design, seed=2, departures=Departures(halo=halo))
        table = study.responses.tables["files"]
        means = row_means(table, study.instrument)
        spread[halo] = np.std([means[table.site.codes == site].mean() for site in range(24)])
    assert spread[0.3] > 3 * spread[0.0]


@pytest.mark.parametrize("tails", [3.0, 5.0])
def test_heavy_tails_have_variance_one_and_a_truth_that_heeds_them(tails):
    effects = Departures(tails=tails).effects(np.random.default_rng(1), 200_000)
    assert 0.85 < effects.std() < 1.1
    assert stats.kurtosis(effects) > 2
    design = replace(DESIGN, files=400, assessors=400, n_sites=3, raters=1, double_rated=0.0, missing=0.0,
                     shares=LatentShares(assessor=0.0, unit=0.6, rater=0.0), mean=1.0)  # fmt: skip
    study = simulate_study(design, seed=3, departures=Departures(tails=tails))
    scores = ibic.score_municipalities(study.responses, study.instrument)
    truth = study.truth.where((study.truth["level"] == "component") & (study.truth["id"] == "ut"))["value"].astype(
        float
    )
    rows = scores.rows.where((scores.rows["level"] == "component") & (scores.rows["component"] == "ut"))
    assert (np.abs(rows["estimate"].astype(float) - truth) < 4 * rows["std_error"].astype(float)).all()
    assert QUANTILES >= 400


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Departures(tails=2.0), "tails"),
        (lambda: Departures(halo=1.0), "halo"),
        (lambda: Departures(left_out=-0.1), "left_out"),
        (lambda: Departures(silence=-1.0), "silence"),
        (lambda: simulate_study(DESIGN, departures=Departures(halo=0.9)), "latent shares"),
        (lambda: simulate_period(DESIGN, 19), "population"),
    ],
)
def test_what_has_no_meaning_is_refused(made, message):
    with pytest.raises(UsageError, match=message):
        made()


def test_the_truth_of_a_period_is_the_plain_mean_of_all_its_files():
    design = replace(DESIGN, files=5, assessors=2, missing=0.1)
    study = simulate_period(design, 40, seed=4)
    table = study.responses.tables["files"]
    assert len(table.unit.codes) == 12 * 5
    assert (table.codes == BLANK).any()
    assert {n for key, n in study.responses.frame.eligible.items() if key[-1] == "files"} == {40}
    whole = simulate_study(replace(design, files=40, double_rated=0.0, missing=0.0), seed=4)
    everything = whole.responses.tables["files"]
    item = next(item for item in study.instrument.items if item.primary.source == "files" and not item.primary.parts)
    scale = study.instrument.by_scale[item.primary.scale]
    codes = everything.column(item.primary.id).astype(float)
    plain = [
        100 * (codes[(everything.site.codes == site) & (codes >= 0)].mean() - scale.lowest)
        / (scale.highest - scale.lowest) for site in range(12)
    ]  # fmt: skip
    found = study.truth.where((study.truth["level"] == "item") & (study.truth["id"] == item.id))["value"].astype(float)
    np.testing.assert_allclose(100 - found if item.reverse else found, plain)


def test_a_census_without_blanks_is_its_own_truth():
    study = simulate_period(replace(DESIGN, missing=0.0), 20, seed=5)
    scores = ibic.score_municipalities(study.responses, study.instrument, estimand="this_period")
    assert set(scores.core["ci_high"] - scores.core["ci_low"]) == {0.0}
