"""``ibic-fidelity panel FILES... -o OUT`` and ``instrument export --to panel``: an expert panel's forms."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import typer

from ibic_fidelity.cli.options import Force, InstrumentName, Lang, Output
from ibic_fidelity.cli.output import excel_csv, say
from ibic_fidelity.foundation.files import claim_folder, write_file

REPORT, BOOK, TABLE = "panel.html", "panel.xlsx", "panel.csv"


def panel(
    files: list[Path] = typer.Argument(help="Filled-in forms (.xlsx, .docx), or a folder of them.", metavar="FILES..."),
    output: Output = Path("panel"),
    instrument: InstrumentName = "ibic",
    expert: list[str] | None = typer.Option(None, "--expert", help="A code of the panel; repeat it for all of them."),
    cognitive: Path | None = typer.Option(None, "--cognitive", help="Log of cognitive interviews (.xlsx, .csv)."),
    *,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Read a panel's forms, and write its indices and a proposal for each item: report, workbook, table."""
    from ibic_fidelity.dossier.item_review import review_items
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.reports.panel import panel_report, panel_results_workbook
    from ibic_fidelity.responses.cognitive import read_cognitive
    from ibic_fidelity.responses.panel import read_panel

    claim_folder(output, (REPORT, BOOK, TABLE), force=force)
    defined = load_instrument(instrument)
    review = review_items(read_panel(files, defined, experts=expert or ()), defined)
    log = None if cognitive is None else read_cognitive(cognitive, defined)
    write_file(output / REPORT, panel_report(review, defined, cognitive=log, lang=lang), force=force)
    write_file(output / BOOK, panel_results_workbook(review, defined, cognitive=log, lang=lang), force=force)
    write_file(output / TABLE, excel_csv(review.table), force=force)
    typer.echo(review.text(lang))
    say("written", lang, path=str(output))


def export(
    name: str = typer.Argument("ibic", help="Bundled instrument, or the path of one.", metavar="[NAME|PATH]"),
    *,
    to: Literal["panel"] = typer.Option(..., "--to", help="What to make: panel (rating forms, Excel and Word)."),
    component: list[str] | None = typer.Option(None, "--component", help="A component; repeat it for several."),
    output: Output = Path(),
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Write forms of an instrument. For a panel: the items of fidelity, or of the components named."""
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.platforms.panel_excel import panel_workbook
    from ibic_fidelity.platforms.panel_word import panel_document

    instrument = load_instrument(name)
    stem = f"{to}-{instrument.id}-{instrument.version}-{lang}"
    claim_folder(output, (f"{stem}.xlsx", f"{stem}.docx"), force=force)
    chosen = tuple(component or ())
    for ending, made in (("xlsx", panel_workbook), ("docx", panel_document)):
        path = write_file(output / f"{stem}.{ending}", made(instrument, components=chosen, lang=lang), force=force)
        say("written", lang, path=str(path))
