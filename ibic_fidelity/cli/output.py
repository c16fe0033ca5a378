"""What commands print: answers on stdout, progress and errors on stderr."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.errors import FaultsError, IbicError, UsageError
from ibic_fidelity.foundation.files import claim_folder, write_file
from ibic_fidelity.foundation.messages import Language, Message, text

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from ibic_fidelity.dossier.precision import SitePrecision
    from ibic_fidelity.dossier.statistics import Statistics
    from ibic_fidelity.instrument.model import Instrument

FAULTS_SHOWN = 50
#: The forms in which statistics are written.
STATISTICS_ENDINGS = (".csv", ".xlsx", ".html")


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


def refuse_input(path: Path | None, data: list[Path]) -> None:
    """Refuse to write over a file of answers, whatever is forced."""
    if path is not None and any(path.resolve() == one.resolve() for one in data):
        raise UsageError("cli.over_input", path=str(path))


def check_statistics_path(path: Path | None, data: list[Path], *, force: bool) -> None:
    """Refuse, before any work is done, a file of statistics that could not be written."""
    if path is None:
        return
    refuse_input(path, data)
    if path.is_dir():
        raise UsageError("cli.output_is_folder", path=str(path))
    if path.suffix.lower() not in STATISTICS_ENDINGS:
        raise UsageError("cli.statistics_ending", path=path.name, endings=list(STATISTICS_ENDINGS))
    claim_folder(path.parent, (path.name,), force=force)


def show_statistics(
    statistics: Statistics, instrument: Instrument, output: Path | None, *, lang: Language, force: bool
) -> None:
    """Print statistics, or where a file is given what must be known of them, and write them there."""
    typer.echo(statistics.text(lang) if output is None else statistics.heading(lang))
    if output is not None:
        write_statistics(output, statistics, instrument, lang=lang, force=force)
        say("written", lang, path=str(output))


def show_precision(
    precision: SitePrecision, instrument: Instrument, output: Path | None, *, lang: Language, force: bool
) -> None:
    """Print the precision of sites, each component with its advice, or write it where a file is given."""
    if output is not None:
        typer.echo(precision.statistics.heading(lang))
        write_precision(output, precision, instrument, lang=lang, force=force)
        say("written", lang, path=str(output))
        return
    say("advice", lang)
    for target in precision.targets:
        typer.echo(f"  · {target.advice.text(lang)}")
    typer.echo(f"\n{precision.statistics.text(lang)}")


def write_precision(
    path: Path, precision: SitePrecision, instrument: Instrument, *, lang: Language, force: bool
) -> None:
    """Write the precision of sites in the form that the ending of the file asks for."""
    if path.suffix.lower() != ".html":
        write_statistics(path, precision.statistics, instrument, lang=lang, force=force)
        return
    from ibic_fidelity.reports.precision import precision_report

    check_statistics_path(path, [], force=force)
    write_file(path, precision_report(precision, instrument, lang=lang), force=force)


def write_statistics(
    path: Path, statistics: Statistics, instrument: Instrument, *, lang: Language, force: bool
) -> None:
    """Write statistics in the form that the ending of the file asks for."""
    check_statistics_path(path, [], force=force)
    ending = path.suffix.lower()
    if ending == ".csv":
        from ibic_fidelity.plotting._rows import shown_statistics

        shown = statistics.with_rows(shown_statistics(statistics, instrument))
        content: str | bytes = excel_csv(shown.table_in(lang))
    elif ending == ".xlsx":
        from ibic_fidelity.reports.statistics_sheets import statistics_workbook

        content = statistics_workbook(statistics, instrument, lang=lang)
    else:
        from ibic_fidelity.reports.statistics import statistics_report

        content = statistics_report(statistics, instrument, lang=lang)
    write_file(path, content, force=force)


def progress(label: str) -> Callable[[int, int], None] | None:
    """Return a callback that draws progress on stderr, or ``None`` where nobody watches."""
    if not sys.stderr.isatty():
        return None

    def draw(done: int, total: int) -> None:
        end = "\n" if done == total else "\r"
        typer.echo(f"{label} {done}/{total}{end}", nl=False, err=True)

    return draw
