"""What commands that read answers have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.responses.model import Responses


def files_of(data: list[Path]) -> Path | tuple[Path, ...]:
    """Return one path, or several as the reader takes them."""
    return data[0] if len(data) == 1 else tuple(data)


def read_data(data: list[Path], instrument: str, **options: str | bool | None) -> tuple[Responses, Instrument]:
    """Return answers and the instrument that coded them; `options` are those of `read_responses`."""
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.responses.reading import read_responses

    defined = load_instrument(instrument)
    return read_responses(files_of(data), defined, **options), defined  # type: ignore[arg-type]
