"""Runs of the command line in this process, with what they printed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ibic_fidelity.cli.app import run
from ibic_fidelity.foundation.files import bundled


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def text(self):
        return self.out + self.err


@pytest.fixture
def cli(capsys):
    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def pilot_path():
    return bundled("data/synthetic") / "pilot.csv"
