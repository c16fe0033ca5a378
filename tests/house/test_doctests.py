"""The examples of every docstring, run on the package that is installed."""

import doctest
import importlib
import os
import warnings
from pathlib import Path

import pytest

import ibic_fidelity

PACKAGE = Path(ibic_fidelity.__file__).parent
CHECKOUT = Path(__file__).resolve().parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [_module(path) for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example that writes a file writes it there
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert result.failed == 0


def test_there_are_examples():
    found = [test for name in MODULES for test in doctest.DocTestFinder().find(importlib.import_module(name))]
    assert sum(bool(test.examples) for test in found) > 30


@pytest.mark.skipif(os.environ.get("IBIC_CI") != "1", reason="only where .ci/run has installed the package")
def test_the_package_under_test_is_the_installed_one():
    assert not PACKAGE.is_relative_to(CHECKOUT)
    assert (PACKAGE / "_bundled").is_dir()
