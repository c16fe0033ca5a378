"""Records, provenance, tables of faults and JSON."""

import json
import math

import numpy as np
import pytest

from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import (
    COLUMNS,
    Fault,
    Provenance,
    Records,
    fault_table,
    library_versions,
    package_version,
    table,
    to_json,
)

RECORDS = Records.of(
    site=["0180", "1480", "1384"],
    estimate=[61.5, math.nan, 48.0],
    n=[3, 0, 12],
    single=[True, False, True],
    reason=["", "scoring.too_few", "å"],
)


def _through_json(records: Records) -> Records:
    return Records.from_dict(json.loads(to_json(records.as_dict())))


def test_records_survive_json():
    again = _through_json(RECORDS)
    assert list(again.columns) == sorted(RECORDS.columns)
    for name in RECORDS.columns:
        assert again[name].dtype == RECORDS[name].dtype
        if name != "estimate":
            assert again[name].tolist() == RECORDS[name].tolist()
    assert np.array_equal(again["estimate"], RECORDS["estimate"], equal_nan=True)
    assert to_json(again.as_dict()) == to_json(RECORDS.as_dict())


def test_a_column_of_booleans_can_be_negated_after_json():
    assert (~_through_json(RECORDS)["single"]).tolist() == [False, True, False]


def test_a_text_column_with_holes_keeps_them():
    assert _through_json(Records.of(reason=["a", None]))["reason"].tolist() == ["a", None]


def test_a_column_of_nothing_is_not_available():
    assert np.isnan(_through_json(Records.of(estimate=[math.nan, math.nan]))["estimate"]).all()


def test_records_without_rows_survive_json():
    empty = RECORDS.where(np.zeros(3, dtype=bool))
    again = _through_json(empty)
    assert len(empty) == len(again) == 0
    assert again.rows() == []
    assert list(again.table.columns) == sorted(RECORDS.columns)


def test_records_without_columns_have_no_rows():
    assert len(Records.of()) == 0
    assert Records.of().rows() == []


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="unequal"):
        Records.of(site=["a"], n=[1, 2])


def test_records_cannot_be_changed_and_leave_the_given_array_alone():
    given = np.array([1.0, 2.0])
    records = Records.of(estimate=given)
    with pytest.raises(ValueError, match="read-only"):
        records["estimate"][0] = 9
    given[0] = 7
    assert records["estimate"].tolist() == [1.0, 2.0]


def test_rows_and_tables_hold_plain_python_values():
    row = RECORDS.rows()[0]
    assert row == {"site": "0180", "estimate": 61.5, "n": 3, "single": True, "reason": ""}
    assert [type(value) for value in row.values()] == [str, float, int, bool, str]
    assert RECORDS.table["site"].tolist() == ["0180", "1480", "1384"]


def test_the_table_of_records_is_a_new_one_each_time():
    first = RECORDS.table
    first.loc[0, "n"] = 99
    assert RECORDS.table.loc[0, "n"] == 3


def test_where_keeps_the_rows_of_the_mask():
    assert RECORDS.where(RECORDS["n"] > 0)["site"].tolist() == ["0180", "1384"]


def test_a_table_has_declared_columns_in_their_order():
    frame = table({"estimate": [1.0], "icc_form": ["x"], "site": ["0180"]}, extra=("icc_form",))
    assert frame.columns.tolist() == ["site", "estimate", "icc_form"]
    assert len(set(COLUMNS)) == len(COLUMNS)
    with pytest.raises(KeyError, match="kommun"):
        table({"kommun": ["x"]})


PROVENANCE = Provenance(
    package="0.1.0",
    instrument_id="ibic",
    instrument_version="0.1.0",
    instrument_status="candidate",
    instrument_sha256="a" * 64,
    data_sha256="b" * 64,
    synthetic=True,
    seed=3,
    options={"confidence_level": 0.95, "sources": ["files", "users"]},
    libraries=library_versions("numpy"),
)


def test_provenance_survives_json():
    assert Provenance.from_dict(json.loads(to_json(PROVENANCE.as_dict()))) == PROVENANCE


def test_provenance_names_no_machine_user_or_time():
    assert set(PROVENANCE.as_dict()) == {
        "package", "instrument_id", "instrument_version", "instrument_status", "instrument_sha256", "data_sha256",
        "synthetic", "seed", "options", "libraries",
    }  # fmt: skip


def test_the_version_is_that_of_the_installed_package():
    from importlib.metadata import version

    assert package_version() == version("ibic-fidelity")
    assert library_versions("numpy")["numpy"] == np.__version__


FAULTS = (
    Fault(Message("instrument.unknown_field", {"field": "itmes"}), file="a.yaml", row=3, column="itmes", value="x"),
    Fault(Message("instrument.empty_text")),
)


@pytest.mark.parametrize(("language", "remedy"), [("sv", "Rätta namnet"), ("en", "Correct its name")])
def test_faults_as_a_table(language, remedy):
    frame = fault_table(FAULTS, language)
    assert frame.columns.tolist() == ["file", "row", "column", "value", "rule", "remedy", "code"]
    assert frame["row"].tolist()[0] == 3
    assert frame["row"].isna().tolist() == [False, True]
    assert frame["code"].tolist() == ["instrument.unknown_field", "instrument.empty_text"]
    assert frame["remedy"][0].startswith(remedy)
    assert frame["rule"][0] == FAULTS[0].rule.text(language)


def test_no_faults_make_an_empty_table_of_the_same_kind():
    assert fault_table((), "sv").dtypes.to_dict() == fault_table(FAULTS, "sv").dtypes.to_dict()
    assert len(fault_table(iter(()), "sv")) == 0


def test_json_has_sorted_keys_a_last_line_end_and_its_own_letters():
    assert to_json({"b": 1, "a": "å"}) == '{\n  "a": "å",\n  "b": 1\n}\n'


def test_json_writes_what_is_not_finite_as_null():
    data = {"x": math.nan, "y": [math.inf, -math.inf], "z": np.array([1.5, np.nan]), "w": np.float64("nan")}
    written = to_json(data)
    assert json.loads(written) == {"x": None, "y": [None, None], "z": [1.5, None], "w": None}
    assert "NaN" not in written
    assert "Infinity" not in written


def test_json_takes_numbers_of_numpy_messages_and_tuples():
    message = Message("cli.error", {"message": Message("faults.more", {"n": np.int64(2)})})
    assert json.loads(to_json({"m": message, "t": (np.int8(1), np.bool_(True))})) == {
        "m": {"code": "cli.error", "params": {"message": {"code": "faults.more", "params": {"n": 2}}}},
        "t": [1, True],
    }


def test_a_message_survives_json():
    message = Message("cli.error", {"message": Message("faults.more", {"n": 2})})
    assert Message.from_dict(json.loads(to_json(message))) == message
