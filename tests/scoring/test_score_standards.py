"""Bands by the cuts of a standard-setting study."""

import math

import numpy as np
import pytest
from scipy.stats import norm

import ibic_fidelity as ibic
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.scoring.standards import CutSet, band_probabilities, standard_bands

CUTS = CutSet(("low", "middle", "high"), (50.0, 58.0), (2.0, 3.0))


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(ibic.StudyDesign(n_sites=8, files=20), seed=4)


@pytest.fixture(scope="module")
def scores(study):
    return ibic.score_municipalities(study.responses, study.instrument)


def shares(made):
    return np.stack([made.rows[f"confidence_{band}"].astype(float) for band in made.cut_set.bands], axis=1)


def test_bands_follow_the_cuts_and_shares_sum_to_one(scores):
    made = standard_bands(scores, CUTS)
    for row, share in zip(made.rows.rows(), shares(made), strict=True):
        if math.isnan(row["estimate"]):
            assert row["band"] == ""
            assert np.isnan(share).all()
        else:
            assert row["band"] == CUTS.bands[np.searchsorted(CUTS.cuts, row["estimate"], side="right")]
            assert share.sum() == pytest.approx(1)
    assert "total_core" in made.summary()


def test_the_cuts_error_makes_bands_less_sure(scores):
    exact = standard_bands(scores, CutSet(("low", "high"), (55.0,), (0.0,)))
    unsure = standard_bands(scores, CutSet(("low", "high"), (55.0,), (8.0,)))
    known = np.isfinite(shares(exact)).all(axis=1)
    assert (shares(unsure)[known].max(axis=1) < shares(exact)[known].max(axis=1)).all()
    assert [note.code for note in exact.notes][1:] == ["scoring.cuts_exact"]
    assert len(unsure.notes) == 1


def test_a_limit_on_the_cut_has_the_tail_of_the_level(scores):
    row = next(row for row in scores.rows.rows() if row["level"] == "total" and math.isfinite(row["ci_low"]))
    made = standard_bands(scores, CutSet(("low", "high"), (row["ci_high"],), (0.0,)))
    mine = next(
        one
        for one in made.rows.rows()
        if (one["site"], one["statistic"]) == (row["site"], row["statistic"]) and not one["service_area"]
    )
    assert mine["confidence_high"] == pytest.approx(0.025)


def test_posterior_draws_and_cuts_give_the_normal_convolution():
    rng = np.random.default_rng(1)
    draws = 60 + 4 * rng.normal(size=(200_000, 1))
    made = band_probabilities(draws, CutSet(("low", "high"), (65.0,), (3.0,)))
    assert made[0, 1] == pytest.approx(norm.sf(65, 60, 5), abs=4 * math.sqrt(0.25 / 200_000))
    assert made.sum() == pytest.approx(1)


def test_stated_band_probabilities_happen_as_often():
    """Planted cuts and true scores: of those stated at about .7, about .7 are in the band."""
    rng = np.random.default_rng(3)
    n, cut, se = 40_000, 60.0, 4.0
    centre = rng.normal(60, 8, n)  # posterior means; the posterior of each has SD 5
    truth = rng.normal(centre, 5.0)
    drawn_cut = rng.normal(cut, se, n)
    draws = centre + 5.0 * norm.ppf((np.arange(400)[:, None] + 0.5) / 400)
    stated = band_probabilities(draws, CutSet(("low", "high"), (cut,), (se,)))[:, 1]
    happened = truth >= drawn_cut
    for low in np.arange(0.05, 0.95, 0.1):
        inside = (stated >= low) & (stated < low + 0.1)
        slack = 4 * math.sqrt(0.25 / inside.sum())
        assert happened[inside].mean() == pytest.approx(stated[inside].mean(), abs=slack)


def test_an_instrument_carries_the_cuts_and_scores_by_them(study):
    own = study.instrument
    cuts = CutSet(
        tuple(band.id for band in own.bands),
        tuple(100 * band.low + 3 for band in own.bands[1:]),
        tuple(2.0 for _ in own.bands[1:]),
    )
    carrying = own.replaced(bands=cuts.carried_by(own))
    again = CutSet.of_instrument(carrying)
    assert again.cuts == pytest.approx(cuts.cuts)
    assert again.std_errors == pytest.approx(cuts.std_errors)
    assert not any(CutSet.of_instrument(own).std_errors)


BAD = [
    ("one band", lambda s, i: CutSet(("low",), (), ()), UsageError, "cuts_number"),
    ("a cut too many", lambda s, i: CutSet(("low", "high"), (50.0, 60.0), (1.0, 1.0)), UsageError, "cuts_number"),
    ("no error of a cut", lambda s, i: CutSet(("low", "high"), (50.0,), ()), UsageError, "cuts_number"),
    ("falling cuts", lambda s, i: CutSet(("a", "b", "c"), (60.0, 50.0), (1.0, 1.0)), UsageError, "cuts_values"),
    ("a cut of 0", lambda s, i: CutSet(("a", "b"), (0.0,), (1.0,)), UsageError, "cuts_values"),
    ("a cut of NaN", lambda s, i: CutSet(("a", "b"), (math.nan,), (1.0,)), UsageError, "cuts_values"),
    ("a negative error", lambda s, i: CutSet(("a", "b"), (50.0,), (-1.0,)), UsageError, "cuts_values"),
    ("an error of NaN", lambda s, i: CutSet(("a", "b"), (50.0,), (math.nan,)), UsageError, "cuts_values"),
    ("other bands", lambda s, i: CUTS.carried_by(i), UsageError, "other_bands"),
    ("an instrument without bands", lambda s, i: CutSet.of_instrument(i.replaced(bands=())), UsageError, "no_cuts"),
    ("cuts as a list", lambda s, i: standard_bands(s, [50.0]), ArgumentTypeError, "not_cut_set"),
    ("a frame of scores", lambda s, i: standard_bands(s.table, CUTS), ArgumentTypeError, "not_cut_set"),
    ("draws of one site as a vector", lambda s, i: band_probabilities([50.0, 60.0], CUTS), UsageError, "draws_shape"),
    ("no draw", lambda s, i: band_probabilities(np.empty((0, 3)), CUTS), UsageError, "draws_shape"),
    ("a missing draw", lambda s, i: band_probabilities([[50.0, math.nan]], CUTS), UsageError, "draws_shape"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_has_no_meaning_is_refused(scores, study, call, kind, code):
    with pytest.raises(kind) as caught:
        call(scores, study.instrument)
    assert caught.value.code == f"scoring.{code}"
    assert caught.value.message.text("sv")
