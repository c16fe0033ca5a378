"""Whatever a statistic says of itself stands in a row of the dossier: reasons and flags are never dropped."""

from __future__ import annotations

import inspect

import pytest

from ibic_fidelity.dossier import certification, occasions, raters, reaudit, reliability, structure
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.studies.certification import simulate_certification
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study
from ibic_fidelity.studies.retest import simulate_retest

#: Said of an interval in whose place another stands, or of a test that no row shows.
REPLACED = {
    "psychometrics.feldt_too_narrow", "psychometrics.interval_too_narrow", "psychometrics.agreement_two_raters",
    "psychometrics.agreement_interval_few_raters", "psychometrics.severity_test_undefined",
    "psychometrics.severity_test_not_reliable", "psychometrics.severity_several_sets",
    "psychometrics.item_negative_rest", "psychometrics.rater_lower_limit_few",
}  # fmt: skip


@pytest.fixture
def said(monkeypatch):
    """The codes of all reasons and flags of the statistics that the dossier calls."""
    codes = set()

    def heard(function):
        def call(*data, **options):
            result = function(*data, **options)
            for name in ("reason", "rater_reasons", "flags"):
                told = getattr(result, name, None) or ()
                codes.update(one.code for one in (told if isinstance(told, tuple) else (told,)) if one is not None)
            return result

        return call

    for module in (certification, occasions, raters, reaudit, reliability, structure):
        for name, value in inspect.getmembers(module, inspect.isfunction):
            if value.__module__.startswith("ibic_fidelity.psychometrics"):
                monkeypatch.setattr(module, name, heard(value))
    return codes


def shown(result):
    return {note.code for notes in result.notes for note in notes}


def test_of_raters_few_and_few_files(said):
    study = simulate_study(StudyDesign(n_sites=4, files=20, raters=3, double_rated=0.3), seed=2)
    result = raters.rater_agreement(study.responses, study.instrument)
    assert said
    assert said - REPLACED <= shown(result)


def test_of_certification(said):
    round_ = simulate_certification(seed=2)
    result = certification.rater_certification(round_.responses, round_.instrument, gold="facit")
    assert "psychometrics.rater_interval_not_reliable" in said
    assert said - REPLACED <= shown(result)
    for notes in result.notes:
        assert "dossier.certified_surely" not in {note.code for note in notes}  # twelve files are too few


def test_of_occasions(said):
    study = simulate_retest(seed=1)
    result = occasions.occasion_reliability(study.responses, study.instrument, first="2026-03", second="2026-04")
    assert {"psychometrics.error_interval_too_narrow", "psychometrics.limits_interval_too_narrow"} <= said
    assert said - REPLACED <= shown(result)


def test_of_scales_and_sites(said):
    study = simulate_study(StudyDesign(n_sites=6, users=6, relatives=4), seed=3, instrument=load_instrument("ibic"))
    result = reliability.component_reliability(study.responses, study.instrument)
    assert said
    assert said - REPLACED <= shown(result)


def test_of_structure(said):
    study = simulate_study(StudyDesign(n_sites=6, users=12, relatives=10), seed=3, instrument=load_instrument("ibic"))
    result = structure.scale_structure(study.responses, study.instrument, n_replicates=20)
    assert "psychometrics.no_test_of_polychoric" in said
    assert said <= shown(result) | {message.code for message in result.preface}


def test_a_flag_stands_with_those_whom_it_names():
    round_ = simulate_certification(seed=2)
    result = certification.rater_certification(round_.responses, round_.instrument, gold="facit")
    for row in result.level("rater"):
        for note in row.notes:
            if "raters" in note.params:
                assert row.rater in note.params["raters"]
