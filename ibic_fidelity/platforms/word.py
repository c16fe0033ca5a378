"""Word documents: written with fields to fill in, the same bytes every time, and read back by the fields' names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ibic_fidelity.foundation.archives import safe_parts
from ibic_fidelity.foundation.messages import Language

#: The part of a .docx file that holds its text.
MAIN_PART = "word/document.xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STILL = (2000, 1, 1, 0, 0, 0)  # no clock: the same bytes every time
_TAGS = {"sv": "sv-SE", "en": "en-GB"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A field where one of some answers is picked: `tag` names it, `prompt` stands there until then."""

    tag: str
    options: tuple[str, ...]
    prompt: str


@dataclass(frozen=True, slots=True)
class Blank:
    """A field to write in: `tag` names it, `prompt` stands there until then."""

    tag: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text that the document carries under a name and that nobody changes."""

    tag: str
    text: str


Field = Choice | Blank | Fixed
Cell = str | Field
Kind = Literal["plain", "strong", "small"]


class WordDocument:
    """A document that is written from top to bottom.

    Parameters
    ----------
    title : str
        Printed first, and the document's name among its properties.
    stamp : str
        What every page says of where it comes from, beside its number.
    lang : {"sv", "en"}
        The language of the text, which Word hyphenates and reads aloud by.
    landscape : bool
        Whether the pages lie down.

    Examples
    --------
    >>> document = WordDocument("Formulär", stamp="ibic 0.2.0", lang="sv")
    >>> document.table(["Fråga", "Svar"], [["Relevans", Choice("ut1.relevance", ("1", "2"), "Välj")]], widths=(8, 4))
    >>> read_fields(document.content())
    {'ut1.relevance': ''}
    """

    def __init__(self, title: str, *, stamp: str, lang: Language, landscape: bool = False) -> None:
        from docx import Document
        from docx.enum.section import WD_ORIENT
        from docx.shared import Cm

        self._made: Any = Document()
        section = self._made.sections[0]
        size = (Cm(29.7), Cm(21.0)) if landscape else (Cm(21.0), Cm(29.7))
        section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = size
        section.left_margin = section.right_margin = Cm(2.0)
        section.top_margin = section.bottom_margin = Cm(1.8)
        properties = self._made.core_properties
        properties.title, properties.author, properties.comments = title, "ibic-fidelity", stamp
        properties.language = _TAGS[lang]
        self._styles(_TAGS[lang])
        self._footer(stamp)
        self._made.add_heading(title, 0)

    def heading(self, words: str, level: int = 1) -> None:
        """Add a heading of level 1, 2 or 3."""
        self._made.add_heading(words, level)

    def paragraph(self, *cells: Cell, kind: Kind = "plain") -> None:
        """Add a paragraph of texts and fields."""
        paragraph = self._made.add_paragraph()
        for cell in cells:
            _fill(paragraph, cell, kind)

    def bullets(self, lines: Sequence[str], *, numbered: bool = False) -> None:
        """Add a list, one text a line."""
        for line in lines:
            self._made.add_paragraph(line, style="List Number" if numbered else "List Bullet")

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        widths: Sequence[float],
        strong_first: bool = False,
    ) -> None:
        """Add a table of texts and fields; `widths` are centimetres.

        An empty `header` leaves the first row out; `strong_first` makes the first column that of headings.
        """
        from docx.shared import Cm

        table = self._made.add_table(rows=0, cols=len(widths))
        table.style = "Table Grid"
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):  # what programs other than Word go by
            column.width = Cm(width)
        kinds: tuple[Kind, Kind] = ("strong", "plain")
        lines: list[tuple[Kind, Sequence[Cell]]] = [(kinds[0], header)] if header else []
        lines += [(kinds[1], row) for row in rows]
        for number, (kind, row) in enumerate(lines):
            made = table.add_row()
            _keep_whole(made, heading=bool(header) and number == 0)
            for j, (place, width, cell) in enumerate(zip(made.cells, widths, row, strict=True)):
                place.width = Cm(width)
                _fill(place.paragraphs[0], cell, kinds[0] if strong_first and j == 0 else kind)
        self._made.add_paragraph()

    def page_break(self) -> None:
        """Begin a new page."""
        self._made.add_page_break()

    def content(self) -> bytes:
        """Return the file: the same bytes for the same document."""
        written = io.BytesIO()
        self._made.save(written)
        still = io.BytesIO()
        with zipfile.ZipFile(written) as source, zipfile.ZipFile(still, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                entry = zipfile.ZipInfo(name, _STILL)
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, source.read(name))
        return still.getvalue()

    def _styles(self, tag: str) -> None:
        from docx.oxml.ns import qn
        from docx.shared import Pt, RGBColor

        for language in self._made.styles.element.iter(qn("w:lang")):
            language.set(qn("w:val"), tag)
        normal = self._made.styles["Normal"]
        normal.font.name, normal.font.size = "Calibri", Pt(10.5)
        normal.paragraph_format.space_after = Pt(4)
        for name, size in (("Title", 20), ("Heading 1", 15), ("Heading 2", 12.5), ("Heading 3", 11)):
            style = self._made.styles[name]
            style.font.name, style.font.size = "Calibri", Pt(size)
            style.font.color.rgb = RGBColor(0x08, 0x51, 0x9C)
            fonts = style.element.rPr.rFonts
            for key in [key for key in fonts.keys() if key.endswith("Theme")]:  # noqa: SIM118 - an element, no mapping
                del fonts.attrib[key]

    def _footer(self, stamp: str) -> None:
        from docx.shared import Pt

        paragraph = self._made.sections[0].footer.paragraphs[0]
        run = paragraph.add_run(f"{stamp} – ")
        run.font.size = Pt(8)
        page = _element("w:fldSimple", {"w:instr": "PAGE"})
        page.append(_run("1"))
        paragraph._p.append(page)  # python-docx has no name for fields


def _keep_whole(row: Any, *, heading: bool) -> None:
    """Keep a row on one page; the heading is repeated on the next."""
    properties = row._tr.get_or_add_trPr()  # python-docx has no name for it
    properties.append(_element("w:cantSplit", {}))
    if heading:
        properties.append(_element("w:tblHeader", {}))


def _fill(paragraph: Any, cell: Cell, kind: Kind) -> None:
    from docx.shared import Pt, RGBColor

    if not isinstance(cell, str):
        paragraph._p.append(_control(cell))  # python-docx has no name for content controls
        return
    run = paragraph.add_run(cell)
    run.bold = kind == "strong"
    if kind == "small":
        run.font.size = Pt(8.5)
        run.font.color.rgb = RGBColor(0x4A, 0x4A, 0x4A)


def _control(field: Field) -> Any:
    """Return a content control, which Word shows as a field and which keeps its name when it is filled in."""
    control = _element("w:sdt", {})
    properties = _element("w:sdtPr", {})
    control.append(properties)
    properties.append(_element("w:tag", {"w:val": field.tag}))
    fixed = isinstance(field, Fixed)
    properties.append(_element("w:lock", {"w:val": "sdtContentLocked" if fixed else "sdtLocked"}))
    if not isinstance(field, Fixed):
        properties.append(_element("w:showingPlcHdr", {}))
    if isinstance(field, Choice):
        choices = _element("w:dropDownList", {})
        choices.append(_element("w:listItem", {"w:displayText": field.prompt, "w:value": ""}))
        for option in field.options:
            choices.append(_element("w:listItem", {"w:displayText": option, "w:value": option}))
        properties.append(choices)
    else:
        properties.append(_element("w:text", {}))
    content = _element("w:sdtContent", {})
    content.append(_run(field.text if isinstance(field, Fixed) else field.prompt, grey=True))
    control.append(content)
    return control


def _run(words: str, *, grey: bool = False) -> Any:
    run = _element("w:r", {})
    if grey:
        look = _element("w:rPr", {})
        look.append(_element("w:color", {"w:val": "6B6B6B"}))
        run.append(look)
    text = _element("w:t", {"{http://www.w3.org/XML/1998/namespace}space": "preserve"})
    text.text = words
    run.append(text)
    return run


def _element(name: str, attributes: Mapping[str, str]) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(name)
    for key, value in attributes.items():
        made.set(qn(key) if key.startswith("w:") else key, value)
    return made


def read_fields(raw: bytes) -> dict[str, str]:
    """Return what stands in the fields of a Word document, by their names; untouched ones are empty.

    Parameters
    ----------
    raw : bytes
        A .docx file.

    Raises
    ------
    ArchiveError
        The file is damaged, locked, packed too much, or no Word document.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    from ibic_fidelity.foundation.archives import ArchiveError

    parts = safe_parts(raw, MAIN_PART)
    try:
        root = fromstring(parts[MAIN_PART])
    except (ParseError, DefusedXmlException, ValueError):
        raise ArchiveError("damaged") from None
    return dict(_fields(root))


def _fields(root: Any) -> Iterator[tuple[str, str]]:
    for control in root.iter(f"{{{_W}}}sdt"):
        properties = control.find(f"{{{_W}}}sdtPr")
        tag = None if properties is None else properties.find(f"{{{_W}}}tag")
        if properties is None or tag is None:
            continue
        untouched = properties.find(f"{{{_W}}}showingPlcHdr") is not None
        words = "".join(_words(control.find(f"{{{_W}}}sdtContent")))
        yield tag.get(f"{{{_W}}}val", ""), "" if untouched else words.strip()


def _words(content: Any) -> Iterator[str]:
    if content is None:
        return
    for part in content.iter():
        if part.tag == f"{{{_W}}}t":
            yield part.text or ""
        elif part.tag in (f"{{{_W}}}br", f"{{{_W}}}p", f"{{{_W}}}tab"):
            yield " "
