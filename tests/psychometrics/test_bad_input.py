"""What the public functions refuse: one row a case, with the error's kind, code and a part of its text."""

# ruff: noqa: E501 - one row a case

import numpy as np
import pandas as pd
import pytest

from ibic_fidelity import psychometrics as pm
from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import catalogue

X = [[1, 2, 3], [2, 3, 3], [4, 4, 5], [5, 4, 4]]
HOLE = [[1, 2, 3], [2, None, 3], [4, 4, 5], [5, 4, float("nan")]]
Y, G = [1, 2, 4, 5], ["a", "a", "b", "b"]


class Polars:
    """What a polars frame looks like from outside: columns, and to_numpy without pandas' options."""

    columns = ("a", "b", "c")

    def to_numpy(self):
        return np.array(X)


class Arrow:
    """Anything that numpy can make an array of."""

    def __array__(self, dtype=None, copy=None):
        return np.array(X, dtype=dtype)


def alpha(x, **options):
    return pm.cronbach_alpha(x, **options)


def items(x, **options):
    return pm.item_analysis(x, **options)


def agreement(x, groups=G, low=1, high=5, **options):
    return pm.within_group_agreement(x, groups, low=low, high=high, **options)


def reliability(y, groups=G, **options):
    return pm.group_mean_reliability(y, groups, **options)


TABLE = [
    ([["1", "2"], ["3", "4"]], ArgumentTypeError, "not_a_number", "`x` holds '1' in row 1"),
    ([[1, 2], [3, "fyra"]], ArgumentTypeError, "not_a_number", "'fyra' in row 2, column 2"),
    (pd.DataFrame({"ut1": [1, 2], "ut2": ["ja", "nej"]}), ArgumentTypeError, "not_a_number", "'ja' in row 1, column ut2"),
    (pd.DataFrame({"ut1": pd.to_datetime(["2026-01-01"]), "ut2": [1]}), ArgumentTypeError, "not_a_number", "column ut1"),
    (np.array(X) + 0j, ArgumentTypeError, "not_a_number", "(1+0j)"),
    ([[1, 2, 3], [1, 2]], ArgumentTypeError, "unequal_rows", "`x` has rows of unequal length"),
    ([1, 2, 3], UsageError, "not_a_table", "`x` has 1 dimension"),
    (np.ones((2, 2, 2)), UsageError, "not_a_table", "`x` has 3 dimension"),
    (5, UsageError, "not_a_table", "`x` has 0 dimension"),
    ([[1, 2], [3, float("inf")]], UsageError, "infinite", "row 2, column 2"),
    ([[1], [2], [3]], UsageError, "too_few_items", "`x` has 1 item"),
    (np.empty((4, 0)), UsageError, "too_few_items", "`x` has 0 item"),
    (pd.DataFrame(X, columns=["a", "b", "a"]), UsageError, "labels_twice", "more than one column called a"),
    (HOLE, UsageError, "missing_values", r'`x` has 2 missing value\(s\), the first in row 2, column 2'),
]  # fmt: skip


@pytest.mark.parametrize("function", [alpha, items])
@pytest.mark.parametrize(("x", "kind", "code", "text"), TABLE)
def test_a_bad_table_is_refused(function, x, kind, code, text):
    with pytest.raises(kind) as caught:
        function(x)
    assert caught.value.code == f"psychometrics.{code}"
    assert caught.match(text.replace("(1+", r"\(1\+").replace("0j)", r"0j\)"))


@pytest.mark.parametrize(
    ("call", "kind", "code", "text"),
    [
        (lambda: alpha(X, missing="pairwise"), UsageError, "unknown_choice", "`missing` is 'pairwise'; it must be one of raise, listwise"),
        (lambda: alpha(X, missing="available"), UsageError, "unknown_choice", "raise, listwise"),
        (lambda: alpha(X, missing=None), UsageError, "unknown_choice", "`missing` is None"),
        (lambda: items(X, missing="drop"), UsageError, "unknown_choice", "raise, listwise, available"),
        (lambda: alpha(X, confidence_level=1.5), UsageError, "confidence_level", "`confidence_level` is 1.5"),
        (lambda: alpha(X, confidence_level=95), UsageError, "confidence_level", "between 0 and 1"),
        (lambda: alpha(X, confidence_level=0), UsageError, "confidence_level", "between 0 and 1"),
        (lambda: alpha(X, confidence_level=float("nan")), UsageError, "confidence_level", "nan"),
        (lambda: alpha(X, confidence_level="0.95"), UsageError, "confidence_level", "'0.95'"),
        (lambda: alpha(X, confidence_level=True), UsageError, "confidence_level", "True"),
        (lambda: items(X, low=5, high=1), UsageError, "limits", "`low` is 5 and `high` is 1"),
        (lambda: items(X, low=1, high=4), UsageError, "outside_limits", "holds 5 in row 3, column 3, outside 1 to 4"),
        (lambda: items(X, high=4), UsageError, "one_limit", "`high` is given without"),
        (lambda: agreement(X, low=5, high=5), UsageError, "limits", "low must be a number below high"),
        (lambda: agreement(X, low=1, high=None), UsageError, "limits", "`high` is nan"),
        (lambda: agreement(X, low=1, high="5"), ArgumentTypeError, "not_a_number", "`high` holds '5'"),
        (lambda: agreement(X, low=[1, 1, 1]), UsageError, "limit_shape", "`low` must be one number"),
        (lambda: agreement(X, low=2), UsageError, "outside_limits", "holds 1 in row 1, column 1"),
        (lambda: agreement(X, low=1, high=4), UsageError, "outside_limits", "outside 1 to 4"),
        (lambda: agreement(X, G[:3]), UsageError, "lengths_differ", r"`groups` has 3 value\(s\) and `x` has 4"),
        (lambda: agreement(HOLE), UsageError, "missing_values", "`x` has 2 missing"),
        (lambda: agreement(X, ["a", None, "b", "b"]), UsageError, "missing_groups", "`groups` has 1 missing .* row 2"),
        (lambda: agreement(X, ["a", 1, "b", "b"]), ArgumentTypeError, "groups_mixed", "numbers only or text only"),
        (lambda: agreement(X, [["a"], ["a"], ["b"], ["b"]]), UsageError, "not_a_vector", "`groups` has 2"),
        (lambda: agreement(np.empty((4, 0))), UsageError, "too_few_items", "at least 1"),
        (lambda: reliability(X), UsageError, "not_a_vector", "`y` has 2 dimension"),
        (lambda: reliability(["1", "2", "4", "5"]), ArgumentTypeError, "not_a_number", "`y` holds '1'"),
        (lambda: reliability([1, 2, np.inf, 5]), UsageError, "infinite", "row 3"),
        (lambda: reliability([1, 2, np.nan, 5]), UsageError, "missing_values", "`y` has 1 missing"),
        (lambda: reliability(Y, ["a", np.nan, "b", "b"]), UsageError, "missing_groups", "row 2"),
        (lambda: reliability(Y, G[:2]), UsageError, "lengths_differ", "`y` has 4 row"),
        (lambda: reliability(Y, confidence_level=1.5), UsageError, "confidence_level", "1.5"),
        (lambda: reliability(Y, missing="available"), UsageError, "unknown_choice", "raise, listwise"),
    ],
)  # fmt: skip
def test_a_bad_call_is_refused(call, kind, code, text):
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.value.code == f"psychometrics.{code}"


def test_every_table_that_people_have_gives_the_same_alpha():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    tables = [
        X,
        tuple(map(tuple, X)),
        np.array(X),
        np.array(X, dtype=np.int8),
        np.array(X, dtype=np.float32),
        np.array(X, dtype=object),
        np.asfortranarray(X),
        np.ma.masked_array(X),
        frame,
        frame.astype("Int64"),
        frame.astype({"a": "Int8", "b": "float64"}),
        frame.astype("category"),
        frame.astype(object),
        Polars(),
        Arrow(),
    ]
    assert len({pm.cronbach_alpha(table).estimate for table in tables}) == 1
    assert pm.cronbach_alpha(frame).items == pm.cronbach_alpha(Polars()).items == ("a", "b", "c")


def test_every_kind_of_hole_is_missing():
    frame = pd.DataFrame(HOLE, columns=["a", "b", "c"])
    mask = np.array([[False] * 3, [False, True, False], [False] * 3, [False, False, True]])
    tables = [HOLE, frame, frame.astype("Int64"), np.array(HOLE, dtype=object), np.array(HOLE, dtype=float)]
    tables.append(np.ma.masked_array([[1, 2, 3], [2, 9, 3], [4, 4, 5], [5, 4, 9]], mask))
    for table in tables:
        result = pm.cronbach_alpha(table, missing="listwise")
        assert (result.n, result.n_dropped, result.estimate) == (
            2,
            2,
            pm.cronbach_alpha([X[0], X[2]]).estimate,
        )


def test_the_callers_data_is_not_touched():
    x = np.array(X, dtype=float)
    y, groups = x[:, 0].copy(), np.array(G)
    before = x.copy()
    pm.item_analysis(x, low=1, high=5)
    pm.cronbach_alpha(x)
    agreement(x, ["a"] * 4)
    reliability(y, groups)
    np.testing.assert_array_equal(x, before)
    for array in (x, y, groups):
        assert array.flags.writeable


def test_texts_stand_in_both_languages():
    swedish, english = catalogue("sv"), catalogue("en")
    ours = {code for code in english if code.startswith("psychometrics.")}
    assert ours
    assert ours == {code for code in swedish if code.startswith("psychometrics.")}
