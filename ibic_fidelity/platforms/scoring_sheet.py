"""The scoring sheet of raters as a workbook whose columns `read_responses` reads, and the key in the same columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.instrument.cases import KEY_RATER, CaseSet
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.parts import Item, Scale, Source

CREATED = datetime(2000, 1, 1)  # no clock: the same bytes every time
ROWS = 200  # rows that offer the answers
KEYS = ("site", "service_area", "unit", "cluster", "rater")
TRAINING_KEYS = (*KEYS, "synthetic")
YES = "ja"
ANSWERS = 255  # characters that Excel takes in a list of answers


def scoring_workbook(
    instrument: Instrument, source: Source, *, lang: Language = "sv", cases: CaseSet | None = None
) -> bytes:
    """Return a workbook to enter ratings in.

    Parameters
    ----------
    instrument, source : Instrument, Source
        The audited source whose columns the sheet has; the sheet is named after it, by which it is read back.
    lang : {"sv", "en"}
        Language of what explains the columns; the columns' names are the same.
    cases : CaseSet, optional
        Fill in a row for each fictitious case of the source, marked as synthetic, without the answers.

    Returns
    -------
    bytes
        An .xlsx file, the same every time. Each cell offers the answers of its column and refuses others.
    """
    from xlsxwriter import Workbook

    written = io.BytesIO()
    book = Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    title, stamp = instrument.title[lang], instrument.stamp(lang)
    book.set_properties({"title": title, "comments": f"{stamp} sha256 {instrument.sha256[:12]}", "created": CREATED})
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#F4F6F8", "num_format": "@"})
    plain = book.add_format({"num_format": "@"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(source.id)
    columns = list(_columns(instrument, source))
    names = _key_names(instrument, TRAINING_KEYS if cases is not None else KEYS)
    for j, name in enumerate([*names, *(column for column, *_ in columns)]):
        sheet.write_string(0, j, name, head)
        sheet.set_column(j, j, max(len(name) + 2, 6), plain)
    for j, (_, item, wording, scale) in enumerate(columns, start=len(names)):
        sheet.write_comment(0, j, f"{item.label} {wording[lang]}", {"x_scale": 2.5, "y_scale": 1.5, "author": ""})
        options = {"validate": "list", "source": _answers(scale), "error_title": item.label}
        sheet.data_validation(1, j, ROWS, j, options)
    for i, row in enumerate(_case_rows(instrument, source, cases, rater=""), start=1):
        for j, value in enumerate(row):
            sheet.write_string(i, j, value, plain)
    sheet.freeze_panes(1, len(names))
    sheet.set_landscape()
    sheet.set_footer(f"&L&8{stamp.replace('&', '&&')} sha256 {instrument.sha256[:12]}&R&8&P / &N")
    _explain(book.add_worksheet(text("platforms.sheet_columns", lang)), instrument, columns, lang, (head, wrap))
    book.close()
    return written.getvalue()


def key_table(instrument: Instrument, cases: CaseSet) -> str:
    """Return the key as a table of answers by the rater ``facit``, to be read beside the raters' own.

    Semicolons and a first column that says the source. Give it to ``ibic-fidelity certify`` with the raters' files.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for source in instrument.sources:
        columns = [column for column, *_ in _columns(instrument, source)]
        rows = list(_case_rows(instrument, source, cases, rater=KEY_RATER))
        if not rows:
            continue
        writer.writerow([*_key_names(instrument, ("source", *TRAINING_KEYS)), *columns])
        for row in rows:
            answers = cases.of(row[TRAINING_KEYS.index("unit")])
            writer.writerow([source.id, *row, *(answers[column].code for column in columns)])
    return out.getvalue()


def _columns(instrument: Instrument, source: Source) -> Iterator[tuple[str, Item, Any, Scale]]:
    """Yield column, item, wording and scale."""
    for item, measure in instrument.measures_of(source.id):
        for part in measure.parts or (measure,):
            yield part.id, item, part.wording, instrument.by_scale[measure.scale]


def _key_names(instrument: Instrument, keys: Sequence[str]) -> list[str]:
    return [instrument.keys.get(key, (key,))[0] for key in keys]


def _case_rows(
    instrument: Instrument, source: Source, cases: CaseSet | None, *, rater: str
) -> Iterator[tuple[str, ...]]:
    """Yield the keys of each case of a source; the site is the first of the register, since cases have none."""
    site = next(iter(instrument.register_codes), "1")
    for case in () if cases is None else cases.cases:
        if case.source == source.id:
            yield site, case.service_area, case.id, "", rater, YES


def _answers(scale: Scale) -> list[str]:
    return [
        *(str(level.code) for level in scale.levels), *scale.missing.dont_know[:1], *scale.missing.not_applicable[:1]
    ]  # fmt: skip


def _explain(
    sheet: Any,
    instrument: Instrument,
    columns: list[tuple[str, Item, Any, Scale]],
    lang: Language,
    looks: tuple[Any, Any],
) -> None:
    head, wrap = looks
    for j, (name, width) in enumerate((("column", 10), ("item", 10), ("question", 70), ("answers", 40))):
        sheet.write_string(0, j, text(f"platforms.sheet_{name}", lang), head)
        sheet.set_column(j, j, width, wrap)
    for i, (column, item, wording, scale) in enumerate(columns, start=1):
        meanings = [f"{level.code} = {level.anchor[lang]}" for level in scale.levels]
        meanings += [f"{code} = {text('cli.dont_know', lang)}" for code in scale.missing.dont_know[:1]]
        meanings += [f"{code} = {text('reports.manual_code_9', lang)}" for code in scale.missing.not_applicable[:1]]
        for j, words in enumerate((column, item.label, wording[lang], "; ".join(meanings))):
            sheet.write_string(i, j, words, wrap)
    sheet.write_string(len(columns) + 2, 2, instrument.stamp(lang), wrap)
    sheet.freeze_panes(1, 0)
