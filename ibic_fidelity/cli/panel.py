"""``ibic-fidelity panel FILES... -o OUT``: what an expert panel's forms say."""

from __future__ import annotations

from pathlib import Path

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
