"""Whether responses and instrument belong together, and what a result made of both remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.results import Provenance, library_versions, package_version
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses


def check_same_instrument(responses: Responses, instrument: Instrument) -> None:
    """Raise `UsageError` unless the responses were coded by this very instrument, to the wording."""
    coded = (responses.instrument_id, responses.instrument_version, responses.instrument_sha256)
    if coded != (instrument.id, instrument.version, instrument.sha256):
        raise UsageError(
            "responses.other_instrument",
            coded=f"{coded[0]} {coded[1]}",
            given=f"{instrument.id} {instrument.version}",
        )


def provenance_of(responses: Responses, instrument: Instrument, options: Mapping[str, Any]) -> Provenance:
    """Return from what a result is made: enough to make it again, nobody's name, no clock."""
    return Provenance(
        package=package_version(),
        instrument_id=instrument.id,
        instrument_version=instrument.version,
        instrument_status=instrument.status,
        instrument_sha256=instrument.sha256,
        data_sha256=responses.data_sha256,
        synthetic=responses.synthetic,
        options=dict(options),
        libraries=library_versions("numpy", "scipy"),
    )
