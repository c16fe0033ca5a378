"""What no tracked file may contain."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_S = "/"  # the patterns must not match this file
MACHINE = re.compile(rf"(?<![\w.:}}\-]){_S}(?:home|root|work|Users|tmp{_S}w)(?:{_S}|\b(?=[\"'`\s]))")
UNFINISHED = re.compile(r"\bTOD[O]\b|\bFIXM[E]\b|\bXX[X]\b|raise NotImplemented[E]rror")
TEXT = {
    ".py",
    ".pyi",
    ".toml",
    ".yaml",
    ".yml",
    ".md",
    ".csv",
    ".json",
    ".ipynb",
    ".R",
    ".html",
    ".css",
    ".txt",
    ".cfg",
    "",
}


@pytest.fixture(scope="module")
def texts(tracked) -> dict[str, str]:
    files = [name for name in tracked if (ROOT / name).suffix in TEXT and (ROOT / name).is_file()]
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in files}


def _hits(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1} {found.group()}"
        for name, text in texts.items()
        for found in pattern.finditer(text)
    ]


def test_no_file_names_a_path_of_a_machine(texts):
    assert len(texts) > 50
    assert not _hits(MACHINE, texts)


@pytest.mark.parametrize("path", ["home/ann/x", "root/.cache", "work/main", "tmp/w/venv"])
def test_the_pattern_finds_a_path_of_a_machine(path):
    assert MACHINE.search(f'open("/{path}")')


@pytest.mark.parametrize("text", ["social/work/", "https://x.se/home/", "the work/home balance"])
def test_the_pattern_leaves_other_slashes_alone(text):
    assert not MACHINE.search(text)


def test_nothing_is_left_unfinished(texts):
    code = {name: text for name, text in texts.items() if name.endswith((".py", ".toml", ".yaml", ".html", ".R"))}
    assert not _hits(UNFINISHED, code)


def test_no_function_of_the_package_is_a_stub(texts):
    stubs = []
    for name, text in texts.items():
        if not (name.startswith("ibic_fidelity/") and name.endswith(".py")):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                said = [
                    one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
                ]
                if not said or all(isinstance(one, ast.Pass) for one in said):
                    stubs.append(f"{name}:{node.lineno} {node.name}")
    assert not stubs


def test_no_error_is_caught_without_saying_which(texts):
    broad = []
    for name, text in texts.items():
        if name.startswith(("ibic_fidelity/", "tests/", "benchmarks/", "calibration/")) and name.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ExceptHandler):
                    caught = "" if node.type is None else ast.unparse(node.type)
                    if caught in {"", "Exception", "BaseException"}:
                        broad.append(f"{name}:{node.lineno}")
    assert not broad
