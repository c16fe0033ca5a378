"""``ibic-fidelity raters DATA``: how far the raters of an audit agree."""

from __future__ import annotations

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
    Wave,
)
from ibic_fidelity.cli.output import check_statistics_path, print_notes, show_statistics
from ibic_fidelity.cli.reading import read_data


def raters(
    data: Data,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    wave: Wave = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    output: StatisticsFile = None,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Print how far raters agree on files that two of them rated: by component, item and rater."""
    from ibic_fidelity.dossier.raters import rater_agreement

    check_statistics_path(output, data, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = rater_agreement(responses, defined, wave=wave, confidence_level=confidence)
    show_statistics(result, defined, output, lang=lang, force=force)
