"""``ibic-fidelity check DATA``: every fault of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.cli.options import Data, Encoding, InstrumentName, Lang, OneSource, Partial, Separator, Sheet
from ibic_fidelity.cli.output import FAULTS_SHOWN, excel_csv, print_notes, refuse_input, say
from ibic_fidelity.cli.reading import files_of

if TYPE_CHECKING:
    from ibic_fidelity.foundation.messages import Language
    from ibic_fidelity.foundation.results import Fault


def check(
    data: Data,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    *,
    partial: Partial = False,
    every: bool = typer.Option(False, "--all", help="Print every fault, not only the first 50."),
    table: Path | None = typer.Option(None, "--table", help="Write all faults to this .csv file.", metavar="FILE"),
    force: bool = typer.Option(False, "--force", help="Replace the file of --table."),
    lang: Lang = "sv",
) -> None:
    """List every fault of a file of answers: row, column, value, rule and remedy. Exits 3 if there is any."""
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.responses.listing import count_of, grouped, kind_lines, ranked
    from ibic_fidelity.responses.reading import examine

    refuse_input(table, data)
    found = examine(
        files_of(data),
        load_instrument(instrument),
        sheet=sheet,
        separator=separator,
        encoding=encoding,
        source=source,
        partial=partial,
    )
    if table is not None:
        _write_faults(table, found.faults, lang, force=force)
    lines = ranked(found.faults) if every else grouped(found.faults)
    for line in lines if every else lines[:FAULTS_SHOWN]:
        typer.echo(line.line(lang))
    if len(lines) > FAULTS_SHOWN and not every:
        say("more_faults", lang, n=len(lines) - FAULTS_SHOWN)
    print_notes(found.notes, lang)
    if found.responses is None:
        if len(found.faults) > 1:
            typer.echo("\n".join(kind_lines(found.faults, lang)))
        say("faults_found", lang, n=count_of(found.faults))
        raise typer.Exit(3)
    for name, one in found.responses.tables.items():
        say("source_rows", lang, source=name, rows=one.n, sites=len(set(one.site.codes.tolist())))
    say("no_faults", lang)


def _write_faults(path: Path, faults: tuple[Fault, ...], lang: Language, *, force: bool) -> None:
    from ibic_fidelity.foundation.files import write_file
    from ibic_fidelity.foundation.results import fault_table

    write_file(path, excel_csv(fault_table(faults, lang)), force=force)
