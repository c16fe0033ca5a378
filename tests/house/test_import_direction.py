"""Who imports whom: every import of every module against the table in ARCHITECTURE.md."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ibic_fidelity"
NAME = "ibic_fidelity"


@dataclass(frozen=True)
class Table:
    """The table as parsed."""

    rooms: dict[str, frozenset[str]] = field(default_factory=dict)
    libraries: dict[str, frozenset[str]] = field(default_factory=dict)
    out_of_reach: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Import:
    """One import: by which module, at which line, of what, and whether it happens at run time."""

    module: str
    line: int
    target: str
    runtime: bool

    def __str__(self) -> str:
        return f"{self.module} line {self.line} imports {self.target}"


@cache
def the_table() -> Table:
    page = ROOT / "ARCHITECTURE.md"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    block = re.search(r"<!-- import-table -->\s*```\w*\n(.*?)```", text, re.DOTALL)
    if block is None:
        pytest.fail("ARCHITECTURE.md has no fenced block after the marker <!-- import-table -->")
    table = Table()
    for line in block.group(1).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        left, mark, right = re.match(r"([\w.]+)\s*(!->|->|:)(.*)", line).groups()
        part = {":": table.rooms, "->": table.libraries, "!->": table.out_of_reach}[mark]
        assert left not in part, f"{left} stands twice in the table"
        part[left] = frozenset(right.split())
    return table


@cache
def modules() -> dict[str, Path]:
    """Every module by its name without the package's; the package itself is the empty name."""
    found = {}
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")]):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[f"{name}:stub" if path.suffix == ".pyi" else name] = path
    return found


def room_of(module: str) -> str:
    """The longest row of the table that holds a module."""
    parts = module.removesuffix(":stub").split(".")
    whole = [".".join(parts[:k]) for k in range(len(parts), 0, -1)]
    return next((name for name in whole if name in the_table().rooms), parts[0])


def _type_checking(tree: ast.Module) -> set[int]:
    """The nodes below ``if TYPE_CHECKING:``."""
    below = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            below |= {id(inner) for part in node.body for inner in ast.walk(part)}
    return below


def _absolute(node: ast.ImportFrom, module: str, path: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = [NAME, *module.removesuffix(":stub").split(".")]
    package = [part for part in parts if part][: None if path.stem == "__init__" else -1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


@cache
def imports() -> tuple[Import, ...]:
    """Every import: modules of ours without the package's name before, led by a point."""
    known = set(modules())
    found = []
    for module, path in modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing_only = _type_checking(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(node, module, path)
                ours = base.removeprefix(NAME).removeprefix(".")
                inside = [f"{ours}.{alias.name}".removeprefix(".") for alias in node.names]
                submodules = [name for name in inside if base.split(".")[0] == NAME and name in known]
                targets = [f"{NAME}.{name}" for name in submodules]
                if len(submodules) < len(inside):
                    targets.append(base)
            else:
                continue
            runtime = id(node) not in typing_only and not module.endswith(":stub")
            for target in targets:
                local = target == NAME or target.startswith(f"{NAME}.")
                named = f".{target.removeprefix(NAME).removeprefix('.')}" if local else target
                found.append(Import(module, node.lineno, named, runtime))
    return tuple(found)


def _ours() -> list[Import]:
    return [one for one in imports() if one.target.startswith(".")]


def _edges(*, runtime_only: bool = False) -> dict[str, set[str]]:
    edges = defaultdict(set)
    for one in _ours():
        if not one.module.endswith(":stub") and (one.runtime or not runtime_only):
            edges[one.module].add(one.target[1:])
    return edges


def test_every_module_stands_in_a_room_of_the_table():
    rooms = the_table().rooms
    assert not [module for module in modules() if module not in {"", ":stub"} and room_of(module) not in rooms]


def test_the_table_names_only_rooms_that_it_has():
    table = the_table()
    named = set().union(*table.rooms.values(), *table.libraries.values(), *table.out_of_reach.values())
    assert named <= set(table.rooms)


def test_the_table_has_a_direction():
    """No room reaches itself through others."""
    rooms = the_table().rooms
    settled: set[str] = set()
    while free := {room for room in rooms if room not in settled and rooms[room] - {room} <= settled}:
        settled |= free
    assert settled == set(rooms)


@pytest.mark.parametrize(
    ("one", "other"),
    [("psychometrics", "instrument"), ("psychometrics", "responses"), ("dossier", "explanation"),
     ("instrument", "responses"), ("instrument", "platforms"), ("scoring", "dossier")],
)  # fmt: skip
def test_the_table_itself_keeps_the_rules_of_the_design(one, other):
    rooms = the_table().rooms
    assert other not in rooms[one]
    assert one not in rooms[other] or one in {"instrument", "scoring"}


def test_every_import_goes_the_way_of_the_table():
    rooms = the_table().rooms
    wrong = []
    for one in _ours():
        room, target = room_of(one.module), room_of(one.target[1:])
        if one.module in {"", ":stub"}:  # the package itself names its public things, in the stub alone
            allowed = one.module == ":stub"
        else:
            allowed = any(target == one_room or target.startswith(f"{one_room}.") for one_room in {room, *rooms[room]})
        if not allowed:
            wrong.append(f"{one}: {room} may not import {target or 'the package itself'}")
    assert not wrong


def test_the_stub_imports_nothing_but_ours():
    assert not [str(one) for one in imports() if one.module == ":stub" and not one.target.startswith(".")]


def test_libraries_stay_in_their_rooms():
    libraries = the_table().libraries
    assert not [
        str(one)
        for one in imports()
        if (library := one.target.split(".")[0]) in libraries and room_of(one.module) not in libraries[library]
    ]


def test_psychometrics_imports_pandas_only_for_types_and_in_its_engines():
    """Frames come out through `foundation.results.table`, which imports pandas when it is called."""
    assert not [
        str(one)
        for one in imports()
        if one.target.split(".")[0] == "pandas" and one.runtime
        and one.module.startswith("psychometrics") and "._engines" not in one.module
    ]  # fmt: skip


def test_the_oracle_of_a_simulation_never_reaches_scoring():
    edges = _edges()
    for module, barred in the_table().out_of_reach.items():
        assert module in modules()
        reached, todo = set(), [module]
        while todo:
            for target in edges[todo.pop()] - reached:
                reached.add(target)
                todo.append(target)
        assert not [target for target in reached if room_of(target) in barred], module


def test_modules_import_each_other_in_no_circle_not_even_lazily():
    edges = _edges()
    left = {module: set(targets) - {module} for module, targets in edges.items()}
    while free := {module for module in left if not left[module] & set(left)}:
        left = {module: targets for module, targets in left.items() if module not in free}
    assert not {module: sorted(targets & set(left)) for module, targets in left.items()}


def test_nothing_is_imported_by_a_name_made_at_run_time():
    barred = {"import_module", "__import__"}
    found = []
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            if isinstance(node, ast.Attribute | ast.Name) and name in barred:
                found.append(f"{module} line {node.lineno}")
    assert not found


def _exported() -> set[str]:
    """The names in every ``__all__`` of a stub."""
    names = set()
    for module, path in modules().items():
        if module.endswith(":stub"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                    names |= set(ast.literal_eval(node.value))
    return names


def test_no_module_bears_the_name_of_an_exported_function():
    """``from ibic_fidelity.psychometrics import x`` must not depend on what was imported before."""
    stems = {path.stem for path in modules().values()}
    exported = _exported()
    assert {"cronbach_alpha", "score_municipalities"} <= exported
    assert not stems & exported


def test_the_reader_of_imports_sees_lazy_relative_and_typing_imports():
    """The reader itself: it finds what is known to be there, so that an empty list above means something."""
    seen = {(one.module, one.target, one.runtime) for one in imports()}
    assert ("errors", ".foundation.results", False) in seen
    assert ("errors", ".foundation.results", True) in seen
    assert ("foundation.randomness", "numpy", True) in seen
    assert (":stub", ".psychometrics", False) in seen
    assert ("psychometrics:stub", ".psychometrics.consistency.internal_consistency", False) in seen
    assert len(imports()) > 300
