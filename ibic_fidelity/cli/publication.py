"""``ibic-fidelity publish DATA -o FILE``: scores from which nobody's answers can be worked out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
)
from ibic_fidelity.cli.output import print_notes, refuse_input, say
from ibic_fidelity.cli.reading import read_data
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import claim_folder

PublicFile = Annotated[
    Path, typer.Option("-o", "--output", help="File to write: a table (.csv) or JSON (.json).", metavar="FILE")
]


def publish(
    data: Data,
    output: PublicFile,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Write the scores that may be made public: what could show few people's answers is hidden, with the reason."""
    from ibic_fidelity.disclosure.publishing import publish as published_of
    from ibic_fidelity.reports.public import ENDINGS, write_published
    from ibic_fidelity.scoring.municipalities import score_municipalities

    refuse_input(output, data)
    if output.suffix.lower() not in ENDINGS:
        raise UsageError("disclosure.ending", path=output.name, endings=list(ENDINGS))
    claim_folder(output.parent, (output.name,), force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    scores = score_municipalities(responses, defined, confidence_level=confidence)
    published = published_of(scores, defined)
    write_published(output, published, defined, lang=lang, force=force)
    say("published", lang, shown=len(published.rows) - len(published.hidden), hidden=len(published.hidden))
    for reason, n in published.hidden["reason"].value_counts().items():
        typer.echo(f"  · {published.reason_text(str(reason), lang)}: {n}")
    say("written", lang, path=str(output))
