"""Options that mean the same in every command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ibic_fidelity.foundation.messages import Language

Estimand = Literal["way_of_working", "this_period"]  # as in scoring, which costs time to import

Lang = Annotated[Language, typer.Option("--lang", help="Language of what is printed and written.")]
InstrumentName = Annotated[
    str,
    typer.Option("--instrument", "-i", help="Bundled instrument, or the path of one.", metavar="NAME|PATH"),
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.", metavar="FOLDER")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random.")]
Data = Annotated[
    list[Path],
    typer.Argument(help="File(s) of answers (.csv .tsv .xlsx .sav .dta), or a folder of them.", metavar="DATA..."),
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook that has several.")]
Separator = Annotated[str | None, typer.Option("--sep", help="Separator of a delimited file, if it is not found.")]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Encoding of a text file, if it is not found.")]
OneSource = Annotated[
    str | None, typer.Option("--source", help="Source of all rows, where a file has no column that says it.")
]
Partial = Annotated[bool, typer.Option("--partial", help="Accept missing item columns; what needs them is withheld.")]
Confidence = Annotated[float, typer.Option("--confidence", help="Confidence level of intervals.")]
EstimandOption = Annotated[
    Estimand,
    typer.Option(
        "--estimand",
        help="What scores are about: how the site works, to compare and band by, or this period's files and staff.",
    ),
]
Bootstrap = Annotated[
    int,
    typer.Option("--bootstrap", min=0, help="Replicates of a cluster bootstrap beside the intervals; 2000 is usual."),
]
Scales = Annotated[list[str] | None, typer.Option("--scale", help="A reflective component; repeat it for several.")]
Wave = Annotated[str | None, typer.Option("--wave", help="The occasion to take, where the data hold several.")]
Goal = Annotated[float, typer.Option("--goal", help="The dependability (Φ) that numbers of files are sought for.")]
StatisticsFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write a page (.html), a workbook (.xlsx) or a table (.csv).", metavar="FILE"),
]
CalibrationFile = Annotated[
    Path | None,
    typer.Option("--calibration", help="Also write what an instrument can carry of it (.yaml).", metavar="FILE"),
]
Occasions = Annotated[
    str | None,
    typer.Option(
        "--occasions",
        help="For --calibration: two waves, FIRST,SECOND, between which nothing real changed.",
        metavar="WAVES",
    ),
]
