"""Weights and the finite population: R survey's linearised standard errors, a census, and planted populations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Frame, Responses, source_table
from ibic_fidelity.scoring.estimands import observed_fraction, period_error
from ibic_fidelity.scoring.grouping import groups_of, nesting
from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.raters import Pairs
from ibic_fidelity.scoring.sums import SourceSums, composite_weights, source_sums

FIXTURE = json.loads((Path(__file__).parent.parent / "reference" / "survey.json").read_text(encoding="utf-8"))
FILES = FIXTURE["files"]
SITES = [f"{s:04d}" for s in FILES["site"]]
UNITS = np.bincount(FILES["site"])[1:]
ELIGIBLE = np.array([FILES["fpc"][FILES["site"].index(s)] for s in range(1, 5)])
CLOSED_FORM = 1e-10  # closed forms: only the order of summation differs
NO_PAIRS = Pairs(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))


def of_items(*names: str) -> Instrument:
    """Return an instrument with audited items of five levels in one component."""
    both = {"sv": "x", "en": "x"}
    levels = [{"code": c, "anchor": {"sv": f"n{c}", "en": f"n{c}"}} for c in range(5)]
    items = [
        {
            "id": name, "label": name, "component": "c", "idea": both, "rationale": both, "cites": ["r"],
            "measures": [{"id": name, "source": "files", "scale": "five", "role": "primary", "wording": both}],
        }
        for name in names
    ]  # fmt: skip
    source = {"id": "files", "label": both, "kind": "audit", "unit": both, "units": both, "minimum": 2}
    return Instrument.model_validate(
        {
            "format": 1, "id": "few", "version": "1.0.0", "status": "candidate", "rubric": "none",
            "title": both, "about": both, "site": {"one": both, "many": both}, "sources": [source],
            "scales": [{"id": "five", "type": "levels", "levels": levels}],
            "components": [{"id": "c", "label": both, "dimension": "core", "measurement_model": "formative"}],
            "references": [{"id": "r", "citation": "x"}], "items": items,
        }
    )  # fmt: skip


def responses(codes, site, *, cluster=None, weight=None, eligible=()) -> tuple[Responses, Instrument]:
    codes = np.asarray(codes)
    instrument = of_items(*[f"m{j}" for j in range(codes.shape[1])])
    keys = {"site": site, "unit": [f"u{i:06d}" for i in range(len(site))]}
    if cluster is not None:
        keys["cluster"] = cluster
    table = source_table("files", instrument.columns_of("files"), codes, keys, weight=weight)
    frame = Frame(eligible={(name, "", "", "files"): int(n) for name, n in eligible})
    return Responses({"files": table}, frame, "few", "1.0.0", instrument.sha256, "test"), instrument


def sums_of(*columns: str, weighted: bool, clustered: bool) -> tuple[SourceSums, Instrument]:
    found, instrument = responses(
        np.array([FILES[name] for name in columns]).T,
        SITES,
        cluster=FILES["cluster"] if clustered else None,
        weight=np.array(FILES["weight"]) if weighted else None,
    )
    groups = {group: i for i, group in enumerate(groups_of(found, by_area=False))}
    nest = nesting(found.tables["files"], groups, by_area=False)
    return source_sums(nest, instrument, composite_weights(instrument), NO_PAIRS), instrument


@pytest.mark.witness(
    statistic="influence values", definition="linearised ratio with weights, clusters with replacement",
    reference="R survey::svymean, svyratio, svycontrast", tolerance=CLOSED_FORM, data="simulated files, four assessors",
)  # fmt: skip
@pytest.mark.parametrize(
    ("columns", "target", "name"),
    [
        (("answer",), ("measure", "m0"), "mean_weights_clusters"),
        (("code",), ("measure", "m0"), "ratio_weights_clusters"),
        (("code", "code2"), ("component", "c"), "component"),
    ],
)
def test_weighted_cluster_sums_are_surveys(columns, target, name):
    sums = sums_of(*columns, weighted=True, clustered=True)[0].targets[target]
    assert np.allclose(sums.estimate, FIXTURE[name]["estimate"], rtol=0, atol=CLOSED_FORM)
    # survey's variance is C/(C − 1) Σ (cluster total)²; C is 4
    assert np.allclose(np.sqrt(4 / 3 * sums.cluster_squares), FIXTURE[name]["std_error"], rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="error of this period's units", definition="(1 − n/N) n/(n − 1) Σ e²",
    reference="R survey::svyratio, fpc", tolerance=CLOSED_FORM, data="simulated files, one census of four",
)  # fmt: skip
@pytest.mark.parametrize(("name", "weighted"), [("ratio_fpc", False), ("ratio_weights_fpc", True)])
def test_the_squares_of_units_with_the_correction_are_surveys(name, weighted):
    sums = sums_of("code", weighted=weighted, clustered=True)[0].targets["measure", "m0"]
    variance = (1 - UNITS / ELIGIBLE) * UNITS / (UNITS - 1) * sums.unit_squares
    assert np.allclose(sums.estimate, FIXTURE[name]["estimate"], rtol=0, atol=CLOSED_FORM)
    assert np.allclose(np.sqrt(variance), FIXTURE[name]["std_error"], rtol=0, atol=CLOSED_FORM)


@pytest.mark.witness(
    statistic="error of this period's units", definition="κ θ(1 − θ) with the site's own spread",
    reference="R survey::svymean, fpc", tolerance=CLOSED_FORM, data="simulated files, one census of four",
)  # fmt: skip
@pytest.mark.parametrize("place", range(4))
def test_one_sites_error_in_this_period_is_surveys(place):
    """With one site the pooled spread is its own, and κ m(1 − m)/(1 − κ) is survey's variance."""
    inside = np.array(FILES["site"]) == place + 1
    codes = np.array(FILES["answer"])[inside][:, None]
    site = [name for name, here in zip(SITES, inside, strict=True) if here]
    found, instrument = responses(codes, site)
    groups = {group: i for i, group in enumerate(groups_of(found, by_area=False))}
    weights = composite_weights(instrument)
    sums = source_sums(nesting(found.tables["files"], groups, by_area=False), instrument, weights, NO_PAIRS)
    fraction = observed_fraction(sums, instrument, weights, np.array([ELIGIBLE[place]], dtype=float))
    one = sums.targets["measure", "m0"]
    kappa, df, _ = period_error(one, fraction["measure", "m0"], None)
    variance = kappa * one.estimate * (1 - one.estimate) / (1 - kappa)
    assert np.sqrt(variance[0]) == pytest.approx(FIXTURE["mean_fpc"]["std_error"][place], abs=CLOSED_FORM)
    assert df[0] == pytest.approx(UNITS[place] - 1)


def population(seed, sites, eligible, assessors=4):
    """Return this period's files of every site, codes 0–4 under assessors who differ, shape (sites, eligible)."""
    rng = np.random.default_rng(seed)
    level = rng.beta(6, 3, sites)[:, None] * np.ones(assessors)
    level = np.clip(level + rng.normal(0, 0.12, level.shape), 0.02, 0.98)
    own = level[:, np.arange(eligible) % assessors]
    return rng.binomial(4, own), rng


def covered(seed, *, taken, eligible, estimand, sites=60):
    codes, rng = population(seed, sites, eligible)
    drawn = np.argsort(rng.random(codes.shape), axis=1)[:, :taken]
    names = [f"{s:04d}" for s in range(sites)]
    site = np.repeat(names, taken)
    cluster = [f"{s}-{u % 4}" for s, row in enumerate(drawn) for u in row]
    found, instrument = responses(
        np.take_along_axis(codes, drawn, axis=1).reshape(-1, 1), list(site), cluster=cluster,
        eligible=[(name, eligible) for name in names],
    )  # fmt: skip
    rows = score_municipalities(found, instrument, estimand=estimand).rows
    mine = rows.where(rows["level"] == "item")
    truth = 25 * codes.mean(axis=1)
    inside = (mine["ci_low"].astype(float) - 1e-9 <= truth) & (truth <= mine["ci_high"].astype(float) + 1e-9)
    return inside.mean(), (mine["ci_high"] - mine["ci_low"]).astype(float).mean(), mine


@pytest.mark.parametrize(("taken", "eligible"), [(10, 20), (10, 100), (20, 24), (18, 20)])
def test_intervals_of_this_period_hold_the_mean_of_all_files(taken, eligible):
    found = [covered(seed, taken=taken, eligible=eligible, estimand="this_period")[0] for seed in range(20)]
    error = np.std(found) / np.sqrt(len(found))  # 1,200 sites
    assert 0.93 - 2 * error <= np.mean(found) <= 0.975 + 2 * error


def test_a_census_has_no_sampling_error_in_this_period_and_has_one_in_the_way_of_working():
    inside, width, rows = covered(1, taken=20, eligible=20, estimand="this_period")
    assert (inside, width) == (1.0, 0.0)
    assert set(rows["method"].tolist()) == {"complete count, no sampling error, this period"}
    assert rows["census"].all()
    assert (rows["std_error"] == 0).all()
    _, width, rows = covered(1, taken=20, eligible=20, estimand="way_of_working")
    assert width > 5
    assert rows["census"].all()


def test_the_way_of_working_does_not_know_how_many_were_eligible():
    one, two = (covered(1, taken=10, eligible=20, estimand="way_of_working")[2] for _ in range(2))
    assert one["ci_low"].tolist() == two["ci_low"].tolist()
    few = covered(1, taken=10, eligible=20, estimand="this_period")[1]
    many = covered(1, taken=10, eligible=500, estimand="this_period")[1]
    assert few < 0.8 * many


def test_a_blank_in_a_census_is_a_file_that_was_not_seen_and_one_that_does_not_apply_is_none():
    codes = np.tile([0, 1, 2, 3, 4] * 4, 3)[:, None].copy()
    codes[:3], codes[20:23] = -1, -3
    site = np.repeat(["a", "b", "c"], 20)
    found, instrument = responses(codes, list(site), eligible=[(s, 20) for s in "abc"])
    rows = score_municipalities(found, instrument, estimand="this_period").rows
    errors = rows.where(rows["level"] == "item")["std_error"].astype(float)
    assert errors[0] > 0
    assert errors[1] == errors[2] == 0


def test_the_estimand_stands_in_rows_provenance_summary_and_json():
    found, instrument = responses(
        np.array([FILES["answer"]]).T, SITES, eligible=zip(sorted(set(SITES)), ELIGIBLE, strict=True)
    )
    for estimand, words in (("way_of_working", "the way of working"), ("this_period", "this period's files and staff")):
        scores = score_municipalities(found, instrument, estimand=estimand)
        again = type(scores).from_json(scores.to_json())
        for one in (scores, again, scores.of_site("0001")):
            assert one.estimand == one.provenance.options["estimand"] == estimand
            assert set(one.rows["estimand"].tolist()) == set(one.table["estimand"]) == {estimand}
            assert words in one.summary()
        assert all(estimand.replace("_", " ") in method for method in scores.rows["method"].tolist() if method)
        assert len(scores.gates) == 0 or estimand == "way_of_working"


def test_the_design_effect_of_weights_is_kishs():
    weight = np.array(FILES["weight"])
    found, instrument = responses(
        np.array([FILES["answer"]]).T, SITES, weight=weight, eligible=zip(sorted(set(SITES)), ELIGIBLE, strict=True)
    )
    response = score_municipalities(found, instrument).response
    for place, effect in enumerate(response["design_effect"]):
        mine = weight[np.array(FILES["site"]) == place + 1]
        assert effect == pytest.approx(len(mine) * (mine**2).sum() / mine.sum() ** 2)
