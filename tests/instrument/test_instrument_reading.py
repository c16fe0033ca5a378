"""Strict YAML: what authors get wrong, each with its code and its line."""

import textwrap

import pytest

from ibic_fidelity.errors import FileError, InstrumentError, UsageError
from ibic_fidelity.foundation.messages import LANGUAGES
from ibic_fidelity.instrument.reading import bundled_instruments, load_instrument

GOOD = textwrap.dedent("""\
    format: 1
    id: mini
    version: 0.1.0
    status: candidate
    rubric: none
    title: {sv: Litet, en: Small}
    about: {sv: Ett litet, en: A small one}
    site:
      one: {sv: ort, en: place}
      many: {sv: orter, en: places}
    keys:
      site: [0114, no]
    sources:
      - id: staff
        label: {sv: Personal, en: Staff}
        kind: survey
        unit: {sv: person, en: person}
        units: {sv: personer, en: persons}
    scales:
      - id: extent
        type: levels
        levels:
          - {code: 0, anchor: {sv: no, en: off}}
          - {code: 1, anchor: {sv: Ja, en: Yes}}
    components:
      - id: one
        label: {sv: En, en: One}
        dimension: experience
        measurement_model: formative
    references:
      - {id: src, citation: En källa}
    items:
      - id: i1
        label: I1
        component: one
        idea: {sv: Något, en: Something}
        measures:
          - id: i1
            source: staff
            scale: extent
            role: primary
            wording: {sv: Är det så?, en: Is it so?}
        rationale: {sv: Därför., en: Because.}
        cites: [src]
    """)


@pytest.fixture
def load(tmp_path):
    def read(text):
        path = tmp_path / "instrument.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_instrument(path)

    return read


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def nested(depth: int) -> str:
    return GOOD + "deep: " + "[" * depth + "]" * depth + "\n"


def with_id(name: str) -> str:
    return changed("  - id: i1\n    label", f"  - id: {name}\n    label")


def with_bands(*lows: float) -> str:
    bands = (f"{{id: b{i}, label: {{sv: Nr {i}, en: No {i}}}, low: {low}}}" for i, low in enumerate(lows))
    return f"{GOOD}bands: [{', '.join(bands)}]\n"


def two_formats() -> str:
    scale = GOOD[GOOD.index("  - id: extent") : GOOD.index("components:")]
    item = GOOD[GOOD.index("  - id: i1\n    label") :]
    more = changed("components:", scale.replace("extent", "often") + "components:")
    return more + item.replace("id: i1", "id: i2").replace("extent", "often")


def with_variants(variants: str) -> str:
    lawful = changed("        role: primary\n", f"        role: primary\n        by_law: {{{variants}}}\n")
    return lawful.replace("    label: I1\n", "    label: I1\n    law: [SoL, LSS]\n")


SECOND_ITEM = GOOD[GOOD.index("  - id: i1\n    label") :].replace("- id: i1\n        so", "- id: i2\n        so")
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
BAD = {
    "key twice": (GOOD + "status: pilot\n", "instrument.key_twice", line_of(GOOD + "§", "§")),
    "alias bomb": (BOMB, "instrument.alias", 1),
    "alias only": (GOOD + "x: *nothing\n", "instrument.alias", line_of(GOOD + "§", "§")),
    "tab": (
        changed("  one: {sv: ort", "\tone: {sv: ort"),
        "instrument.yaml",
        line_of(GOOD, "  one: {sv: ort"),
    ),
    "python tag": (
        changed("version: 0.1.0", "version: !!python/name:os.system 0.1.0"),
        "instrument.tag",
        line_of(GOOD, "version"),
    ),
    "own tag": (
        changed("version: 0.1.0", "version: !mine 0.1.0"),
        "instrument.tag",
        line_of(GOOD, "version"),
    ),
    "status without studies": (
        changed("status: candidate", "status: validated"),
        "instrument.status_without_studies",
        line_of(GOOD, "status:"),
    ),
    "tag on a list": (
        changed("  - {id: src, citation: En källa}", "  - !!python/object:os.system {id: src, citation: En källa}"),
        "instrument.tag",
        line_of(GOOD, "  - {id: src"),
    ),
    "missing sv": (
        changed("{sv: Något, en: Something}", "{en: Something}"),
        "instrument.missing_field",
        line_of(GOOD, "idea:"),
    ),
    "empty sv": (
        changed("{sv: Något, en: Something}", "{sv: '', en: Something}"),
        "instrument.empty_text",
        line_of(GOOD, "idea:"),
    ),
    "unknown component": (
        changed("component: one", "component: two"),
        "instrument.dangling",
        line_of(GOOD, "- id: i1\n    label"),
    ),
    "anchor count": (
        changed("        role: primary\n", "        role: primary\n        anchors: [{sv: a, en: b}]\n"),
        "instrument.anchor_count",
        None,
    ),
    "empty file": ("", "instrument.empty_file", 1),
    "only a comment": ("# inget\n", "instrument.empty_file", 1),
    "not UTF-8": (GOOD.encode("latin-1"), "instrument.not_utf8", line_of(GOOD, "källa")),
    "item twice": (GOOD + SECOND_ITEM, "instrument.id_twice", None),
    "unknown field": (GOOD + "colour: red\n", "instrument.unknown_field", line_of(GOOD + "§", "§")),
    "unknown field in item": (
        changed("    label: I1\n", "    label: I1\n    color: red\n"),
        "instrument.unknown_field",
        line_of(GOOD, "label: I1") + 1,
    ),
    "50 levels": (nested(50), "instrument.too_deep", line_of(GOOD + "§", "§")),
    "a list": ("- a\n- b\n", "instrument.not_a_mapping", 1),
    "unknown key": (changed("  site: [0114, no]", "  town: [x]"), "instrument.unknown_key", None),
    "no": (changed("rubric: none", "rubric: no"), "instrument.bad_value", line_of(GOOD, "rubric")),
    "minimum of one": (
        changed("    kind: survey\n", "    kind: survey\n    minimum: 1\n"),
        "instrument.minimum_too_small",
        line_of(GOOD, "- id: staff"),
    ),
    "a form apart that would score": (
        changed("    kind: survey\n", "    kind: survey\n    apart: true\n"),
        "instrument.apart_scores",
        None,
    ),
    "persons drawn by nobody": (
        changed("    kind: survey\n", "    kind: survey\n    drawn: [staff, gone]\n"),
        "instrument.dangling",
        None,
    ),
    "unchecked law": (
        changed("{id: src, citation: En källa}", "{id: src, citation: En lag, legal: true}"),
        "instrument.legal_unchecked",
        line_of(GOOD, "- {id: src"),
    ),
    "law variant with nothing in it": (
        with_variants("SoL: {}"),
        "instrument.by_law_empty",
        line_of(GOOD, "- id: i1\n        so") + 1,
    ),
    "variant of a law that the item does not hold for": (
        with_variants("LVU: {look: {sv: Akten, en: The file}}"),
        "instrument.by_law_other",
        line_of(GOOD, "- id: i1\n    label"),
    ),
    "variant with parts of its own": (
        with_variants("SoL: {parts: [{id: i1a, wording: {sv: En, en: One}}]}"),
        "instrument.by_law_parts",
        line_of(GOOD, "- id: i1\n        so") + 1,
    ),
    "variant with one anchor for two levels": (
        with_variants("SoL: {anchors: [{sv: En, en: One}]}"),
        "instrument.anchor_count",
        None,
    ),
    "variant in one language": (
        with_variants("SoL: {doubt: {sv: Räkna som nej.}}"),
        "instrument.missing_field",
        None,
    ),
    "standing of hearsay": (
        changed("citation: En källa}", "citation: En källa, standing: hearsay}"),
        "instrument.bad_value",
        line_of(GOOD, "- {id: src"),
    ),
    "reflective scale of two formats": (
        two_formats().replace("measurement_model: formative", "measurement_model: reflective"),
        "instrument.reflective_mixed",
        None,
    ),
    "bands with a gap at the bottom": (
        GOOD + "bands: [{id: low, label: {sv: Låg, en: Low}, low: 0.2}]\n",
        "instrument.bands_unsorted",
        line_of(GOOD + "§", "§"),
    ),
    "bands that fall": (with_bands(0, 0.5, 0.4), "instrument.bands_unsorted", line_of(GOOD + "§", "§")),
    "two bands from one cut": (with_bands(0, 0), "instrument.bands_unsorted", line_of(GOOD + "§", "§")),
    "gate at the top": (
        changed("    label: I1\n", "    label: I1\n    gate: {cut: 1}\n"),
        "instrument.bad_value",
        line_of(GOOD, "label: I1") + 1,
    ),
    "id too long": (with_id("i234567890123"), "instrument.bad_id", None),
    "id with a Swedish letter": (with_id("tä1"), "instrument.bad_id", None),
    "id in capitals": (with_id("UT1"), "instrument.bad_id", None),
    "id that begins with a digit": (with_id("1ut"), "instrument.bad_id", None),
    "id with an underscore": (with_id("ut_1"), "instrument.bad_id", None),
    "bad id": (changed("  - id: i1\n    label", "  - id: I 1\n    label"), "instrument.bad_id", None),
}


def test_the_good_one_is_good(load):
    assert load(GOOD).id == "mini"


def test_scalars_stay_text(load):
    instrument = load(GOOD)
    assert instrument.keys["site"] == ("0114", "no")
    anchors = [level.anchor for level in instrument.by_scale["extent"].levels]
    assert anchors[0].sv == "no"
    assert anchors[0].en == "off"


def test_a_measure_is_read_otherwise_under_a_law(load):
    variant = "LSS: {look: {sv: Begäran, en: The request}, wording: {sv: Enligt LSS?, en: Under LSS?}}"
    measure = load(with_variants(variant)).by_item["i1"].primary
    assert measure.under("SoL") is measure
    assert measure.under("LSS").wording.sv == "Enligt LSS?"
    assert measure.under("LSS").look.en == "The request"
    assert measure.under("LSS").by_law == {}
    assert (measure.under("LSS").id, measure.under("LSS").scale) == (measure.id, measure.scale)


def test_what_an_old_instrument_lacks_is_empty(load):
    item = load(GOOD).by_item["i1"]
    assert (item.definition, item.judgement, item.primary.look, item.primary.doubt, item.primary.easy) == (None,) * 5
    assert load(GOOD).references[0].standing is None


def test_no_as_a_field_name_stays_text(load):
    with pytest.raises(InstrumentError) as caught:
        load(GOOD + "no: 1\n")
    assert [fault.rule.params["field"] for fault in caught.value.faults] == ["no"]


@pytest.mark.parametrize("name", BAD)
def test_bad_yaml_names_rule_file_and_line(load, name):
    text, code, line = BAD[name]
    with pytest.raises(InstrumentError) as caught:
        load(text)
    fault = next(fault for fault in caught.value.faults if fault.rule.code == code)
    assert fault.file == "instrument.yaml"
    assert fault.row == line if line is not None else fault.row > 1


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_can_be_said(load, name, language):
    with pytest.raises(InstrumentError) as caught:
        load(BAD[name][0])
    for fault in caught.value.faults:
        said = fault.line(language)
        assert said.startswith("instrument.yaml")
        assert "{" not in said.replace(fault.value, "")


def test_all_faults_come_at_once(load):
    with pytest.raises(InstrumentError) as caught:
        load(changed("component: one", "component: two").replace("cites: [src]", "cites: [gone, lost]"))
    assert len(caught.value.faults) == 3


def test_a_bom_and_windows_line_ends_change_nothing(load):
    plain = load(GOOD)
    windows = load(GOOD.replace("\n", "\r\n"))
    marked = load(b"\xef\xbb\xbf" + GOOD.encode())
    assert windows.sha256 == plain.sha256
    assert marked.items == plain.items


def test_the_hash_follows_the_content(load):
    assert load(GOOD).sha256 != load(changed("Är det så?", "Är det inte så?")).sha256


def test_faults_in_an_item_file_name_that_file(load, tmp_path):
    head, items = GOOD.split("items:\n")
    (tmp_path / "more.yaml").write_text("items:\n" + items.replace("label: I1", "lable: I1"), encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        load(head + "item_files: [more.yaml]\n")
    unknown = [fault for fault in caught.value.faults if fault.rule.code == "instrument.unknown_field"]
    places = {(fault.file, fault.row) for fault in unknown}
    assert places == {("more.yaml", 3)}


def test_an_item_file_holds_only_items(load, tmp_path):
    head, items = GOOD.split("items:\n")
    (tmp_path / "more.yaml").write_text("items:\n" + items + "other: 1\n", encoding="utf-8")
    with pytest.raises(InstrumentError) as caught:
        load(head + "item_files: [more.yaml]\n")
    assert [fault.rule.code for fault in caught.value.faults] == ["instrument.only_items"]


def test_unknown_names_and_missing_files(tmp_path):
    with pytest.raises(UsageError, match="lq2002"):
        load_instrument("ibik")
    with pytest.raises(FileError):
        load_instrument(tmp_path)
    assert set(bundled_instruments()) >= {"ibic", "lq2002"}
