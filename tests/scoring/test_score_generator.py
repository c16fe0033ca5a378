"""Scores of data that another generator made, in R: their intervals hold what it planted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import ibic_fidelity as ibic

REFERENCE = Path(__file__).parent.parent / "reference"
FIXTURE = json.loads((REFERENCE / "generator.json").read_text(encoding="utf-8"))
TRUTH = FIXTURE["truth"]


@pytest.fixture(scope="module")
def scores(mini):
    return ibic.score_municipalities(ibic.read_responses(REFERENCE / "data" / "generator.csv", mini), mini)


def rows_of(scores, name):
    level = "component" if name == "a" else "item"
    rows = scores.rows.where((scores.rows["level"] == level) & (scores.rows[level] == name))
    assert rows["site"].tolist() == TRUTH["site"]
    return {column: rows[column].astype(float) for column in ("estimate", "std_error", "ci_low", "ci_high")}


@pytest.mark.parametrize("name", ["a1", "a2", "a3", "a"])
def test_intervals_hold_the_planted_way_of_working_at_the_level(scores, name):
    rows, truth = rows_of(scores, name), 100 * np.array(TRUTH[name])
    inside = (rows["ci_low"] <= truth) & (truth <= rows["ci_high"])
    error = np.sqrt(0.95 * 0.05 / len(truth))
    assert 0.93 - 2 * error <= inside.mean() <= 0.975 + 2 * error


def test_also_where_nearly_all_answers_are_yes(scores):
    truth = 100 * np.array(TRUTH["a"])
    rows = rows_of(scores, "a")
    high = truth > 93
    assert high.sum() >= 20
    inside = (rows["ci_low"] <= truth) & (truth <= rows["ci_high"])
    assert inside[high].mean() >= 0.9


def test_errors_are_of_the_stated_size_and_the_order_is_found(scores):
    rows, truth = rows_of(scores, "a"), 100 * np.array(TRUTH["a"])
    z = (rows["estimate"] - truth) / rows["std_error"]
    assert 0.7 < np.sqrt((z**2).mean()) < 1.2
    assert np.corrcoef(rows["estimate"], truth)[0, 1] > 0.9


def test_what_assessors_and_raters_were_given_is_found(scores):
    """Shares of θ(1 − θ): an assessor's is .10; a rater's severity d moves an answer by 4 d q(1 − q)."""
    spread = {row["target"]: row for row in scores.spread.rows()}
    assert spread["a1"]["between"] == pytest.approx(FIXTURE["planted"]["assessor_share"], abs=0.05)
    assert {row["raters_from"] for row in spread.values()} == {"double_ratings"}
    assert 0 < spread["a"]["raters"] < 0.02
