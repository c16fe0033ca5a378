"""Intervals: outside witnesses, identities, recovery of planted variances, degenerate data, coverage."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Frame, Responses, source_table
from ibic_fidelity.scoring.bands import band_of, gate_status, held_band
from ibic_fidelity.scoring.components import Score, _score
from ibic_fidelity.scoring.grouping import groups_of, nesting
from ibic_fidelity.scoring.intervals import (
    RaterSpread,
    Sums,
    error_share,
    pooled_spread,
    probability_below,
    score_interval,
    t_quantile,
)
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.raters import Pairs, rater_linking, rater_spread
from ibic_fidelity.scoring.sources import Said, gravest
from ibic_fidelity.scoring.sums import composite_weights, rater_shares, source_sums
from ibic_fidelity.studies.design import LatentShares, StudyDesign
from ibic_fidelity.studies.generate import simulate_study

FIXTURE = json.loads((Path(__file__).parent.parent / "reference" / "scoring.json").read_text(encoding="utf-8"))
CLOSED_FORM = 1e-10  # closed forms: only the order of summation differs
NO_RATERS = RaterSpread(0.0, np.inf, "not_rated")
Z = 1.959963984540054


def one_item() -> Instrument:
    """Return an instrument with one audited item of five levels."""
    both = {"sv": "x", "en": "x"}
    levels = [{"code": c, "anchor": {"sv": f"n{c}", "en": f"n{c}"}} for c in range(5)]
    measure = {"id": "m1", "source": "files", "scale": "five", "role": "primary", "wording": both}
    item = {"id": "m1", "label": "M1", "component": "c", "idea": both, "rationale": both, "cites": ["r"]}
    return Instrument.model_validate(
        {
            "format": 1, "id": "one", "version": "1.0.0", "status": "candidate", "rubric": "none",
            "title": both, "about": both, "site": {"one": both, "many": both},
            "sources": [{"id": "files", "label": both, "kind": "audit", "unit": both, "units": both, "minimum": 2}],
            "scales": [{"id": "five", "type": "levels", "levels": levels}],
            "components": [{"id": "c", "label": both, "dimension": "core", "measurement_model": "formative"}],
            "references": [{"id": "r", "citation": "x"}],
            "items": [{**item, "measures": [measure]}],
        }
    )  # fmt: skip


def responses(codes, site, cluster, unit=None, rater=None) -> tuple[Responses, Instrument]:
    instrument = one_item()
    keys = {
        "site": site,
        "cluster": cluster,
        "unit": unit if unit is not None else [f"u{i:05d}" for i in range(len(site))],
    }
    if rater is not None:
        keys["rater"] = rater
    table = source_table("files", ("m1",), np.asarray(codes)[:, None], keys)
    found = Responses({"files": table}, Frame(), "one", "1.0.0", "", "test")
    return found, instrument


def sums_of(found: Responses, instrument: Instrument) -> Sums:
    groups = {group: i for i, group in enumerate(groups_of(found, by_area=False))}
    nest = nesting(found.tables["files"], groups, by_area=False)
    none = Pairs(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
    return source_sums(nest, instrument, composite_weights(instrument), none).targets["measure", "m1"]


@pytest.mark.witness(
    statistic="score interval", definition="Wilson (1927), κ = 1/n", reference="R stats::prop.test",
    tolerance=CLOSED_FORM, data="seven proportions",
)  # fmt: skip
def test_score_interval_is_wilsons_with_one_over_n():
    table = {name: np.array(values, dtype=float) for name, values in FIXTURE["wilson"].items()}
    low, high = score_interval(table["x"] / table["n"], 1 / table["n"], np.full(7, Z))
    assert np.allclose(low, table["low"], rtol=0, atol=CLOSED_FORM)
    assert np.allclose(high, table["high"], rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="influence values", definition="linearised ratio, clusters with replacement",
    reference="R survey::svyratio", tolerance=CLOSED_FORM, data="simulated files under assessors, 15 % missing",
)  # fmt: skip
def test_cluster_sums_of_influence_give_the_linearised_standard_error():
    d = FIXTURE["files"]
    found, instrument = responses(d["code"], [f"{s:04d}" for s in d["site"]], d["cluster"], d["unit"])
    sums = sums_of(found, instrument)
    variance = 5 / 4 * sums.cluster_squares  # survey's variance is C/(C−1) Σ (cluster total)²; C is 5
    assert np.allclose(sums.estimate, FIXTURE["ratio"]["estimate"], rtol=0, atol=CLOSED_FORM)
    assert np.allclose(np.sqrt(variance), FIXTURE["ratio"]["std_error"], rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="spread within and between clusters", definition="one-way analysis of variance",
    reference="R stats::aov", tolerance=CLOSED_FORM, data="simulated files under assessors, complete",
)  # fmt: skip
def test_sums_of_squares_are_those_of_the_analysis_of_variance():
    d = FIXTURE["files"]
    found, instrument = responses(d["answer"], [f"{s:04d}" for s in d["site"]], d["cluster"], d["unit"])
    sums = sums_of(found, instrument)
    between = sums.units**2 * sums.cluster_squares / 8  # clusters of 8
    within = sums.units**2 * sums.unit_squares - between
    assert np.allclose(within, FIXTURE["nested"]["within"], rtol=0, atol=CLOSED_FORM)
    assert np.allclose(between, FIXTURE["nested"]["between"], rtol=0, atol=CLOSED_FORM)


def test_one_group_without_clusters_reduces_to_the_published_pooled_spread():
    """c = Σs²/Σ m(1−m)n/(n−1), up to the correction of m(1−m) for the error of m, which c replaces by 1/n."""
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(40), 25)
    codes = rng.binomial(4, rng.uniform(0.2, 0.9, 40)[site])
    found, instrument = responses(codes, [f"{s:04d}" for s in site], [""] * len(site))
    sums = sums_of(found, instrument)
    n = sums.units
    squares = n**2 * sums.unit_squares
    published = (squares / (n - 1)).sum() / (sums.estimate * (1 - sums.estimate) * n / (n - 1)).sum()
    assert pooled_spread(sums, np.zeros(40), NO_RATERS).within == pytest.approx(published, rel=0.05)


@given(m=st.floats(0, 1), kappa=st.floats(1e-6, 5), t=st.floats(0.5, 13))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_score_interval_holds_the_estimate_inside_the_range(m, kappa, t):
    low, high = score_interval(np.array([m]), np.array([kappa]), np.array([t]))
    assert 0 <= low[0] <= m + 1e-12
    assert m - 1e-12 <= high[0] <= 1


@given(m=st.floats(0.01, 0.99), n=st.floats(5, 500), cut=st.floats(0.1, 0.9))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_probability_below_agrees_with_the_interval(m, n, cut):
    """The cut is a limit of the interval whose level its probability states."""
    below = probability_below(np.array([m]), np.array([1 / n]), np.array([np.inf]), cut)[0]
    level = abs(2 * below - 1)
    if not 1e-6 < level < 1 - 1e-9:
        return
    low, high = score_interval(np.array([m]), np.array([1 / n]), t_quantile(np.array([np.inf]), level))
    assert min(abs(low[0] - cut), abs(high[0] - cut)) < 1e-6


def test_planted_variances_are_recovered():
    rng = np.random.default_rng(11)
    estimates = []
    for _ in range(60):
        site = np.repeat(np.arange(40), 30)
        cluster = np.tile(np.arange(30) % 6, 40)
        p = np.repeat(rng.uniform(0.3, 0.8, 40), 30)
        # A cluster's level is Beta(pν, (1−p)ν): its variance is p(1−p)/(ν+1), here .15 of p(1−p).
        nu = 1 / 0.15 - 1
        levels = rng.beta(p * nu, (1 - p) * nu)
        index = site * 6 + cluster
        first = np.unique(index, return_index=True)[1]
        level = levels[first][np.searchsorted(np.unique(index), index)]
        codes = 4 * rng.binomial(1, level)
        found, instrument = responses(codes, [f"{s:04d}" for s in site], [f"h{c}" for c in index])
        spread = pooled_spread(sums_of(found, instrument), np.zeros(40), NO_RATERS)
        estimates.append((spread.within, spread.between))
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / np.sqrt(60)
    assert np.all(np.abs(mean - (0.85, 0.15)) < 4 * error + 0.005)


def test_rater_severity_is_recovered_without_bias():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(400):
        severity = rng.normal(0, 0.2, 10)
        first = np.repeat(np.arange(10), 25).astype(np.int32)
        second = ((first + 1 + np.tile(np.arange(25) % 3, 10)) % 10).astype(np.int32)
        scale = rng.uniform(0.15, 0.25, 250)
        difference = np.sqrt(scale) * (severity[first] - severity[second] + rng.normal(0, 0.5, 250))
        found.append(rater_spread(difference, scale, first, second).variance)
    assert abs(np.mean(found) - 0.04) < 4 * np.std(found) / np.sqrt(400)


def test_unlinked_raters_widen_the_interval_and_say_so(ibic):
    linked = simulate_study(StudyDesign(n_sites=12, raters=4), seed=1, instrument=ibic)
    alone = simulate_study(StudyDesign(n_sites=12, raters=4, double_rated=0), seed=1, instrument=ibic)
    codes = [note.code for note in score_municipalities(alone.responses, ibic).notes]
    assert "scoring.raters_not_separable" in codes
    assert "scoring.raters_not_separable" not in [n.code for n in score_municipalities(linked.responses, ibic).notes]
    certain = ibic.replaced(uncertainty=ibic.uncertainty.model_copy(update={"rater_sd": 0.0}))
    moved = Responses(alone.responses.tables, alone.responses.frame, "ibic", ibic.version, certain.sha256, "t")
    wide, narrow = score_municipalities(alone.responses, ibic), score_municipalities(moved, certain)
    assert (wide.core["std_error"] > narrow.core["std_error"] + 0.5).all()


@pytest.mark.parametrize(
    ("rater", "twice", "why"),
    [
        (lambda site: [""] * len(site), False, "scoring.raters_unnamed"),
        (lambda site: ["g1"] * len(site), False, "scoring.one_rater"),
        (lambda site: [f"g{s % 2}" for s in site], False, "scoring.no_double_rating"),
    ],
)
def test_what_keeps_an_audit_from_being_linked_is_named(rater, twice, why):
    site = np.repeat(np.arange(6), 5)
    found, _ = responses(np.ones(30, dtype=int), [f"{s:04d}" for s in site], [""] * 30, rater=rater(site))
    assert rater_linking(found.tables["files"]).why == why


def test_raters_in_two_networks_or_of_few_sites_are_not_linked():
    site = np.repeat(np.arange(6), 4)
    unit = [f"u{i // 2:03d}" for i in range(24)]
    apart = ["g1" if i % 2 else "g2" if s < 3 else "g3" for i, s in enumerate(site)]
    apart = [r if s < 3 else ("g4" if r == "g1" else r) for r, s in zip(apart, site, strict=True)]
    found, _ = responses(np.ones(24, dtype=int), [f"{s:04d}" for s in site], [""] * 24, unit, apart)
    assert rater_linking(found.tables["files"]).why == "scoring.raters_not_joined"
    few = ["g1" if i % 2 else f"g{2 + s // 2}" for i, s in enumerate(site)]
    found, _ = responses(np.ones(24, dtype=int), [f"{s:04d}" for s in site], [""] * 24, unit, few)
    assert rater_linking(found.tables["files"]).why == "scoring.rater_few_sites"


@pytest.mark.parametrize("code", [0, 4, 2])
def test_no_spread_at_all_takes_the_widest_and_says_so(code):
    site = np.repeat(np.arange(5), 8)
    found, instrument = responses(np.full(40, code), [f"{s:04d}" for s in site], [""] * 40)
    rows = score_municipalities(found, instrument).rows
    assert set(rows["flag"].tolist()) == {"scoring.bounded_spread"}
    low, high = rows["ci_low"].astype(float), rows["ci_high"].astype(float)
    wilson = score_interval(np.array([code / 4]), np.array([1 / 8]), np.array([Z]))
    assert np.allclose(low, 100 * wilson[0], atol=0.01)
    assert np.allclose(high, 100 * wilson[1], atol=0.01)


def test_one_site_alone_is_flagged():
    found, instrument = responses([0, 1, 4, 2, 3, 4, 4, 1], ["0114"] * 8, [""] * 8)
    assert set(score_municipalities(found, instrument).rows["flag"].tolist()) == {"scoring.own_spread"}


def test_gates_hold_only_at_four_in_five():
    kappa = np.full(4, 1 / 20)
    estimate = np.array([0.30, 0.45, 0.70, np.nan])
    nothing = np.full(4, np.nan)
    score = Score(estimate, nothing, nothing, nothing, kappa, np.full(4, np.inf), nothing, nothing, nothing, "")
    below, status = gate_status(score, 0.5)
    assert status.tolist() == ["held", "undecided", "passed", "unknown"]
    assert below[0] > 0.8 > below[1] > 0.2 > below[2]


def test_bands_begin_at_their_cut_and_a_held_gate_takes_one(ibic):
    position = band_of(np.array([0.0, 0.4999, 0.5, 0.75, 0.9, 1.0, np.nan]), ibic.bands)
    assert position.tolist() == [0, 0, 1, 2, 3, 3, -1]
    assert held_band(position, np.ones(7, dtype=bool)).tolist() == [0, 0, 0, 1, 2, 2, -1]
    assert held_band(position, np.zeros(7, dtype=bool)).tolist() == position.tolist()


def test_the_error_share_adds_units_clusters_and_raters():
    found, instrument = nested_responses()
    sums = sums_of(found, instrument)
    spread = pooled_spread(sums, np.zeros(6), RaterSpread(0.02, 7.0, "double_ratings"))
    kappa, df = error_share(sums, np.full(6, 0.5), spread)
    assert np.allclose(sums.within_weight, 1 / 20)
    assert np.allclose(sums.between_weight, 1 / 5)
    assert np.allclose(kappa, spread.within / 20 + spread.between / 5 + 0.02 * 0.5)
    assert (df > 0).all()


def nested_responses(seed=4, answered=None):
    """Six sites of five assessors with four files each, and which rows have an answer."""
    rng = np.random.default_rng(seed)
    site, cluster = np.repeat(np.arange(6), 20), np.tile(np.repeat(np.arange(5), 4), 6)
    effect = rng.normal(0, 0.8, (6, 5))[site, cluster]
    codes = rng.binomial(4, 1 / (1 + np.exp(-effect)))
    if answered is not None:
        codes = np.where(answered(site, np.tile(np.arange(20), 6)), codes, -1)
    return responses(codes, [f"{s:04d}" for s in site], [f"h{c}" for c in cluster])


def test_with_equal_clusters_and_no_holes_the_spread_is_that_of_mean_squares():
    """All sites brought to the same mean, so that θ(1 − θ) is one number; Searle et al. (1992)."""
    found, instrument = nested_responses()
    sums = sums_of(found, instrument)
    level = dataclasses.replace(sums, estimate=np.full(6, 0.5))
    spread = pooled_spread(level, np.zeros(6), NO_RATERS)
    between = (20**2 * sums.cluster_squares / 4).sum() / (6 * 4)
    within = (20**2 * (sums.unit_squares - sums.cluster_squares / 4)).sum() / (6 * 15)
    kappa = spread.within / 20 + spread.between / 5
    h = 0.25 / (1 - kappa)
    assert spread.within == pytest.approx(within / h, rel=1e-9)
    assert spread.between == pytest.approx((between - within) / 4 / h, rel=1e-9)
    assert (spread.df_within, spread.df_between) == (pytest.approx(6 * 15), pytest.approx(6 * 4))


def test_a_site_where_an_item_applies_to_few_files_gets_the_interval_of_few_files():
    found, instrument = nested_responses(answered=lambda site, unit: (site > 0) | (unit % 4 == 0))
    rows = score_municipalities(found, instrument).rows
    mine = rows.where(rows["level"] == "item")
    width = (mine["ci_high"] - mine["ci_low"]).astype(float)
    assert mine["n"].tolist() == [5, 20, 20, 20, 20, 20]
    sums = sums_of(found, instrument)
    assert sums.within_weight[0] == pytest.approx(1 / 5)
    assert sums.within_weight[1] == pytest.approx(1 / 20)
    assert width[0] > 1.2 * width[1:].max()


def test_unequal_weights_widen_the_interval():
    found, instrument = nested_responses()
    table = found.tables["files"]
    weight = np.where((table.site.codes == 0) & (np.arange(table.n) % 2 == 0), 20.0, 1.0)
    moved = dataclasses.replace(table, weight=weight)
    weighed = Responses({"files": moved}, Frame(), "one", "1.0.0", "", "test")
    sums = sums_of(weighed, instrument)
    assert sums.within_weight[0] == pytest.approx((10 * 400 + 10) / 210**2)
    assert sums.within_weight[1] == pytest.approx(1 / 20)


def test_one_assessor_a_site_is_flagged():
    site = np.repeat(np.arange(12), 10)
    codes = np.random.default_rng(1).binomial(4, 0.5, 120)
    found, instrument = responses(codes, [f"{s:04d}" for s in site], [f"h{s}" for s in site])
    assert set(score_municipalities(found, instrument).rows["flag"].tolist()) == {"scoring.few_clusters"}


def test_units_without_a_named_assessor_are_clusters_of_their_own_and_told():
    site = np.repeat(np.arange(12), 10)
    codes = np.random.default_rng(1).binomial(4, 0.5, 120)
    cluster = ["" if s == 0 else f"h{s}-{i % 3}" for i, s in enumerate(site)]
    found, instrument = responses(codes, [f"{s:04d}" for s in site], cluster)
    assert sums_of(found, instrument).between_weight[0] == pytest.approx(1 / 10)
    notes = {
        note.code: note.params["n"] for note in score_municipalities(found, instrument).notes if "n" in note.params
    }
    assert notes == {"scoring.clusters_partly": 10}


def test_a_rater_holds_half_of_a_file_that_two_rated():
    unit = [f"u{i}" for i in range(10)] + ["u0", "u1", "u2", "u3"]
    rater = ["a"] * 10 + ["b"] * 4
    found, _ = responses(np.ones(14, dtype=int), ["0114"] * 14, [""] * 14, unit, rater)
    groups = {group: i for i, group in enumerate(groups_of(found, by_area=False))}
    share = rater_shares(nesting(found.tables["files"], groups, by_area=False))
    assert share[0] == pytest.approx(0.8**2 + 0.2**2)


def test_too_few_double_ratings_leave_the_stated_rater_error():
    a, b = np.repeat(np.int32([0, 1, 2]), 4), np.repeat(np.int32([1, 2, 0]), 4)
    gap, scale = np.linspace(-0.2, 0.3, 12), np.full(12, 0.25)
    assert rater_spread(gap, scale, a, b) is not None
    assert rater_spread(gap[:11], scale[:11], a[:11], b[:11]) is None
    assert rater_spread(gap[:0], scale[:0], a[:0], b[:0]) is None


def test_the_standard_error_does_not_depend_on_the_confidence_level():
    found, instrument = nested_responses()
    errors = [
        score_municipalities(found, instrument, confidence_level=level).rows["std_error"].tolist()
        for level in (0.5, 0.95, 0.99)
    ]
    assert errors[0] == errors[1] == errors[2]


def test_the_interval_of_a_sum_of_sources_is_their_distances_squared_and_added():
    one = Said(np.array([0.95]), np.array([1 / 20]), np.array([np.inf]), np.array([20.0]), "")
    two = Said(np.array([0.3]), np.array([1 / 50]), np.array([np.inf]), np.array([50.0]), "")
    score = _score([(0.8, one), (0.2, two)], np.array([70.0]), np.array([""], dtype=object), 0.95)
    limits = [score_interval(said.estimate, said.kappa, np.array([Z])) for said in (one, two)]
    below = np.hypot(0.8 * (0.95 - limits[0][0]), 0.2 * (0.3 - limits[1][0]))
    above = np.hypot(0.8 * (limits[0][1] - 0.95), 0.2 * (limits[1][1] - 0.3))
    assert score.estimate[0] == pytest.approx(0.82)
    assert score.low[0] == pytest.approx(0.82 - below[0])
    assert score.high[0] == pytest.approx(0.82 + above[0])


def test_latent_shares_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match="latent shares"):
        LatentShares(assessor=0.5, unit=0.5)


def test_a_register_value_that_is_no_share_has_no_interval(ibic):
    study = simulate_study(StudyDesign(n_sites=4), seed=2, instrument=ibic)
    rows = score_municipalities(study.responses, ibic).rows
    hours, share = (rows.where((rows["item"] == name) & (rows["level"] == "item")) for name in ("by3", "ta1"))
    assert np.isfinite(hours["estimate"].astype(float)).all()
    assert np.isnan(hours["ci_low"].astype(float)).all()
    assert set(hours["flag"].tolist()) == {"scoring.register_value"}
    n = share["n"].astype(float)
    m = share["estimate"].astype(float) / 100
    low, high = score_interval(m, 1 / n, np.full(len(n), Z))
    assert np.allclose(share["ci_low"].astype(float), 100 * low, atol=1e-3)
    assert np.allclose(share["ci_high"].astype(float), 100 * high, atol=1e-3)


def test_too_few_pairs_in_a_linked_audit_are_told(ibic):
    study = simulate_study(StudyDesign(n_sites=9, raters=3, files=20, double_rated=0.05), seed=1, instrument=ibic)
    scores = score_municipalities(study.responses, ibic)
    files = scores.spread.where(scores.spread["source"] == "files")
    assert set(files["raters_from"].tolist()) == {"stated"}
    told = [note for note in scores.notes if note.code == "scoring.raters_not_separable"]
    assert [note.params["why"].code for note in told] == ["scoring.few_pairs"]


def test_no_stated_rater_error_flags_the_numbers():
    site = np.repeat(np.arange(12), 10)
    codes = np.random.default_rng(1).binomial(4, 0.5, 120)
    cluster = [f"h{s}-{i % 3}" for i, s in enumerate(site)]
    found, instrument = responses(codes, [f"{s:04d}" for s in site], cluster)
    scores = score_municipalities(found, instrument)
    assert set(scores.rows["flag"].tolist()) == {"scoring.no_rater_error"}
    assert "scoring.raters_not_separable_unstated" in [note.code for note in scores.notes]


def test_a_documents_error_is_filed_as_its_readers(ibic):
    study = simulate_study(StudyDesign(n_sites=12), seed=1, instrument=ibic)
    spread = score_municipalities(study.responses, ibic).spread
    documents = spread.where(spread["source"] == "documents")
    assert set(documents["raters_from"].tolist()) <= {"double_readings", "stated"}
    assert (documents["within"].astype(float) == 0).all()
    assert (documents["raters"].astype(float) > 0).all()


def test_the_gravest_flag_stands():
    assert gravest(["", "scoring.stated_rater_error", "scoring.few_clusters"]) == "scoring.few_clusters"
    assert gravest(["", ""]) == ""
