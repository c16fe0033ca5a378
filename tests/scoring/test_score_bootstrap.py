"""The rescaled bootstrap: its variance is linearisation's, its bits are the same on any number of cores."""

from __future__ import annotations

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.errors import UsageError
from ibic_fidelity.scoring.bootstrap import COLUMNS, _quantiles
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.scores import Scores


@pytest.fixture(scope="module")
def study():
    return ibic.simulate_study(ibic.StudyDesign(n_sites=20, files=24, double_rated=0.2), seed=4)


@pytest.fixture(scope="module")
def scores(study):
    return score_municipalities(study.responses, study.instrument, bootstrap=2000, seed=3)


def test_the_bits_are_the_same_for_any_number_of_jobs_and_others_for_another_seed(study, scores):
    two = score_municipalities(study.responses, study.instrument, bootstrap=2000, seed=3, n_jobs=2)
    assert two.to_json() == scores.to_json()
    other = score_municipalities(study.responses, study.instrument, bootstrap=2000, seed=4)
    assert np.array_equal(other.rows["ci_low"].astype(float), scores.rows["ci_low"].astype(float), equal_nan=True)
    assert not np.array_equal(other.bootstrap["std_error"], scores.bootstrap["std_error"], equal_nan=True)


def test_it_stands_beside_the_scores_and_survives_json(scores):
    assert tuple(scores.bootstrap.columns) == COLUMNS
    again = Scores.from_json(scores.to_json())
    assert again.to_json() == scores.to_json()
    assert set(scores.of_site("0114").bootstrap["site"].tolist()) == {"0114"}
    rows = scores.rows.where((scores.rows["service_area"] == "") & (scores.rows["level"] == "total"))
    mine = scores.bootstrap.where(scores.bootstrap["level"] == "total")
    assert np.allclose(mine["estimate"], rows["estimate"].astype(float), equal_nan=True)
    shown = mine["reason"] == ""
    assert shown.any()
    assert (mine["percentile_low"][shown] < mine["estimate"][shown]).all()
    assert (mine["estimate"][shown] < mine["score_high"][shown]).all()


def test_its_variance_is_that_of_linearisation():
    """In the mean over many sites: C/(C − 1) Σ of squared cluster sums (Rao & Wu 1988); one item, no holes."""
    import json
    from pathlib import Path

    from ibic_fidelity.responses.model import Frame, Responses, source_table

    fixture = json.loads((Path(__file__).parent.parent / "reference" / "survey.json").read_text(encoding="utf-8"))
    files, reference = fixture["files"], fixture["mean_weights_clusters"]
    instrument = _one_item()
    keys = {"site": [f"{s:04d}" for s in files["site"]], "cluster": files["cluster"], "unit": files["unit"]}
    table = source_table(
        "files", instrument.columns_of("files"), np.array([files["answer"]]).T, keys, weight=np.array(files["weight"])
    )
    responses = Responses({"files": table}, Frame(), instrument.id, instrument.version, instrument.sha256, "test")
    found = score_municipalities(responses, instrument, bootstrap=20000, seed=1).bootstrap
    found = found.where(found["level"] == "component")
    # The weights of clusters vary by .1, and the ratio is that far from linear; 20,000 replicates give 1 % of 2 SE.
    assert np.allclose(found["std_error"] / 100, reference["std_error"], rtol=0.05)
    assert np.allclose(found["estimate"] / 100, reference["estimate"], rtol=0, atol=1e-10)


def _one_item():
    both = {"sv": "x", "en": "x"}
    levels = [{"code": c, "anchor": {"sv": f"n{c}", "en": f"n{c}"}} for c in range(5)]
    measure = {"id": "m1", "source": "files", "scale": "five", "role": "primary", "wording": both}
    item = {"id": "m1", "label": "M1", "component": "c", "idea": both, "rationale": both, "cites": ["r"]}
    return ibic.Instrument.model_validate(
        {
            "format": 1, "id": "one", "version": "1.0.0", "status": "candidate", "rubric": "none",
            "title": both, "about": both, "site": {"one": both, "many": both},
            "sources": [{"id": "files", "label": both, "kind": "audit", "unit": both, "units": both, "minimum": 2}],
            "scales": [{"id": "five", "type": "levels", "levels": levels}],
            "components": [{"id": "c", "label": both, "dimension": "core", "measurement_model": "formative"}],
            "references": [{"id": "r", "citation": "x"}], "items": [{**item, "measures": [measure]}],
        }
    )  # fmt: skip


def test_quantiles_are_numpys():
    made = np.random.default_rng(1).normal(size=(2000, 3))
    assert np.allclose(_quantiles(made.copy(), np.array([0.025, 0.975])), np.quantile(made, [0.025, 0.975], axis=0))


def test_one_cluster_and_withheld_sites_have_no_limits_and_say_why(responses_of, mini):
    files = [("0114", f"u{i}", "h1", "g", i % 2, 0, 1, 1, 0) for i in range(8)]
    files += [("0180", f"v{i}", f"k{i % 3}", "g", i % 2, 0, 1, 1, i % 2) for i in range(9)]
    files += [("0999", "w1", "x1", "g", 1, 0, 1, 1, 0)]
    scores = score_municipalities(
        responses_of(files, {"0114": (80.0, 50), "0180": (60.0, 20)}), mini, bootstrap=200, seed=1
    )
    rows = {row["site"]: row for row in scores.bootstrap.rows() if row["component"] == "a"}
    told = {site: row["reason"] for site, row in rows.items()}
    assert told == {"0114": "scoring.one_cluster", "0180": "", "0999": "scoring.too_few"}
    assert np.isnan(rows["0114"]["std_error"])
    assert {row["reason"] for row in scores.bootstrap.rows() if row["component"] == "b"} >= {"scoring.not_drawn"}
    assert rows["0180"]["clusters"] == 3
    assert np.isfinite(rows["0180"]["percentile_low"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"bootstrap": 50, "seed": 1}, "scoring.bootstrap"),
        ({"bootstrap": -1, "seed": 1}, "scoring.bootstrap"),
        ({"bootstrap": True, "seed": 1}, "scoring.bootstrap"),
        ({"bootstrap": 200.0, "seed": 1}, "scoring.bootstrap"),
        ({"bootstrap": 200}, "scoring.bootstrap_seed"),
        ({"bootstrap": 200, "seed": -1}, "scoring.bootstrap_seed"),
        ({"bootstrap": 200, "seed": 1, "estimand": "this_period"}, "scoring.bootstrap_this_period"),
    ],
)
def test_what_is_no_bootstrap_is_refused(study, options, code):
    with pytest.raises(UsageError) as caught:
        score_municipalities(study.responses, study.instrument, **options)
    assert caught.value.code == code


def test_without_one_there_are_no_rows(study):
    assert len(score_municipalities(study.responses, study.instrument).bootstrap) == 0
