"""The instrument on real answers to 25 items of personality: complete, and its data those of the fixtures."""

import csv

import numpy as np

import ibic_fidelity as ibic
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.checks import check_instrument

REVERSED = {"a1", "c4", "c5", "e1", "e2", "o2", "o5"}


def test_five_scales_of_five_items_without_a_warning():
    instrument = ibic.load_instrument("bfi")
    assert len(instrument.items) == 25
    assert {item.id for item in instrument.items if item.reverse} == REVERSED
    by_scale = [item.component for item in instrument.items]
    assert {by_scale.count(name) for name in set(by_scale)} == {5}
    assert check_instrument(instrument).warnings == ()


def test_its_data_are_those_of_the_fixtures(request):
    folder = bundled("instruments") / "bfi"
    fixture = request.config.rootpath / "tests" / "reference" / "data" / "bfi.csv"
    tables = []
    for path in (folder / "bfi.csv", fixture):
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        tables.append([[row[f"{s}{i}"].replace("NA", "") for s in "ACENO" for i in range(1, 6)] for row in rows])
    assert tables[0] == tables[1]


def test_its_data_are_read_with_blanks_as_blanks():
    responses = ibic.read_responses(bundled("instruments") / "bfi" / "bfi.csv", ibic.load_instrument("bfi"))
    (table,) = responses.tables.values()
    assert table.codes.shape == (2800, 25)
    assert int((table.codes == -1).sum()) == 508
    assert np.unique(table.codes).tolist() == [-1, 1, 2, 3, 4, 5, 6]
