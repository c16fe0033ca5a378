"""Messages: the two catalogues agree, every code used exists with its parameters, and none is unused."""

import ast
import pickle
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pytest

import ibic_fidelity
from ibic_fidelity.foundation.messages import LANGUAGES, Message, catalogue, text
from ibic_fidelity.foundation.results import Fault

PACKAGE = Path(ibic_fidelity.__file__).parent
KEYS = frozenset(catalogue("sv"))
ROOMS = frozenset(key.split(".")[0] for key in KEYS)
FULL = re.compile(rf"(?:{'|'.join(sorted(ROOMS))})\.[a-z][a-z0-9_]*")

#: Functions that take a full code and its parameters as keywords.
TAKES_CODE = {"text", "say", "fail", "UsageError", "ArgumentTypeError", "FileError", "InstrumentError", "ResponseError",
              "UndefinedStatisticWarning", "DroppedDataWarning", "warned", "informed", "t"}  # fmt: skip
#: Functions that put their room before the code, by folder.
PREFIXED = {"cli": {"say"}, "responses": {"fault", "note", "rows"}}
#: Keywords of these that are no parameters of the message.
NOT_PARAMETERS = {
    "fault": {"row", "column", "name", "value"},
    "InstrumentError": {"faults"},
    "ResponseError": {"faults"},
}


@dataclass(frozen=True)
class Use:
    """A code at one place, and the parameters given there where they can be read (``None`` where not)."""

    code: str
    place: str
    params: frozenset[str] | None = None
    is_rule: bool = False


def _placeholders(wording: str) -> frozenset[str]:
    return frozenset(re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(wording) if name)


def _literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body) + _literals(node.orelse)
    return []


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _message_params(call: ast.Call) -> frozenset[str] | None:
    if len(call.args) < 2:
        return frozenset()
    given = call.args[1]
    if isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys):
        return frozenset(key.value for key in given.keys)
    return None


def _keyword_params(call: ast.Call, name: str) -> frozenset[str] | None:
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    return frozenset(keyword.arg for keyword in call.keywords) - NOT_PARAMETERS.get(name, set())


def _calls(path: Path, tree: ast.AST) -> Iterator[Use]:
    room = path.relative_to(PACKAGE).parts[0]
    no_rules = {  # shown at once, or the example that a rule quotes
        id(node.func.value) if isinstance(node, ast.Call) else id(node.value)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "text")
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "example")
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node)
        coded = node.args[1:2] if name in {"warned", "informed"} else node.args[:1]
        codes = [code for argument in coded for code in _literals(argument)]
        place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
        if name in PREFIXED.get(room, ()):
            for code in codes:
                yield Use(f"{room}.{code}", place, _keyword_params(node, name), name != "note" and room == "responses")
        elif name in TAKES_CODE:
            for code in filter(FULL.fullmatch, codes):
                yield Use(code, place, _keyword_params(node, name), name in {"fail", "warned", "informed"})
        elif name == "Message":
            for code in codes:
                rule = room in {"instrument", "responses"} and id(node) not in no_rules
                yield Use(code, place, _message_params(node), rule and not code.startswith("responses.note_"))


def _templates() -> Iterator[Use]:
    for path in sorted(PACKAGE.rglob("*.html")):
        page = jinja2.Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        for call in page.find_all(jinja2.nodes.Call):
            code = call.args[0].value if call.args and isinstance(call.args[0], jinja2.nodes.Const) else ""
            if FULL.fullmatch(str(code)):
                params = frozenset(keyword.key for keyword in call.kwargs)
                yield Use(code, f"{path.relative_to(PACKAGE)}:{call.lineno}", params)


def _scan() -> tuple[list[Use], set[str], list[tuple[str, re.Pattern[str]]]]:
    uses, mentioned, families = list(_templates()), set(), []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        uses += _calls(path, tree)
        room = path.relative_to(PACKAGE).parts[0]
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if FULL.fullmatch(node.value):
                    mentioned.add(node.value)
                elif room in PREFIXED:
                    mentioned.add(f"{room}.{node.value}")
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(part.value) if isinstance(part, ast.Constant) else "[a-z0-9_]+" for part in node.values
                ]
                pattern = "".join(parts)
                if re.match(rf"(?:{'|'.join(ROOMS)})\\\.[a-z]", pattern):  # a room and the start of a code
                    families.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", re.compile(pattern)))
    return uses, mentioned, families


USES, MENTIONED, FAMILIES = _scan()
RULES = sorted({use.code for use in USES if use.is_rule})


def test_the_catalogues_have_the_same_keys():
    assert set(catalogue("sv")) == set(catalogue("en"))


def test_the_languages_of_a_text_have_the_same_placeholders():
    swedish, english = catalogue("sv"), catalogue("en")
    assert not [code for code in sorted(KEYS) if _placeholders(swedish[code]) != _placeholders(english[code])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_padded(language):
    texts = catalogue(language).items()
    assert not [code for code, wording in texts if wording != wording.rstrip() or not wording]
    assert not [code for code, wording in texts if wording != wording.lstrip() and not code.startswith("cli.")]


def test_every_code_used_exists():
    assert not sorted(f"{use.place} {use.code}" for use in USES if use.code not in KEYS)


def test_every_family_of_codes_exists():
    assert FAMILIES
    assert not [place for place, family in FAMILIES if not any(map(family.fullmatch, KEYS))]


def test_every_call_gives_what_its_text_needs():
    short = [
        f"{use.place} {use.code} lacks {sorted(_placeholders(catalogue('sv')[use.code]) - use.params)}"
        for use in USES
        if use.code in KEYS and use.params is not None and not _placeholders(catalogue("sv")[use.code]) <= use.params
    ]
    assert not short


def test_every_rule_of_a_fault_has_a_remedy():
    assert len(RULES) > 100
    assert not [code for code in RULES if f"{code}_remedy" not in KEYS]


def test_a_remedy_needs_nothing_that_its_rule_lacks():
    needs = {
        use.place: (use.code, sorted(_placeholders(catalogue("sv")[f"{use.code}_remedy"]) - use.params))
        for use in USES
        if use.is_rule and use.params is not None and f"{use.code}_remedy" in KEYS
    }
    assert not {place: need for place, need in needs.items() if need[1]}


def test_no_code_is_unused():
    used = {use.code for use in USES} | MENTIONED
    used |= {key for key in KEYS if any(family.fullmatch(key) for _, family in FAMILIES)}
    used |= {f"{code}_remedy" for code in used}
    assert not sorted(KEYS - used)


def test_messages_are_equal_by_code_and_parameters():
    assert Message("faults.row", {"row": 3}) == Message("faults.row", {"row": 3})
    assert Message("faults.row", {"row": 3}) != Message("faults.row", {"row": 4})
    assert Message("faults.row", {"row": 3}) != Message("faults.column", {"row": 3})
    assert Message("faults.row") != "faults.row"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 1}, {"n": 1.0}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"of": {"sv": "x", "en": "y"}}, {"of": {"en": "y", "sv": "x"}}),
    ],
)
def test_equal_messages_have_equal_hashes(one, other):
    assert Message("faults.more", one) == Message("faults.more", other)
    assert len({Message("faults.more", one), Message("faults.more", other)}) == 1


def test_a_message_with_unhashable_parameters_can_stand_in_a_set():
    assert len({Message("instrument.unknown", {"known": ["a", "b"]})}) == 1


def test_a_message_cannot_be_changed():
    params = {"n": 1}
    message = Message("faults.more", params)
    params["n"] = 2
    assert message.params["n"] == 1
    with pytest.raises(TypeError):
        message.params["n"] = 3
    with pytest.raises(AttributeError):
        message.code = "faults.row"


def test_messages_survive_pickling():
    message = Message("cli.error", {"message": Message("faults.more", {"n": 2}), "list": ["a"]})
    assert pickle.loads(pickle.dumps(message)) == message


def test_messages_survive_json():
    inner = Message("faults.more", {"n": 2})
    message = Message("cli.error", {"message": inner, "many": [inner], "named": {"sv": "å", "en": "a"}})
    data = {"code": "cli.error", "params": {"message": inner.as_dict(), "many": [inner.as_dict()],
                                            "named": {"sv": "å", "en": "a"}}}  # fmt: skip
    assert Message.from_dict(data) == message
    assert Message.from_dict(data).text("sv") == message.text("sv")


@pytest.mark.parametrize(("language", "said"), [("sv", "… och 2 till."), ("en", "… and 2 more.")])
def test_a_message_inside_a_message_takes_its_language(language, said):
    assert said in Message("cli.error", {"message": Message("faults.more", {"n": 2})}).text(language)


def test_list_parameters_are_joined_and_their_messages_rendered():
    known = ["a", Message("faults.row", {"row": 3})]
    assert "a, rad 3" in text("instrument.unknown", "sv", name="x", known=known)
    assert "a, row 3" in text("instrument.unknown", "en", name="x", known=tuple(known))


def test_a_parameter_in_both_languages_takes_the_one_asked_for():
    named = {"sv": "granskaren", "en": "the assessor"}
    assert text("faults.column", "sv", column=named) == "kolumn granskaren"
    assert text("faults.column", "en", column=named) == "column the assessor"


def test_braces_in_a_parameter_are_text():
    assert text("faults.column", "sv", column="{x} %s {") == "kolumn {x} %s {"


def test_an_unknown_code_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        text("faults.no_such_code", "sv")


def test_a_fault_tells_where_what_and_how_to_mend_it():
    fault = Fault(Message("instrument.unknown_field", {"field": "itmes"}), file="a.yaml", row=3, column="itmes")
    assert fault.line("sv") == (
        "a.yaml, rad 3, kolumn itmes: Det finns inget fält itmes. Rätta namnet eller ta bort det."
    )
    assert fault.line("en").startswith("a.yaml, row 3, column itmes: ")


def test_a_fault_without_a_place_begins_with_its_rule():
    assert not Fault(Message("instrument.empty_text")).line("en").startswith((":", " "))
