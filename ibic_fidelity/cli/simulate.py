"""``ibic-fidelity simulate``: a synthetic study with its truth."""

from __future__ import annotations

import typer

from ibic_fidelity.cli.options import Force, InstrumentName, Lang, Output, Seed
from ibic_fidelity.cli.output import say

FILES = ("answers.csv", "truth.csv", "outcomes.csv")


def simulate(
    output: Output,
    instrument: InstrumentName = "ibic",
    sites: int = typer.Option(24, help="Number of sites."),
    files: int = typer.Option(30, help="Audited files in each site."),
    assessors: int = typer.Option(5, help="Assessors in each site."),
    users: int = typer.Option(30, help="Users asked in each site."),
    raters: int = typer.Option(8, help="Raters of the whole audit."),
    *,
    seed: Seed = 0,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Simulate answers with a known truth: answers.csv, truth.csv and outcomes.csv, marked as synthetic."""
    from ibic_fidelity.foundation.files import claim_folder
    from ibic_fidelity.studies.design import StudyDesign
    from ibic_fidelity.studies.generate import simulate_study
    from ibic_fidelity.studies.writing import write_study

    claim_folder(output, FILES, force=force)
    design = StudyDesign(
        instrument=instrument, n_sites=sites, files=files, assessors=assessors, users=users, raters=raters
    )
    for path in write_study(simulate_study(design, seed=seed), output, FILES, force=force):
        say("written", lang, path=str(path))
