"""Simulated studies: known truth, the same bits, the bundled pilot, and answers that come back from a file."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import TEXT_KEYS
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.responses.writing import responses_csv
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study
from ibic_fidelity.studies.pilot import PILOT_FILES, simulate_pilot
from ibic_fidelity.studies.writing import write_study


@pytest.fixture(scope="module")
def ibic():
    return load_instrument("ibic")


@pytest.fixture(scope="module")
def pilot(ibic):
    return simulate_pilot(ibic)


def assert_same(one, two):
    assert set(one.tables) == set(two.tables)
    for name, a in one.tables.items():
        b = two.tables[name]
        assert a.columns == b.columns
        for part in ("codes", "weight", "values", "counts"):
            assert np.array_equal(getattr(a, part), getattr(b, part), equal_nan=True), (name, part)
        for key in TEXT_KEYS:
            assert getattr(a, key).text.tolist() == getattr(b, key).text.tolist(), (name, key)
    assert dict(one.frame.eligible) == dict(two.frame.eligible)
    assert dict(one.frame.invited) == dict(two.frame.invited)


def test_the_bundled_pilot_is_what_its_design_makes(pilot, tmp_path):
    for path in write_study(pilot, tmp_path, PILOT_FILES):
        assert path.read_bytes() == (bundled("data/synthetic") / path.name).read_bytes(), path.name


def test_the_pilot_has_24_municipalities_and_says_that_it_is_synthetic(pilot, ibic):
    read = read_responses(bundled("data/synthetic") / PILOT_FILES[0], ibic)
    assert read.synthetic
    assert len(read.sites) == 24
    assert_same(read, pilot.responses)


@pytest.mark.parametrize("areas", [(), ("aldre", "lss")])
def test_answers_come_back_from_a_file_to_the_bit(ibic, tmp_path, areas):
    study = simulate_study(StudyDesign(n_sites=5, service_areas=areas), seed=4, instrument=ibic)
    path = tmp_path / "svar.csv"
    path.write_text("\ufeff" + responses_csv(study.responses, ibic), encoding="utf-8", newline="")
    assert_same(read_responses(path, ibic), study.responses)


def test_same_seed_same_bits_and_another_seed_another_study(ibic):
    design = StudyDesign(n_sites=4)
    one, two, other = (simulate_study(design, seed=seed, instrument=ibic) for seed in (1, 1, 2))
    assert_same(one.responses, two.responses)
    assert one.truth["value"].tolist() == two.truth["value"].tolist()
    assert one.truth["value"].tolist() != other.truth["value"].tolist()


def test_asking_fewer_users_moves_nobody_elses_answers(ibic):
    many = simulate_study(StudyDesign(n_sites=4, users=40), seed=1, instrument=ibic)
    few = simulate_study(StudyDesign(n_sites=4, users=3), seed=1, instrument=ibic)
    assert np.array_equal(many.responses.tables["files"].codes, few.responses.tables["files"].codes)


def test_the_planted_level_is_the_expectation_of_answers(ibic):
    """Plain means of many files against the truth, without the scoring code: share and reversed items."""
    design = StudyDesign(n_sites=3, files=6000, assessors=600, raters=300, users=0, relatives=0, providers=0)
    study = simulate_study(design, seed=7, instrument=ibic)
    table = study.responses.tables["files"]
    planted = {
        (site, name): value
        for site, level, name, value in zip(
            *(study.truth[column].tolist() for column in ("site", "level", "id", "value")), strict=True
        )
        if level == "item"
    }
    gaps = []
    for item, measure in ibic.measures_of("files"):
        if measure.role != "primary" or measure.parts or ibic.by_scale[measure.scale].type != "share":
            continue
        for site in study.responses.sites:
            code = table.column(measure.id)[table.site.text == site]
            share = (code[code >= 0] == (0 if item.reverse else 1)).mean()
            gaps.append(100 * share - planted[site, item.id])
    # 600 assessors with 10 % of the latent variance, and one or two raters with 1.5 %: SD about 5 a site.
    assert len(gaps) > 20
    assert abs(np.mean(gaps)) < 6
    assert np.std(gaps) < 8


def test_every_source_of_the_instrument_answers_and_files_are_nested_and_linked(pilot, ibic):
    tables = pilot.responses.tables
    assert set(tables) == {source.id for source in ibic.sources} - {"guardian", "child"}  # no children in the pilot
    files = tables["files"]
    per_unit = {}
    for unit, cluster, rater in zip(files.unit.text, files.cluster.text, files.rater.text, strict=True):
        per_unit.setdefault(unit, (set(), set()))
        per_unit[unit][0].add(cluster)
        per_unit[unit][1].add(rater)
    assert {len(clusters) for clusters, _ in per_unit.values()} == {1}
    doubles = sum(len(raters) == 2 for _, raters in per_unit.values())
    assert 0.2 < doubles / len(per_unit) < 0.3
    for rater in set(files.rater.text):
        assert len(set(files.site.text[files.rater.text == rater])) >= 3


def test_truth_has_every_item_component_and_total_for_sites_and_areas(pilot, ibic):
    levels = {(level, name) for level, name in zip(pilot.truth["level"], pilot.truth["id"], strict=True)}
    expected = {("item", item.id) for item in ibic.items} | {("total", total.id) for total in ibic.totals}
    expected |= {("component", component.id) for component in ibic.components}
    assert levels == expected
    assert len(pilot.truth) == len(expected) * 24 * 3
    value = pilot.truth["value"].astype(float)
    assert ((value > 0) & (value < 100)).all()


def test_outcomes_are_those_that_components_measure(pilot, ibic):
    measured = {outcome.id for outcome in ibic.outcomes if outcome.component is not None}
    assert set(pilot.outcomes["outcome"].tolist()) == measured


def test_written_truth_says_that_it_is_synthetic(pilot):
    rows = list(
        csv.DictReader(
            io.StringIO((bundled("data/synthetic") / PILOT_FILES[1]).read_text(encoding="utf-8-sig")), delimiter=";"
        )
    )
    assert {row["synthetic"] for row in rows} == {"ja"}
    assert len(rows) == len(pilot.truth)


def test_an_instrument_without_register_numbers_its_sites():
    study = simulate_study(StudyDesign(instrument="lq2002", n_sites=6, users=20), seed=1)
    assert len(study.responses.sites) == 6
    assert set(study.responses.tables) == {"soldier"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"n_sites": 0}, "studies.at_least_one"),
        ({"files": -1}, "studies.at_least_one"),
        ({"missing": 1.2}, "studies.share"),
        ({"users": -1}, "studies.not_negative"),
        ({"site_sd": -0.1}, "studies.not_negative"),
    ],
)
def test_designs_that_mean_nothing_are_refused(change, code):
    with pytest.raises(UsageError) as error:
        StudyDesign(**change)
    assert error.value.code == code


def test_more_sites_than_the_register_has_are_refused(ibic):
    with pytest.raises(UsageError, match="290"):
        simulate_study(StudyDesign(n_sites=291), instrument=ibic)
