"""The validation protocol: the example reads, what asks too little is refused with file and line."""

import re

import pytest

from ibic_fidelity.errors import FileError, InstrumentError
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.protocol import load_protocol
from ibic_fidelity.instrument.reading import load_instrument

EXAMPLE = (bundled("instruments") / "ibic" / "protocol.yaml").read_text(encoding="utf-8")


def changed(path, old, new):
    text = re.sub(old, new, EXAMPLE, count=1, flags=re.DOTALL | re.MULTILINE)
    assert text != EXAMPLE
    (path / "protocol.yaml").write_text(text, encoding="utf-8")
    return path


def test_the_example_is_of_the_bundled_instrument_and_exploratory():
    protocol, ibic = load_protocol(bundled("instruments") / "ibic"), load_instrument("ibic")
    assert (protocol.instrument, protocol.instrument_version) == (ibic.id, ibic.version)
    assert set(protocol.cognitive.forms) <= set(ibic.by_source)
    assert (len(protocol.hypotheses), protocol.confirmatory) == (10, False)


def test_registered_hypotheses_are_confirmatory_until_one_changes(tmp_path):
    digest = load_protocol(bundled("instruments") / "ibic").hypotheses_sha256
    line = f"registered: {{date: 2026-12-01, where: OSF, sha256: {digest}}}\nstandard_setting:"
    assert load_protocol(changed(tmp_path, "^standard_setting:", line)).confirmatory
    text = (tmp_path / "protocol.yaml").read_text(encoding="utf-8").replace("size: 10", "size: 8")
    (tmp_path / "protocol.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InstrumentError, match="have changed"):
        load_protocol(tmp_path)


#: What is changed, into what, the line's text that the fault points to, and its rule.
BAD = [
    ("one round", "rounds: 2", "rounds: 1", "bad_value"),
    ("four interviews", "per_form: 5", "per_form: 4", "bad_value"),
    ("nine gold files", "gold_files: 12", "gold_files: 9", "bad_value"),
    ("kappa .60", "kappa: 0.70", "kappa: 0.60", "bad_value"),
    ("5 % blind", "blind_share: 0.10", "blind_share: 0.05", "bad_value"),
    ("nine sites again", "sites: 10", "sites: 9", "bad_value"),
    ("again after half a year", "months: 3", "months: 6", "bad_value"),
    ("a census below ten only", "census_below: 20", "census_below: 10", "bad_value"),
    ("two judges", "judges: 10", "judges: 2", "bad_value"),
    ("an unknown field", "status: draft", "state: draft", "unknown_field"),
    ("no size", "    size: 10\n", "", "missing_field"),
    ("a direction that is none", "direction: higher", "direction: better", "bad_value"),
    ("without English", r"^  en: Pilot study[^\n]*\n", "", "missing_field"),
    ("nine hypotheses", r"  - id: h10.*?(?=^standard_setting)", "", "bad_value"),
    ("one id twice", "id: h02", "id: h01", "protocol_id_twice"),
    ("a key twice", "status: draft", "status: draft\nstatus: draft", "key_twice"),
    ("no YAML", "cognitive:", "cognitive: [", "yaml"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_protocol_that_asks_too_little_is_refused_with_file_and_line(tmp_path, old, new, code):
    with pytest.raises(InstrumentError) as caught:
        load_protocol(changed(tmp_path, old, new))
    assert f"instrument.{code}" in {fault.rule.code for fault in caught.value.faults}
    assert all(fault.file == "protocol.yaml" and fault.row for fault in caught.value.faults)


def test_a_missing_protocol_is_a_missing_file(tmp_path):
    with pytest.raises(FileError):
        load_protocol(tmp_path)
