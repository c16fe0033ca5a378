"""Agreement of raters in the audit, against the same figures made by another road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.dossier.double_ratings import double_ratings
from ibic_fidelity.dossier.raters import rater_agreement
from ibic_fidelity.errors import ResponseError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import NOT_APPLICABLE
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.studies.design import LatentShares, StudyDesign
from ibic_fidelity.studies.generate import simulate_study

IDENTITY = 1e-10


@pytest.fixture(scope="module")
def pilot():
    instrument = load_instrument("ibic")
    responses = read_responses(bundled("data/synthetic") / "pilot.csv", instrument)
    return responses, instrument, rater_agreement(responses, instrument)


@pytest.fixture(scope="module")
def answers(pilot):
    """Every row of the audited files, as pandas has them."""
    return pilot[0].answers("files")


def pivot(answers, column):
    """Units by raters of the files with two raters or more."""
    wide = answers.pivot_table(index=["site", "service_area", "unit"], columns="rater", values=column, dropna=False)
    raters = answers.groupby(["site", "service_area", "unit"]).rater.nunique()
    return wide.loc[raters[raters > 1].index].dropna(thresh=2)


def one(result, statistic, **place):
    table = result.table
    picked = table[(table.statistic == statistic) & np.all([table[k] == v for k, v in place.items()], axis=0)]
    assert len(picked) == 1
    return picked.iloc[0]


@pytest.mark.parametrize(("item", "weights"), [("bu1", None), ("fr1", None), ("ut5", "quadratic")])
def test_an_item_has_the_coefficients_of_its_units_by_raters(pilot, answers, item, weights):
    x = pivot(answers, item)
    categories = (0, 1) if weights is None else (0, 1, 2, 3, 4)[: int(np.nanmax(x)) + 1]
    for name, function in (("fleiss_kappa", pm.fleiss_kappa), ("gwet_ac", pm.gwet_ac)):
        expected = function(x.to_numpy(), missing="available", categories=categories, weights=weights)
        row = one(pilot[2], name, item=item)
        assert row.estimate == pytest.approx(expected.estimate, abs=IDENTITY)
        assert (row.ci_low, row.ci_high) == pytest.approx((expected.ci.low, expected.ci.high), abs=IDENTITY)
    equal = x.max(axis=1) == x.min(axis=1)  # two raters a file
    assert one(pilot[2], "percent_agreement", item=item).estimate == pytest.approx(np.mean(equal), abs=IDENTITY)
    assert one(pilot[2], "percent_agreement", item=item).n == len(x)


def test_parts_of_a_checklist_are_ratings_clustered_in_their_file(pilot, answers):
    stacked = pd.concat([pivot(answers, part) for part in ("bu2a", "bu2b", "bu2c")])
    file = np.unique([str(key) for key in stacked.index], return_inverse=True)[1]
    expected = pm.fleiss_kappa(stacked.to_numpy(), missing="available", categories=(0, 1), clusters=file)
    row = one(pilot[2], "fleiss_kappa", item="bu2")
    assert row.estimate == pytest.approx(expected.estimate, abs=IDENTITY)
    assert row.ci_low == pytest.approx(expected.ci.low, abs=1e-6)


def test_who_rated_once_does_not_count(pilot):
    assert "271" in pilot[2].text("en")
    assert one(pilot[2], "icc_agreement", component="ut").n == 271


def test_severity_is_that_of_the_raters_not_of_their_sites():
    """Raters of equal levels in sites of very different levels: severity is near nought all the same."""
    shares = LatentShares(rater=0.0)
    study = simulate_study(StudyDesign(n_sites=24, site_sd=1.5, double_rated=0.5, shares=shares), seed=8)
    rows = rater_agreement(study.responses, study.instrument).table
    severity = rows[(rows.statistic == "severity") & (rows.source == "files")]
    held = (severity.ci_low <= 0) & (severity.ci_high >= 0)
    assert len(severity) == 8
    assert held.sum() >= 6  # 95 % each
    assert severity.estimate.abs().max() < 3


def test_severity_planted_is_found(pilot):
    """The pilot's raters differ: a chi-square of their severities over their errors is far beyond chance."""
    rows = pilot[2].table
    severity = rows[(rows.statistic == "severity") & (rows.source == "files")]
    error = (severity.ci_high - severity.ci_low) / 4
    assert ((severity.estimate / error) ** 2).sum() > 50


def test_the_value_of_a_file_rests_on_items_that_all_its_raters_have(pilot):
    responses, instrument, _ = pilot
    rated = double_ratings(responses.tables["files"], instrument)
    items = tuple(item for item in rated.items if item.item.component == "bu")
    score = rated.score(items)
    values = np.stack([item.value for item in items], axis=-1)
    for unit in range(0, len(score), 17):
        raters = np.flatnonzero(np.isfinite(values[unit]).any(axis=1))
        common = np.isfinite(values[unit, raters]).all(axis=0)
        assert score[unit, raters] == pytest.approx(values[unit][np.ix_(raters, common)].mean(axis=1), abs=IDENTITY)


def test_whether_an_item_applies_is_its_own_agreement(pilot):
    responses, instrument, _ = pilot
    table = responses.tables["files"]
    assert (table.codes == NOT_APPLICABLE).any()
    row = one(rater_agreement(responses, instrument), "applicability_agreement", item="ut1")
    assert row.estimate == 1  # the generator lets both raters see the same
    assert np.isnan(row.ci_low)


def test_an_audit_that_nobody_rated_twice_is_refused():
    study = simulate_study(StudyDesign(n_sites=3, double_rated=0.0, raters=1), seed=1)
    with pytest.raises(ResponseError) as caught:
        rater_agreement(study.responses, study.instrument)
    assert caught.value.code == "dossier.no_double_rating"


def test_the_text_says_it_in_both_languages(pilot):
    for language, words in (("sv", "stränghet"), ("en", "severity")):
        text = pilot[2].text(language)
        assert words in text
        assert " nan" not in text
