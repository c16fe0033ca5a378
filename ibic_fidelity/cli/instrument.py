"""``ibic-fidelity instrument list | show | check``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.cli.options import Lang
from ibic_fidelity.cli.output import say
from ibic_fidelity.foundation.messages import text

if TYPE_CHECKING:
    from ibic_fidelity.foundation.messages import Language
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.instrument.parts import Measure, Scale

app = typer.Typer(help="Look at instruments.", no_args_is_help=True, rich_markup_mode=None)
_NAME = typer.Argument("ibic", help="Bundled instrument, or the path of one.", metavar="[NAME|PATH]")


@app.command("list")
def list_instruments(lang: Lang = "sv") -> None:
    """List the bundled instruments."""
    from ibic_fidelity.instrument.reading import bundled_instruments, load_instrument

    for name in bundled_instruments():
        instrument = load_instrument(name)
        typer.echo(f"{name}: {instrument.title[lang]}, {instrument.stamp(lang)}")


@app.command("show")
def show(
    name: str = _NAME,
    *,
    columns: bool = typer.Option(False, "--columns", help="Show the columns of a data file, one a line."),
    lang: Lang = "sv",
) -> None:
    """Show an instrument: its sources, components and items, or the columns that a file of answers has."""
    from ibic_fidelity.instrument.reading import load_instrument

    instrument = load_instrument(name)
    if columns:
        for line in _column_lines(instrument, lang):
            typer.echo(line)
        return
    typer.echo(f"{instrument.title[lang]}, {instrument.stamp(lang)}")
    typer.echo(instrument.about[lang])
    for source in instrument.sources:
        n = len(instrument.measures_of(source.id))
        say("source_line", lang, source=source.label[lang], id=source.id, n=n, minimum=source.minimum)
        if source.introduction is not None:
            typer.echo(f"  {source.introduction[lang]}")
    for component in instrument.components:
        typer.echo(f"\n{component.label[lang]} [{component.id}; {component.dimension}; {component.measurement_model}]")
        for item in instrument.items_of(component.id):
            sources = ", ".join(measure.source for measure in item.measures)
            typer.echo(f"  {item.label:6} {item.idea[lang]} ({sources})")


def _column_lines(instrument: Instrument, lang: Language) -> Iterator[str]:
    """Yield source, column, codes with their texts, wording, and when 9 is right, separated by tabs."""
    for source in instrument.sources:
        for item, measure in instrument.measures_of(source.id):
            rule = item.not_applicable[lang] if item.not_applicable is not None else ""
            for part in measure.parts or (measure,):
                codes = _codes(instrument.by_scale[measure.scale], measure, lang)
                reversed_ = text("cli.reversed", lang) if item.reverse else ""
                wording = f"{item.label} {part.wording[lang]}{reversed_}"
                yield "\t".join([source.id, part.id, codes, wording, rule])
    for column, (counted, kind) in instrument.count_columns().items():
        label = instrument.by_source[counted].label[lang]
        yield "\t".join(["register", column, "n", text(f"cli.count_{kind}", lang, source=label), ""])


def _codes(scale: Scale, measure: Measure, lang: Language) -> str:
    """Return the codes of a column and what each means."""
    if scale.type == "register":
        return f"{scale.lowest:g}–{scale.highest:g}; {measure.id}n = n"
    anchors = measure.anchors or tuple(level.anchor for level in scale.levels)
    codes = [f"{level.code} = {anchor[lang]}" for level, anchor in zip(scale.levels, anchors, strict=True)]
    missing = (("dont_know", scale.missing.dont_know), ("not_applicable", scale.missing.not_applicable))
    codes += [f"{words[0]} = {text(f'cli.{kind}', lang)}" for kind, words in missing if words]
    return "; ".join(codes)


@app.command("check")
def check(name: str = _NAME, lang: Lang = "sv") -> None:
    """Check an instrument: faults with file and line (exit 3), then advice on wording and design."""
    from ibic_fidelity.instrument.checks import check_instrument
    from ibic_fidelity.instrument.reading import load_instrument

    instrument = load_instrument(name)
    result = check_instrument(instrument)
    for severity in ("warning", "information"):
        findings = [finding for finding in result.findings if finding.severity == severity]
        if findings:
            say("check_warning" if severity == "warning" else "check_information", lang, n=len(findings))
        for code in dict.fromkeys(finding.message.code for finding in findings):
            alike = [finding for finding in findings if finding.message.code == code]
            for finding in alike:
                typer.echo(f"- {finding.message.text(lang)}")
            typer.echo(f"  → {alike[0].remedy(lang)}")
    warnings = len(result.warnings)
    say("instrument_checked", lang, items=len(instrument.items), warnings=warnings, total=len(result.findings))
