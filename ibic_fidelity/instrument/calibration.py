"""What an instrument knows of error: what its author states, and what a study of precision found."""

from __future__ import annotations

from pydantic import Field, model_validator

from ibic_fidelity.instrument.parts import Name, Part, Text, fail


class Uncertainty(Part):
    """What the instrument states about errors that one collection of data may not show.

    `rater_sd` is the standard deviation of rater severity, as a share of the range, that widens the
    interval where an audit is not linked; `assumed` says that no study stands behind it.
    """

    rater_sd: float = Field(ge=0, lt=1)
    assumed: bool
    note: Text


class CalibrationRow(Part):
    """What a study found of the error of one target from one source, in units of θ(1 − θ), θ on 0–1.

    `target` is an item, component or total. `within` is the variance of units within clusters and `between` that of
    clusters, `rater` that of rater severity, `occasion` that of occasions, each with its degrees of freedom.
    """

    source: Name
    target: Name
    within: float | None = Field(default=None, ge=0)
    within_df: float | None = Field(default=None, gt=0)
    between: float | None = Field(default=None, ge=0)
    between_df: float | None = Field(default=None, gt=0)
    rater: float | None = Field(default=None, ge=0)
    rater_df: float | None = Field(default=None, gt=0)
    occasion: float | None = Field(default=None, ge=0)
    occasion_df: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _every_variance_has_degrees_of_freedom(self) -> CalibrationRow:
        for name in ("within", "between", "rater", "occasion"):
            if (getattr(self, name) is None) != (getattr(self, f"{name}_df") is None):
                raise fail("instrument.calibration_df", part=name, id=self.target)
        return self


class Calibration(Part):
    """What a study of precision found, for scoring data that cannot show it themselves.

    Made by ``ibic-fidelity precision --calibration``; `note` says from what.
    """

    note: Text
    synthetic: bool
    sites: int = Field(ge=2)
    data_sha256: str
    rows: tuple[CalibrationRow, ...] = Field(min_length=1)

    def of(self, source: str, target: str) -> CalibrationRow | None:
        """Return what is known of a target from a source."""
        return next((row for row in self.rows if (row.source, row.target) == (source, target)), None)
