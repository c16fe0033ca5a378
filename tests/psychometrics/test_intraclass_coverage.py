"""The table of coverage of ICC and measurement error: complete, honest about what falls short, made again in part."""

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.psychometrics.intraclass._error_variance import LEAST_FOR_NORMALITY

STUDIES = 150
#: Two shares that differ by more than this many standard errors do not come from one method
STANDARD_ERRORS = 4.0
#: Data on which normal theory holds, at least nearly
PLAIN = {"normal", "symmetric"}


@pytest.fixture(scope="module")
def script(calibration_script):
    return calibration_script("make_intraclass_coverage")


@pytest.fixture(scope="module")
def rows(script, calibration_script):
    return calibration_script("coverage_table").read_table(script.TABLE)


def numbers(row, *names):
    return [float(row[name]) for name in names]


def test_the_table_has_every_cell_once(script, rows):
    assert len(rows) == len(script.cells()) == len(set(script.cells()))
    for cell, row in zip(script.cells(), rows, strict=True):
        assert (row["statistic"], row["method"], row["data"]) == (cell.statistic, cell.method, cell.data)
        assert float(row["truth"]) == script.truth(cell)
        low, coverage, high = numbers(row, "mc_low", "coverage", "mc_high")
        assert low <= coverage <= high
        least, most = numbers(row, "required_low", "required_high")
        assert row["within"] == ("yes" if least <= coverage <= most else "no")


def test_what_is_to_be_used_covers_as_required_on_normal_ratings(rows):
    """Within Monte Carlo error; two raters' modified interval is too wide and flagged; at a true 0 one side misses."""
    for row in rows:
        advised = row["method"] not in {"McGraw-Wong", "bootstrap"}
        at_zero = row["statistic"].startswith("group") and float(row["flagged"]) == 0 and row["below"] == "0.0000"
        advised &= "adjusted" not in row["method"]
        if row["data"] not in PLAIN or not advised or at_zero:
            continue
        coverage, low, flagged = numbers(row, "coverage", "mc_low", "flagged")
        assert coverage >= 0.93
        assert low <= 0.975 or flagged == 1.0
        assert coverage <= 0.985
        too_few = row["statistic"].startswith(("error", "loa")) and int(row["n"]) < LEAST_FOR_NORMALITY
        if not too_few and not (row["k"] == "2" and row["statistic"].startswith("icc_agreement")):
            assert flagged <= 0.20


def test_what_covers_far_too_little_is_mostly_flagged(rows):
    """Below .90 in two of three studies; heavy tails of errors only from 100 targets on, which the docstrings say."""
    tails = {"t5", "laplace", "exponential", "t4", "beta", "lognormal"}
    short = [row for row in rows if float(row["coverage"]) < 0.90 and row["data"] not in tails]
    # targets taken for independent that are in clusters cannot be told from the ratings
    short = [row for row in short if not row["data"].startswith("clusters")]
    assert short
    assert min(float(row["flagged"]) for row in short) > 0.66
    errors = [row for row in rows if row["statistic"].startswith(("error", "loa"))]
    heavy = [row for row in errors if row["data"] in tails and float(row["coverage"]) < 0.90 and int(row["n"]) >= 100]
    assert heavy
    assert min(float(row["flagged"]) for row in heavy) > 0.45


def test_the_adjusted_interval_covers_skewed_targets_far_better(rows):
    """Lognormal targets are the limit: even the adjusted interval falls short, and the docstring says so."""
    of = {}
    for row in rows:
        if row["statistic"].startswith("icc") and row["data"] in {"normal", "exponential", "t4", "beta", "lognormal"}:
            kind = "adjusted" if "adjusted" in row["method"] else "plain"
            of.setdefault((kind, row["data"]), []).append(float(row["coverage"]))
    assert 0.94 < min(of["adjusted", "normal"]) <= max(of["adjusted", "normal"]) < 0.995
    for data, least in (("exponential", 0.90), ("t4", 0.90), ("beta", 0.92), ("lognormal", 0.84)):
        assert min(of["adjusted", data]) > least > min(of["plain", data])
    clustered = [row for row in rows if row["data"].startswith("clusters")]
    assert min(float(row["coverage"]) for row in clustered if row["method"].endswith("clusters")) > 0.91
    assert min(float(row["coverage"]) for row in clustered) < 0.85


def test_the_modified_interval_covers_where_mcgraw_and_wongs_does_not(rows):
    of = {
        method: {
            (row["data"], row["n"], row["k"], row["raters"], row["truth"]): float(row["coverage"])
            for row in rows
            if row["statistic"] == "icc_agreement" and row["method"] == method and row["data"] == "normal"
        }
        for method in ("McGraw-Wong", "modified")
    }
    assert of["McGraw-Wong"].keys() == of["modified"].keys()
    assert min(of["McGraw-Wong"].values()) < 0.75
    assert min(of["modified"].values()) > 0.935


def test_the_truth_of_answers_by_a_second_route(script):
    """The variance of a cut answer, and the error that is left of it, by half a million draws."""
    cell = next(c for c in script.cells() if c.statistic == "error_consistency" and c.data == "ceiling60")
    made = script.draw(
        script.Cell("icc_consistency", "exact F", "ceiling60", 0.7, 200_000, 3), 1, np.random.default_rng(1)
    )
    assert made.var() == pytest.approx(script.answer_variance("ceiling60"), rel=0.02)
    residual = np.sqrt(((made - made.mean(axis=2, keepdims=True)) ** 2).sum() / (2 * 200_000))
    assert residual == pytest.approx(script.truth(cell), rel=0.02)


def interval_of(cell, study):
    """Return the interval that a public function gives a study."""
    if cell.family == "loa":
        result = pm.limits_of_agreement(study, np.zeros(len(study)))
        return {"bias": result.ci, "lower": result.lower_ci, "upper": result.upper_ci}[cell.statistic[4:]]
    if cell.family == "group":
        groups = np.repeat(np.arange(cell.groups), cell.group_sizes)
        result = pm.group_mean_reliability(study, groups, estimator="REML")
        name = cell.statistic.removeprefix("group_")
        return getattr(result, f"{name}_ci")
    if cell.family == "error":
        definition = cell.statistic.removeprefix("error_")
        return pm.standard_error_of_measurement(study, definition=definition).ci
    definition = cell.statistic.split("_")[1]
    result = pm.intraclass_correlation(study, definition=definition, missing="available")
    if "adjusted" in cell.method:
        return result.ci_adjusted
    return result.ci_modified if cell.method == "modified" else result.ci


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ibic_fidelity.errors.UndefinedStatisticWarning")  # unlinked tables are left out
@pytest.mark.parametrize(
    ("statistic", "method", "data", "where"),
    [
        ("icc_agreement", "McGraw-Wong", "normal", {"n": "30", "k": "3", "raters": "0.5", "truth": "0.7"}),
        ("icc_agreement", "modified", "normal", {"n": "30", "k": "3", "raters": "0.5", "truth": "0.7"}),
        ("icc_consistency", "exact F, adjusted", "exponential", {"n": "30", "k": "4", "truth": "0.7"}),
        ("icc_consistency", "exact F", "ceiling60", {"n": "30", "k": "3", "truth": "0.3"}),
        ("icc_agreement", "REML", "normal", {"n": "15", "k": "6", "holes": "30%", "raters": "0.5", "truth": "0.3"}),
        ("icc_consistency", "REML", "normal", {"n": "15", "k": "6", "holes": "pairs"}),
        ("error_agreement", "Graybill-Wang", "normal", {"n": "30", "k": "3", "raters": "1.0"}),
        ("error_consistency", "chi-square", "t5", {"n": "30", "k": "3"}),
        ("loa_upper", "noncentral t", "normal", {"n": "30"}),
        ("group_design_effect", "REML, exact F", "normal", {"groups": "24", "sizes": "unequal"}),
    ],
)
def test_public_functions_cover_as_the_table_says(script, rows, statistic, method, data, where):
    wanted = {"statistic": statistic, "method": method, "data": data, **where}
    at = max(i for i, row in enumerate(rows) if wanted.items() <= row.items())
    cell, expected = script.cells()[at], float(rows[at]["coverage"])
    found = [interval_of(cell, study) for study in script.draw(cell, STUDIES, stream(20261124, cell.name))]
    known = [ci for ci in found if not math.isnan(ci.low)]
    held = sum(ci.low <= script.truth(cell) <= ci.high for ci in known)
    error = math.sqrt(expected * (1 - expected) * (1 / len(known) + 1 / script.STUDIES))
    assert abs(held / len(known) - expected) < STANDARD_ERRORS * error
