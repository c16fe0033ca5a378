"""Reading an instrument from strict YAML, every fault with its file and line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ibic_fidelity.errors import FileError, InstrumentError, UsageError
from ibic_fidelity.foundation.files import bundled, read_bytes
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Fault
from ibic_fidelity.instrument.model import Instrument, broken_references
from ibic_fidelity.instrument.parts import Part
from ibic_fidelity.instrument.registers import read_register

Model = TypeVar("Model", bound=Part)

FILE_LIMIT = 5_000_000
DEPTH_LIMIT = 20
MAIN_FILE = "instrument.yaml"
#: What plain scalars, lists and mappings resolve to; anything else was written as a tag.
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
}


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    line: int


#: A YAML value with places: mappings keep the place of each key, lists that of each element.
_Path = tuple[str | int, ...]


class _Places(dict[_Path, _Place]):
    """Where each value stands, by its path in the whole instrument."""

    def nearest(self, path: _Path) -> _Place:
        """Return the place of a path, or of the nearest part around it."""
        while path and path not in self:
            path = path[:-1]
        return self[path]

    def of_id(self, data: Any, wanted: str) -> _Place | None:
        """Return where the mapping with an id of `wanted` stands."""
        for path, value in _walk(data, ()):
            if path and path[-1] == "id" and value == wanted and path in self:
                return self[path]
        return None


def load_instrument(name: str | Path) -> Instrument:
    """Read an instrument.

    Parameters
    ----------
    name : str or Path
        The name of a bundled instrument (``"ibic"``, ``"lq2002"``), or the path of a folder with an
        ``instrument.yaml``, or of such a file.

    Returns
    -------
    Instrument
        Frozen and checked; it knows the SHA-256 of the files that define it.

    Raises
    ------
    InstrumentError
        The definition breaks the rules; ``.failures`` has a line for every fault, with file and line.
    FileError
        A file cannot be read.
    UsageError
        There is no bundled instrument of that name.

    Notes
    -----
    The YAML is strict: every scalar is text until the model says otherwise (``0114`` stays ``0114``,
    ``no`` stays ``no``), and duplicate keys, anchors and aliases, tags, and files over 5 MB are refused.

    Examples
    --------
    >>> load_instrument("lq2002").site.one["en"]
    'company'
    """
    path = _main_file(name)
    raw = read_bytes(path, limit=FILE_LIMIT)
    digest = hashlib.sha256(_still(raw))
    places = _Places()
    data = _compose(raw, path, places, ())
    if not isinstance(data, dict):
        raise _error(path, [Fault(Message("instrument.not_a_mapping"), file=path.name, row=1)])
    for file in _as_list(data.pop("item_files", [])):
        part_path = path.parent / str(file)
        part_raw = read_bytes(part_path, limit=FILE_LIMIT)
        digest.update(_still(part_raw))
        start = len(data.setdefault("items", []))
        part_places = _Places()
        part = _compose(part_raw, part_path, part_places, ())
        if not isinstance(part, dict) or set(part) != {"items"} or not isinstance(part["items"], list):
            raise _error(path, [Fault(Message("instrument.only_items"), file=part_path.name, row=1)])
        data["items"] += part["items"]
        for inner, place in part_places.items():
            if len(inner) >= 2 and inner[0] == "items" and isinstance(inner[1], int):
                places[("items", inner[1] + start, *inner[2:])] = place
    for part_name in ("calibration", "guidance"):
        if f"{part_name}_file" in data:
            digest.update(_read_part_file(part_name, data, path, places))
    data["register_codes"], register_raw = _register(data, path)
    digest.update(register_raw)
    data["sha256"] = digest.hexdigest()
    return _validated(data, places, path)


def _read_part_file(name: str, data: dict[str, Any], path: Path, places: _Places) -> bytes:
    """Put the content of the file of a part in its place and return its bytes."""
    part_path = path.parent / str(data.pop(f"{name}_file"))
    raw = read_bytes(part_path, limit=FILE_LIMIT)
    part_places = _Places()
    part = _compose(raw, part_path, part_places, ())
    if name in data or not isinstance(part, dict) or set(part) != {name}:
        raise _error(path, [Fault(Message("instrument.only_part", {"part": name}), file=part_path.name, row=1)])
    data[name] = part[name]
    places.update({inner: place for inner, place in part_places.items() if inner})
    return _still(raw)


def read_model(path: Path, model: type[Model]) -> Model:
    """Return a strict YAML file as a model of ours; every fault names file and line, as in `load_instrument`."""
    places = _Places()
    data = _compose(read_bytes(path, limit=FILE_LIMIT), path, places, ())
    if not isinstance(data, dict):
        raise _error(path, [Fault(Message("instrument.not_a_mapping"), file=path.name, row=1)])
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _error(path, _faults(error, places)) from None


def bundled_instruments() -> tuple[str, ...]:
    """Return the names of the bundled instruments."""
    return tuple(sorted(folder.parent.name for folder in bundled("instruments").glob(f"*/{MAIN_FILE}")))


def instrument_folder(name: str | Path) -> Path:
    """Return the folder of an instrument, as `load_instrument` finds it."""
    return _main_file(name).parent


def _main_file(name: str | Path) -> Path:
    path = Path(name)
    if path.is_dir():
        return path / MAIN_FILE
    if path.suffix in {".yaml", ".yml"}:
        return path
    if len(path.parts) == 1 and (bundled("instruments") / path / MAIN_FILE).is_file():
        return bundled("instruments") / path / MAIN_FILE
    if len(path.parts) > 1 or path.exists():
        raise FileError("files.not_found", path=str(path / MAIN_FILE))
    raise UsageError("instrument.unknown", name=str(name), known=list(bundled_instruments()))


def _register(data: dict[str, Any], path: Path) -> tuple[dict[str, str], bytes]:
    site = data.get("site")
    file = site.get("register") if isinstance(site, dict) else None
    if not isinstance(file, str):
        return {}, b""
    return read_register(path.parent / file), _still(read_bytes(path.parent / file))


def _validated(data: dict[str, Any], places: _Places, path: Path) -> Instrument:
    try:
        instrument = Instrument.model_validate(data, context={"collect_faults": True})
    except ValidationError as error:
        raise _error(path, _faults(error, places)) from None
    faults = []
    for broken in broken_references(instrument):
        params = dict((broken.context or {})["params"])
        place = _place_of(params, data, places)
        faults.append(Fault(Message(broken.message_template, params), file=place.file, row=place.line))
    if faults:
        raise _error(path, faults)
    return instrument


def _place_of(params: dict[str, object], data: Any, places: _Places) -> _Place:
    if params.get("owner") == "calibration":
        return places.nearest(("calibration", "rows"))
    for name in ("owner", "measure", "item", "component", "id", "key"):
        found = places.of_id(data, str(params[name])) if name in params else None
        if found is not None:
            return found
    if "status" in params:
        return places.nearest(("status",))
    if "lows" in params:
        return places.nearest(("bands",))
    return places.nearest(("keys",) if "key" in params else ())


def _faults(error: ValidationError, places: _Places) -> list[Fault]:
    """Return a fault for each error, but not for a list that is short only because its parts failed."""
    errors: list[dict[str, Any]] = [dict(one) for one in error.errors(include_url=False)]
    within = {tuple(one["loc"])[:1] for one in errors if len(one["loc"]) > 1}
    return [_fault(one, places) for one in errors if one["type"] != "too_short" or one["loc"] not in within]


def _fault(error: dict[str, Any], places: _Places) -> Fault:
    path = tuple(error["loc"])
    place = places.nearest(path)
    column = ".".join(str(step) for step in path)
    value = error["input"] if isinstance(error["input"], str) else ""
    if error["type"] == "instrument":
        rule = Message(error["msg"], error["ctx"]["params"])
    elif error["type"] == "missing":
        rule = Message("instrument.missing_field", {"field": column})
    elif error["type"] == "extra_forbidden":
        rule = Message("instrument.unknown_field", {"field": column})
    else:
        rule = Message("instrument.bad_value", {"field": column, "why": error["msg"]})
    return Fault(rule, file=place.file, row=place.line, column=column, value=value)


def _compose(raw: bytes, path: Path, places: _Places, root: _Path) -> Any:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _error(path, [Fault(Message("instrument.not_utf8"), file=path.name, row=line)]) from None
    try:
        _refuse_aliases(text, path)
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        rule = Message("instrument.yaml", {"why": str(error.problem)})
        raise _error(path, [Fault(rule, file=path.name, row=line)]) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        rule = Message("instrument.yaml", {"why": error.reason})
        raise _error(path, [Fault(rule, file=path.name, row=line)]) from None
    if node is None:
        raise _error(path, [Fault(Message("instrument.empty_file"), file=path.name, row=1)])
    faults: list[Fault] = []
    data = _plain(node, path.name, places, root, faults)
    if faults:
        raise _error(path, faults)
    return data


def _refuse_aliases(text: str, path: Path) -> None:
    """Refuse aliases before they are composed: a bomb of them is small as text and huge as a tree."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _error(path, [Fault(Message("instrument.alias"), file=path.name, row=_line(event))])
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_LIMIT:
            raise _error(path, [Fault(Message("instrument.too_deep"), file=path.name, row=_line(event))])


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _plain(node: yaml.Node, file: str, places: _Places, path: _Path, faults: list[Fault]) -> Any:
    place = _Place(file, node.start_mark.line + 1)
    places.setdefault(path, place)
    if node.tag not in _PLAIN_TAGS:
        faults.append(Fault(Message("instrument.tag", {"tag": node.tag}), file=file, row=place.line))
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, file, places, (*path, i), faults) for i, part in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(Fault(Message("instrument.odd_key"), file=file, row=line))
            continue
        if key_node.value in mapping:
            faults.append(Fault(Message("instrument.key_twice", {"key": key_node.value}), file=file, row=line))
            continue
        places[(*path, key_node.value)] = _Place(file, line)
        mapping[key_node.value] = _plain(value_node, file, places, (*path, key_node.value), faults)
    return mapping


def _walk(data: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    yield path, data
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _walk(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _walk(value, (*path, index))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _still(raw: bytes) -> bytes:
    """Return bytes that do not depend on the line ends of a checkout."""
    return raw.replace(b"\r\n", b"\n")


def _error(path: Path, faults: list[Fault]) -> InstrumentError:
    return InstrumentError("instrument.faulty", faults=tuple(faults), n=len(faults), path=str(path))
