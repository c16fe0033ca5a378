"""Agreement among raters: printed values, the fixture, identities, and what is not defined."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import stdtrit

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

FIXTURE = json.loads((Path(__file__).parents[1] / "reference/agreement.json").read_text(encoding="utf-8"))

# irr and irrCAC print 11 digits of agreement, irrCAC five decimals of coefficients and errors, three of limits
PRINTED_11 = 1e-10
PRINTED_5 = 5.1e-6
PRINTED_3 = 5.1e-4
PRINTED_4 = 5.1e-5
# two of our own routes, a few thousand roundings apart
IDENTITY = 1e-10

H = math.nan
#: Krippendorff's data as Gwet prints them (raw4raters).
RAW = np.array(
    [
        [1, 1, H, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
        [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [H, 5, 5, 5], [H, H, 1, 1], [H, H, 3, H],
    ]
)  # fmt: skip
#: The data of the fixture: the single rating of the last unit is by rater 2, which only Conger's kappa notices.
OF_FIXTURE = np.vstack([RAW[:-1], [H, 3, H, H]])
TABLE = np.repeat([(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)], [13, 20, 7, 4, 56], axis=0)
FLEISS = [
    "00060", "03003", "01401", "00006", "03030", "20400", "00402", "20310", "20040", "00006",
    "10050", "11040", "03300", "10050", "02031", "00501", "30012", "51000", "02040", "10203",
    "00006", "01050", "02013", "20040", "10041", "05010", "40002", "02040", "10500", "00006",
]  # fmt: skip

MANY = {
    "pa": pm.percent_agreement,
    "gwet": pm.gwet_ac,
    "fleiss": pm.fleiss_kappa,
    "conger": pm.conger_kappa,
    "bp": pm.brennan_prediger,
}
TWO = (pm.cohen_kappa, pm.scott_pi)
KAPPAS = (*TWO, pm.fleiss_kappa, pm.conger_kappa)
ALL = (*KAPPAS, pm.percent_agreement, pm.gwet_ac, pm.brennan_prediger)
LEVELS = ("nominal", "ordinal", "interval", "ratio")
NAMES = {"unweighted": None, "linear": "linear", "quadratic": "quadratic", "ordinal": "ordinal"}


def alpha(x, **options):
    return pm.krippendorff_alpha(x, **{"measurement_level": "nominal", **options})


def gwets_limits(result):
    """Estimate ± t·SE, cut at 1, as irrCAC gives it."""
    reach = stdtrit(result.n - 1, 0.975) * result.std_error_gwet
    return [result.estimate - reach, min(1, result.estimate + reach)]


def random_ratings(seed, n=20, raters=4, holes=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, size=(n, 1))
    x = np.clip(truth + rng.integers(-1, 2, size=(n, raters)), 1, 5).astype(float)
    x[rng.random(x.shape) < holes] = np.nan
    return x


@pytest.mark.witness(
    statistic="percent_agreement",
    definition="pairs over units with two ratings, holes, weights; Gwet's linearised error and t interval, from it",
    reference="R irrCAC 1.0 pa.coeff.raw",
    tolerance=PRINTED_5,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.witness(
    statistic="gwet_ac",
    definition="AC1 and AC2 with holes; Gwet's linearised error and t interval, from it",
    reference="R irrCAC 1.0 gwet.ac1.raw",
    tolerance=PRINTED_5,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.witness(
    statistic="fleiss_kappa",
    definition="unweighted and weighted, holes; Gwet's linearised error and t interval, from it",
    reference="R irrCAC 1.0 fleiss.kappa.raw",
    tolerance=PRINTED_5,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.witness(
    statistic="conger_kappa",
    definition="unweighted and weighted, holes; Gwet's linearised error and t interval, from it",
    reference="R irrCAC 1.0 conger.kappa.raw",
    tolerance=PRINTED_5,
    data="Krippendorff's 12 × 4, unit 12 rated by rater 2",
)
@pytest.mark.witness(
    statistic="brennan_prediger",
    definition="unweighted and weighted, holes; Gwet's linearised error and t interval, from it",
    reference="R irrCAC 1.0 bp.coeff.raw",
    tolerance=PRINTED_5,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.parametrize("weights", NAMES)
@pytest.mark.parametrize("name", MANY)
def test_agrees_with_irrcac(name, weights):
    expected = FIXTURE[f"irrCAC_{weights}"][name][0]
    result = MANY[name](OF_FIXTURE, weights=NAMES[weights])
    assert result.observed == pytest.approx(expected["pa"], abs=PRINTED_11)
    if name != "pa":  # which we give as not defined
        assert result.expected == pytest.approx(expected["pe"], abs=PRINTED_11)
    assert result.estimate == pytest.approx(expected["coeff.val"], abs=PRINTED_5)
    assert result.std_error_gwet == pytest.approx(expected["coeff.se"], abs=PRINTED_5)
    limits = [float(limit) for limit in expected["conf.int"].strip("()").split(",")]
    assert gwets_limits(result) == pytest.approx(limits, abs=PRINTED_3)
    assert (result.n, result.n_overlap, result.n_raters, result.n_dropped) == (12, 11, 4, 0)


@pytest.mark.witness(
    statistic="conger_kappa",
    definition="unweighted, quadratic and linear, with holes",
    reference="Gwet (2014), values printed with R irrCAC's tests: .763 (.435–1), .858, .814",
    tolerance=PRINTED_3,
    data="Gwet's raw4raters",
)
def test_agrees_with_congers_kappa_as_gwet_prints_it():
    result = pm.conger_kappa(RAW)
    assert [result.estimate, *gwets_limits(result)] == pytest.approx([0.763, 0.435, 1], abs=PRINTED_3)
    assert pm.conger_kappa(RAW, weights="quadratic").estimate == pytest.approx(0.858, abs=PRINTED_3)
    assert pm.conger_kappa(RAW, weights="linear").estimate == pytest.approx(0.814, abs=PRINTED_3)


@pytest.mark.witness(
    statistic="krippendorff_alpha",
    definition="nominal, ordinal, interval and ratio alpha by coincidences, with holes",
    reference="R irr 0.84.1 kripp.alpha; Krippendorff (2011): .743, .815, .849, .797",
    tolerance=PRINTED_11,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.parametrize("level", LEVELS)
def test_agrees_with_irr(level):
    result = alpha(RAW, measurement_level=level)
    assert result.estimate == pytest.approx(FIXTURE[f"irr_kripp_{level}"], abs=PRINTED_11)
    assert (result.observed - result.expected) / (1 - result.expected) == pytest.approx(result.estimate, abs=IDENTITY)
    assert (result.n, result.n_overlap, result.n_raters, result.n_dropped) == (11, 11, 4, 1)


@pytest.mark.witness(
    statistic="krippendorff_alpha",
    definition="linearised error (irrCAC's correction for unequal numbers of ratings differs by a term of 1/N)",
    reference="R irrCAC 1.0 krippen.alpha.raw",
    tolerance=0.0002,
    data="Krippendorff's 12 × 4",
)
@pytest.mark.parametrize(
    ("level", "weights"), [("nominal", "unweighted"), ("interval", "quadratic"), ("ratio", "ratio")]
)
def test_alphas_error_is_near_irrcacs(level, weights):
    expected = FIXTURE[f"irrCAC_{weights}"]["kripp"][0]
    assert alpha(RAW, measurement_level=level).std_error == pytest.approx(expected["coeff.se"], abs=0.0002)


@pytest.mark.parametrize("level", LEVELS)
def test_alphas_error_is_the_derivative_and_near_the_jackknife(level):
    from ibic_fidelity.psychometrics.agreement._ratings import read_ratings
    from ibic_fidelity.psychometrics.agreement.krippendorff import Disagreement

    x = random_ratings(3, n=120)
    ratings = read_ratings(x, missing="available", least_ratings=2)
    kernel, n = Disagreement(ratings, level), ratings.counts.shape[0]

    def uncorrected(replicates):
        within, between, total, _ = kernel.parts(replicates)
        return 1 - total * within / between

    step = 1e-5
    numeric = (uncorrected(1 + step * np.eye(n)) - uncorrected(1 - step * np.eye(n))) / (2 * step)
    np.testing.assert_allclose(kernel.influence(), numeric, atol=1e-8)
    left_out = kernel.alpha(1 - np.eye(n))
    jackknife = math.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum())
    assert alpha(x, measurement_level=level).std_error == pytest.approx(jackknife, rel=0.03)


@pytest.mark.witness(
    statistic="cohen_kappa",
    definition="unweighted, linear and quadratic; error of Fleiss, Cohen & Everitt (1969) times √(n/(n − 1))",
    reference="R psych 2.2.9 cohen.kappa",
    tolerance=1e-10,
    data="3 × 3 table of irrCAC (cont3x3abstractors), n = 100",
)
def test_agrees_with_psych():
    result = pm.cohen_kappa(TABLE)
    assert result.estimate == pytest.approx(0.796409402184, abs=1e-10)
    assert result.std_error * math.sqrt(99 / 100) == pytest.approx(0.058910718326, abs=1e-10)
    assert pm.cohen_kappa(TABLE, weights="linear").estimate == pytest.approx(0.842902027992, abs=1e-10)
    assert pm.cohen_kappa(TABLE, weights="quadratic").estimate == pytest.approx(0.892156862745, abs=1e-10)


@pytest.mark.witness(
    statistic="scott_pi",
    definition="unweighted, linear and quadratic",
    reference="R irrCAC 1.0 scott2.table as printed: .796, .843, .892",
    tolerance=PRINTED_3,
    data="3 × 3 table of irrCAC (cont3x3abstractors), n = 100",
)
def test_agrees_with_the_printed_table_of_two_raters():
    for weights, printed in ((None, 0.796), ("linear", 0.843), ("quadratic", 0.892)):
        assert pm.scott_pi(TABLE, weights=weights).estimate == pytest.approx(printed, abs=PRINTED_3)
    for weights, observed in ((None, 0.890), ("linear", 0.945), ("quadratic", 0.9725)):
        assert pm.percent_agreement(TABLE, weights=weights).estimate == pytest.approx(observed, abs=IDENTITY)
    assert pm.gwet_ac(TABLE).estimate == pytest.approx(0.8493, abs=PRINTED_4)
    assert pm.gwet_ac(TABLE, weights="quadratic").estimate == pytest.approx(0.9402, abs=PRINTED_4)
    assert pm.brennan_prediger(TABLE).estimate == pytest.approx(0.8350, abs=PRINTED_4)
    assert alpha(TABLE, measurement_level="interval").estimate == pytest.approx(0.893, abs=PRINTED_3)


@pytest.mark.witness(
    statistic="fleiss_kappa",
    definition="unweighted, six ratings a unit",
    reference="Fleiss (1971), .430; R irr 0.84.1 kappam.fleiss, .43024",
    tolerance=PRINTED_5,
    data="Fleiss (1971), 30 patients",
)
def test_agrees_with_fleiss():
    x = np.array([np.repeat(np.arange(5), [int(count) for count in row]) for row in FLEISS])
    result = pm.fleiss_kappa(x)
    assert [result.estimate, result.observed, result.expected] == pytest.approx(
        [0.43024, 0.55556, 0.21994], abs=PRINTED_5
    )


@pytest.mark.parametrize("weights", [None, "linear", "quadratic", "ordinal"])
def test_the_families_meet_for_two_raters(weights):
    x = random_ratings(1, raters=2, holes=0)
    for one, many in ((pm.scott_pi, pm.fleiss_kappa), (pm.cohen_kappa, pm.conger_kappa)):
        first, second = one(x, weights=weights), many(x, weights=weights)
        assert first.estimate == pytest.approx(second.estimate, abs=IDENTITY)
        assert first.std_error == pytest.approx(second.std_error, abs=IDENTITY)


@pytest.mark.parametrize("function", ALL)
def test_a_matrix_of_weights_is_what_it_says(function):
    x = random_ratings(2, raters=2)
    plain, given = function(x), function(x, weights=np.eye(5))
    assert (given.estimate, given.std_error) == pytest.approx((plain.estimate, plain.std_error), abs=IDENTITY)
    assert (plain.weighting, given.weighting) == ("unweighted", "given")
    linear = function(x, weights="linear")
    assert function(x, weights=linear.weights).estimate == pytest.approx(linear.estimate, abs=IDENTITY)


def test_alpha_is_fleiss_with_a_correction_for_small_samples():
    x = random_ratings(4, holes=0)
    kappa, n = pm.fleiss_kappa(x).estimate, x.size
    assert alpha(x).estimate == pytest.approx(1 - (1 - kappa) * (n - 1) / n, abs=IDENTITY)


def test_ordinal_alpha_uses_krippendorffs_metric():
    x = random_ratings(5)
    x = x[(~np.isnan(x)).sum(axis=1) >= 2]
    units = [row[~np.isnan(row)] for row in x]
    values = np.unique(np.concatenate(units))
    n = np.array([sum((unit == value).sum() for unit in units) for value in values])
    metric = np.array(
        [[(n[min(c, k) : max(c, k) + 1].sum() - (n[c] + n[k]) / 2) ** 2 for k in range(5)] for c in range(5)]
    )
    coincidences = np.zeros((5, 5))
    for unit in units:
        own = np.array([(unit == value).sum() for value in values])
        coincidences += (np.outer(own, own) - np.diag(own)) / (len(unit) - 1)
    expected = 1 - (n.sum() - 1) * (coincidences * metric).sum() / (np.outer(n, n) * metric).sum()
    assert alpha(x, measurement_level="ordinal").estimate == pytest.approx(expected, abs=IDENTITY)


def test_alpha_keeps_what_its_level_of_measurement_keeps():
    x = random_ratings(6)
    for level, mapped in (("interval", 1e6 - 3 * x), ("ratio", 7 * x), ("ordinal", x**3), ("nominal", (x * 2) % 5)):
        result, other = (alpha(table, measurement_level=level) for table in (x, mapped))
        assert other.estimate == pytest.approx(result.estimate, abs=1e-8)
        assert other.std_error == pytest.approx(result.std_error, abs=1e-8)


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_order_changes_nothing(function):
    x = random_ratings(7, raters=2 if function in TWO else 4)
    rng = np.random.default_rng(0)
    shuffled = x[rng.permutation(len(x))][:, rng.permutation(x.shape[1])]
    one, other = function(x), function(shuffled)
    assert (other.estimate, other.std_error) == pytest.approx((one.estimate, one.std_error), abs=IDENTITY)


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_an_unused_category_changes_only_what_counts_categories(function):
    x = random_ratings(8, raters=2 if function in TWO else 4)
    one, more = function(x), function(x, categories=[1, 2, 3, 4, 5, 6])
    assert more.categories.tolist() == [1, 2, 3, 4, 5, 6]
    assert (more.estimate == pytest.approx(one.estimate, abs=IDENTITY)) is (
        function not in {pm.gwet_ac, pm.brennan_prediger}
    )


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_listwise_equals_dropping_the_rows_first(function):
    x = random_ratings(9, raters=2 if function in TWO else 4)
    complete = x[~np.isnan(x).any(axis=1)]
    listwise = function(x, missing="listwise", categories=range(1, 6))
    first = function(complete, missing="raise", categories=range(1, 6))
    assert (listwise.estimate, listwise.ci, listwise.n) == (first.estimate, first.ci, first.n)
    assert listwise.n_dropped == len(x) - len(complete)
    if function in TWO:
        assert function(x).estimate == pytest.approx(listwise.estimate, abs=IDENTITY)


def test_one_rater_may_use_one_category_only():
    result = pm.cohen_kappa([[1, 1], [1, 2], [1, 1], [1, 3]])
    assert (result.estimate, result.reason) == (0, None)
    assert pm.conger_kappa([[1, 1, H], [1, 2, H], [1, 1, H], [1, 3, H]]).estimate == 0


@pytest.mark.parametrize("function", [*KAPPAS, alpha, pm.gwet_ac, pm.brennan_prediger])
def test_one_category_is_not_defined(function):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = function(np.full((5, 2), 3.0), bootstrap=10)
    assert caught[0].message.code == result.reason.code == "psychometrics.agreement_by_chance_full"
    if function is not alpha:
        assert caught[0].filename == __file__
    assert all(
        math.isnan(value) for value in (result.estimate, result.std_error, result.ci.low, result.ci_bootstrap.high)
    )
    assert "is not defined" in result.summary()


def test_full_agreement_is_one_where_it_is_defined():
    x = np.full((5, 2), 3.0)
    assert pm.percent_agreement(x).estimate == 1
    for function in (pm.gwet_ac, pm.brennan_prediger):
        assert function(x, categories=[1, 2, 3]).estimate == pytest.approx(1)
    for function in (*ALL, alpha):
        result = function([[1, 1], [2, 2], [3, 3]])
        assert result.estimate == pytest.approx(1)
        assert (result.std_error, result.ci.high) == (0, pytest.approx(1))
        assert result.ci.low < 0.3
        assert [flag.code for flag in result.flags] == ["psychometrics.agreement_without_spread"]


@pytest.mark.parametrize("function", [*ALL, alpha])
@pytest.mark.parametrize("x", [[[1, H], [H, 2]], np.full((3, 2), H), np.empty((0, 2))])
def test_no_overlap_is_not_defined(function, x):
    with pytest.warns(UndefinedStatisticWarning, match="two ratings"):
        result = function(x)
    assert math.isnan(result.estimate)
    assert result.reason.code == "psychometrics.agreement_no_overlap"


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_one_unit_has_no_interval(function):
    with pytest.warns(UndefinedStatisticWarning, match="one unit"):
        result = function([[1, 2]], bootstrap=5)
    assert not math.isnan(result.estimate)
    assert math.isnan(result.ci.low)
    assert math.isnan(result.ci_bootstrap.low)


BAD = [
    (lambda: pm.fleiss_kappa([[1], [2]]), UsageError, "one_rater_column", "1 rater"),
    (lambda: pm.cohen_kappa(RAW), UsageError, "two_raters", "4 rater"),
    (lambda: pm.scott_pi([[1], [2]]), UsageError, "two_raters", "1 rater"),
    (lambda: pm.gwet_ac([1, 2]), UsageError, "not_a_table", "1 dimension"),
    (lambda: pm.gwet_ac([[1, np.inf]]), UsageError, "infinite", "row 1, column 2"),
    (lambda: pm.gwet_ac([["a", "b"]]), ArgumentTypeError, "not_a_number", "holds 'a'"),
    (lambda: pm.gwet_ac(RAW, missing="raise"), UsageError, "missing_values", "row 1, column 3"),
    (lambda: pm.gwet_ac(RAW, missing="drop"), UsageError, "unknown_choice", "raise, listwise, available"),
    (lambda: pm.gwet_ac(RAW, weights="cubic"), UsageError, "unknown_choice", "linear, quadratic, ordinal"),
    (lambda: pm.gwet_ac(RAW, weights=np.eye(4)), UsageError, "weights_shape", "there are 5 categories"),
    (lambda: pm.gwet_ac(RAW, weights=np.eye(5)[0]), UsageError, "not_a_table", "`weights` has 1"),
    (lambda: pm.gwet_ac(RAW, weights=np.eye(5) + np.eye(5, k=1) / 2), UsageError, "weights_values", "symmetric"),
    (lambda: pm.gwet_ac(RAW, weights=np.eye(5) * 2), UsageError, "weights_values", "1 on the diagonal"),
    (lambda: pm.gwet_ac(RAW, weights=1.5 - np.eye(5) / 2), UsageError, "weights_values", "between 0 and 1"),
    (lambda: pm.gwet_ac(RAW, weights=np.where(np.eye(5) > 0, 1, H)), UsageError, "weights_values", "between 0 and 1"),
    (lambda: pm.gwet_ac(RAW, categories=[1, 2, 3, 4]), UsageError, "outside_categories", "holds 5 in row 10, column 2"),
    (lambda: pm.gwet_ac(RAW, categories=[2, 1, 3, 4, 5]), UsageError, "categories_increasing", "each larger"),
    (lambda: pm.gwet_ac(RAW, categories=[]), UsageError, "categories_increasing", "finite"),
    (lambda: pm.gwet_ac(RAW, bootstrap=-1), UsageError, "bootstrap", "is -1"),
    (lambda: pm.gwet_ac(RAW, bootstrap=2.5), UsageError, "bootstrap", "2.5"),
    (lambda: pm.gwet_ac(RAW, bootstrap=9, rng=None), UsageError, "rng", "None"),
    (lambda: pm.gwet_ac(RAW, confidence_level=95), UsageError, "confidence_level", "95"),
    (lambda: alpha(RAW, measurement_level="metric"), UsageError, "unknown_choice", "nominal, ordinal"),
    (lambda: alpha(-RAW, measurement_level="ratio"), UsageError, "ratio_negative", "holds -5"),
]


@pytest.mark.parametrize(("call", "kind", "code", "text"), BAD)
def test_a_bad_call_is_refused(call, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


@pytest.mark.parametrize("function", [*ALL, alpha, lambda x, **o: alpha(x, measurement_level="ordinal", **o)])
def test_a_bootstrap_sample_is_the_coefficient_of_the_units_drawn(function, monkeypatch):
    x = random_ratings(10, n=12, raters=2 if function in TWO else 4, holes=0)
    from ibic_fidelity.psychometrics.agreement import result as agreement_result

    kept = {}
    made = agreement_result.bootstrap_estimates

    def spy(kernel, n, replicates, rng):
        kept["kernel"] = kernel
        return made(kernel, n, replicates, rng)

    monkeypatch.setattr(agreement_result, "bootstrap_estimates", spy)
    result = function(x, bootstrap=400, categories=range(1, 6))
    drawn = np.random.default_rng(1).integers(0, 12, size=12)
    counts = np.bincount(drawn, minlength=12)[None].astype(float)
    again = function(x[drawn], categories=range(1, 6))
    assert kept["kernel"](counts)[0] == pytest.approx(again.estimate, abs=IDENTITY)
    assert result.ci_bootstrap.low <= result.estimate <= result.ci_bootstrap.high


def test_the_bootstrap_is_the_same_for_the_same_seed_and_near_the_linearised_error():
    x = random_ratings(11, n=200)
    one, same, other = (pm.gwet_ac(x, bootstrap=2000, rng=seed) for seed in (1, 1, 2))
    assert one.ci_bootstrap == same.ci_bootstrap != other.ci_bootstrap
    generator = pm.gwet_ac(x, bootstrap=2000, rng=np.random.default_rng(1))
    for result in (one, generator):
        assert [result.ci_bootstrap.low, result.ci_bootstrap.high] == pytest.approx([one.ci.low, one.ci.high], abs=0.01)


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_the_error_is_near_the_jackknife_and_gwets_where_all_units_have_two_ratings(function):
    x = random_ratings(12, n=150, raters=2 if function in TWO else 3, holes=0)
    whole = function(x)
    assert whole.std_error == pytest.approx(whole.std_error_gwet, abs=IDENTITY)
    x[:60, 1:] = np.nan  # two of five units with one rating
    x[60:90, 2:] = np.nan
    result = function(x, categories=range(1, 6))
    left_out = [function(np.delete(x, i, axis=0), categories=range(1, 6)).estimate for i in range(len(x))]
    n = len(x)
    jackknife = math.sqrt((n - 1) / n * np.square(left_out - np.mean(left_out)).sum())
    assert result.std_error == pytest.approx(jackknife, rel=0.04)


@pytest.mark.parametrize("function", [*ALL, alpha, lambda x, **o: alpha(x, measurement_level="ordinal", **o)])
def test_clusters_of_one_unit_are_no_clusters(function):
    x = random_ratings(13, n=60, raters=2 if function in TWO else 4, holes=0.1)
    plain = function(x, bootstrap=200)
    single = function(x, clusters=np.arange(60)[::-1], bootstrap=200)
    assert (single.std_error, single.ci.low) == pytest.approx((plain.std_error, plain.ci.low), abs=IDENTITY)
    assert plain.n_clusters is None
    assert single.n_clusters == single.n
    assert (single.ci.method, single.ci_bootstrap.method) != (plain.ci.method, plain.ci_bootstrap.method)


@pytest.mark.parametrize("function", [*ALL, alpha])
def test_units_that_are_copies_count_once(function):
    """Ten copies of each unit, a cluster each: the error of the units, not that of ten times as many."""
    x = random_ratings(14, n=40, raters=2 if function in TWO else 4, holes=0)
    once = function(x)
    ten = function(np.repeat(x, 10, axis=0), clusters=np.repeat(np.arange(40), 10))
    if function is alpha:  # whose estimate has a correction for the number of ratings
        assert ten.std_error == pytest.approx(once.std_error, rel=1e-9)
    else:
        assert (ten.std_error, ten.ci.low) == pytest.approx((once.std_error, once.ci.low), abs=IDENTITY)


def test_clusters_by_hand_and_their_bootstrap(monkeypatch):
    """CR2 of a mean: the sums of deviations over clusters, each over the root of 1 − its share."""
    x = random_ratings(15, n=30, raters=2, holes=0)
    clusters = np.repeat(["a", "b", "c", "d", "e"], [2, 4, 6, 8, 10])
    result = pm.percent_agreement(x, clusters=clusters, bootstrap=300)
    apart = (x[:, 0] == x[:, 1]) - result.estimate
    shares = np.array([2, 4, 6, 8, 10]) / 30
    sums = np.array([apart[clusters == name].sum() for name in "abcde"])
    assert result.std_error == pytest.approx(math.sqrt((sums**2 / (1 - shares)).sum()) / 30, abs=IDENTITY)
    assert result.n_clusters == 5
    assert "30 units in 5 clusters" in result.summary()
    codes = {flag.code for flag in result.flags}
    assert "psychometrics.agreement_bootstrap_few" in codes
    without = pm.percent_agreement(x, clusters=[None, *clusters[1:]])
    assert (without.n, without.n_dropped) == (29, 1)


def test_equal_clusters_have_their_number_less_one_degrees_of_freedom():
    from ibic_fidelity.psychometrics.agreement._linearised import degrees_of_freedom

    assert degrees_of_freedom(30, np.repeat(np.arange(6), 5)) == pytest.approx(5)
    assert degrees_of_freedom(30, np.repeat([0, 1, 2], [28, 1, 1])) < 1.5


def test_a_few_units_that_carry_the_error_are_flagged():
    x = np.repeat([(1, 1), (2, 2), (1, 2)], [60, 38, 2], axis=0)
    assert [flag.code for flag in pm.cohen_kappa(x).flags] == ["psychometrics.agreement_interval_not_reliable"]
    assert not pm.cohen_kappa(np.repeat(x, 10, axis=0)).flags


def test_samples_without_a_value_are_counted():
    x = [[1, 1], [1, 1], [1, 1], [1, 1], [2, 1]]
    result = pm.scott_pi(x, bootstrap=500)
    assert 0 < result.n_undefined < 500
    assert result.flags[-1].code == "psychometrics.agreement_replicates_undefined"


def test_the_blocks_of_the_bootstrap_change_nothing(monkeypatch):
    from ibic_fidelity.psychometrics import resampling

    whole = pm.conger_kappa(RAW, bootstrap=50).ci_bootstrap
    monkeypatch.setattr(resampling, "BLOCK", 40)
    parts = pm.conger_kappa(RAW, bootstrap=50).ci_bootstrap
    assert [parts.low, parts.high] == pytest.approx([whole.low, whole.high], abs=IDENTITY)


def test_result_is_complete_and_the_table_has_the_declared_columns():
    result = pm.gwet_ac(RAW, weights="quadratic", bootstrap=100)
    assert result.table.columns.tolist() == [
        "statistic", "n", "estimate", "std_error", "ci_low", "ci_high", "ci_level", "method", "reason",
        "observed", "expected", "n_raters", "n_categories", "weighting", "n_clusters",
    ]  # fmt: skip
    assert result.table["method"].tolist() == [
        "linearised variance over units, t of log(1 − estimate)",
        "percentile bootstrap of units",
    ]
    assert result.table["statistic"].tolist() == ["gwet_ac2"] * 2
    assert "Gwet's AC2 (quadratic) .91, 95% interval .52–.98" in result.summary()
    assert not result.weights.flags.writeable
    assert not result.categories.flags.writeable
    with pytest.raises(AttributeError):
        result.estimate = 1.0


def test_the_callers_data_is_not_touched():
    x, categories, weights = RAW.copy(), np.arange(1.0, 6.0), np.eye(5)
    pm.fleiss_kappa(x, categories=categories, weights=weights, bootstrap=10)
    np.testing.assert_array_equal(x, RAW)
    assert all(array.flags.writeable for array in (x, categories, weights))
