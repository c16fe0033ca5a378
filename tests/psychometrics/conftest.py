"""Data and fixtures of the tests of psychometrics; all paths are relative to the repository."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def read_columns(path):
    """Return the columns of a file of numbers as float64, NA as NaN."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return {name: np.array([np.nan if row[name] == "NA" else float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="session")
def reference():
    return json.loads((ROOT / "tests/reference/psychometrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def consistency():
    return json.loads((ROOT / "tests/reference/consistency.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def correlation():
    return json.loads((ROOT / "tests/reference/correlation.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def bfi():
    return read_columns(ROOT / "tests/reference/data/bfi.csv")


@pytest.fixture(scope="session")
def lq2002():
    return read_columns(ROOT / "instruments/lq2002/lq2002.csv")


@pytest.fixture
def shrout_fleiss():
    """Shrout & Fleiss (1979), Table 2: six targets, four judges."""
    return np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
