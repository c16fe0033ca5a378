"""What an instrument's calibration tells of a target's error, for data that do not show it themselves."""

from __future__ import annotations

from dataclasses import replace

from ibic_fidelity.instrument.calibration import CalibrationRow
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.scoring.intervals import UNKNOWN, RaterSpread, Spread
from ibic_fidelity.scoring.sums import Target

CALIBRATED = "calibration"


def calibration_row(instrument: Instrument, source: str, target: Target) -> CalibrationRow | None:
    """Return what the instrument carries of a target from a source."""
    return None if instrument.calibration is None else instrument.calibration.of(source, target[1])


def calibrated_raters(row: CalibrationRow | None) -> RaterSpread | None:
    """Return the variance of rater severity, or ``None`` where the calibration has none."""
    if row is None or row.rater is None or row.rater_df is None:
        return None
    return RaterSpread(row.rater, row.rater_df, CALIBRATED)


def calibrated_occasions(row: CalibrationRow | None) -> RaterSpread:
    """Return the variance between occasions; 0 where no study has shown it."""
    if row is None or row.occasion is None or row.occasion_df is None:
        return UNKNOWN
    return RaterSpread(row.occasion, row.occasion_df, CALIBRATED)


def calibrated_units(spread: Spread, row: CalibrationRow | None) -> Spread:
    """Return the spread with the units' and clusters' variances of a calibration, where one site stands alone.

    Not where units lie in clusters of which the calibration tells nothing: that would be an interval too narrow.
    """
    if spread.n_groups > 1 or row is None or row.within is None or row.within_df is None:
        return spread
    if spread.nested and row.between is None:
        return spread
    between = row.between or 0.0
    return replace(
        spread,
        within=row.within,
        between=between,
        df_within=row.within_df,
        df_between=row.between_df or row.within_df,
        mixing=0.0,
        truncated=False,
        nested=between > 0.0,
        bounded=False,
        calibrated=True,
    )
