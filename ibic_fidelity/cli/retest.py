"""``ibic-fidelity retest DATA``: how well two occasions agree."""

from __future__ import annotations

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
    StatisticsFile,
)
from ibic_fidelity.cli.output import check_statistics_path, print_notes, show_statistics
from ibic_fidelity.cli.reading import read_data


def retest(
    data: Data,
    first: str = typer.Option(..., "--first", help="Wave of the first occasion, as it stands in the data."),
    second: str = typer.Option(..., "--second", help="Wave of the second occasion."),
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    output: StatisticsFile = None,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Print how well two occasions agree: retest of surveys, raters' drift, and re-audit of sites on fresh files."""
    from ibic_fidelity.dossier.occasions import occasion_reliability

    check_statistics_path(output, data, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = occasion_reliability(responses, defined, first=first, second=second, confidence_level=confidence)
    show_statistics(result, defined, output, lang=lang, force=force)
