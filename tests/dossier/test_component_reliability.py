"""Reliability of components on real data, through the reader, against published figures."""

from __future__ import annotations

import numpy as np
import pytest

from ibic_fidelity.dossier.reliability import component_reliability
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study

PRINTED = 5e-6  # the reference prints five decimals


@pytest.fixture(scope="module")
def lq2002():
    instrument = load_instrument("lq2002")
    responses = read_responses(bundled("instruments") / "lq2002" / "lq2002.csv", instrument)
    return component_reliability(responses, instrument).table


def estimate(table, component, statistic, *, site=""):
    picked = table[(table.component == component) & (table.statistic == statistic) & (table.site == site)]
    assert len(picked) == 1
    return picked.iloc[0]


@pytest.mark.witness(
    statistic="ICC(1), ICC(2)", definition="one-way ANOVA, mean group size", reference="R multilevel::ICC1, ICC2",
    tolerance=PRINTED, data="lq2002",
)  # fmt: skip
@pytest.mark.parametrize(
    ("component", "icc1", "icc2"),
    [("lead", 0.08796, 0.80075), ("tsig", 0.08038, 0.78461), ("hostile", 0.05400, 0.70406)],
)
def test_icc_of_the_companies(lq2002, component, icc1, icc2):
    row = estimate(lq2002, component, "icc1")
    assert row.estimate == pytest.approx(icc1, abs=PRINTED)
    assert row.n == 2042
    assert row.ci_low < row.estimate < row.ci_high
    assert estimate(lq2002, component, "icc2").estimate == pytest.approx(icc2, abs=PRINTED)


@pytest.mark.witness(
    statistic="rwg, rwg(j), awg", definition="uniform null", reference="R multilevel::rwg, rwg.j, awg",
    tolerance=PRINTED, data="lq2002",
)  # fmt: skip
@pytest.mark.parametrize(
    ("statistic", "site", "value"),
    [
        ("rwg", "2", 0.62146), ("rwg", "3", 0.74574), ("rwg", "4", 0.71328),
        ("rwg_j", "2", 0.80753), ("rwg_j", "3", 0.89594), ("rwg_j", "4", 0.86001), ("awg", "2", 0.29258),
    ],
)  # fmt: skip
def test_agreement_in_the_companies(lq2002, statistic, site, value):
    assert estimate(lq2002, "lead", statistic, site=site).estimate == pytest.approx(value, abs=PRINTED)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("rwg_mean", 0.7032), ("rwg_median", 0.7104), ("rwg_j_mean", 0.8678), ("awg_mean", 0.3837)],
)
def test_agreement_over_the_companies(lq2002, statistic, value):
    assert estimate(lq2002, "lead", statistic).estimate == pytest.approx(value, abs=5e-5)


def test_agreement_only_where_the_scale_is_declared_shared(lq2002):
    assert set(lq2002[lq2002.statistic == "rwg"].component) == {"lead", "tsig"}


@pytest.fixture(scope="module")
def simulated():
    study = simulate_study(StudyDesign(n_sites=10), seed=3)
    return study, component_reliability(study.responses, study.instrument)


def test_alpha_for_reflective_components_only(simulated):
    study, result = simulated
    table = result.table
    reflective = {c.id for c in study.instrument.components if c.measurement_model == "reflective"}
    assert set(table[table.statistic == "cronbach_alpha"].component) == reflective
    assert np.isfinite(table[table.statistic == "cronbach_alpha"].estimate).all()


def test_text_is_in_the_language_and_says_synthetic(simulated):
    _, result = simulated
    assert "SYNTETISKA DATA" in result.text("sv")
    assert "SYNTHETIC DATA" in result.text("en")
    assert "Cronbachs alfa: 0," in result.text("sv")
    assert "Cronbach's alpha: ." in result.text("en")


def test_one_site_says_why_there_is_no_icc():
    study = simulate_study(StudyDesign(n_sites=1), seed=3)
    table = component_reliability(study.responses, study.instrument).table
    row = table[(table.statistic == "icc1") & (table.component == "ut")].iloc[0]
    assert np.isnan(row.estimate)
    assert row.reason == "one site has no variance between sites"


def test_another_instrument_is_refused(simulated):
    study, _ = simulated
    with pytest.raises(UsageError, match="coded by ibic"):
        component_reliability(study.responses, load_instrument("lq2002"))
