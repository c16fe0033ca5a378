"""What commands print: answers on stdout, progress and errors on stderr."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.errors import FaultsError, IbicError
from ibic_fidelity.foundation.messages import Language, Message, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

FAULTS_SHOWN = 50


def say(code: str, language: Language, /, **params: object) -> None:
    """Print a text of the catalogue."""
    typer.echo(text(f"cli.{code}", language, **params))


def print_notes(notes: tuple[Message, ...], language: Language) -> None:
    """Print what was recognised, set aside or must be known."""
    for note in notes:
        typer.echo(f"  · {note.text(language)}")


def print_error(error: IbicError, language: Language) -> None:
    """Print an error on stderr, its faults one a line, those alike on one."""
    typer.echo(text("cli.error", language, message=error.message), err=True)
    if isinstance(error, FaultsError):
        from ibic_fidelity.responses.listing import grouped

        groups = grouped(error.faults)
        for group in groups[:FAULTS_SHOWN]:
            typer.echo(f"  {group.line(language)}", err=True)
        if len(groups) > FAULTS_SHOWN:
            more = Message("faults.more", {"n": len(groups) - FAULTS_SHOWN})
            typer.echo(f"  {more.text(language)}", err=True)


def language_of_call(arguments: list[str]) -> Language:
    """Return the language that the arguments ask for, also where they could not be parsed."""
    for before, after in pairwise(arguments):
        if before == "--lang" and after == "en":
            return "en"
    return "en" if "--lang=en" in arguments else "sv"


def excel_csv(frame: pd.DataFrame) -> str:
    """Return a frame as the delimited text that Swedish Excel opens: byte-order mark, semicolons, decimal commas."""
    return "\ufeff" + frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")


def progress(label: str) -> Callable[[int, int], None] | None:
    """Return a callback that draws progress on stderr, or ``None`` where nobody watches."""
    if not sys.stderr.isatty():
        return None

    def draw(done: int, total: int) -> None:
        end = "\n" if done == total else "\r"
        typer.echo(f"{label} {done}/{total}{end}", nl=False, err=True)

    return draw
