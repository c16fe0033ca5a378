"""What every test may use."""

import importlib
import os
import shutil
import sys
from collections.abc import Callable

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

#: Set by .ci/run: there a test that lacks a program fails, where elsewhere it is skipped by name.
IN_CI = os.environ.get("IBIC_CI") == "1"


@pytest.fixture(scope="session")
def require() -> Callable[..., str]:
    """Return a function that gives the path of the first of some programs, or skips (in CI: fails)."""

    def path_of(*programs: str) -> str:
        for program in programs:
            found = shutil.which(program)
            if found is not None:
                return found
        reason = f"needs {' or '.join(programs)} on PATH"
        if IN_CI:
            pytest.fail(f"{reason}, and .ci/run should have installed it")
        pytest.skip(reason)

    return path_of


@pytest.fixture(scope="session")
def calibration_script(request):
    """Return a function that loads a script of calibration/ by its name."""
    folder = request.config.rootpath / "calibration"
    sys.path.insert(0, str(folder))  # where the scripts find what they share
    loaded = {}

    def load(name):
        if name not in loaded:
            loaded[name] = importlib.import_module(name)
        return loaded[name]

    yield load
    sys.path.remove(str(folder))
