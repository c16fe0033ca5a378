"""``ibic-fidelity check DATA``: every fault of a file."""

from __future__ import annotations

from pathlib import Path

import typer

from ibic_fidelity.cli.options import Data, Encoding, InstrumentName, Lang, OneSource, Partial, Separator, Sheet
from ibic_fidelity.cli.output import FAULTS_SHOWN, print_notes, say


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
    from ibic_fidelity.responses.reading import examine

    found = examine(
        data[0] if len(data) == 1 else tuple(data),
        load_instrument(instrument),
        sheet=sheet,
        separator=separator,
        encoding=encoding,
        source=source,
        partial=partial,
    )
    if table is not None:
        _write_faults(table, found.faults, lang, force=force)
    for fault in found.faults if every else found.faults[:FAULTS_SHOWN]:
        typer.echo(fault.line(lang))
    if len(found.faults) > FAULTS_SHOWN and not every:
        say("more_faults", lang, n=len(found.faults) - FAULTS_SHOWN)
    print_notes(found.notes, lang)
    if found.responses is None:
        say("faults_found", lang, n=len(found.faults))
        raise typer.Exit(3)
    for name, one in found.responses.tables.items():
        say("source_rows", lang, source=name, rows=one.n, sites=len(set(one.site.codes.tolist())))
    say("no_faults", lang)


def _write_faults(path: Path, faults: tuple[object, ...], lang: str, *, force: bool) -> None:
    from ibic_fidelity.foundation.files import write_file
    from ibic_fidelity.foundation.results import fault_table

    content = fault_table(faults, lang).to_csv(index=False, sep=";", lineterminator="\r\n")  # type: ignore[arg-type]
    write_file(path, "\ufeff" + content, force=force)
