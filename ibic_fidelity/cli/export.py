"""``ibic-fidelity instrument export NAME --to FORM -o FILE``: what an instrument prints for those who use it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ibic_fidelity.cli.options import Force, Lang
from ibic_fidelity.cli.output import say
from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import claim_folder, write_file

if TYPE_CHECKING:
    from ibic_fidelity.foundation.messages import Language
    from ibic_fidelity.instrument.model import Instrument
    from ibic_fidelity.instrument.parts import Source
    from ibic_fidelity.reports.document import Document


class Form(StrEnum):
    """What can be exported."""

    MANUAL = "manual"
    GUIDE = "guide"
    SHEET = "sheet"
    TRAINING = "training"
    CASES = "cases"
    KEY = "key"
    PANEL = "panel"


PRINTED = (".html", ".docx")
#: The endings of the file, or none where a folder is written.
ENDINGS = {
    Form.MANUAL: PRINTED,
    Form.GUIDE: PRINTED,
    Form.SHEET: (".xlsx",),
    Form.TRAINING: (".xlsx",),
    Form.CASES: (),
    Form.KEY: (".csv", *PRINTED),
    Form.PANEL: (),
}


def export(
    name: str = typer.Argument("ibic", help="Bundled instrument, or the path of one.", metavar="[NAME|PATH]"),
    form: Form = typer.Option(
        ...,
        "--to",
        help="manual, guide (.html .docx); sheet for ratings, training with the fictitious cases filled in (.xlsx); "
        "cases (a folder); key to them (.csv for certify, .html .docx); panel (a folder).",
    ),
    output: Path | None = typer.Option(None, "-o", "--output", help="File or folder to write.", metavar="PATH"),
    component: list[str] | None = typer.Option(
        None, "--component", help="For panel: a component instead of fidelity; repeat it for several."
    ),
    *,
    force: Force = False,
    lang: Lang = "sv",
) -> None:
    """Write what people use of an instrument: manual, guide, scoring sheets, cases and their key, a panel's forms."""
    from ibic_fidelity.instrument.reading import load_instrument

    if component and form != Form.PANEL:
        raise UsageError("cli.component_alone", form=form.value)
    endings = ENDINGS[form]
    if output is not None and endings and output.suffix.lower() not in endings:
        raise UsageError("cli.form_ending", form=form.value, path=output.name, endings=list(endings))
    instrument = load_instrument(name)
    stem = f"{form}-{instrument.id}-{instrument.version}-{lang}"
    if form == Form.PANEL:
        _write_panel(instrument, output or Path(), stem, tuple(component or ()), lang=lang, force=force)
    elif form == Form.CASES:
        _write_cases(name, instrument, output or Path(stem), lang=lang, force=force)
    else:
        path = output or Path(f"{stem}{endings[0]}")
        write_file(path, _content(form, name, instrument, path.suffix.lower(), lang), force=force)
        say("written", lang, path=str(path))


def _content(form: Form, name: str, instrument: Instrument, ending: str, lang: Language) -> str | bytes:
    if form in (Form.MANUAL, Form.GUIDE):
        from ibic_fidelity.reports.guide import discussion_guide
        from ibic_fidelity.reports.manual import audit_manual

        make = audit_manual if form == Form.MANUAL else discussion_guide
        return _printed(make(instrument, lang=lang), ending)
    from ibic_fidelity.instrument.cases import load_cases
    from ibic_fidelity.platforms.scoring_sheet import key_table, scoring_workbook

    if form == Form.SHEET:
        return scoring_workbook(instrument, _audited(instrument), lang=lang)
    cases = load_cases(name, instrument)
    if form == Form.TRAINING:
        return scoring_workbook(instrument, _audited(instrument), lang=lang, cases=cases)
    if ending == ".csv":
        return "\ufeff" + key_table(instrument, cases)
    from ibic_fidelity.reports.case_pages import key_document

    return _printed(key_document(cases, instrument, lang=lang), ending)


def _printed(document: Document, ending: str) -> str | bytes:
    return document.word() if ending == ".docx" else document.html()


def _audited(instrument: Instrument) -> Source:
    """Return the source of many audited units, or the only audited one."""
    audited = [source for source in instrument.sources if source.kind == "audit"]
    if not audited:
        raise UsageError("reports.not_audited", instrument=instrument.id)
    return next((source for source in audited if not source.single), audited[0])


def _write_cases(name: str, instrument: Instrument, folder: Path, *, lang: Language, force: bool) -> None:
    from ibic_fidelity.instrument.cases import load_cases
    from ibic_fidelity.reports.case_pages import case_document

    cases = load_cases(name, instrument)
    pages = {
        f"{case.id}{ending}": _printed(case_document(case, instrument, lang=lang), ending)
        for case in cases.cases
        for ending in PRINTED
    }
    claim_folder(folder, tuple(pages), force=force)
    for page, content in pages.items():
        write_file(folder / page, content, force=force)
    say("written", lang, path=str(folder))


def _write_panel(
    instrument: Instrument, folder: Path, stem: str, components: tuple[str, ...], *, lang: Language, force: bool
) -> None:
    from ibic_fidelity.platforms.panel_excel import panel_workbook
    from ibic_fidelity.platforms.panel_word import panel_document

    claim_folder(folder, (f"{stem}.xlsx", f"{stem}.docx"), force=force)
    for ending, made in (("xlsx", panel_workbook), ("docx", panel_document)):
        path = write_file(folder / f"{stem}.{ending}", made(instrument, components=components, lang=lang), force=force)
        say("written", lang, path=str(path))
