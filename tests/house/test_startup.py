"""What a start brings in, and how long it takes: measured in processes of their own."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ibic_fidelity.foundation.files import bundled


def _python(script: str, cwd: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(script), *arguments],
        capture_output=True, text=True, cwd=cwd, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def _brought_in(script: str, cwd: Path, *arguments: str) -> set[str]:
    """The modules of a process after a script."""
    tail = "\nimport sys\nprint()\nprint('brought in', *sys.modules)\n"
    return set(_python(textwrap.dedent(script) + tail, cwd, *arguments).splitlines()[-1].split()[2:])


def _run(*arguments: str) -> str:
    return f"""
        from ibic_fidelity.cli.app import run
        code = run({list(arguments)!r})
        assert code == 0, code
    """


def test_importing_the_package_brings_in_no_library_of_numbers(tmp_path):
    found = _brought_in("import ibic_fidelity", tmp_path)
    assert "lazy_loader" in found
    assert not found & {"numpy", "pandas", "scipy", "matplotlib", "pydantic", "typer", "ibic_fidelity.errors"}


def test_importing_the_package_takes_less_than_a_tenth_of_a_second(tmp_path):
    script = """
        import time
        start = time.perf_counter()
        import ibic_fidelity
        print(time.perf_counter() - start)
    """
    assert min(float(_python(script, tmp_path)) for _ in range(5)) < 0.1


def test_help_brings_in_no_library_of_numbers_nor_pydantic(tmp_path):
    found = _brought_in(_run("--help"), tmp_path)
    assert "typer" in found
    assert not found & {"numpy", "pandas", "scipy", "matplotlib", "pydantic", "yaml", "joblib"}


@pytest.mark.parametrize("arguments", [("score", "--help"), ("instrument", "--help"), ("--version",)], ids=" ".join)
def test_help_of_a_command_brings_in_no_library_of_numbers(arguments, tmp_path):
    """Here typer itself brings in pydantic where that is installed."""
    found = _brought_in(_run(*arguments), tmp_path)
    assert not found & {"numpy", "pandas", "scipy", "matplotlib", "yaml", "joblib"}


@pytest.mark.parametrize("kind", ["numpy.array(x)", "x"], ids=["array", "list"])
def test_alpha_of_an_array_brings_in_neither_pandas_nor_scipy_stats(kind, tmp_path):
    script = f"""
        import numpy
        from ibic_fidelity import psychometrics
        x = [[1, 2, 3], [2, 2, 4], [3, 5, 5], [4, 4, 4], [2, 1, 1.0]]
        assert 0 < psychometrics.cronbach_alpha({kind}).estimate < 1
    """
    assert not _brought_in(script, tmp_path) & {"pandas", "matplotlib", "scipy.stats", "pydantic"}


def test_listing_instruments_brings_in_no_pandas(tmp_path):
    assert not _brought_in(_run("instrument", "list"), tmp_path) & {"pandas", "matplotlib", "scipy"}


def test_checking_a_file_of_answers_brings_in_neither_pandas_nor_matplotlib(tmp_path):
    pilot = bundled("data/synthetic") / "pilot.csv"
    found = _brought_in(_run("check", str(pilot)), tmp_path)
    assert "ibic_fidelity.responses.reading" in found
    assert not found & {"pandas", "matplotlib", "scipy.stats", "openpyxl", "pyreadstat", "jinja2"}
