"""Errors and warnings: codes, texts, exit codes, what they also are, and pickling."""

import copy
import pickle
import warnings

import pytest

from ibic_fidelity.errors import (
    ArgumentTypeError,
    DroppedDataWarning,
    FaultsError,
    FileError,
    IbicError,
    IbicWarning,
    InstrumentError,
    ResponseError,
    UndefinedStatisticWarning,
    UsageError,
)
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault

FAULTS = tuple(
    Fault(Message("instrument.unknown_field", {"field": f"f{i}"}), file="a.yaml", row=i + 1) for i in range(23)
)
ERRORS = [
    UsageError("scoring.unknown_site", site="0180"),
    ArgumentTypeError("psychometrics.unequal_rows", argument="x"),
    FileError("files.not_found", path="svar.csv"),
    InstrumentError("instrument.faulty", faults=FAULTS, n=23, path="a"),
    ResponseError("responses.faulty", faults=FAULTS, n=23, path="a"),
]


@pytest.mark.parametrize(
    ("kind", "code", "also"),
    [
        (UsageError, 2, ValueError),
        (ArgumentTypeError, 2, TypeError),
        (FileError, 4, OSError),
        (InstrumentError, 3, FaultsError),
        (ResponseError, 3, FaultsError),
    ],
)
def test_an_error_has_an_exit_code_and_is_what_python_users_expect(kind, code, also):
    assert kind.exit_code == code
    assert issubclass(kind, also)
    assert issubclass(kind, IbicError)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_and_copying(error):
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert again.message == error.message
        assert again.code == error.code
        assert str(again) == str(error)
        assert getattr(again, "faults", ()) == getattr(error, "faults", ())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_speaks_both_languages(error):
    assert str(error).startswith(error.message.text("en"))
    assert error.message.text("sv") != error.message.text("en")


def test_faults_are_shown_at_once_up_to_twenty():
    lines = str(ERRORS[3]).splitlines()
    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == Message("faults.more", {"n": 3}).text("en")
    assert len(str(InstrumentError("instrument.faulty", faults=FAULTS[:20], n=20, path="a")).splitlines()) == 21


def test_faults_are_a_table():
    failures = ERRORS[4].failures
    assert failures.columns.tolist() == ["file", "row", "column", "value", "rule", "remedy", "code"]
    assert failures["row"].tolist() == list(range(1, 24))


@pytest.mark.parametrize("kind", [UndefinedStatisticWarning, DroppedDataWarning])
def test_a_warning_has_a_code_a_text_and_survives_pickling(kind):
    warning = kind("psychometrics.sum_constant", n=4)
    assert isinstance(warning, IbicWarning)
    assert isinstance(warning, UserWarning)
    assert warning.code == "psychometrics.sum_constant"
    assert "4" in str(warning)
    again = pickle.loads(pickle.dumps(warning))
    assert (type(again), again.message, str(again)) == (kind, warning.message, str(warning))


def test_warnings_of_ours_can_be_silenced_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        warnings.warn(UndefinedStatisticWarning("psychometrics.sum_constant", n=4), stacklevel=1)
        with pytest.raises(DroppedDataWarning):
            warnings.warn(DroppedDataWarning("psychometrics.sum_constant", n=4), stacklevel=1)
