"""``ibic-fidelity instrument diff | revise``: versions of an instrument."""

from __future__ import annotations

from pathlib import Path

import typer

from ibic_fidelity.cli.options import Force, Lang
from ibic_fidelity.cli.output import print_notes, say
from ibic_fidelity.foundation.files import claim_folder, write_file


def diff(
    old: str = typer.Argument(help="The old version: a bundled name or a path.", metavar="OLD"),
    new: str = typer.Argument(help="The new version.", metavar="NEW"),
    lang: Lang = "sv",
) -> None:
    """Show what differs between two versions, and what stays comparable."""
    from ibic_fidelity.instrument.differences import diff_instruments
    from ibic_fidelity.instrument.reading import load_instrument

    typer.echo(diff_instruments(load_instrument(old), load_instrument(new)).text(lang))


def revise(
    name: str = typer.Argument(help="Bundled instrument, or the path of one.", metavar="INSTRUMENT"),
    decisions: Path = typer.Argument(help="Decisions (.xlsx or .csv), one a row.", metavar="DECISIONS"),
    *,
    version: str = typer.Option(..., "--version", help="The new version, such as 0.3.0."),
    output: Path = typer.Option(..., "-o", "--output", help="Folder of the new version.", metavar="FOLDER"),
    lang: Lang = "sv",
    force: Force = False,
) -> None:
    """Make a new version: retain, reword, drop, each with evidence and date, kept in its change log.

    Columns of DECISIONS: item, decision (retain, reword, drop), evidence, date; for rewordings also field (wording,
    idea, definition, easy, look, doubt, a part's id, anchor:0), source, sv, en.
    """
    from ibic_fidelity.instrument import revision
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.instrument.writing import instrument_yaml
    from ibic_fidelity.platforms.decisions import read_decisions

    made = revision.revise(load_instrument(name), read_decisions(decisions), version=version)
    files = instrument_yaml(made.instrument)
    claim_folder(output, tuple(files), force=force)
    for file, content in files.items():
        write_file(output / file, content, force=force)
    typer.echo(made.diff.text(lang))
    print_notes(made.notes, lang)
    if made.undecided:
        say("undecided", lang, n=len(made.undecided))
    say("written", lang, path=str(output))
