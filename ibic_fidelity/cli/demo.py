"""``ibic-fidelity demo``: the whole job on bundled synthetic data."""

from __future__ import annotations

from pathlib import Path

from ibic_fidelity.cli.options import Lang, Output
from ibic_fidelity.cli.output import excel_csv, say

PILOT = "pilot.csv"


def demo(output: Output = Path("ibic-fidelity-demo"), lang: Lang = "sv") -> None:
    """Run the whole job on the bundled synthetic pilot of 24 municipalities, into a folder."""
    from ibic_fidelity.cli.score import score_into
    from ibic_fidelity.dossier.reliability import component_reliability
    from ibic_fidelity.foundation.files import bundled, read_bytes, write_file
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.responses.reading import read_responses

    say("demo_starts", lang, folder=str(output))
    pilot = read_bytes(bundled("data/synthetic") / PILOT)
    # The demo replaces what an earlier demo wrote, but not a pilot that somebody has changed since.
    unchanged = (output / PILOT).is_file() and read_bytes(output / PILOT) == pilot
    write_file(output / PILOT, pilot, force=unchanged)
    instrument = load_instrument("ibic")
    responses = read_responses(output / PILOT, instrument)
    say(
        "demo_read",
        lang,
        rows=sum(table.n for table in responses.tables.values()),
        sites=len(responses.sites),
    )
    score_into(responses, instrument, output, lang, confidence=0.95, force=True)
    reliability = component_reliability(responses, instrument)
    write_file(output / "reliability.csv", excel_csv(reliability.table), force=True)
    say("demo_ends", lang, folder=str(output))
