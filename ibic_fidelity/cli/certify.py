"""``ibic-fidelity certify DATA --gold NAME``: raters against files with right answers."""

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


def certify(
    data: Data,
    gold: str = typer.Option(..., "--gold", help="Name of the rater under which the right answers stand."),
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
    """Print each rater's agreement with the right answers, and who is certified."""
    from ibic_fidelity.dossier.certification import rater_certification

    check_statistics_path(output, data, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = rater_certification(responses, defined, gold=gold, confidence_level=confidence)
    show_statistics(result, defined, output, lang=lang, force=force)
