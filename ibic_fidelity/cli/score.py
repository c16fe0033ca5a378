"""``ibic-fidelity score DATA -o OUT``: scores as JSON, workbook and report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.cli.options import (
    Bootstrap,
    Confidence,
    Data,
    Encoding,
    EstimandOption,
    Force,
    InstrumentName,
    Lang,
    OneSource,
    Output,
    Partial,
    Seed,
    Separator,
    Sheet,
)
from ibic_fidelity.cli.output import print_notes, progress, say
from ibic_fidelity.cli.reading import read_data

if TYPE_CHECKING:
    from ibic_fidelity.foundation.messages import Language
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.scoring.scores import Scores

FILES = ("scores.json", "scores.xlsx", "index.html")


def score(
    data: Data,
    output: Output,
    instrument: InstrumentName = "ibic",
    sheet: Sheet = None,
    separator: Separator = None,
    encoding: Encoding = None,
    source: OneSource = None,
    *,
    partial: Partial = False,
    confidence: Confidence = 0.95,
    estimand: EstimandOption = "way_of_working",
    bootstrap: Bootstrap = 0,
    seed: Seed = 0,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Score every site, with intervals, and write scores.json, scores.xlsx and a report to open."""
    from ibic_fidelity.foundation.files import claim_folder
    from ibic_fidelity.scoring.municipalities import score_municipalities

    claim_folder(output, FILES, force=force)
    reading = {"sheet": sheet, "separator": separator, "encoding": encoding, "source": source, "partial": partial}
    responses, defined = read_data(data, instrument, **reading)
    print_notes(responses.notes, lang)
    scores = score_municipalities(
        responses, defined, confidence_level=confidence, estimand=estimand, bootstrap=bootstrap,
        seed=seed if bootstrap else None, n_jobs=-1 if bootstrap else 1,
    )  # fmt: skip
    write_scores(scores, defined, output, lang, force=force)


def write_scores(scores: Scores, instrument: Instrument, output: Path, lang: Language, *, force: bool) -> None:
    """Write everything into a folder, and print what was found and which files to open."""
    from ibic_fidelity.foundation.files import write_file
    from ibic_fidelity.reports.pages import write_reports, write_site_reports
    from ibic_fidelity.reports.workbook import scores_workbook
    from ibic_fidelity.scoring.estimands import WAY_OF_WORKING

    compared = scores.estimand == WAY_OF_WORKING
    write_pages = write_reports if compared else write_site_reports
    workbook = scores_workbook(scores, instrument, lang=lang)
    # Pages first: they check all their names before the first is written, the other names are claimed already.
    pages = write_pages(scores, instrument, output, lang=lang, force=force, progress=progress("HTML"))
    write_file(output / "scores.json", scores.to_json(), force=force)
    write_file(output / "scores.xlsx", workbook, force=force)
    _print_found(scores, instrument, lang)
    print_notes(scores.notes, lang)
    say("files_to_open", lang)
    for path in (*pages[:1], output / "scores.xlsx", output / "scores.json"):
        typer.echo(f"  {path}")
    say("site_pages", lang, n=len(pages) - compared, folder=str(pages[-1].parent))


def _print_found(scores: Scores, instrument: Instrument, lang: Language) -> None:
    import numpy as np

    from ibic_fidelity.foundation.numbers import number

    typer.echo(instrument.title[lang] + ", " + instrument.stamp(lang))
    if scores.provenance.synthetic:
        say("synthetic", lang)
    say("sites_scored", lang, n=len(scores.sites), sites=instrument.site.many[lang])
    rows = scores.rows
    for total in instrument.totals:
        mine = rows.where((rows["statistic"] == total.id) & (rows["service_area"] == ""))
        estimate = mine["estimate"].astype(float)
        shown = np.isfinite(estimate)
        if not shown.any():
            say("total_withheld", lang, total=total.label[lang], n=len(estimate))
            continue
        half = (mine["ci_high"] - mine["ci_low"])[shown].astype(float) / 2
        say(
            "total_found", lang, total=total.label[lang], n=int(shown.sum()), withheld=int((~shown).sum()),
            median=number(float(np.median(estimate[shown])), lang), low=number(estimate[shown].min(), lang),
            high=number(estimate[shown].max(), lang), half=number(float(np.median(half)), lang),
        )  # fmt: skip
