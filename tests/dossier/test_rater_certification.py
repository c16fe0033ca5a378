"""Certification: who is right is certified, who guesses or is severe is not, and the right answers are found."""

from __future__ import annotations

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.dossier.certification import rater_certification
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.reading import read_responses

IDENTITY = 1e-10


@pytest.fixture(scope="module")
def round_():
    instrument = load_instrument("ibic")
    responses = read_responses(bundled("data/synthetic") / "certification.csv", instrument)
    return responses, instrument, rater_certification(responses, instrument, gold="facit")


def of_raters(result, statistic):
    rows = result.table
    return rows[(rows.statistic == statistic) & (rows.rater != "")].set_index("rater")


def test_planted_shares_of_right_answers_come_back(round_):
    truth = {}
    lines = (bundled("data/synthetic") / "certification_truth.csv").read_text(encoding="utf-8-sig").splitlines()
    for line in lines[1:]:
        rater, _, _, right, *_ = line.split(";")
        truth[rater] = float(right.replace(",", "."))
    found = of_raters(round_[2], "percent_agreement").estimate
    for rater, right in truth.items():
        assert found[rater] == pytest.approx(right, abs=4 * np.sqrt(right * (1 - right) / 600) + 0.02)


def test_the_able_are_certified_the_severe_and_the_guessing_not(round_):
    rows = of_raters(round_[2], "certified_kappa")
    assert (rows.n == 12).all()
    certified = rows.reason.str.startswith("All in all: ready")
    assert certified.to_dict() == {"g01": True, "g02": True, "g03": True, "g04": True, "g05": False, "g06": False}


def test_kappa_is_cohens_with_not_applicable_as_an_answer(round_):
    """The same figure from the file itself, without the package's tables of ratings."""
    responses, instrument, result = round_
    table = responses.tables["files"]
    asked = [measure for _, measure in instrument.measures_of("files") if measure.role == "primary"]
    primary = {name for measure in asked for name in (measure.id, *(part.id for part in measure.parts))}
    yes_no = [name for name in table.columns if name in primary and table.column(name).max() < 2]
    x = {}
    for label in ("facit", "g03"):
        rows = np.flatnonzero(table.rater.text == label)
        order = rows[np.argsort(table.unit.text[rows].astype(str))]
        codes = np.concatenate([table.column(column)[order] for column in yes_no]).astype(float)
        x[label] = np.where(codes == -3, 2.0, np.where(codes < 0, np.nan, codes))
    expected = pm.cohen_kappa(np.stack([x["g03"], x["facit"]], axis=1), missing="available", categories=(0, 1, 2))
    assert of_raters(result, "certified_kappa").loc["g03"].estimate == pytest.approx(expected.estimate, abs=IDENTITY)


def test_each_kind_of_items_has_to_be_passed(round_):
    """g05 rates levels well and yes and no badly: not ready."""
    rows = of_raters(round_[2], "certified_kappa")
    assert rows.loc["g05"].reason.startswith("All in all: not ready")
    assert "Certified" in of_raters(round_[2], "certified_kappa_weighted").loc["g05"].reason


def test_an_interval_without_width_makes_nothing_sure(round_):
    rows = of_raters(round_[2], "certified_kappa_weighted")
    perfect = rows[rows.estimate == 1]
    assert len(perfect)
    assert not perfect.reason.str.contains("Certified, surely").any()


def test_each_item_tells_how_often_all_are_right(round_):
    rows = round_[2].table
    items = rows[rows.statistic == "right_share"]
    assert len(items) == len(set(items.item)) > 20
    assert items.estimate.between(0.4, 1).all()


@pytest.mark.parametrize(("gold", "code"), [("Facit", "unknown_gold"), ("", "unknown_gold"), ("g99", "unknown_gold")])
def test_a_name_that_nobody_has_is_refused_with_those_there_are(round_, gold, code):
    with pytest.raises(UsageError, match="facit, g01") as caught:
        rater_certification(round_[0], round_[1], gold=gold)
    assert caught.value.code == f"dossier.{code}"


def test_a_rater_whom_others_met_is_a_standard_like_any():
    instrument = load_instrument("ibic")
    responses = read_responses(bundled("data/synthetic") / "pilot.csv", instrument)
    alone = next(label for label in responses.tables["files"].rater.labels)
    result = rater_certification(responses, instrument, gold=alone)
    assert alone not in set(result.table["rater"])
