"""Two occasions and a certification round: the same bits, the bundled files, and what was planted in them."""

from __future__ import annotations

import numpy as np
import pytest

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.studies.certification import FACIT, RATERS, PlantedRater, simulate_certification
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.retest import RetestDesign, simulate_retest
from ibic_fidelity.studies.rounds import CERTIFICATION_FILES, RETEST_FILES, bundled_certification, bundled_retest
from ibic_fidelity.studies.writing import write_synthetic

LARGEST = 600_000  # bytes of a bundled file


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


@pytest.fixture(scope="module")
def retest(ibic):
    return bundled_retest(ibic)


@pytest.fixture(scope="module")
def certification(ibic):
    return bundled_certification(ibic)


def keyed(table, wave, *names):
    """The keys of a wave's rows, as a list of tuples."""
    keys = zip(*(getattr(table, name).text for name in names), table.wave.text, strict=True)
    return [key[:-1] for key in keys if key[-1] == wave]


@pytest.mark.parametrize("name", ["retest", "certification"])
def test_the_bundled_files_are_what_their_designs_make(request, ibic, tmp_path, name):
    study = request.getfixturevalue(name)
    names = RETEST_FILES if name == "retest" else CERTIFICATION_FILES
    for path in write_synthetic(study.responses, ibic, tmp_path, names, (study.truth,)):
        there = (bundled("data/synthetic") / path.name).read_bytes()
        assert path.read_bytes() == there, path.name
        assert len(there) < LARGEST


@pytest.mark.parametrize("name", [RETEST_FILES[0], CERTIFICATION_FILES[0]])
def test_the_bundled_files_are_read_without_fault_and_say_that_they_are_synthetic(ibic, name):
    read = read_responses(bundled("data/synthetic") / name, ibic)
    assert read.synthetic
    assert {note.code for note in read.notes} == {"responses.note_missing"}


def test_what_was_read_is_what_was_simulated(ibic, retest, certification):
    for name, study in ((RETEST_FILES[0], retest), (CERTIFICATION_FILES[0], certification)):
        read = read_responses(bundled("data/synthetic") / name, ibic)
        assert set(read.tables) == set(study.responses.tables)
        for source, table in study.responses.tables.items():
            assert np.array_equal(read.tables[source].codes, table.codes), source
            for key in ("site", "wave", "unit", "rater"):
                assert getattr(read.tables[source], key).text.tolist() == getattr(table, key).text.tolist()
        assert dict(read.frame.eligible) == dict(study.responses.frame.eligible)


def test_some_of_the_respondents_answer_again_and_nobody_else_does(retest):
    for source in ("user", "provider", "relative", "assessor"):
        table = retest.responses.tables[source]
        first, second = (set(keyed(table, wave, "site", "unit")) for wave in retest.design.waves)
        assert second < first
        assert 0.4 < len(second) / len(first) < 0.8


def test_sites_are_audited_again_on_fresh_files_by_other_raters(retest):
    table = retest.responses.tables["files"]
    names = ("site", "unit", "rater")
    first, second = (keyed(table, wave, *names) for wave in retest.design.waves)
    units = {unit for _, unit, _ in first}
    fresh = [row for row in second if row[1] not in units]
    assert len({site for site, _, _ in fresh}) == retest.design.reaudited
    assert len({unit for _, unit, _ in fresh}) == retest.design.reaudited * retest.design.study.files
    for site in {site for site, _, _ in fresh}:
        before, after = ({rater for s, _, rater in rows if s == site} for rows in (first, fresh))
        assert len(after) == 2
        assert not before & after


def test_files_are_rated_again_by_the_same_rater(retest):
    table = retest.responses.tables["files"]
    first, second = (keyed(table, wave, "site", "unit", "cluster", "rater") for wave in retest.design.waves)
    units = {row[1] for row in first}
    again = [row for row in second if row[1] in units]
    assert set(again) <= set(first)
    n_first = retest.design.study.n_sites * retest.design.study.files
    assert len(again) == retest.design.rerated * n_first


@pytest.mark.parametrize(("n_sites", "raters"), [(4, 4), (20, 4), (12, 5), (20, 8)])
def test_no_rater_audits_a_site_twice_however_many_raters_and_sites(ibic, n_sites, raters):
    design = RetestDesign(
        study=StudyDesign(n_sites=n_sites, files=4, raters=raters, users=0, double_rated=0.5),
        reaudited=n_sites,
        rerated=0.0,
    )
    table = simulate_retest(design, seed=3, instrument=ibic).responses.tables["files"]
    first, second = (set(keyed(table, wave, "site", "rater")) for wave in design.waves)
    assert not first & second


def test_same_seed_same_bits_and_the_pilots_stream_is_left_alone(ibic):
    one, two, other = (simulate_retest(seed=seed, instrument=ibic) for seed in (1, 1, 2))
    codes = [study.responses.tables["user"].codes for study in (one, two, other)]
    assert np.array_equal(codes[0], codes[1])
    assert codes[0].shape != codes[2].shape or not np.array_equal(codes[0], codes[2])
    assert one.responses.data_sha256 == two.responses.data_sha256 != other.responses.data_sha256


def test_the_planted_correlation_is_that_of_the_latent_answers(ibic):
    """With ρ = 1 everybody answers as before, but for blanks; with ρ = 0 as a stranger would."""
    for correlation, low, high in ((1.0, 1.0, 1.0), (0.0, 0.0, 0.35)):
        study = StudyDesign(n_sites=4, users=60, site_sd=0.0, component_sd=0.0)
        design = RetestDesign(study=study, correlation=correlation, answer_again=1.0, reaudited=0)
        table = simulate_retest(design, seed=5, instrument=ibic).responses.tables["user"]
        first, second = (table.codes[table.wave.text == wave] for wave in design.waves)
        both = (first >= 0) & (second >= 0)
        assert low <= (first == second)[both].mean() <= high


def test_raters_who_drift_are_stricter_and_the_others_as_before(ibic):
    study = StudyDesign(n_sites=6, files=200, assessors=100, raters=6, users=0, relatives=0, double_rated=0.0)
    design = RetestDesign(study=study, rerated=1.0, reaudited=0, drift=(0.0, 0.4))
    made = simulate_retest(design, seed=2, instrument=ibic)
    planted = {row["target"]: row["value"] for row in made.truth.rows() if row["quantity"] == "drift"}
    table = made.responses.tables["files"]
    columns = [
        j for j, name in enumerate(table.columns)
        if any(name == measure.id and not item.reverse for item, measure in ibic.measures_of("files"))
        and table.codes[:, j].max() == 1
    ]  # fmt: skip
    for rater, value in planted.items():
        first, second = (
            table.codes[np.ix_((table.rater.text == rater) & (table.wave.text == wave), columns)]
            for wave in design.waves
        )
        change = 100 * ((second == 1).sum() / (second >= 0).sum() - (first == 1).sum() / (first >= 0).sum())
        assert value == 0 if rater in ("g01", "g03", "g05") else value < -8
        if rater in ("g01", "g03", "g05"):
            assert abs(change) < 3  # the same 200 files: only errors are new
        else:
            assert change < -5


def test_truth_names_what_was_planted(retest, ibic):
    rows = list(retest.truth.rows())
    assert {row["quantity"] for row in rows} == {"latent_correlation", "retest_icc", "drift", "true_change"}
    iccs = {(row["source"], row["target"]): row["value"] for row in rows if row["quantity"] == "retest_icc"}
    asked = {
        (source.id, item.component)
        for source in ibic.sources if source.kind == "survey"
        for item, measure in ibic.measures_of(source.id) if measure.role == "primary"
    }  # fmt: skip
    assert set(iccs) == asked
    assert all(0.6 < value < 0.9 for value in iccs.values())


def test_expected_icc_of_perfect_memory_is_one(ibic):
    design = RetestDesign(study=StudyDesign(n_sites=3), correlation=1.0, reaudited=0)
    rows = simulate_retest(design, seed=1, instrument=ibic).truth.rows()
    assert [row["value"] for row in rows if row["quantity"] == "retest_icc"] == pytest.approx([1.0] * 18, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"correlation": 1.2}, "studies.share"),
        ({"answer_again": -0.1}, "studies.share"),
        ({"reaudited": -1}, "studies.not_negative"),
        ({"reaudited": 13}, "studies.too_many_sites"),
        ({"study": StudyDesign(n_sites=12, raters=3)}, "studies.reaudit_raters"),
        ({"drift": ()}, "studies.at_least_one"),
    ],
)
def test_designs_of_two_occasions_that_mean_nothing_are_refused(change, code):
    with pytest.raises(UsageError) as error:
        RetestDesign(**change)
    assert error.value.code == code


def test_raters_of_a_certification_round_are_as_often_right_as_planted(ibic):
    made = simulate_certification(600, seed=4, instrument=ibic)
    table = made.responses.tables["files"]
    rater, unit = table.rater.text, table.unit.text
    key = dict(zip(unit[rater == FACIT], table.codes[rater == FACIT], strict=True))
    for row in made.truth.rows():
        mine = rater == row["rater"]
        right = np.mean([code == key[name] for code, name in zip(table.codes[mine], unit[mine], strict=True)])
        assert right == pytest.approx(row["right"], abs=0.01)  # 33 000 answers: standard error below .003


def test_the_key_is_complete_and_the_guesser_is_at_random_level(certification):
    table = certification.responses.tables["files"]
    assert table.rater.labels == ("facit", "g01", "g02", "g03", "g04", "g05", "g06")
    assert (table.codes != -1).all()
    right = dict(zip(certification.truth["rater"].tolist(), certification.truth["right"].tolist(), strict=True))
    assert right["g01"] > right["g02"] > right["g03"] > right["g04"] > right["g05"] > right["g06"]
    assert right["g06"] < 0.5


def test_a_severe_rater_is_wrong_towards_the_less_favourable(ibic):
    raters = (PlantedRater(1.0, severe=0.5),)
    table = simulate_certification(400, raters=raters, seed=4, instrument=ibic).responses.tables["files"]
    key, mine = (table.codes[table.rater.text == name] for name in (FACIT, "g01"))
    reverse = np.concatenate(
        [[item.reverse] * max(len(measure.parts), 1) for item, measure in ibic.measures_of("files")]
    )
    step = np.where(reverse, key.astype(int) - mine, mine.astype(int) - key)
    assert set(np.unique(step)) == {-1, 0}
    assert reverse.any()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"n_files": 0}, "studies.at_least_one"),
        ({"raters": ()}, "studies.at_least_one"),
        ({"source": "user"}, "studies.no_audit"),
    ],
)
def test_rounds_that_mean_nothing_are_refused(ibic, call, code):
    with pytest.raises(UsageError) as error:
        simulate_certification(**{"n_files": 2, "raters": RATERS, **call}, instrument=ibic)
    assert error.value.code == code


def test_a_share_of_knowing_is_a_share():
    with pytest.raises(UsageError, match="knows"):
        PlantedRater(1.5)
