"""``ibic-fidelity reliability DATA``: what each component's measurement model asks for."""

from __future__ import annotations

from pathlib import Path

import typer

from ibic_fidelity.cli.options import (
    Confidence,
    Data,
    Encoding,
    Force,
    InstrumentName,
    Lang,
    OneSource,
    Partial,
    Separator,
    Sheet,
)
from ibic_fidelity.cli.output import excel_csv, print_notes, say
from ibic_fidelity.cli.reading import read_data


def reliability(
    data: Data,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    output: Path | None = typer.Option(
        None, "-o", "--output", help="Write the table to this .csv file.", metavar="FILE"
    ),
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Print alpha, ICC(1), ICC(2) and within-group agreement by component, and items' statistics to a file."""
    from ibic_fidelity.dossier.reliability import component_reliability
    from ibic_fidelity.foundation.files import write_file

    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = component_reliability(responses, defined, confidence_level=confidence)
    typer.echo(result.text(lang))
    if output is not None:
        write_file(output, excel_csv(result.table), force=force)
        say("written", lang, path=str(output))
