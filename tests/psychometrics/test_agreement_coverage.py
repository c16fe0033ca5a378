"""The table of coverage of agreement: complete, flagged where it falls short, and made again in part."""

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream

STUDIES = 300
#: Two shares that differ by more than this many standard errors do not come from one method
STANDARD_ERRORS = 4.0


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_agreement_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def of(rows, method):
    return [(float(row["coverage"]), float(row["flagged"]), row) for row in rows if row["method"] == method]


def test_the_table_has_every_cell_once(script, rows):
    wanted = []
    for design in script.designs():
        methods = (script.LINEARISED, script.PERCENTILE) if design.holes == "no" else (script.LINEARISED,)
        for statistic, weighting in script.statistics(design):
            value = script.truth(design, statistic, weighting)
            wanted += [(statistic, weighting, method, str(design.n), value) for method in methods]
    for design in script.severity_designs():
        levels = np.linspace(0.05, 0.4, design.raters)
        wanted.append(("severity", "", script.BELL, str(design.n), float(levels[0] - levels.mean())))
        wanted.append(("severity_test", "", "Hotelling F", str(design.n), 0.0))
    for design in script.single_designs():
        if design.categories:
            wanted.append(("leave_one_out_agreement", "quadratic", script.LINEARISED, str(design.n), design.kappa))
        else:
            up, down = script.STEPS[design.prevalence]
            wanted.append(("change", "", "t", str(design.n), up - down))
    for design in script.poor_designs():
        most, few, share = script.POOR[design.prevalence]
        value = 2 * (most + share * (few - most)) - 1
        wanted += [
            ("certified_kappa", "unweighted", method, str(design.n), value)
            for method in (script.LINEARISED, script.UNSEEN)
        ]
    names = ("statistic", "weighting", "method", "n")
    assert len(rows) == len(wanted)
    for row, (*name, value) in zip(rows, wanted, strict=True):
        assert [row[key] for key in names] == name
        assert float(row["truth"]) == pytest.approx(value, abs=1e-12)
    keys = ("statistic", "weighting", "method", "raters", "categories", "prevalence", "kappa", "n", "holes")
    assert len({tuple(row[key] for key in (*keys, "clusters", "sizes")) for row in rows}) == len(rows)


def test_intervals_that_are_seldom_flagged_cover_as_required(script, rows):
    seldom = [(coverage, row) for coverage, flagged, row in of(rows, script.LINEARISED) if flagged < 0.10]
    assert len(seldom) > 500
    assert all(row["within"] == "yes" for _, row in seldom)


def test_what_covers_too_little_is_mostly_flagged(script, rows):
    short = [flagged for coverage, flagged, _ in of(rows, script.LINEARISED) if coverage < 0.93]
    far = [flagged for coverage, flagged, _ in of(rows, script.LINEARISED) if coverage < 0.90]
    assert np.mean(short) > 0.90
    assert min(far) > 0.55


def test_percentile_intervals_that_are_seldom_flagged_cover_nearly_as_required(script, rows):
    seldom = [coverage for coverage, flagged, _ in of(rows, script.PERCENTILE) if flagged < 0.10]
    assert len(seldom) > 100
    assert min(seldom) > 0.915
    assert max(seldom) < 0.965


def test_severity_and_its_test_cover_as_required_or_are_flagged(script, rows):
    made = [*of(rows, script.BELL), *of(rows, "Hotelling F")]
    assert len(made) == 2 * len(script.severity_designs())
    for coverage, flagged, row in made:
        if row["statistic"] == "severity":
            assert 0.92 < coverage < 0.975
        elif flagged * int(row["studies"]) + int(row["undefined"]) < 1_000:
            assert 0.93 < coverage < 0.975


def test_changes_cover_as_required_or_are_flagged(rows):
    made = of(rows, "t")
    assert made
    for coverage, flagged, _ in made:
        assert 0.93 < coverage < 0.975 or flagged > 0.5


def test_the_limit_of_certification_holds_from_twelve_files_on(script, rows):
    made = of(rows, script.UNSEEN)
    assert len(made) == len(script.poor_designs())
    for coverage, _, row in made:
        assert coverage > 0.97
        assert float(row["above"]) <= 0.02
        assert row["within"] == "yes"


def test_intervals_of_few_files_are_flagged(script, rows):
    for coverage, flagged, row in of(rows, script.LINEARISED):
        if row["statistic"] == "certified_kappa" and int(row["clusters"]) < 30:
            assert flagged == 1
        elif row["statistic"] == "certified_kappa":
            assert coverage > 0.91


def test_units_of_one_rating_do_not_narrow_intervals(script, rows):
    def cells(n, holes):
        keys = ("statistic", "weighting", "prevalence")
        same = {"n": n, "holes": holes, "method": script.LINEARISED}
        names = {"cohen_kappa": "conger_kappa", "scott_pi": "fleiss_kappa"}
        found = [row for row in rows if same.items() <= row.items()]
        return {(names.get(row["statistic"], row["statistic"]), *(row[key] for key in keys[1:])): row for row in found}

    alone, beside = cells("10", "no"), cells("310", "single")
    assert set(alone) == set(beside)
    for key, row in beside.items():
        if key[0] in {"percent_agreement", "brennan_prediger", "krippendorff_alpha"}:
            assert float(row["coverage"]) == pytest.approx(float(alone[key]["coverage"]), abs=0.03)
            assert float(row["flagged"]) == pytest.approx(float(alone[key]["flagged"]), abs=0.04)
        assert float(row["flagged"]) > 0.85


@pytest.mark.parametrize("holes", ["no", "yes"])
@pytest.mark.parametrize("clusters", [0, 1_200])
def test_the_truth_is_what_many_units_give(script, holes, clusters):
    sizes = "equal" if clusters else ""
    design = script.Design(4, 5, "80-20", 0.6, 12_000, holes, clusters, sizes)
    codes = script.draw(design, 1, np.random.default_rng(1))[0].astype(float)
    codes[codes < 0] = np.nan
    categories = range(5)
    for statistic, weighting in script.statistics(script.Design(4, 5, "80-20", 0.6, 12_000, holes)):
        if statistic == "krippendorff_alpha":
            result = pm.krippendorff_alpha(codes, measurement_level=weighting)
        else:
            weights = None if weighting == "unweighted" else weighting
            result = getattr(pm, statistic)(codes, weights=weights, categories=categories, clusters=design.of_units)
        apart = abs(result.estimate - script.truth(design, statistic, weighting))
        assert apart < 4 * max(result.std_error, 0.005)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statistic", "weighting", "cell"),
    [
        ("cohen_kappa", "unweighted", (2, 2, "even", 0.6, 50, "no", 0, "")),
        ("gwet_ac", "quadratic", (4, 5, "80-20", 0.3, 50, "yes", 0, "")),
        ("krippendorff_alpha", "nominal", (4, 2, "80-20", 0.9, 200, "yes", 0, "")),
        ("fleiss_kappa", "unweighted", (2, 2, "even", 0.6, 200, "yes", 0, "")),
        ("conger_kappa", "unweighted", (4, 2, "even", 0.6, 300, "no", 30, "unequal")),
    ],
)
def test_public_functions_cover_as_the_table_says(script, rows, statistic, weighting, cell):
    design = script.Design(*cell)
    raters, q, prevalence, kappa, n, holes, clusters, sizes = (str(part or "") for part in cell)
    wanted = {
        "statistic": statistic, "weighting": weighting, "method": script.LINEARISED, "raters": raters,
        "categories": q, "prevalence": prevalence, "kappa": kappa, "n": n, "holes": holes,
        "clusters": clusters, "sizes": sizes,
    }  # fmt: skip
    row = next(row for row in rows if wanted.items() <= row.items())
    codes = script.draw(design, STUDIES, stream(20261123, design.name)).astype(float)
    codes[codes < 0] = np.nan
    options = {"clusters": design.of_units, "categories": range(design.categories)}
    held = flagged = 0
    for study in codes:
        if statistic == "krippendorff_alpha":
            result = pm.krippendorff_alpha(study, measurement_level=weighting, **options)
        else:
            weights = None if weighting == "unweighted" else weighting
            result = getattr(pm, statistic)(study, weights=weights, **options)
        held += result.ci.low <= float(row["truth"]) <= result.ci.high
        flagged += bool(result.flags)
    for share, column in ((held / STUDIES, "coverage"), (flagged / STUDIES, "flagged")):
        expected = float(row[column])
        error = math.sqrt(max(expected * (1 - expected), 0.002) * (1 / STUDIES + 1 / script.STUDIES))
        assert abs(share - expected) < STANDARD_ERRORS * error


@pytest.mark.slow
def test_severity_covers_as_the_table_says(script, rows):
    design = script.Design(8, 0, "steps", 0.0, 50, "yes")
    row = next(
        row
        for row in rows
        if row["statistic"] == "severity" and (row["raters"], row["n"], row["clusters"]) == ("8", "50", "")
        and (row["prevalence"], row["holes"]) == ("steps", "yes")
    )  # fmt: skip
    rng = stream(20261123, "severity")
    levels = np.linspace(0.05, 0.4, 8)
    held = 0
    for _ in range(STUDIES):
        ci = pm.rater_severity(script.draw_severity(design, levels, rng)).ci[0]
        held += ci.low <= float(row["truth"]) <= ci.high
    expected = float(row["coverage"])
    error = math.sqrt(expected * (1 - expected) * (1 / STUDIES + 1 / script.STUDIES))
    assert abs(held / STUDIES - expected) < STANDARD_ERRORS * error
