"""Word documents: fields come back by name, the bytes are still, and a bad file is refused."""

import io
import re
import zipfile

import pytest

from ibic_fidelity.foundation.archives import ArchiveError
from ibic_fidelity.platforms.word import Blank, Choice, Fixed, WordDocument, read_fields


def made(lang="sv"):
    document = WordDocument("Titel <&>", stamp="prov 1.0.0", lang=lang, landscape=True)
    document.heading("Rubrik")
    document.paragraph("Text ", Fixed("form", "prov|1.0.0"), kind="small")
    document.bullets(["ett", "två"])
    document.bullets(["först"], numbered=True)
    rows = [["Fråga", Choice("a.relevance", ("1", "2"), "Välj")], ["Kommentar", Blank("a.comment", "Skriv")]]
    document.table(["Vad", "Svar"], rows, widths=(8, 10))
    document.page_break()
    return document.content()


def changed(raw, change, part="word/document.xml"):
    """The file with one part changed, as a program that saves it would."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(written, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, change(data) if name == part else data)
    return written.getvalue()


def test_fields_come_back_by_name_and_untouched_ones_are_empty():
    assert read_fields(made()) == {"form": "prov|1.0.0", "a.relevance": "", "a.comment": ""}


def test_a_field_that_somebody_filled_in_is_read():
    def fill(xml):
        words = xml.decode().replace("<w:showingPlcHdr/>", "")
        return re.sub(r">Välj<", ">2<", words).replace(">Skriv<", "> Bra <").encode()

    assert read_fields(changed(made(), fill)) == {"form": "prov|1.0.0", "a.relevance": "2", "a.comment": "Bra"}


def test_the_same_document_is_the_same_bytes():
    assert made() == made()


@pytest.mark.parametrize(("lang", "tag"), [("sv", "sv-SE"), ("en", "en-GB")])
def test_the_language_of_the_text_is_told(lang, tag):
    with zipfile.ZipFile(io.BytesIO(made(lang))) as archive:
        assert f'w:lang w:val="{tag}"' in archive.read("word/styles.xml").decode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(b"PK\x03\x04 no more", "damaged", id="cut"),
        pytest.param(made()[:4000], "damaged", id="half of it"),
        pytest.param(changed(made(), lambda xml: xml[:-40]), "damaged", id="broken XML"),
        pytest.param(changed(made(), lambda xml: b"<!DOCTYPE a>" + xml), "doctype", id="document type"),
    ],
)
def test_a_bad_file_is_refused(raw, why):
    with pytest.raises(ArchiveError) as caught:
        read_fields(raw)
    assert caught.value.why == why


def test_a_workbook_is_no_document():
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(ArchiveError, match="wrong_content"):
        read_fields(written.getvalue())
