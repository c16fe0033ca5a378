"""The command line: parse, call, write, exit code."""

from ibic_fidelity.cli.app import main

__all__ = ["main"]
