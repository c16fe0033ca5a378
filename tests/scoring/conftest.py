"""Small instruments and answers for the scoring tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ibic_fidelity.instrument.reading import load_instrument
from ibic_fidelity.responses.model import Frame, Responses, source_table

MINI = Path(__file__).parent.parent / "instruments" / "mini"


@pytest.fixture(scope="session")
def mini():
    return load_instrument(MINI)


@pytest.fixture(scope="session")
def ibic():
    return load_instrument("ibic")


@pytest.fixture
def responses_of(mini):
    """Build responses to the small instrument from plain lists.

    `files` are rows (site, unit, cluster, rater, a1, a2, a3a, a3b, a3c), `register` maps a site to
    (value, n), `users` are rows (site, unit, a2, c1, c2).
    """

    def build(files, register=None, users=(), *, eligible=None, areas=None, instrument=mini, weight=None):
        tables = {}
        if files:
            keys = {name: [str(row[j]) for row in files] for j, name in enumerate(("site", "unit", "cluster", "rater"))}
            if areas is not None:
                keys["service_area"] = list(areas)
            codes = np.array([row[4:] for row in files])
            columns = instrument.columns_of("files")
            tables["files"] = source_table("files", columns, codes, keys, weight=weight)
        if users:
            keys = {name: [str(row[j]) for row in users] for j, name in enumerate(("site", "unit"))}
            tables["user"] = source_table("user", instrument.columns_of("user"), np.array([r[2:] for r in users]), keys)
        if register:
            sites = sorted(register)
            tables["register"] = source_table(
                "register",
                instrument.columns_of("register"),
                np.full((len(sites), 1), -4),
                {"site": sites, "unit": sites},
                values=np.array([[register[s][0]] for s in sites], dtype=float),
                counts=np.array([[register[s][1]] for s in sites], dtype=float),
            )
        frame = Frame(eligible={(s, "", "", "files"): n for s, n in (eligible or {}).items()})
        return Responses(tables, frame, instrument.id, instrument.version, instrument.sha256, "test")

    return build
