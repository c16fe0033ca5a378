"""``instrument export``: each form in each language, and what is refused before anything is written."""

import pytest

FORMS = [
    ("manual", "m.html"), ("manual", "m.docx"), ("guide", "g.html"), ("guide", "g.docx"), ("sheet", "s.xlsx"),
    ("training", "t.xlsx"), ("key", "k.csv"), ("key", "k.html"), ("key", "k.docx"),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["sv", "en"])
@pytest.mark.parametrize(("form", "name"), FORMS)
def test_each_form_is_written(cli, tmp_path, form, name, lang):
    ran = cli("instrument", "export", "ibic", "--to", form, "-o", tmp_path / name, "--lang", lang)
    assert ran.code == 0, ran.text
    assert ran.out.strip().endswith(name)
    content = (tmp_path / name).read_bytes()
    if name.endswith(".html"):
        assert f'<html lang="{lang}">'.encode() in content
    elif not name.endswith(".csv"):
        assert content.startswith(b"PK")


def test_cases_are_written_into_a_folder_and_stay_unless_forced(cli, tmp_path):
    folder = tmp_path / "akter"
    call = ("instrument", "export", "ibic", "--to", "cases", "-o", folder)
    assert cli(*call).code == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"akt{n:02d}{ending}" for n in range(1, 13) for ending in (".html", ".docx")
    )
    assert cli(*call).code == 4
    assert cli(*call, "--force").code == 0


def test_the_key_goes_straight_to_certify(cli, tmp_path):
    key = tmp_path / "facit.csv"
    assert cli("instrument", "export", "ibic", "--to", "key", "-o", key).code == 0
    own = tmp_path / "g01.csv"
    own.write_text(key.read_text(encoding="utf-8").replace(";facit;", ";g01;"), encoding="utf-8")
    ran = cli("certify", key, own, "--gold", "facit")
    assert ran.code == 0, ran.text
    assert "g01" in ran.out


BAD = [
    (("ibic", "--to", "manual", "-o", "m.pdf"), 2, (".html", ".docx")),
    (("ibic", "--to", "sheet", "-o", "s.csv"), 2, (".xlsx",)),
    (("ibic", "--to", "key", "-o", "k.xlsx"), 2, (".csv",)),
    (("ibic", "--to", "poster", "-o", "p.html"), 2, ("poster",)),
    (("lq2002", "--to", "manual", "-o", "m.html"), 2, ("lq2002",)),
    (("lq2002", "--to", "sheet", "-o", "s.xlsx"), 2, ("lq2002",)),
    (("lq2002", "--to", "guide", "-o", "g.html"), 2, ("lq2002",)),
    (("lq2002", "--to", "cases", "-o", "akter"), 2, ("lq2002",)),
    (("lq2002", "--to", "key", "-o", "k.csv"), 2, ("lq2002",)),
    (("no-such", "--to", "manual", "-o", "m.html"), 2, ("no-such",)),
]


@pytest.mark.parametrize(("arguments", "code", "says"), BAD)
def test_what_cannot_be_written_is_refused(cli, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    ran = cli("instrument", "export", *arguments)
    assert ran.code == code
    assert all(word in ran.text for word in says), ran.text
    assert not list(tmp_path.iterdir())
