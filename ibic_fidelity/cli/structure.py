"""``ibic-fidelity structure DATA``: whether the items of each reflective scale are signs of one thing."""

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
    Scales,
    Separator,
    Sheet,
    StatisticsFile,
    Wave,
)
from ibic_fidelity.cli.output import check_statistics_path, print_notes, show_statistics
from ibic_fidelity.cli.reading import read_data


def structure(
    data: Data,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    wave: Wave = None,
    scale: Scales = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    output: StatisticsFile = None,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Print how many factors each reflective scale has, and what one factor explains, by polychoric correlations."""
    from ibic_fidelity.dossier.structure import scale_structure

    check_statistics_path(output, data, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = scale_structure(responses, defined, scales=tuple(scale or ()), wave=wave, confidence_level=confidence)
    show_statistics(result, defined, output, lang=lang, force=force)
