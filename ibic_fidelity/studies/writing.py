"""Simulated data as files: answers as people would send them, and the truth beside them."""

from __future__ import annotations

from pathlib import Path

from ibic_fidelity.foundation.files import write_file
from ibic_fidelity.foundation.results import Records
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.responses.model import Responses
from ibic_fidelity.responses.writing import responses_csv
from ibic_fidelity.studies.generate import Study


def write_study(study: Study, folder: Path, names: tuple[str, str, str], *, force: bool = False) -> tuple[Path, ...]:
    """Write answers, truth and outcomes of a study under three names; the answers say that they are synthetic."""
    return write_synthetic(study.responses, study.instrument, folder, names, (study.truth, study.outcomes), force=force)


def write_synthetic(
    responses: Responses,
    instrument: Instrument,
    folder: Path,
    names: tuple[str, ...],
    records: tuple[Records, ...],
    *,
    force: bool = False,
) -> tuple[Path, ...]:
    """Write answers under the first of some names, and records of what was planted under the others."""
    contents = (responses_csv(responses, instrument), *map(_csv, records))
    return tuple(
        write_file(folder / name, "\ufeff" + content, force=force)
        for name, content in zip(names, contents, strict=True)
    )


def _csv(records: Records) -> str:
    """Return records with semicolons and decimal commas, figures to four decimals, marked as synthetic."""
    lines = [";".join([*records.columns, "synthetic"])]
    for row in records.rows():
        cells = [f"{value:.4f}".replace(".", ",") if isinstance(value, float) else str(value) for value in row.values()]
        lines.append(";".join([*cells, "ja"]))
    return "\r\n".join(lines) + "\r\n"
