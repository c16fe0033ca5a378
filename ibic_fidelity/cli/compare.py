"""``ibic-fidelity compare DATA -o OUT``: what can be told apart between sites, and what cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ibic_fidelity.cli.options import (
    Confidence,
    Data,
    Encoding,
    Force,
    InstrumentName,
    Lang,
    OneSource,
    Output,
    Partial,
    Seed,
    Separator,
    Sheet,
    Wave,
)
from ibic_fidelity.cli.output import print_notes, say
from ibic_fidelity.cli.reading import read_data

if TYPE_CHECKING:
    from ibic_fidelity.foundation.messages import Language
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.scoring.comparison.overall import OverallComparison

FILES = ("comparison.html", "comparison.xlsx", "comparison.json")
Target = Annotated[
    str | None,
    typer.Option("--target", help="Id of a total or component; by default the first total.", metavar="ID"),
]
Groups = Annotated[
    Path | None,
    typer.Option("--groups", help="Groups of peers: a .csv with the columns code and group.", metavar="FILE"),
]
Column = Annotated[str, typer.Option("--group-column", help="The column of --groups that names the group.")]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", help="A panel's weights: a .csv with the columns component and weight.", metavar="FILE"),
]
Earlier = Annotated[
    str | None, typer.Option("--earlier", help="The wave that change is counted from; by default the one before.")
]


def compare(
    data: Data,
    output: Output,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    target: Target = None,
    wave: Wave = None,
    earlier: Earlier = None,
    groups: Groups = None,
    column: Column = "group",
    weights: Weights = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    seed: Seed = 0,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Compare sites in every way that the data allow, and write a page, a workbook and JSON."""
    from ibic_fidelity.foundation.files import claim_folder
    from ibic_fidelity.instrument.registers import read_weights
    from ibic_fidelity.scoring.comparison.overall import compare_all
    from ibic_fidelity.scoring.comparison.peers import COUNTY

    claim_folder(output, FILES, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    compared = compare_all(
        responses, defined, target=target, wave=wave, earlier=earlier, groups=groups or COUNTY, column=column,
        weights=None if weights is None else read_weights(weights), confidence_level=confidence, seed=seed,
    )  # fmt: skip
    write_comparison(compared, defined, output, lang=lang, force=force)
    say("files_to_open", lang)
    for name in FILES:
        typer.echo(f"  {output / name}")


def write_comparison(
    compared: OverallComparison, instrument: Instrument, output: Path, *, lang: Language, force: bool
) -> None:
    """Write a comparison as page, workbook and JSON."""
    from ibic_fidelity.foundation.files import write_file
    from ibic_fidelity.reports.comparison import comparison_report, comparison_workbook

    made: tuple[str | bytes, ...] = (
        comparison_report(compared, instrument, lang=lang),
        comparison_workbook(compared, instrument, lang=lang),
        compared.to_json(),
    )
    for name, content in zip(FILES, made, strict=True):
        write_file(output / name, content, force=force)
