"""Two occasions: what was planted comes back, what is paired is told, and what cannot be said is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ibic_fidelity.dossier.occasion_pairs import mean_of_common, of_wave, paired_items, pairs, row_keys
from ibic_fidelity.dossier.occasions import occasion_reliability
from ibic_fidelity.errors import ResponseError, UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.psychometrics import intraclass_correlation, limits_of_agreement, rater_drift
from ibic_fidelity.responses.model import TEXT_KEYS, Key, source_table
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.retest import RetestDesign, simulate_retest

WAVES = {"first": "2026-03", "second": "2026-04"}


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


@pytest.fixture(scope="module")
def responses(ibic):
    return read_responses(bundled("data/synthetic") / "retest.csv", ibic)


@pytest.fixture(scope="module")
def result(responses, ibic):
    return occasion_reliability(responses, ibic, **WAVES)


def rows_of(result, statistic, **where):
    found = [row for row in result if row.statistic == statistic]
    return [row for row in found if all(getattr(row, name) == value for name, value in where.items())]


def relabelled(responses, key, labels):
    """The same responses with other labels of a key."""
    tables = {
        name: replace(table, **{key: Key.of([labels.get(text, text) for text in getattr(table, key).text])})
        for name, table in responses.tables.items()
    }
    return replace(responses, tables=tables)


def test_every_part_is_there(result, responses):
    for name in ("retest_icc", "sem", "sem_of_differences", "sdc", "sdc_group", "proportional_bias", "retest_kappa",
                 "drift", "intra_rater_kappa", "reaudit_icc", "overlap_share", "overlap_expected"):  # fmt: skip
        assert rows_of(result, name), name
    assert {row.rater for row in rows_of(result, "drift")} == set(responses.tables["files"].rater.labels)
    assert {row.component for row in rows_of(result, "reaudit_icc")} >= {"total_core", "total_extended", "ut", "gr"}


def test_retest_of_a_component_is_that_of_means_over_common_items(result, responses, ibic):
    """By plain loops over respondents, without the pairing code."""
    table = responses.tables["user"]
    items = [(item, measure) for item, measure in ibic.measures_of("user")
             if item.component == "de" and measure.role == "primary"]  # fmt: skip
    people = {}
    for row in range(table.n):
        answers = []
        for item, measure in items:
            scale, code = ibic.by_scale[measure.scale], int(table.column(measure.id)[row])
            value = (code - scale.lowest) / (scale.highest - scale.lowest) if code >= 0 else np.nan
            answers.append(1 - value if item.reverse else value)
        people.setdefault((table.site.text[row], table.unit.text[row]), {})[table.wave.text[row]] = np.array(answers)
    x = []
    for waves in people.values():
        if len(waves) == 2:
            both = np.isfinite(waves["2026-03"]) & np.isfinite(waves["2026-04"])
            x.append([100 * waves["2026-03"][both].mean(), 100 * waves["2026-04"][both].mean()])
    x = np.array(x)
    (icc,) = rows_of(result, "retest_icc", source="user", component="de")
    assert icc.n == len(x)
    assert icc.estimate == pytest.approx(intraclass_correlation(x).estimate, abs=1e-10)
    (difference,) = rows_of(result, "mean_difference", source="user", component="de")
    assert difference.estimate == pytest.approx((x[:, 1] - x[:, 0]).mean(), abs=1e-10)
    (lower,) = rows_of(result, "lower_limit", source="user", component="de")
    assert lower.estimate == pytest.approx(limits_of_agreement(x[:, 1], x[:, 0]).lower, abs=1e-10)
    (sem,) = rows_of(result, "sem_of_differences", source="user", component="de")
    assert sem.estimate == pytest.approx((x[:, 1] - x[:, 0]).std(ddof=1) / np.sqrt(2), abs=1e-10)
    (change,) = rows_of(result, "sdc", source="user", component="de")
    assert change.estimate == pytest.approx(1.959964 * (x[:, 1] - x[:, 0]).std(ddof=1), rel=1e-6)
    (group,) = rows_of(result, "sdc_group", source="user", component="de")
    assert group.estimate == pytest.approx(change.estimate / np.sqrt(len(x)), abs=1e-10)


def test_re_audit_compares_scores_of_waves_that_share_no_file(result, responses, ibic):
    table = responses.tables["files"]
    before = {
        (site, unit)
        for site, unit, wave in zip(table.site.text, table.unit.text, table.wave.text, strict=True)
        if wave == "2026-03"
    }  # fmt: skip
    again = np.array([
        wave == "2026-04" and (site, unit) in before
        for site, unit, wave in zip(table.site.text, table.unit.text, table.wave.text, strict=True)
    ])  # fmt: skip
    keys = {name: getattr(table, name).text[~again] for name in TEXT_KEYS}
    fresh = source_table("files", table.columns, table.codes[~again], keys)
    scores = score_municipalities(replace(responses, tables={**responses.tables, "files": fresh}), ibic).components
    scores = scores[(scores.component == "ut") & (scores.service_area == "")]
    wide = scores.pivot_table(index="site", columns="wave", values="estimate").dropna()
    (difference,) = rows_of(result, "mean_difference", source="files", component="ut")
    assert difference.n == len(wide) == 10
    assert difference.estimate == pytest.approx((wide["2026-04"] - wide["2026-03"]).mean(), abs=1e-10)
    (icc,) = rows_of(result, "reaudit_icc", component="ut")
    assert icc.estimate == pytest.approx(intraclass_correlation(wide.to_numpy()).estimate, abs=1e-10)


def test_drift_is_that_of_file_scores_and_kappa_that_of_stacked_answers(result, responses, ibic):
    """Against `rater_drift`: of scores for the change, of answers clustered in files for kappa."""
    table = responses.tables["files"]
    halves = [of_wave(table, wave) for wave in WAVES.values()]
    keys = [row_keys(half, "rater") for half in halves]
    rows = pairs(*keys)
    items = [one for one in paired_items(*halves, rows, ibic)
             if ibic.by_component[one.item.component].dimension == "core"]  # fmt: skip
    mine = np.array([keys[0][row][-1] == "g03" for row in rows[0]])
    scores = 100 * mean_of_common(items)[mine]
    change = rater_drift(scores[:, :1], scores[:, 1:])
    (drift,) = rows_of(result, "drift", rater="g03")
    assert drift.estimate == pytest.approx(change.change[0], abs=1e-10)
    assert (drift.ci_low, drift.ci_high) == pytest.approx((change.change_ci[0].low, change.change_ci[0].high), abs=1e-9)
    codes, files = [], []
    for one in items:
        parts = len(one.codes) // len(mine)
        codes.append(one.codes[np.tile(mine, parts)] / one.categories[-1])
        files.append(np.tile(np.flatnonzero(mine), parts))
    codes, files = np.concatenate(codes), np.concatenate(files)
    known = np.isfinite(codes).all(axis=1)
    stacked = rater_drift(codes[known, :1], codes[known, 1:], clusters=files[known])
    (kappa,) = rows_of(result, "intra_rater_kappa", rater="g03")
    assert kappa.estimate == pytest.approx(stacked.kappa[0], abs=1e-10)
    assert kappa.ci_low == pytest.approx(stacked.kappa_ci[0].low, abs=1e-9)


def test_the_planted_drift_is_seen_in_the_bundled_data(result):
    drift = {row.rater: row for row in rows_of(result, "drift")}
    for rater in ("g03", "g06"):
        assert drift[rater].ci_high < 0
    for rater in ("g01", "g02", "g04", "g05"):
        assert drift[rater].ci_low < 0 < drift[rater].ci_high


def test_exchanging_the_occasions_turns_signs_and_leaves_agreement(responses, ibic, result):
    swapped = relabelled(responses, "wave", {"2026-03": "b", "2026-04": "a"})
    turned = occasion_reliability(swapped, ibic, first="a", second="b")
    for name in ("retest_icc", "sem", "sdc"):
        for one, other in zip(rows_of(result, name), rows_of(turned, name), strict=True):
            assert other.estimate == pytest.approx(one.estimate, abs=1e-9, nan_ok=True)
    for name in ("drift", "proportional_bias"):
        for one, other in zip(rows_of(result, name), rows_of(turned, name), strict=True):
            assert other.estimate == pytest.approx(-one.estimate, abs=1e-9, nan_ok=True)


def test_who_has_no_pair_is_told(result, responses):
    table = responses.tables["user"]
    units = [set(table.unit.text[table.wave.text == wave]) for wave in WAVES.values()]
    told = next(
        message
        for message in result.preface
        if message.code == "dossier.answered_twice" and message.params["source"]["en"] == "Persons with support"
    )
    assert (told.params["n"], told.params["first"], told.params["second"]) == (
        len(units[0] & units[1]), len(units[0] - units[1]), len(units[1] - units[0]),
    )  # fmt: skip


def test_texts_are_in_both_languages_and_say_synthetic(result):
    swedish, english = result.text("sv"), result.text("en")
    assert "SYNTETISKA DATA" in swedish
    assert "SYNTHETIC DATA" in english
    for words in ("omtest", "granskarens drift", "ny granskning", "minsta mätbara förändring", "samstämmighetsgräns"):
        assert words in swedish.lower(), words
    assert "Följsamhet, kärna [total_core]\n" in swedish


def test_a_rater_who_took_part_both_times_is_told(responses, ibic):
    one = relabelled(responses, "rater", {f"g{i:02d}": "g01" for i in range(1, 7)})
    files = one.tables["files"]
    _, first = np.unique([f"{w} {u}" for w, u in zip(files.wave.text, files.unit.text, strict=True)], return_index=True)
    documents = one.tables["documents"].take(np.zeros(0, dtype=np.intp))
    alone = replace(one, tables={**one.tables, "files": files.take(np.sort(first)), "documents": documents})
    alone = replace(alone, tables={name: table for name, table in alone.tables.items() if table.n})
    told = [message for message in occasion_reliability(alone, ibic, **WAVES).preface
            if message.code == "dossier.reaudited"]  # fmt: skip
    assert told[0].params["same"] == 10


def test_few_sites_and_few_pairs_are_told(ibic):
    study = StudyDesign(n_sites=4, files=24, raters=4, users=3, relatives=0, providers=0)
    made = simulate_retest(RetestDesign(study=study, reaudited=4, answer_again=1.0), seed=1, instrument=ibic)
    result = occasion_reliability(made.responses, ibic, **WAVES)
    (total,) = rows_of(result, "reaudit_icc", component="total_core")
    assert "dossier.few_sites" in {note.code for note in total.notes}
    (icc,) = rows_of(result, "retest_icc", source="user", component="de")
    assert icc.n < 10
    assert "dossier.few_pairs" in {note.code for note in icc.notes}


def test_sites_too_few_to_compare_have_no_figure_but_a_reason(ibic):
    study = StudyDesign(n_sites=2, files=24, raters=4, users=0, relatives=0, providers=0)
    made = simulate_retest(RetestDesign(study=study, reaudited=2), seed=1, instrument=ibic)
    result = occasion_reliability(made.responses, ibic, **WAVES)
    (total,) = rows_of(result, "reaudit_icc", component="total_core")
    assert np.isnan(total.estimate)
    assert [note.code for note in total.notes] == ["dossier.too_few_sites"]


def test_a_source_without_ids_is_told_and_the_others_are_used(responses, ibic):
    tables = {**responses.tables, "user": replace(responses.tables["user"], has_ids=False)}
    result = occasion_reliability(replace(responses, tables=tables), ibic, **WAVES)
    assert not rows_of(result, "retest_icc", source="user")
    assert rows_of(result, "retest_icc", source="relative")
    assert "dossier.source_without_ids" in {message.code for message in result.preface}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("2026-03", "2026-05", "dossier.unknown_wave"),
        ("2026-3", "2026-04", "dossier.unknown_wave"),
        ("2026-03", "2026-03", "dossier.same_wave"),
        ("2026-04", "2026-03", "dossier.waves_fall"),
    ],
)
def test_waves_that_mean_nothing_are_refused(responses, ibic, first, second, code):
    with pytest.raises(UsageError) as error:
        occasion_reliability(responses, ibic, first=first, second=second)
    assert error.value.code == code
    assert {first, second} & set(str(error.value).replace(".", " ").replace(",", " ").split())


@pytest.mark.parametrize(
    ("first", "second", "falls"),
    [
        ("2", "1", True), ("omgång 10", "omgång 9", True), ("2026", "2025", True), ("2026-04-01", "2026-03-30", True),
        ("2026Q2", "2026Q1", True), ("1", "2", False), ("9", "10", False), ("12/2025", "3/2026", False),
        ("3/2026", "12/2025", False), ("HT2026", "VT2026", False), ("efter", "före", False), ("2026", "2026-03", False),
    ],
)  # fmt: skip
def test_only_labels_whose_order_is_plain_are_refused_for_it(responses, ibic, first, second, falls):
    named = relabelled(responses, "wave", {"2026-03": first, "2026-04": second})
    named = replace(named, tables={"relative": named.tables["relative"]})
    if not falls:
        assert rows_of(occasion_reliability(named, ibic, first=first, second=second), "retest_icc")
        return
    with pytest.raises(UsageError, match=f"{first} and the second as {second}"):
        occasion_reliability(named, ibic, first=first, second=second)


def test_responses_without_waves_ids_or_overlap_are_refused(responses, ibic):
    user = responses.tables["user"]
    none = relabelled(responses, "wave", dict.fromkeys(WAVES.values(), ""))
    no_ids = replace(responses, tables={"user": replace(user, has_ids=False)})
    other = Key.of([f"{unit}{wave}" for unit, wave in zip(user.unit.text, user.wave.text, strict=True)])
    strangers = replace(responses, tables={"user": replace(user, unit=other)})
    for given, code in ((none, "no_waves"), (no_ids, "no_ids"), (strangers, "no_overlap")):
        with pytest.raises(ResponseError) as error:
            occasion_reliability(given, ibic, **WAVES)
        assert error.value.code == f"dossier.{code}"


def test_another_instrument_is_refused(responses):
    with pytest.raises(UsageError, match="coded by ibic"):
        occasion_reliability(responses, load_instrument("lq2002"), **WAVES)


N_STUDIES = 40


def drifts(study, instrument):
    """The estimated drift of each rater of the files, its interval, and what was planted."""
    table = study.responses.tables["files"]
    halves = [of_wave(table, wave) for wave in WAVES.values()]
    keys = [row_keys(half, "rater") for half in halves]
    rows = pairs(*keys)
    items = [one for one in paired_items(*halves, rows, instrument)
             if instrument.by_component[one.item.component].dimension == "core"]  # fmt: skip
    score = 100 * mean_of_common(items)
    raters = np.array([keys[0][row][-1] for row in rows[0]])
    planted = {row["target"]: row["value"] for row in study.truth.rows() if row["quantity"] == "drift"}
    found = {rater: limits_of_agreement(*score[raters == rater].T[::-1]) for rater in planted}
    return [(found[rater].estimate, found[rater].ci, value) for rater, value in planted.items()]


@pytest.mark.slow
def test_planted_drift_and_retest_come_back(ibic):
    """Means over studies within three Monte Carlo standard errors of what the parameters imply."""
    study = StudyDesign(n_sites=6, files=24, raters=6, users=40, relatives=0, providers=0, managers=0, double_rated=0.0)
    design = RetestDesign(study=study, reaudited=0, rerated=0.5, drift=(0.0, 0.3, -0.3))
    errors: dict[str, list[float]] = {}
    held: list[bool] = []
    for seed in range(N_STUDIES):
        made = simulate_retest(design, seed=seed, instrument=ibic)
        for estimate, ci, planted in drifts(made, ibic):
            errors.setdefault(f"drift {np.sign(planted)}", []).append(estimate - planted)
            held.append(ci.low <= planted <= ci.high)
        expected = {row["target"]: row["value"] for row in made.truth.rows() if row["source"] == "user"}
        users = replace(made.responses, tables={"user": made.responses.tables["user"]})
        for row in rows_of(occasion_reliability(users, ibic, **WAVES), "retest_icc"):
            errors.setdefault(row.component, []).append(row.estimate - expected[row.component])
    assert set(errors) == {"drift 0.0", "drift 1.0", "drift -1.0", "de", "ml", "bs", "ov", "uv"}
    for name, values in errors.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        limit = 0.75 if name.startswith("drift") else 0.02
        assert abs(np.mean(values)) < 3 * error, name
        assert 3 * error < 2 * limit, name
    assert 0.90 < np.mean(held) < 0.99  # 240 intervals of .95: standard error .014
