"""What a calibration in the instrument changes in scores: raters, occasions, and a site alone."""

import dataclasses

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.instrument.calibration import Calibration

ROW = {"source": "files", "within": 0.5, "within_df": 200.0, "between": 0.1, "between_df": 60.0}
RATERS = {"rater": 0.04, "rater_df": 9.0}
OCCASIONS = {"occasion": 0.02, "occasion_df": 6.0}


def carrying(instrument, *parts, synthetic=False):
    """Return an instrument whose calibration has these parts for every component and total of files."""
    targets = [part.id for part in (*instrument.components, *instrument.totals)]
    rows = [{"target": target, **{k: v for part in (ROW, *parts) for k, v in part.items()}} for target in targets]
    calibration = Calibration.model_validate(
        {"note": {"sv": "prov", "en": "trial"}, "synthetic": synthetic, "sites": 30, "data_sha256": "x", "rows": rows}
    )
    return instrument.replaced(calibration=calibration)


def scores(design, *parts, sites=None, **options):
    study = ibic.simulate_study(design, seed=2)
    instrument = carrying(study.instrument, *parts, **options) if parts else study.instrument
    responses = dataclasses.replace(study.responses, instrument_sha256=instrument.sha256)
    if sites is not None:
        tables = {n: t.take(np.flatnonzero(t.site.codes < sites)) for n, t in responses.tables.items()}
        responses = dataclasses.replace(responses, tables=tables)
    return ibic.score_municipalities(responses, instrument)


def of(result, target="ut"):
    row = next(r for r in result.spread.rows() if (r["source"], r["target"]) == ("files", target))
    return row, result.rows.where((result.rows["component"] == target) & (result.rows["level"] == "component"))


LINKED = ibic.StudyDesign(n_sites=10, files=20, double_rated=0.4)
ALONE = ibic.StudyDesign(n_sites=10, files=20, double_rated=0.0)


def widths(rows):
    return rows["ci_high"].astype(float) - rows["ci_low"].astype(float)


def test_raters_that_cannot_be_told_apart_get_the_calibrations_variance_and_df():
    row, rows = of(scores(ALONE, RATERS))
    assert (row["raters_from"], row["raters"], row["df_raters"]) == ("calibration", 0.04, 9.0)
    assert (widths(rows) > widths(of(scores(ALONE))[1])).all()  # the stated SD of 5 points is a variance of .01
    codes = {note.code for note in scores(ALONE, RATERS).notes}
    assert "scoring.raters_calibrated" in codes
    assert "scoring.raters_not_separable" not in codes


def test_data_that_show_raters_are_believed_over_the_calibration():
    row, _ = of(scores(LINKED, RATERS))
    assert row["raters_from"] == "double_ratings"


def test_occasions_widen_every_interval_and_are_said():
    plain, with_occasions = scores(LINKED), scores(LINKED, OCCASIONS)
    (_, before), (row, after) = of(plain), of(with_occasions)
    assert row["occasions"] == 0.02
    assert row["df_occasions"] == 6.0
    np.testing.assert_array_equal(before["estimate"], after["estimate"])
    assert (widths(after) > widths(before)).all()
    assert "scoring.no_occasions" in {note.code for note in plain.notes}
    assert "scoring.no_occasions" not in {note.code for note in with_occasions.notes}
    assert "scoring.calibrated" in {note.code for note in with_occasions.notes}


def test_one_site_alone_takes_the_calibrations_spread_instead_of_its_own():
    row, rows = of(scores(LINKED, {}, sites=1))
    assert row["calibrated"]
    assert (row["within"], row["between"]) == (0.5, 0.1)
    assert rows["flag"].tolist() == [""]
    own, flagged = of(scores(LINKED, sites=1))
    assert not own["calibrated"]
    assert flagged["flag"].tolist() == ["scoring.own_spread"]


def test_several_sites_keep_their_own_spread():
    row, _ = of(scores(LINKED, {}))
    assert not row["calibrated"]
    assert row["within"] != 0.5


@pytest.mark.parametrize("lang", ["sv", "en"])
def test_a_calibration_from_synthetic_data_says_so(lang):
    made = scores(LINKED, OCCASIONS, synthetic=True)
    note = next(note for note in made.notes if note.code == "scoring.calibrated_synthetic")
    assert ("SYNTETISKA" if lang == "sv" else "SYNTHETIC") in note.text(lang)


def test_parts_by_specificity_take_the_calibration_of_their_total():
    study = ibic.simulate_study(ALONE, seed=2)
    instrument = carrying(study.instrument, RATERS, OCCASIONS)
    responses = dataclasses.replace(study.responses, instrument_sha256=instrument.sha256)
    made = ibic.score_by_specificity(responses, instrument)
    spread = {row["target"]: row for row in made.spread.rows() if row["source"] == "files"}
    assert set(spread) == {"specificity_ibic", "specificity_shared", "specificity_law"}
    for row in spread.values():
        assert (row["raters_from"], row["raters"], row["occasions"]) == ("calibration", 0.04, 0.02)
    plain = ibic.score_by_specificity(study.responses, study.instrument)
    ibic_part, before = (one.rows.where(one.rows["component"] == "specificity_ibic") for one in (made, plain))
    np.testing.assert_array_equal(ibic_part["estimate"], before["estimate"])
    assert (widths(ibic_part) > widths(before)).all()
