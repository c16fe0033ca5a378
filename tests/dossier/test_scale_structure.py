"""Structure of the reflective scales of an instrument in use."""

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.dossier.structure import scale_structure
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.reading import read_responses
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study


@pytest.fixture(scope="module")
def bfi():
    instrument = load_instrument("bfi")
    return read_responses(bundled("instruments") / "bfi" / "bfi.csv", instrument), instrument


@pytest.fixture(scope="module")
def structure(bfi):
    return scale_structure(*bfi, n_replicates=40)


def rows(result, **place):
    return {row.statistic: row for row in result if all(getattr(row, name) == part for name, part in place.items())}


def test_five_scales_are_five_components_and_six_factors(structure):
    whole = rows(structure, component="")
    assert (whole["n_scales"].estimate, whole["n_scales"].n) == (5, 2436)
    assert whole["parallel_components"].estimate == 5
    assert whole["parallel_factors"].estimate == 6
    assert whole["map_components"].estimate == 5


def test_figures_of_a_scale_are_those_of_the_functions(bfi, structure):
    table = bfi[0].tables["person"]
    x = np.column_stack([table.codes[:, j] for j, column in enumerate(table.columns) if column.startswith("n")])
    x = x[(x > 0).all(axis=1)]
    factor = pm.exploratory_factor_analysis(x, n_factors=1, correlation="polychoric")
    whole = rows(structure, component="neuro", item="")
    assert whole["one_factor_share"].estimate == pytest.approx(factor.variance_share[0], abs=1e-9)
    assert whole["one_factor_residual"].estimate == pytest.approx(factor.rmsr, abs=1e-9)
    assert whole["kmo"].estimate == pytest.approx(pm.sampling_adequacy(x, correlation="polychoric").estimate, abs=1e-9)
    assert whole["parallel_components"].estimate == 1
    loadings = [row.estimate for row in structure if row.statistic == "one_factor_loading" and row.component == "neuro"]
    np.testing.assert_allclose(loadings, factor.loadings[:, 0], rtol=0, atol=1e-9)
    assert "components by parallel analysis: 1, n = 2694" in structure.summary()
    assert "faktorer enligt parallellanalys: 2, n = 2694" in structure.text("sv")


def test_only_the_scales_asked_for(bfi):
    made = scale_structure(*bfi, scales=("agree",), n_replicates=20)
    assert {row.component for row in made} == {"agree"}
    with pytest.raises(UsageError, match="agree, consc, extra, neuro, open"):
        scale_structure(*bfi, scales=("nobody",))
    with pytest.raises(UsageError):
        scale_structure(bfi[0], load_instrument("lq2002"))


def test_formative_components_are_left_out_and_few_rows_are_told():
    study = simulate_study(StudyDesign(n_sites=3, users=3, relatives=2), seed=3)
    made = scale_structure(study.responses, study.instrument, n_replicates=20)
    reflective = {part.id for part in study.instrument.components if part.measurement_model == "reflective"}
    assert {row.component for row in made} <= reflective | {""}
    told = {note.code for notes in made.notes for note in notes}
    assert "dossier.too_few_rows_for_structure" in told


def test_scales_that_are_no_ordered_categories_are_told():
    from ibic_fidelity.dossier.structure import _ordered

    x = np.random.default_rng(1).normal(size=(60, 3))
    assert _ordered(x, ["a", "b", "c"])[1].code == "dossier.not_ordered"
    assert _ordered(x[:, :2], ["a", "b"])[1].code == "dossier.too_few_items_for_structure"
    made, why = _ordered(np.round(x), ["a", "b", "c"])
    assert why is None
    assert made.values.min() == 0
