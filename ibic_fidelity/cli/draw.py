"""``ibic-fidelity draw FRAME -o OUT``: which case files an audit reads."""

from __future__ import annotations

from pathlib import Path

import typer

from ibic_fidelity.cli.options import Force, InstrumentName, Lang, Seed
from ibic_fidelity.cli.output import excel_csv, refuse_input, say
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import claim_folder, write_file


def draw(
    frame: Path = typer.Argument(help="List of all eligible cases (.xlsx, .csv), one a row.", metavar="FRAME"),
    output: Path = typer.Option(..., "-o", "--output", help="File to write (.csv).", metavar="FILE"),
    seed: Seed = ...,  # type: ignore[assignment]
    drawer: str = typer.Option(..., "--by", help="Who draws: a name or role, kept in the list."),
    per_site: int = typer.Option(30, "--per-site", min=1, help="How many cases of each site."),
    reserve: int = typer.Option(10, "--reserve", min=0, help="At most how many in reserve, of each area and law."),
    instrument: InstrumentName = "ibic",
    *,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Draw case files at random by site, area and law: the same seed and list give the same cases."""
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.studies.drawing import draw_files

    if output.suffix.lower() != ".csv":
        raise UsageError("cli.draw_ending", path=output.name)
    refuse_input(output, [frame])
    claim_folder(output.parent, (output.name,), force=force)
    drawn = draw_files(frame, load_instrument(instrument), seed=seed, drawer=drawer, per_site=per_site, reserve=reserve)
    write_file(output, excel_csv(drawn.table), force=force)
    typer.echo(drawn.text(lang))
    say("written", lang, path=str(output))
