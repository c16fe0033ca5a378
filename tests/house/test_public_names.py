"""What users rely on: the public names, their docstrings, and what may be positional."""

import ast
import importlib
import inspect
from itertools import pairwise
from pathlib import Path

import pytest

import ibic_fidelity
from ibic_fidelity import psychometrics

PACKAGE = Path(ibic_fidelity.__file__).parent
PUBLIC = ["ibic_fidelity", *(f"ibic_fidelity.{path.parent.name}" for path in sorted(PACKAGE.glob("*/__init__.pyi")))]

#: The data of a statistic and what indexes them; everything else is keyword-only.
POSITIONAL = {
    "x",
    "y",
    "a",
    "b",
    "g",
    "groups",
    "facets",
    "component",
    "ratings",
    "text",
    "strata",
    "model",
    "fit",
    "gold",
    "first",
    "second",
}


def _public(kind):
    made = {}
    for package in PUBLIC:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if kind(value):
                made[f"{package.removeprefix('ibic_fidelity').strip('.')}.{name}".strip(".")] = value
    return made


FUNCTIONS = _public(inspect.isfunction)
CLASSES = _public(inspect.isclass)


@pytest.mark.parametrize("package", PUBLIC)
def test_all_is_what_the_stub_says(package):
    module = importlib.import_module(package)
    stub = Path(module.__file__).with_suffix(".pyi")
    body = ast.parse(stub.read_text(encoding="utf-8")).body
    declared = next(ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign))
    imported = [alias.asname or alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(module.__all__) == sorted(declared) == sorted(imported)
    assert set(declared) <= set(dir(module))


@pytest.mark.parametrize("package", PUBLIC)
def test_every_public_name_can_be_had(package):
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        module.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_says_what_it_takes_gives_and_how_it_is_used(name):
    lines = (inspect.getdoc(FUNCTIONS[name]) or "").splitlines()
    sections = [above for above, below in pairwise(lines) if below and set(below) == {"-"}]
    for section in ("Parameters", "Returns", "Examples"):
        assert section in sections
    assert any(line.startswith(">>>") for line in lines)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_of_a_public_function_is_documented(name):
    function = FUNCTIONS[name]
    text = inspect.getdoc(function)
    lines = text[text.index("Parameters\n---") :].splitlines()
    documented = {
        part.strip()
        for line, below in pairwise(lines)
        if not line.startswith(" ") and below.startswith("    ")  # `name : type`, or names alone, and what they mean
        for part in line.split(" : ")[0].split(",")
    }
    assert set(inspect.signature(function).parameters) <= documented


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_has_a_docstring_of_its_own(name):
    doc = CLASSES[name].__doc__
    assert doc
    assert not doc.startswith(f"{CLASSES[name].__name__}(")  # what a dataclass writes by itself


@pytest.mark.parametrize("name", [name for name in psychometrics.__all__ if f"psychometrics.{name}" in FUNCTIONS])
def test_only_data_and_what_indexes_them_are_positional(name):
    for parameter in inspect.signature(getattr(psychometrics, name)).parameters.values():
        assert parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
        if parameter.kind is not parameter.KEYWORD_ONLY:
            assert parameter.name in POSITIONAL
            assert parameter.default is parameter.empty


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_public_function_takes_anything_at_all(name):
    kinds = {parameter.kind for parameter in inspect.signature(FUNCTIONS[name]).parameters.values()}
    assert not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_is_annotated(name):
    signature = inspect.signature(FUNCTIONS[name])
    assert signature.return_annotation is not signature.empty
    assert all(parameter.annotation is not parameter.empty for parameter in signature.parameters.values())
