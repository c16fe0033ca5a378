"""The table of coverage of internal consistency: complete, honest about what falls short, made again in part."""

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream

STUDIES = 300
#: Two shares that differ by more than this many standard errors do not come from one method
STANDARD_ERRORS = 4.0
#: Monte Carlo error of a share of 2,000, in the middle of what is required
SLACK = 2.5 * math.sqrt(0.93 * 0.07 / 2000)


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_consistency_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def test_the_table_has_every_cell_once(script, rows):
    assert len(rows) == len(script.cells())
    for cell, row in zip(script.cells(), rows, strict=True):
        assert (row["statistic"], row["method"], row["data"]) == (cell.statistic, cell.method, cell.design.data)
        assert (int(row["n"]), int(row["k"]), row["loadings"]) == (cell.design.n, cell.design.k, cell.design.loadings)
        assert float(row["truth"]) == pytest.approx(cell.truth, abs=1e-9)
        assert float(row["mc_low"]) <= float(row["coverage"]) <= float(row["mc_high"])
        ends = [float(row["coverage"]) - float(row[end]) for end in ("required_low", "required_high")]
        if min(map(abs, ends)) > 5e-5:  # the last digit printed
            assert row["within"] == ("yes" if ends[0] > 0 > ends[1] else "no")


def test_normal_and_symmetric_answers_are_covered_as_required_by_the_delta_method(rows):
    for row in rows:
        if row["data"] in {"normal", "symmetric"} and row["method"] != "bootstrap":
            assert 0.93 - SLACK <= float(row["coverage"]) <= 0.975 + SLACK
            if row["method"] == "delta, adjusted" and row["statistic"] != "omega":
                assert float(row["flagged"]) < 0.1  # false alarms: omega's Heywood cases are flagged, too


def test_what_covers_too_little_is_flagged(rows):
    """Below .93 by more than chance the package flags the interval in at least two of three studies."""
    short = [row for row in rows if float(row["coverage"]) < 0.93 - SLACK]
    assert short
    assert min(float(row["flagged"]) for row in short) > 0.66


def test_truth_by_a_second_route(script):
    """Omega and stratified alpha of a very large sample of congeneric, cut answers."""
    by = {cell.statistic: cell for cell in script.cells() if cell.design.data == "skewed"}
    x = by["lambda2"].design.draw(200, np.random.default_rng(3)).reshape(-1, 5)[:40_000]
    # a hundredth is many standard errors of forty thousand respondents
    result = pm.guttman_lambda(x)
    for i in range(1, 7):
        assert getattr(result, f"lambda{i}") == pytest.approx(by[f"lambda{i}"].truth, abs=0.01)
    unequal = next(c for c in script.cells() if c.statistic == "omega" and c.design.loadings == "unequal")
    assert unequal.truth == pytest.approx(
        sum(script.UNEQUAL) ** 2 / (sum(script.UNEQUAL) ** 2 + sum(1 - loading**2 for loading in script.UNEQUAL)),
        abs=1e-9,
    )
    composite = by["stratified_alpha"]
    x = composite.design.draw(200, np.random.default_rng(4)).reshape(-1, composite.design.k)
    strata = np.repeat([1, 2], composite.design.k // 2)
    assert pm.stratified_alpha(x, strata).estimate == pytest.approx(composite.truth, abs=0.01)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ibic_fidelity.errors.UndefinedStatisticWarning")  # omega without a solution
@pytest.mark.parametrize(
    ("statistic", "method", "data", "loadings", "n", "k"),
    [
        ("omega", "delta", "normal", "unequal", 50, 5),
        ("omega", "delta, adjusted", "skewed", "equal", 50, 5),
        ("spearman_brown", "delta", "normal", "equal", 50, 2),
        ("stratified_alpha", "delta, adjusted", "binary", "strata", 50, 6),
        ("alpha", "bootstrap", "skewed", "equal", 50, 5),
        ("lambda2", "bootstrap", "normal", "unequal", 50, 5),
    ],
)
def test_public_functions_cover_as_the_table_says(script, rows, statistic, method, data, loadings, n, k):
    wanted = {"statistic": statistic, "method": method, "data": data, "loadings": loadings, "n": str(n), "k": str(k)}
    at = next(i for i, row in enumerate(rows) if wanted.items() <= row.items())
    cell, expected = script.cells()[at], float(rows[at]["coverage"])
    options = {"bootstrap": script.REPLICATES} if method == "bootstrap" else {}
    call = {
        "omega": pm.mcdonald_omega,
        "spearman_brown": pm.spearman_brown,
        "alpha": pm.cronbach_alpha,
        "lambda2": pm.guttman_lambda,
        "stratified_alpha": lambda x, **more: pm.stratified_alpha(x, np.repeat([1, 2], k // 2), **more),
    }[statistic]
    held = known = 0
    for seed, study in enumerate(cell.design.draw(STUDIES, stream(20261123, cell.design.name))):
        result = call(study, **options, **({"rng": seed} if options else {}))
        ci = {"delta": "ci", "delta, adjusted": "ci_adjusted", "bootstrap": "ci_bootstrap"}[method]
        interval = result.ci_bootstrap[1] if statistic == "lambda2" else getattr(result, ci)
        held += interval.low <= cell.truth <= interval.high
        known += not math.isnan(interval.low)
    assert known > 0.9 * STUDIES
    error = math.sqrt(expected * (1 - expected) * (1 / known + 1 / script.STUDIES))
    assert abs(held / known - expected) < STANDARD_ERRORS * error
