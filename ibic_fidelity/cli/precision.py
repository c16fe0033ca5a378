"""``ibic-fidelity precision DATA``: how precisely a site is measured, and how many files would suffice."""

from __future__ import annotations

from ibic_fidelity.cli.options import (
    CalibrationFile,
    Confidence,
    Data,
    Encoding,
    Force,
    Goal,
    InstrumentName,
    Lang,
    Occasions,
    OneSource,
    Partial,
    Separator,
    Sheet,
    StatisticsFile,
    Wave,
)
from ibic_fidelity.cli.output import check_statistics_path, print_notes, refuse_input, say, show_precision
from ibic_fidelity.cli.reading import read_data
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import claim_folder, write_file


def precision(
    data: Data,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    wave: Wave = None,
    *,
    partial: Partial = False,
    goal: Goal = 0.80,
    confidence: Confidence = 0.95,
    output: StatisticsFile = None,
    calibration: CalibrationFile = None,
    occasions: Occasions = None,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Print how precisely a municipality is measured, where the error is from, and how many files would suffice."""
    from ibic_fidelity.dossier.calibration import precision_calibration
    from ibic_fidelity.dossier.precision import site_precision
    from ibic_fidelity.instrument.writing import calibration_yaml

    check_statistics_path(output, data, force=force)
    waves = read_occasions(occasions)
    if waves is not None and calibration is None:
        raise UsageError("cli.occasions_alone")
    if calibration is not None:
        if calibration.suffix.lower() not in {".yaml", ".yml"}:
            raise UsageError("cli.calibration_ending", path=calibration.name)
        refuse_input(calibration, data)
        claim_folder(calibration.parent, (calibration.name,), force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    result = site_precision(
        responses, defined, wave=wave or (waves[0] if waves else None), goal=goal, confidence_level=confidence
    )
    if calibration is not None:
        made = precision_calibration(responses, defined, wave=wave, occasions=waves)
        write_file(calibration, calibration_yaml(made), force=force)
        say("calibration_written", lang, path=str(calibration))
    show_precision(result, defined, output, lang=lang, force=force)


def read_occasions(value: str | None) -> tuple[str, str] | None:
    """Return the two waves of ``--occasions FIRST,SECOND``, or raise."""
    if value is None:
        return None
    named = [part.strip() for part in value.split(",")]
    if len(named) != 2 or not all(named):
        raise UsageError("cli.occasions", value=value)
    return named[0], named[1]
