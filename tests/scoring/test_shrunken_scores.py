"""`shrink_scores`: what it says, what it withholds, bad input one row a case, and the planted truth."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import ibic_fidelity
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.scoring.intervals import error_variance
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrink import shrink_scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study

UNEVEN = [1 / 10_000, *[1 / 5] * 23]
LEAGUE = ("expected_rank", "rank_low", "rank_high", "rank_low_all", "rank_high_all", "top_quarter")


@pytest.fixture(scope="module")
def study():
    return simulate_study(StudyDesign(n_sites=24), seed=3)


@pytest.fixture(scope="module")
def scores(study):
    return score_municipalities(study.responses, study.instrument)


@pytest.fixture(scope="module")
def shrunken(scores, study):
    return shrink_scores(scores, study.instrument)


def with_core(scores: Scores, estimate, kappa=1 / 30, df=45.0, reason="", n=30) -> Scores:
    """Return scores whose only rows are total_core of as many sites as there are estimates, 0–1."""
    m = np.array(estimate, dtype=float)
    k = len(m)
    se = np.sqrt(error_variance(m, np.broadcast_to(kappa, k)))
    columns = {
        "site": [f"{i:04d}" for i in range(k)], "service_area": [""] * k, "wave": [""] * k, "level": ["total"] * k,
        "source": [""] * k, "component": [""] * k, "item": [""] * k, "statistic": ["total_core"] * k,
        "n": np.broadcast_to(n, k), "estimate": 100 * m, "std_error": 100 * se, "df": np.broadcast_to(df, k),
        "ci_low": 100 * m, "ci_high": 100 * m, "method": [""] * k, "reason": np.broadcast_to(reason, k).astype(object),
        "flag": [""] * k,
    }  # fmt: skip
    empty = {name: scores.gates.columns[name][:0] for name in scores.gates.columns}
    return dataclasses.replace(scores, rows=Records.of(**columns), gates=Records.of(**empty))


def test_every_site_is_between_its_raw_score_and_the_mean(scores, shrunken):
    raw = scores.core["estimate"].to_numpy()
    towards = (shrunken.rows["estimate"] - raw) * (shrunken.spread.mean - raw)
    far = np.abs(raw - shrunken.spread.mean) > 3
    assert (towards[far] > 0).all()
    assert (np.abs(shrunken.rows["estimate"] - raw)[far] < np.abs(shrunken.spread.mean - raw)[far]).all()
    assert (shrunken.rows["ci_low"] < shrunken.rows["estimate"]).all()
    assert (shrunken.rows["std_error"] < scores.core["std_error"].to_numpy()).all()


def test_probabilities_of_bands_add_up_and_agree_with_the_cuts(shrunken, study):
    k = len(study.instrument.bands)
    for name in ("probability", "probability_with_gates"):
        assert shrunken.bands[name].reshape(-1, k).sum(axis=1) == pytest.approx(np.ones(24))
    band = shrunken.bands["probability"].reshape(-1, k)
    cut = shrunken.cuts["probability"].reshape(-1, k - 1)
    assert np.allclose(band[:, 1:].sum(axis=1), cut[:, 0])
    assert np.allclose(band[:, -1], cut[:, -1])


def test_a_held_gate_lowers_the_band_by_one(shrunken, scores, study):
    k = len(study.instrument.bands)
    held = set(scores.gates["site"][scores.gates["status"] == "held"].tolist())
    assert 0 < len(held) < 24
    plain, gated = (shrunken.bands[name].reshape(-1, k) for name in ("probability", "probability_with_gates"))
    for i, site in enumerate(shrunken.rows["site"].tolist()):
        wanted = [plain[i, 0] + plain[i, 1], *plain[i, 2:], 0.0] if site in held else plain[i]
        assert np.allclose(gated[i], wanted)


def test_ranks_of_24_sites_are_shown_and_add_up(shrunken):
    assert shrunken.league is None
    assert shrunken.withheld is None
    assert shrunken.rows["expected_rank"].sum() == pytest.approx(24 * 25 / 2)
    assert shrunken.rows["top_quarter"].sum() == pytest.approx(6)
    assert (shrunken.rows["rank_low_all"] <= shrunken.rows["rank_low"]).all()


def test_json_gives_the_same_scores_back(shrunken):
    text = shrunken.to_json()
    assert json.loads(text)["schema"] == "ibic.shrunken/1"
    again = ShrunkenScores.from_json(text)
    assert again.to_json() == text
    assert again.table.equals(shrunken.table)
    assert again.spread == shrunken.spread
    with pytest.raises(UsageError) as caught:
        Scores.from_json(text)
    assert caught.value.code == "scoring.not_scores"


def test_raw_scores_are_no_shrunken_ones(scores):
    with pytest.raises(UsageError) as caught:
        ShrunkenScores.from_json(scores.to_json())
    assert caught.value.code == "scoring.not_shrunken"


def test_a_seed_gives_the_same_bits_and_another_moves_little(scores, study, shrunken):
    assert shrink_scores(scores, study.instrument).to_json() == shrunken.to_json()
    other = shrink_scores(scores, study.instrument, seed=1)
    moved = np.abs(other.rows["estimate"] - shrunken.rows["estimate"])
    assert 0 < moved.max() < 0.5
    assert other.spread == shrunken.spread
    assert other.provenance.seed == 1


def test_a_read_score_file_is_shrunken_alike(scores, study, shrunken):
    assert shrink_scores(Scores.from_json(scores.to_json()), study.instrument).to_json() == shrunken.to_json()


def test_components_and_own_cuts(scores, study):
    found = shrink_scores(scores, study.instrument, statistic="ut", cuts=(80,))
    assert len(found.bands) == 0
    assert found.cuts["cut"].tolist() == [80.0] * 24
    again = ShrunkenScores.from_json(found.to_json())
    assert again.to_json() == found.to_json()


def test_summary_says_what_was_found_and_what_not(shrunken, scores, study):
    assert "mean reliability" in shrunken.summary()
    assert "SYNTHETIC" in shrunken.summary()
    few = shrink_scores(with_core(scores, np.linspace(0.3, 0.8, 9)), study.instrument)
    assert "fewer than 10" in few.summary()
    assert repr(few) == few.summary()


@pytest.mark.parametrize(
    ("name", "change", "withheld", "league"),
    [
        ("none", {"estimate": [0.5] * 24, "reason": "scoring.too_few"}, "scoring.shrunken_few_sites", ""),
        ("one site", {"estimate": [0.6]}, "scoring.shrunken_few_sites", ""),
        ("two sites", {"estimate": [0.6, 0.7]}, "scoring.shrunken_few_sites", ""),
        ("six sites", {"estimate": np.linspace(0.3, 0.8, 6)}, "", "scoring.league_few_sites"),
        ("all equal", {"estimate": [0.6] * 24}, "scoring.shrunken_unreliable", ""),
        ("all at the ceiling", {"estimate": [1.0] * 24}, "scoring.shrunken_unreliable", ""),
        ("all at the floor", {"estimate": [0.0] * 24}, "scoring.shrunken_unreliable", ""),
        ("hardly reliable", {"estimate": np.linspace(0.4, 0.75, 24)}, "", "scoring.league_unreliable"),
        ("n differing 2,000 times", {"estimate": np.linspace(0, 1, 24), "kappa": UNEVEN}, "", ""),
        ("hardly any degrees of freedom", {"estimate": np.linspace(0.2, 0.9, 24), "df": 1.0}, "", ""),
        ("error known", {"estimate": np.linspace(0.2, 0.9, 24), "df": np.nan}, "", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_awkward_scores(scores, study, name, change, withheld, league):
    reason = change.pop("reason", "")
    given = with_core(scores, **change, reason=reason)
    if reason:
        given = dataclasses.replace(given, rows=Records.of(**{
            **given.rows.columns, "estimate": np.full(24, np.nan), "std_error": np.full(24, np.nan)}))  # fmt: skip
    found = shrink_scores(given, study.instrument)
    assert (found.withheld.code if found.withheld else "") == withheld
    assert (found.league.code if found.league else "") == league
    estimate = found.rows["estimate"]
    assert np.isnan(estimate).all() if withheld else ((estimate >= 0) & (estimate <= 100)).all()
    assert all(np.isnan(found.rows[column]).all() for column in LEAGUE) == bool(withheld or league)
    assert (found.rows["reason"] != "").all() == bool(withheld)
    assert ShrunkenScores.from_json(found.to_json()).to_json() == found.to_json()


@pytest.mark.parametrize("error", [0.0, np.nan], ids=["no error", "unknown error"])
def test_a_score_without_a_standard_error_is_not_shrunken_and_tells_nothing(scores, study, error):
    given = with_core(scores, np.linspace(0.2, 0.9, 24))
    column = given.rows["std_error"].copy()
    column[3] = error
    given = dataclasses.replace(given, rows=Records.of(**{**given.rows.columns, "std_error": column}))
    found = shrink_scores(given, study.instrument)
    assert found.rows["reason"][3] == "scoring.no_error_to_shrink_by"
    assert np.isnan(found.rows["estimate"][3])
    assert np.isnan(found.rows["top_quarter"][3])
    assert found.spread.n_sites == 23
    assert np.isnan(found.cuts["probability"].reshape(24, -1)[3]).all()


def test_a_withheld_raw_score_stays_withheld_with_its_reason(scores, study):
    given = with_core(scores, np.linspace(0.2, 0.9, 24))
    columns = {name: given.rows[name].copy() for name in given.rows.columns}
    columns["estimate"][5] = columns["std_error"][5] = np.nan
    columns["reason"][5] = "scoring.too_few"
    found = shrink_scores(dataclasses.replace(given, rows=Records.of(**columns)), study.instrument)
    assert found.rows["reason"][5] == "scoring.too_few"
    assert np.isnan(found.rows["ci_low"][5])
    assert np.isnan(found.bands["probability_with_gates"].reshape(24, -1)[5]).all()
    assert np.isfinite(np.delete(found.rows["estimate"], 5)).all()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"statistic": "total"}, "scoring.unknown_statistic"),
        ({"service_area": "nowhere"}, "scoring.nothing_to_shrink"),
        ({"wave": "2031"}, "scoring.wave_of_scores"),
        ({"cuts": (100,)}, "scoring.cut_outside"),
        ({"cuts": (float("nan"),)}, "scoring.cut_outside"),
        ({"confidence_level": 95}, "scoring.confidence_level"),
        ({"draws": 10}, "scoring.few_draws"),
        ({"seed": -1}, "scoring.negative_seed"),
    ],
)
def test_wrong_use_is_refused(scores, study, arguments, code):
    with pytest.raises(UsageError) as caught:
        shrink_scores(scores, study.instrument, **arguments)
    assert caught.value.code == code


def test_other_kinds_and_other_instruments_are_refused(scores, study, shrunken):
    with pytest.raises(ArgumentTypeError):
        shrink_scores(shrunken, study.instrument)
    other = study.instrument.replaced(version="9.9.9")
    with pytest.raises(UsageError) as caught:
        shrink_scores(scores, other)
    assert caught.value.code == "scoring.other_instrument"


def test_several_waves_need_a_name(scores, study):
    two = [dataclasses.replace(scores, rows=Records.of(**{**scores.rows.columns, "wave": np.full(len(scores.rows), w)}))
           for w in ("1", "2")]  # fmt: skip
    both = {name: np.concatenate([one.rows[name] for one in two]) for name in scores.rows.columns}
    joined = dataclasses.replace(scores, rows=Records.of(**both))
    with pytest.raises(UsageError) as caught:
        shrink_scores(joined, study.instrument)
    assert caught.value.code == "scoring.wave_of_scores"
    assert shrink_scores(joined, study.instrument, wave="2").rows["wave"].tolist() == ["2"] * 24


def test_a_low_reliability_is_said(scores, study):
    found = shrink_scores(with_core(scores, np.linspace(0.4, 0.75, 24)), study.instrument)
    assert 0.2 <= found.spread.reliability < 0.5
    assert [note.code for note in found.notes][-1] == "scoring.shrunken_rough"
    assert "rough" in found.summary()


@pytest.mark.parametrize(("width", "said"), [(0.24, True), (0.35, False)])
def test_that_the_top_quarter_rests_on_normal_sites_is_said_below_seven_tenths(scores, study, width, said):
    found = shrink_scores(with_core(scores, np.linspace(0.5 - width, 0.5 + width, 24)), study.instrument)
    assert found.spread.reliability >= 0.5
    assert (found.spread.reliability < 0.7) == said
    assert ("scoring.top_quarter_normal" in {note.code for note in found.notes}) == said
    assert np.isfinite(found.rows["top_quarter"]).all()


def test_degrees_of_freedom_stand_beside_every_standard_error(scores):
    rows = scores.rows
    shown = np.isfinite(rows["std_error"].astype(float))
    sampled = shown & (rows["source"] == "files")
    assert (rows["df"][sampled] > 1).all()
    assert np.isnan(rows["df"][~shown].astype(float)).all()


@pytest.mark.slow
def test_shrunken_scores_of_simulated_audits_hold_the_planted_levels():
    covered, shrunken_error, raw_error = [], 0.0, 0.0
    for seed in range(12):
        study = simulate_study(StudyDesign(n_sites=40), seed=500 + seed)
        scores = score_municipalities(study.responses, study.instrument)
        found = ibic_fidelity.shrink_scores(scores, study.instrument)
        planted = {row["site"]: row["value"] for row in study.truth.rows()
                   if (row["level"], row["id"], row["service_area"]) == ("total", "total_core", "")}  # fmt: skip
        truth = np.array([planted[site] for site in found.rows["site"]])
        covered.append(((found.rows["ci_low"] <= truth) & (truth <= found.rows["ci_high"])).mean())
        shrunken_error += ((found.rows["estimate"] - truth) ** 2).mean()
        raw_error += ((scores.core["estimate"].to_numpy() - truth) ** 2).mean()
    assert 0.91 <= np.mean(covered) <= 0.985
    assert shrunken_error < raw_error
