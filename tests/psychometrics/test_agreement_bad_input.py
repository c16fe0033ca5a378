"""What agreement does with input that has no answer: one row a case, NaN with a warning, or an error."""

# ruff: noqa: E501 - one row a case

import math

import numpy as np
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UndefinedStatisticWarning, UsageError

H = math.nan
X = [[1, 1, 2], [2, 2, 2], [3, 3, 1], [1, 2, 1], [3, 3, 3], [2, 1, 2]]
PAIR = [row[:2] for row in X]
GOLD = [1, 2, 3, 1, 3, 2]
MANY = {
    "percent_agreement": pm.percent_agreement,
    "fleiss_kappa": pm.fleiss_kappa,
    "conger_kappa": pm.conger_kappa,
    "brennan_prediger": pm.brennan_prediger,
    "gwet_ac": pm.gwet_ac,
    "krippendorff_alpha": lambda x, **o: pm.krippendorff_alpha(x, measurement_level="nominal", **o),
}
TWO = {"cohen_kappa": pm.cohen_kappa, "scott_pi": pm.scott_pi}
FAMILY = {**MANY, **TWO}
TABLES = {**FAMILY, "rater_severity": pm.rater_severity, "leave_one_out_agreement": pm.leave_one_out_agreement}


def certify(x=PAIR, gold=GOLD, **options):
    return pm.certify_raters(x, gold, **options)


def drift(first=PAIR, second=PAIR, **options):
    return pm.rater_drift(first, second, **options)


#: Of every function that takes one table.
REFUSED = [
    ("text", lambda f: f([["a", "b"], ["b", "a"]]), ArgumentTypeError, "not_a_number"),
    ("one text", lambda f: f([[1, 2], [2, "tre"]]), ArgumentTypeError, "not_a_number"),
    ("infinite", lambda f: f([[1, 2], [np.inf, 2]]), UsageError, "infinite"),
    ("one dimension", lambda f: f([1, 2, 3]), UsageError, "not_a_table"),
    ("ragged", lambda f: f([[1, 2], [1]]), ArgumentTypeError, "unequal_rows"),
    ("holes under raise", lambda f: f([[1, H], [1, 2]], missing="raise"), UsageError, "missing_values"),
    ("unknown rule", lambda f: f(PAIR, missing="drop"), UsageError, "unknown_choice"),
    ("level", lambda f: f(PAIR, confidence_level=95), UsageError, "confidence_level"),
    ("clusters too short", lambda f: f(PAIR, clusters=[1, 2]), UsageError, "lengths_differ"),
    ("clusters too long", lambda f: f(PAIR, clusters=range(7)), UsageError, "lengths_differ"),
    ("clusters mixed", lambda f: f(PAIR, clusters=["a", 1, 1, 1, 1, 1]), ArgumentTypeError, "groups_mixed"),
    ("clusters a table", lambda f: f(PAIR, clusters=PAIR), UsageError, "not_a_vector"),
    ("cluster missing under raise", lambda f: f(PAIR, clusters=[1, 1, 2, 2, 3, None], missing="raise"), UsageError, "missing_groups"),
]  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(("call", "kind", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_table_is_refused(name, call, kind, code):
    with pytest.raises(kind) as caught:
        call(TABLES[name])
    assert caught.value.code == f"psychometrics.{code}"


#: Of single functions.
CALLS = [
    ("one rater", lambda: pm.fleiss_kappa([[1], [2]]), UsageError, "one_rater_column"),
    ("one rater, severity", lambda: pm.rater_severity([[1], [2]]), UsageError, "one_rater_column"),
    ("one rater, others", lambda: pm.leave_one_out_agreement([[1], [2]]), UsageError, "one_rater_column"),
    ("three raters for two", lambda: pm.cohen_kappa(X), UsageError, "two_raters"),
    ("no rater to certify", lambda: certify(np.empty((6, 0))), UsageError, "too_few_items"),
    ("weights not square", lambda: pm.gwet_ac(X, weights=np.ones((3, 2))), UsageError, "weights_shape"),
    ("weights of another size", lambda: pm.cohen_kappa(PAIR, weights=np.eye(4)), UsageError, "weights_shape"),
    ("weights not symmetric", lambda: certify(weights=np.eye(3) + np.eye(3, k=1) / 2), UsageError, "weights_values"),
    ("weights of text", lambda: drift(weights="cubic"), UsageError, "unknown_choice"),
    ("weights infinite", lambda: pm.gwet_ac(X, weights=np.where(np.eye(3) > 0, 1, np.inf)), UsageError, "infinite"),
    ("gold of another length", lambda: certify(gold=GOLD[:5]), UsageError, "gold_length"),
    ("gold a table", lambda: certify(gold=PAIR), UsageError, "not_a_vector"),
    ("gold of text", lambda: certify(gold=list("abcabc")), ArgumentTypeError, "not_a_number"),
    ("gold infinite", lambda: certify(gold=[1, 2, 3, 1, 3, np.inf]), UsageError, "infinite"),
    ("gold with an unknown category", lambda: certify(gold=[1, 2, 3, 1, 3, 7], categories=[1, 2, 3]), UsageError, "outside_categories"),
    ("gold with a hole under raise", lambda: certify(gold=[1, 2, 3, 1, 3, H], missing="raise"), UsageError, "missing_values"),
    ("least kappa a percentage", lambda: certify(least_kappa=70), UsageError, "least_kappa"),
    ("least kappa of text", lambda: certify(least_kappa="0.7"), UsageError, "least_kappa"),
    ("least units nought", lambda: certify(least_units=0), UsageError, "least_units"),
    ("least units half", lambda: certify(least_units=2.5), UsageError, "least_units"),
    ("clusters of gold too short", lambda: certify(clusters=[1]), UsageError, "lengths_differ"),
    ("occasions of other units", lambda: drift(second=PAIR[:5]), UsageError, "occasions_differ"),
    ("occasions of other raters", lambda: drift(second=X), UsageError, "occasions_differ"),
    ("occasions of text", lambda: drift(second=[["a", "b"]] * 6), ArgumentTypeError, "not_a_number"),
    ("clusters of occasions too short", lambda: drift(clusters=[1]), UsageError, "lengths_differ"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "code"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_is_refused(call, kind, code):
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


def test_occasions_whose_raters_are_in_another_order_are_refused():
    import pandas as pd

    first = pd.DataFrame(PAIR, columns=["Ada", "Bo"])
    with pytest.raises(UsageError, match="Ada, Bo") as caught:
        drift(first, first[["Bo", "Ada"]])
    assert caught.value.code == "psychometrics.occasions_raters"


#: What is NaN, with the code of the warning; `at` gives what must be NaN.
UNDEFINED = [
    *((f"no common unit, {name}", lambda f=f: f([[1, H], [H, 2]]), "agreement_no_overlap", lambda r: r.estimate) for name, f in FAMILY.items()),
    *((f"no unit, {name}", lambda f=f: f(np.empty((0, 2))), "agreement_no_overlap", lambda r: r.estimate) for name, f in FAMILY.items()),
    *((f"one unit, {name}", lambda f=f: f([[1, 2]], bootstrap=5), "agreement_one_unit", lambda r: [r.std_error, r.ci.low, r.ci_bootstrap.low]) for name, f in FAMILY.items()),
    *((f"one cluster, {name}", lambda f=f: f(PAIR, clusters=[1] * 6, bootstrap=5), "agreement_one_cluster", lambda r: [r.std_error, r.ci.high, r.ci_bootstrap.high]) for name, f in FAMILY.items()),
    *((f"all equal, {name}", lambda f=f: f(np.ones((5, 2))), "agreement_by_chance_full", lambda r: r.estimate) for name, f in FAMILY.items() if name != "percent_agreement"),
    ("severity, no common unit", lambda: pm.rater_severity([[1, H], [H, 2]]), "agreement_no_overlap", lambda r: r.estimate),
    ("severity, no unit", lambda: pm.rater_severity(np.empty((0, 3))), "agreement_no_overlap", lambda r: r.estimate),
    ("severity, one unit", lambda: pm.rater_severity([[1, 2]]), "rater_few_units", lambda r: [*r.std_error, r.ci[0].low, r.f]),
    ("severity, one cluster", lambda: pm.rater_severity(PAIR, clusters=[1] * 6), "agreement_one_cluster", lambda r: [*r.std_error, r.f]),
    ("severity, a rater alone", lambda: pm.rater_severity([[1, 2, H], [2, 2, H], [H, H, 1]]), "rater_without_overlap", lambda r: [r.estimate[2], r.ci[2].low]),
    ("others, no common unit", lambda: pm.leave_one_out_agreement([[1, H], [H, 2]]), "rater_without_overlap", lambda r: r.estimate),
    ("others, one unit", lambda: pm.leave_one_out_agreement([[1, 2]]), "rater_few_units", lambda r: [*r.std_error, r.ci[0].low]),
    ("others, all equal", lambda: pm.leave_one_out_agreement(np.ones((5, 3))), "rater_by_chance_full", lambda r: r.estimate),
    ("others, one cluster", lambda: pm.leave_one_out_agreement(X, clusters=[1] * 6), "agreement_one_cluster", lambda r: r.std_error),
    ("gold missing throughout", lambda: certify(gold=[H] * 6), "rater_without_overlap", lambda r: [*r.estimate, *r.percent, *r.mean_deviation]),
    ("gold and rater one category", lambda: certify([[1]] * 6, [1] * 6), "rater_by_chance_full", lambda r: r.estimate),
    ("certify one unit", lambda: certify([[1]], [2]), "rater_few_units", lambda r: r.std_error),
    ("certify one cluster", lambda: certify(clusters=[1] * 6), "agreement_one_cluster", lambda r: r.std_error),
    ("drift, no unit twice", lambda: drift([[1, 2], [H, 1]], [[H, 1], [2, 1]]), "rater_not_twice", lambda r: [r.change[0], r.kappa[0], r.percent[0], r.change_ci[0].low]),
    ("drift, all equal", lambda: drift(np.ones((5, 1)), np.ones((5, 1))), "rater_by_chance_full", lambda r: r.kappa),
    ("drift, one unit", lambda: drift([[1]], [[2]]), "rater_few_units", lambda r: [*r.change_std_error, r.change_ci[0].high, *r.kappa_std_error]),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "at"), [row[1:] for row in UNDEFINED], ids=[row[0] for row in UNDEFINED])
def test_what_has_no_answer_is_nan_with_a_warning(call, code, at):
    with pytest.warns(UndefinedStatisticWarning) as caught:
        result = call()
    assert [warning.message.code for warning in caught] == [f"psychometrics.{code}"]
    assert result.reason.code == f"psychometrics.{code}"
    assert np.all(np.isnan(at(result)))
    assert isinstance(result.summary(), str)
    assert len(result.table)


@pytest.mark.parametrize("name", FAMILY)
def test_a_rater_who_gives_one_category_only_agrees_as_by_chance_or_less(name):
    result = FAMILY[name]([[1, 1], [1, 2], [1, 1], [1, 3], [1, 1], [1, 2]], categories=[1, 2, 3])
    assert result.reason is None
    if name in {"cohen_kappa", "conger_kappa"}:
        assert result.estimate == pytest.approx(0, abs=1e-12)


def test_a_rater_of_one_category_is_not_decided():
    result = certify([[1]] * 12, [1, 2, 3] * 4)
    assert (result.verdict, result.estimate[0]) == (("not_decided",), pytest.approx(0))
    assert result.rater_reasons[0].code == "psychometrics.rater_one_category"


def test_full_agreement_has_no_spread_and_says_so():
    for function in FAMILY.values():
        result = function([[1, 1], [2, 2], [3, 3]] * 20)
        room = 1.0 if function is pm.percent_agreement else 1.0 - result.expected
        low = 1.0 - (1.0 - 0.025 ** (1 / 60)) / room
        assert (result.std_error, result.ci.low, result.ci.high) == (0, pytest.approx(low), pytest.approx(1))
        assert [flag.code for flag in result.flags] == ["psychometrics.agreement_without_spread"]
