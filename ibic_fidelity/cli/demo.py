"""``ibic-fidelity demo``: the whole job on bundled synthetic data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ibic_fidelity.cli.options import Lang, Output
from ibic_fidelity.cli.output import say, write_precision, write_statistics
from ibic_fidelity.foundation.messages import Language

if TYPE_CHECKING:
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.responses.model import Responses

PILOT, RETEST, CERTIFICATION = "pilot.csv", "retest.csv", "certification.csv"
WAVES = ("2026-03", "2026-04")


def demo(output: Output = Path("ibic-fidelity-demo"), lang: Lang = "sv") -> None:
    """Run the whole job on the bundled synthetic pilot of 24 municipalities, into a folder."""
    from ibic_fidelity.cli.compare import write_comparison
    from ibic_fidelity.cli.score import write_scores
    from ibic_fidelity.disclosure.publishing import publish
    from ibic_fidelity.instrument.reading import load_instrument
    from ibic_fidelity.reports.public import write_published
    from ibic_fidelity.responses.reading import read_responses
    from ibic_fidelity.scoring.comparison.overall import compare_all
    from ibic_fidelity.scoring.municipalities import score_municipalities

    _check_folder(output)
    say("demo_starts", lang, folder=str(output))
    for name in (PILOT, RETEST, CERTIFICATION):
        _copy(name, output)
    instrument = load_instrument("ibic")
    responses = read_responses(output / PILOT, instrument)
    say(
        "demo_read",
        lang,
        rows=sum(table.n for table in responses.tables.values()),
        sites=len(responses.sites),
    )
    scores = score_municipalities(responses, instrument)
    write_scores(scores, instrument, output, lang, force=True)
    write_comparison(compare_all(responses, instrument), instrument, output, lang=lang, force=True)
    write_published(output / "published.csv", publish(scores, instrument), instrument, lang=lang, force=True)
    _write_reliability(responses, instrument, output, lang)
    say("demo_ends", lang, folder=str(output))


def _check_folder(folder: Path) -> None:
    """Refuse a folder with files of which none says that it comes from an earlier demo."""
    from ibic_fidelity.errors import FileError

    if folder.is_dir() and any(folder.iterdir()) and not (folder / PILOT).is_file():
        raise FileError("cli.demo_folder", folder=str(folder))


def _copy(name: str, folder: Path) -> None:
    """Put bundled data into the folder, in the place of an earlier demo's, but not of what somebody has changed."""
    from ibic_fidelity.foundation.files import bundled, read_bytes, write_file

    data = read_bytes(bundled("data/synthetic") / name)
    unchanged = (folder / name).is_file() and read_bytes(folder / name) == data
    write_file(folder / name, data, force=unchanged)


def _write_reliability(responses: Responses, instrument: Instrument, folder: Path, lang: Language) -> None:
    """Write a page a question: scales, precision, raters, certification, occasions; and the scales for Excel."""
    from ibic_fidelity.dossier.certification import rater_certification
    from ibic_fidelity.dossier.occasions import occasion_reliability
    from ibic_fidelity.dossier.precision import site_precision
    from ibic_fidelity.dossier.raters import rater_agreement
    from ibic_fidelity.dossier.reliability import component_reliability
    from ibic_fidelity.dossier.structure import scale_structure
    from ibic_fidelity.responses.reading import read_responses

    structure = scale_structure(responses, instrument)
    reliability = component_reliability(responses, instrument)
    twice = read_responses(folder / RETEST, instrument)
    gold = read_responses(folder / CERTIFICATION, instrument)
    for name, statistics in {
        "reliability.html": reliability,
        "reliability.xlsx": reliability,
        "structure.html": structure,
        "raters.html": rater_agreement(responses, instrument),
        "certification.html": rater_certification(gold, instrument, gold="facit"),
        "retest.html": occasion_reliability(twice, instrument, first=WAVES[0], second=WAVES[1]),
    }.items():
        write_statistics(folder / name, statistics, instrument, lang=lang, force=True)
    write_precision(folder / "precision.html", site_precision(responses, instrument), instrument, lang=lang, force=True)
