"""Sites against each other, their peers, an earlier wave and other weights: identities, rules, and what is said."""

import dataclasses
import json

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.responses.model import source_table
from ibic_fidelity.scoring.comparison.differences import contrasts, differences
from ibic_fidelity.scoring.comparison.figures import Figures, figures_of
from ibic_fidelity.scoring.comparison.funnel import Funnel
from ibic_fidelity.scoring.comparison.result import Comparison
from ibic_fidelity.scoring.comparison.weights import WeightSensitivity
from ibic_fidelity.scoring.intervals import error_variance, score_interval

SUMS = 1e-9  # only the order of summation differs
DESIGN = ibic.StudyDesign(n_sites=8, files=24, users=0, relatives=0, raters=2, service_areas=("aldre", "lss"))


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(DESIGN, seed=1)


@pytest.fixture(scope="module")
def scores(study):
    return ibic.score_municipalities(study.responses, study.instrument)


@pytest.fixture(scope="module")
def pairs(scores, study):
    return ibic.compare_sites(scores, responses=study.responses, instrument=study.instrument)


def shuffled(scores, seed=3):
    order = np.random.default_rng(seed).permutation(len(scores.rows))
    rows = Records.of(**{name: column[order] for name, column in scores.rows.columns.items()})
    return dataclasses.replace(scores, rows=rows)


def with_wave(scores, wave):
    rows = Records.of(**{**scores.rows.columns, "wave": np.full(len(scores.rows), wave, dtype=object)})
    return dataclasses.replace(scores, rows=rows)


def codes(result):
    return {note.code for note in result.notes}


def test_every_pair_stands_once(pairs, scores):
    rows = pairs.rows
    assert len(rows) == 8 * 7 // 2
    assert (rows["site"] < rows["other"]).all()
    of = dict(zip(scores.core["site"][scores.core.service_area == ""], scores.core["estimate"], strict=False))
    np.testing.assert_allclose(rows["estimate"], rows["first"] - rows["second"])
    assert set(rows["site"]) | set(rows["other"]) == set(of)


@pytest.mark.parametrize(
    ("estimate", "units", "near"),
    [
        ([88, 93, 100, 95], 10, True),
        ([2, 7, 10, 30], 10, True),
        ([88, 93, 100, 95], 400, False),
        ([50, 60, 80, 83], 10, False),
        ([np.nan, np.nan, np.nan, np.nan], 10, False),
    ],
)
def test_differences_near_a_bound_with_few_units_are_known(estimate, units, near):
    """Half of the sites within 15 of a bound, and fewer than five effective units beyond: the interval is too wide."""
    mean = np.array(estimate, dtype=float)
    empty, kappa = np.full(4, "", dtype=object), np.full(4, 1 / units)
    low, high = score_interval(mean / 100, kappa, np.full(4, 1.96))
    error = 100 * np.sqrt(error_variance(mean / 100, kappa))
    assert Figures.of(empty, mean, error, 100 * low, 100 * high, empty, empty, level=0.95).near_bound == near


def test_rows_near_a_bound_say_so():
    design = ibic.StudyDesign(n_sites=12, files=20, users=0, relatives=0, mean=2.0)
    study = ibic.simulate_study(design, seed=1)
    found = ibic.compare_sites(ibic.score_municipalities(study.responses, study.instrument), "fr")
    assert set(found.rows["flag"]) == {"scoring.difference_near_bound"}


def test_the_order_of_rows_changes_no_byte(scores, study):
    for made in (ibic.compare_sites, ibic.site_funnel, ibic.compare_with_peers):
        options = {"groups": dict.fromkeys(scores.sites, "all")} if made is ibic.compare_with_peers else {}
        assert made(scores, **options).to_json() == made(shuffled(scores), **options).to_json()
    one, two = (ibic.weight_sensitivity(each, study.instrument, draws=50) for each in (scores, shuffled(scores)))
    assert one.to_json() == two.to_json()


def test_a_site_does_not_differ_from_itself(scores):
    figures = figures_of(scores, "total_core")
    alone = differences(figures, figures)
    np.testing.assert_array_equal(alone.estimate, 0)
    np.testing.assert_array_equal(alone.p_value, 1)
    assert ((alone.low < 0) & (alone.high > 0)).all()


def test_swapping_two_sites_mirrors_their_difference(scores):
    figures = figures_of(scores, "ut")
    back = figures.take(np.arange(len(figures.site))[::-1])
    one, two = differences(figures, back), differences(back, figures)
    np.testing.assert_allclose(one.estimate, -two.estimate)
    np.testing.assert_allclose(one.low, -two.high)
    np.testing.assert_allclose(one.p_value, two.p_value)


def test_a_contrast_of_two_is_their_difference(scores):
    figures = figures_of(scores, "ut")
    i, j = np.triu_indices(len(figures.site), 1)
    weight = np.eye(len(figures.site))[i] - np.eye(len(figures.site))[j]
    one, two = differences(figures.take(i), figures.take(j)), contrasts(weight, figures)
    for name in ("estimate", "std_error", "low", "high", "df", "p_value"):
        np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=SUMS, err_msg=name)


def test_the_p_value_is_that_of_the_interval(scores, pairs):
    for rows in (pairs.rows, ibic.compare_sites(scores, "ut").rows, ibic.compare_sites(scores, "ta3w").rows):
        outside = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
        assert ((rows["p_value"] < 0.05) == outside).all()
        assert (rows["p_adjusted"] >= rows["p_value"]).all()
        sure = rows["p_adjusted"] <= 0.05
        assert ((rows["verdict"] != "not_told_apart") == sure).all()


def test_raters_in_common_take_their_severity_out_of_the_difference(scores, study, pairs):
    apart = ibic.compare_sites(scores).rows
    shared = pairs.rows["shared_raters"] == "yes"
    assert shared.any()
    width = {name: rows["ci_high"] - rows["ci_low"] for name, rows in (("seen", pairs.rows), ("apart", apart))}
    assert (width["seen"][shared] < width["apart"][shared]).all()
    np.testing.assert_array_equal(width["seen"][~shared], width["apart"][~shared])
    assert set(apart["shared_raters"]) == {"unknown"}
    assert "scoring.raters_taken_as_apart" in codes(ibic.compare_sites(scores))
    assert "scoring.raters_in_common" in codes(pairs)


def test_one_rater_of_all_leaves_only_files_in_the_difference():
    """The rater's variance, here as stated by the instrument, cancels where one person read everything."""
    study = ibic.simulate_study(dataclasses.replace(DESIGN, raters=1, double_rated=0.0, service_areas=()), seed=4)
    scores = ibic.score_municipalities(study.responses, study.instrument)
    seen = ibic.compare_sites(scores, "ut", responses=study.responses, instrument=study.instrument)
    figures = figures_of(scores, "ut")
    m, kappa = figures.estimate / 100, figures.kappa
    centre = (m + 2 * kappa) / (1 + 4 * kappa)
    h = centre * (1 - centre)
    stated = 4 * study.instrument.uncertainty.rater_sd**2
    i, j = np.triu_indices(len(m), 1)
    expected = kappa[i] * h[i] + kappa[j] * h[j] - 2 * stated * np.sqrt(h[i] * h[j])
    np.testing.assert_allclose((seen.rows["std_error"] / 100) ** 2, expected, rtol=1e-6)


def test_all_pairs_of_290_sites():
    rng = np.random.default_rng(1)
    study = ibic.simulate_study(dataclasses.replace(DESIGN, service_areas=(), n_sites=20), seed=2)
    base = ibic.score_municipalities(study.responses, study.instrument)
    core = base.rows.where((base.rows["statistic"] == "total_core") & (base.rows["service_area"] == ""))
    picked = rng.integers(0, len(core), 290)
    columns = {name: column[picked] for name, column in core.columns.items()}
    columns["site"] = np.array([f"{i:04d}" for i in range(290)], dtype=object)
    result = ibic.compare_sites(dataclasses.replace(base, rows=Records.of(**columns)))
    assert len(result.rows) == 41_905
    assert np.isfinite(result.rows["p_adjusted"]).all()


def test_by_is_stricter_than_bh(scores):
    bh, by = (ibic.compare_sites(scores, adjustment=way).rows["p_adjusted"] for way in ("bh", "by"))
    assert (by >= bh).all()


def test_peers_leave_the_site_itself_out(scores):
    groups = {site: "a" if i < 5 else "b" for i, site in enumerate(scores.sites[:7])}
    result = ibic.compare_with_peers(scores, "ut", groups=groups)
    figures = figures_of(scores, "ut")
    of = dict(zip(figures.site.tolist(), figures.estimate.tolist(), strict=True))
    for row in result.rows.rows():
        others = [of[s] for s, g in groups.items() if g == row["other"] and s != row["site"]]
        assert row["peers"] == len(others)
        assert row["second"] == pytest.approx(np.mean(others))
        assert row["estimate"] == pytest.approx(of[row["site"]] - np.mean(others))
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
    left = {row["site"]: row["reason"] for row in result.left_out.rows()}
    assert left[scores.sites[7]] == "scoring.no_peer_group"
    assert {left[site] for site in scores.sites[5:7]} == {"scoring.too_few_peers"}
    assert len(result.rows) == 5


def test_county_is_built_in_and_any_grouping_is_read_from_a_file(study, tmp_path):
    design = dataclasses.replace(DESIGN, n_sites=40, service_areas=(), providers=0, managers=0)
    made = ibic.simulate_study(design, seed=1)
    scores = ibic.score_municipalities(made.responses, made.instrument)
    result = ibic.compare_with_peers(scores, "ut")
    assert len(result.rows) > 10
    assert all(name.endswith("län") for name in result.rows["other"])
    path = tmp_path / "skr.csv"
    lines = ["code;kommungrupp", *(f"{site};{'A1' if i % 2 else 'B3'}" for i, site in enumerate(scores.sites))]
    path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    of_file = ibic.compare_with_peers(scores, "ut", groups=path, column="kommungrupp")
    assert set(of_file.rows["other"]) == {"A1", "B3"}
    assert len(of_file.left_out) == 0
    with pytest.raises(UsageError, match="region"):
        ibic.compare_with_peers(scores, "ut", groups=path, column="region")
    path.write_text("code,group\n0114,a\n0114,b\n", encoding="utf-8")
    with pytest.raises(UsageError, match="two different groups"):
        ibic.compare_with_peers(scores, "ut", groups=str(path))


def test_raters_of_peers_count_too(scores, study):
    groups = dict.fromkeys(scores.sites, "all")
    apart = ibic.compare_with_peers(scores, "ut", groups=groups)
    seen = ibic.compare_with_peers(scores, "ut", groups=groups, responses=study.responses, instrument=study.instrument)
    np.testing.assert_array_equal(apart.rows["estimate"], seen.rows["estimate"])
    assert not np.array_equal(apart.rows["std_error"], seen.rows["std_error"])
    assert set(seen.rows["shared_raters"]) == {"yes"}


def test_no_change_where_nothing_has_changed(scores, study):
    later = with_wave(scores, "2")
    result = ibic.compare_waves(with_wave(scores, "1"), later)
    np.testing.assert_array_equal(result.rows["estimate"], 0)
    assert set(result.rows["verdict"]) == {"not_told_apart"}
    assert "scoring.waves_taken_as_apart" in codes(result)
    assert "scoring.no_occasions" in codes(result)


@pytest.fixture(scope="module")
def waves(study):
    """Two waves in one collection: the second read by one old rater and others, with other files."""
    second = ibic.simulate_study(DESIGN, seed=2)
    table = [study.responses.tables["files"], second.responses.tables["files"]]
    keys = {
        name: np.concatenate([getattr(one, name).text for one in table])
        for name in ("site", "service_area", "unit", "cluster", "rater")
    }
    n = [one.n for one in table]
    keys["wave"] = np.repeat(np.array(["1", "2"], dtype=object), n)
    keys["unit"] = np.array([f"{w}{u}" for w, u in zip(keys["wave"], keys["unit"], strict=True)], dtype=object)
    last = sorted(set(keys["rater"]))[-1]
    keys["rater"] = np.where((keys["wave"] == "2") & (keys["rater"] == last), "new", keys["rater"])
    both = source_table("files", table[0].columns, np.concatenate([one.codes for one in table]), keys)
    found = dataclasses.replace(study.responses, tables={"files": both}, data_sha256="two waves")
    return found, ibic.score_municipalities(found, study.instrument), set(keys["rater"]) - {last, "new"}


def test_waves_of_one_collection_and_who_rated_both(waves, study):
    found, scores, stayed = waves
    apart = ibic.compare_waves(scores, target="ut")
    seen = ibic.compare_waves(scores, target="ut", responses=found, instrument=study.instrument)
    np.testing.assert_array_equal(apart.rows["estimate"], seen.rows["estimate"])
    shared = seen.rows["shared_raters"] == "yes"
    assert shared.any()
    assert (seen.rows["std_error"][shared] < apart.rows["std_error"][shared]).all()
    note = next(note for note in seen.notes if note.code == "scoring.raters_at_both_waves")
    assert set(note.params["raters"]) == stayed
    before, after = (figures_of(scores, "ut", wave=wave).estimate for wave in ("1", "2"))
    np.testing.assert_allclose(seen.rows["estimate"], after - before)
    back = ibic.compare_waves(scores, target="ut", waves=("2", "1"))
    np.testing.assert_allclose(back.rows["estimate"], before - after)


def test_files_that_are_in_both_waves_are_told(waves, study):
    found, _, _ = waves
    table = found.tables["files"]
    keys = {name: getattr(table, name).text for name in ("site", "service_area", "wave", "cluster", "rater")}
    keys["unit"] = np.array([unit[1:] for unit in table.unit.text], dtype=object)
    again = source_table("files", table.columns, table.codes, keys)
    same = dataclasses.replace(found, tables={"files": again})
    scores = ibic.score_municipalities(same, study.instrument)
    result = ibic.compare_waves(scores, target="ut", responses=same, instrument=study.instrument)
    assert "scoring.units_at_both_waves" in codes(result)
    result = ibic.compare_waves(waves[1], target="ut", responses=found, instrument=study.instrument)
    assert "scoring.units_at_both_waves" not in codes(result)


def test_a_site_with_one_wave_is_left_out(scores):
    later = scores.of_site(scores.sites[0])
    result = ibic.compare_waves(with_wave(scores, "1"), with_wave(later, "2"))
    assert result.rows["site"].tolist() == [scores.sites[0]]
    assert set(result.left_out["reason"]) == {"scoring.one_wave_only"}


def test_the_gap_between_areas_is_of_each_site(scores):
    result = ibic.gap_between_areas(scores, "aldre", "lss", "ut")
    one, two = (figures_of(scores, "ut", service_area=area).estimate for area in ("aldre", "lss"))
    np.testing.assert_allclose(result.rows["estimate"], one - two)
    mirrored = ibic.gap_between_areas(scores, "lss", "aldre", "ut")
    np.testing.assert_allclose(result.rows["ci_low"], -mirrored.rows["ci_high"])


def test_the_gap_between_women_and_men_is_of_counts(scores):
    result = ibic.gap_between_items(scores, "ta3w", "ta3m")
    assert len(result.rows) == 8
    assert np.isfinite(result.rows["ci_low"]).all()
    assert np.isnan(result.rows["df"]).all()  # counts: normal quantiles


def test_sources_are_compared_item_by_item_and_never_averaged(scores):
    result = ibic.compare_sources(scores)
    first = figures_of(scores, "pl6")
    other = figures_of(scores, "pl6", source="provider")
    rows = result.rows.where((result.rows["item"] == "pl6") & (result.rows["other"] == "provider"))
    np.testing.assert_allclose(rows["estimate"], first.estimate - other.estimate)
    beside = {(row["item"], row["other"]) for row in result.rows.rows()}
    assert ("pl6", "assessor") in beside or ("pl6", "assessor") in {
        (row["item"], row["other"]) for row in result.left_out.rows()
    }
    absent = {row["item"] for row in result.left_out.rows() if row["reason"] == "scoring.source_missing"}
    assert "kv1" in absent  # users, who are its source, were not asked here
    only = ibic.compare_sources(scores, items=["pl6"])
    assert set(only.rows["item"]) == {"pl6"}


def test_what_nobody_can_compare_stands_with_its_reason(mini, responses_of):
    files = [(site, f"u{i}", f"k{i % 3}", "g", i % 2, 0, 1, 1, i % 2) for site, n in
             (("0114", 8), ("0180", 8), ("0305", 3)) for i in range(n)]  # fmt: skip
    scores = ibic.score_municipalities(responses_of(files), mini)
    result = ibic.compare_sites(scores, "a")
    assert len(result.rows) == 1
    assert result.left_out.rows() == [{"site": "0305", "item": "", "other": "", "reason": "scoring.too_few"}]


def test_a_component_whose_items_are_all_specific_is_the_sub_score(mini, responses_of):
    files = [(site, f"u{i}", f"k{i % 3}", "g", i % 2, i % 3 == 0, 1, 1, i % 2) for site in ("0114", "0180") for i in
             range(9)]  # fmt: skip
    told = mini.replaced(
        items=tuple(
            item.model_copy(update={"specificity": "ibic" if item.component == "a" else None}) for item in mini.items
        )
    )
    responses = responses_of(files, {"0114": (80.0, 50), "0180": (60.0, 200)}, instrument=told)
    whole, part = ibic.score_municipalities(responses, told), ibic.score_by_specificity(responses, told)
    component = whole.rows.where((whole.rows["component"] == "a") & (whole.rows["level"] == "component"))
    for name in ("estimate", "std_error", "ci_low", "ci_high", "n", "flag"):
        np.testing.assert_array_equal(part.rows[name], component[name])
    assert set(part.rows["component"]) == {"specificity_ibic"}
    note = next(note for note in part.notes if note.code == "scoring.specificity_untold")
    assert note.params["items"] == ["b1"]


def test_sub_scores_come_ibic_first_and_can_be_compared(study):
    made = ibic.score_by_specificity(study.responses, study.instrument)
    whole = made.rows.where(made.rows["service_area"] == "")
    names = ["specificity_ibic", "specificity_shared", "specificity_law"]
    assert whole["component"].tolist() == names * 8
    assert made.provenance.instrument_sha256 == study.instrument.sha256
    assert len(made.bands) == len(made.gates) == 0
    assert len(ibic.compare_sites(made, "specificity_ibic").rows) == 28
    assert ibic.Scores.from_json(made.to_json()).to_json() == made.to_json()


def test_a_mean_of_items_by_hand(study, scores):
    made = ibic.score_by_specificity(study.responses, study.instrument)
    total = next(one for one in study.instrument.totals if one.id == "total_core")
    inside = {part.id for part in study.instrument.components_of(total)}
    items = [one.id for one in study.instrument.items if one.component in inside and one.specificity == "shared"]
    expected = np.mean([figures_of(scores, item).estimate for item in items], axis=0)
    np.testing.assert_allclose(figures_of(made, "specificity_shared").estimate, expected)


def test_the_funnel_counts_what_it_shows(scores):
    funnel = ibic.site_funnel(scores, "ut")
    rows = funnel.rows
    for row in funnel.counts.rows():
        low, high = funnel.limits(rows["precision"], row["level"], spread=row["spread"])
        outside = (rows["estimate"] < low) | (rows["estimate"] > high)
        assert row["outside"] == outside.sum() == row["below"] + row["above"]
        assert row["expected"] == pytest.approx(8 * (1 - row["level"]))
    kappa = figures_of(scores, "ut").kappa
    np.testing.assert_allclose(rows["std_error"] ** 2, kappa * funnel.centre * (100 - funnel.centre), rtol=1e-6)


def test_sites_that_are_equal_have_no_spread_and_none_outside(scores):
    columns = dict(scores.rows.columns)
    for name in ("estimate", "std_error", "ci_low", "ci_high"):
        columns[name] = np.full(len(scores.rows), {"estimate": 50.0, "std_error": 5.0, "ci_low": 40.0}.get(name, 60.0))
    equal = dataclasses.replace(scores, rows=Records.of(**columns))
    funnel = ibic.site_funnel(equal)
    assert funnel.tau == 0
    assert funnel.counts["outside"].tolist() == [0, 0, 0, 0]
    pairs = ibic.compare_sites(equal)
    assert set(pairs.rows["verdict"]) == {"not_told_apart"}
    np.testing.assert_array_equal(pairs.rows["p_value"], 1)


@pytest.mark.parametrize("at", [0.0, 100.0])
def test_all_at_a_bound_still_have_a_funnel(scores, at):
    columns = dict(scores.rows.columns)
    low, high = (0.0, 12.0) if at == 0 else (88.0, 100.0)
    for name, value in (("estimate", at), ("std_error", 4.0), ("ci_low", low), ("ci_high", high)):
        columns[name] = np.full(len(scores.rows), value)
    made = ibic.site_funnel(dataclasses.replace(scores, rows=Records.of(**columns)))
    assert np.isfinite(made.rows["precision"]).all()
    assert made.counts["outside"].tolist() == [0, 0, 0, 0]


def test_weights_of_the_instrument_change_no_band_and_others_do(scores, study):
    total = next(one for one in study.instrument.totals if one.id == "total_core")
    parts = [part for part in study.instrument.components_of(total) if study.instrument.items_of(part.id)]
    whole = sum(part.weight for part in parts)
    own = {part.id: part.weight / whole for part in parts}
    result = ibic.weight_sensitivity(scores, study.instrument, weights=own, draws=400)
    assert result.changed_given == 0
    assert result.rows["band_given"].tolist() == result.rows["band"].tolist()
    bands = scores.bands.where((scores.bands["statistic"] == "total_core") & (scores.bands["service_area"] == ""))
    assert result.rows["band"].tolist() == bands["band"].tolist()
    means = np.stack([figures_of(scores, name).estimate for name in own], axis=1)
    np.testing.assert_allclose(means @ np.array(list(own.values())), result.rows["estimate"])
    assert result.changed_drawn_low <= result.changed_drawn <= result.changed_drawn_high
    assert result.changed_drawn == pytest.approx(result.rows["change_share"].mean())
    assert (
        (result.rows["total_low"] < result.rows["estimate"]) & (result.rows["estimate"] < result.rows["total_high"])
    ).all()


def test_draws_near_equal_weights_are_near_equal_weights(scores, study):
    near = ibic.weight_sensitivity(scores, study.instrument, concentration=1e6, draws=100)
    assert near.changed_drawn == pytest.approx(near.changed_equal, abs=0.01)
    again = ibic.weight_sensitivity(scores, study.instrument, concentration=1e6, draws=100)
    assert near.to_json() == again.to_json()
    other = ibic.weight_sensitivity(scores, study.instrument, draws=100, seed=1)
    assert (
        other.rows["total_low"].tolist()
        != ibic.weight_sensitivity(scores, study.instrument, draws=100).rows["total_low"].tolist()
    )


def test_results_are_written_and_read_back(scores, pairs, study):
    funnel = ibic.site_funnel(scores)
    weights = ibic.weight_sensitivity(scores, study.instrument, draws=20)
    for kind, result in ((Comparison, pairs), (Funnel, funnel), (WeightSensitivity, weights)):
        text = result.to_json()
        again = kind.from_json(text)
        assert again.to_json() == text
        assert again.table.equals(result.table)
        assert "SYNTHETIC" in result.summary() == repr(again)
        assert json.loads(text)["schema"] == kind.SCHEMA
        with pytest.raises(UsageError, match="schema"):
            kind.from_json('{"schema": "other"}')
    assert len(pairs.told_apart) == (pairs.rows["verdict"] != "not_told_apart").sum()


def test_rows_that_name_no_rater_count_as_read_by_others(study, waves):
    found, _, _ = waves
    table = found.tables["files"]
    keys = {name: getattr(table, name).text for name in ("site", "service_area", "wave", "unit", "cluster")}
    keys["rater"] = np.where(table.site.text == table.site.labels[0], "", table.rater.text)
    nameless = dataclasses.replace(found, tables={"files": source_table("files", table.columns, table.codes, keys)})
    scores = ibic.score_municipalities(nameless, study.instrument)
    result = ibic.compare_sites(scores, "ut", wave="1", responses=nameless, instrument=study.instrument)
    assert "scoring.raters_in_common_unnamed" in codes(result)
    assert set(result.rows["shared_raters"][result.rows["site"] == table.site.labels[0]]) == {"no"}
    assert "yes" in set(result.rows["shared_raters"])


def test_texts_of_every_note_are_in_both_languages(pairs, scores):
    for result in (pairs, ibic.site_funnel(scores), ibic.gap_between_areas(scores, "aldre", "lss", "ut")):
        for note in result.notes:
            assert note.text("sv") != note.text("en")
