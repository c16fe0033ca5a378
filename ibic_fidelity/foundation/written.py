"""Results as JSON and back: one way for all results that a file may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, ClassVar, Self

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Provenance, Records, to_json


class Written:
    """Writing to JSON and reading back, for a frozen dataclass of records, messages, provenance and plain values.

    `SCHEMA` is written and demanded; `REFUSED` is the code of the error where it is another. A class with fields of
    other kinds reads them in `_read`.
    """

    __slots__ = ()
    SCHEMA: ClassVar[str]
    REFUSED: ClassVar[str]

    def to_json(self) -> str:
        """Return the result as JSON, the same bytes for the same result."""
        return to_json(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain data, its schema among them."""
        parts = {part.name: _plain(getattr(self, part.name)) for part in fields(self)}  # type: ignore[arg-type]
        return {"schema": self.SCHEMA, **parts}

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild what `to_json` made."""
        try:
            return cls.of_dict(json.loads(text))
        except json.JSONDecodeError:
            raise UsageError(cls.REFUSED, schema="", expected=cls.SCHEMA) from None

    @classmethod
    def of_dict(cls, data: Any) -> Self:
        """Rebuild what `as_dict` made."""
        names = {part.name for part in fields(cls)}  # type: ignore[arg-type]
        schema = data.get("schema", "") if isinstance(data, dict) else ""
        if schema != cls.SCHEMA or not names <= set(data):
            raise UsageError(cls.REFUSED, schema=str(schema), expected=cls.SCHEMA)
        return cls(**{name: cls._read(name, data[name]) for name in names})

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        """Return a field as it was before it was written."""
        return read_field(name, value)


def read_field(name: str, value: Any) -> Any:
    """Return a field of a common kind as it was: notes, provenance, records, a number or text."""
    if name == "notes":
        return tuple(Message.from_dict(note) for note in value)
    if name == "provenance":
        return Provenance.from_dict(value)
    if isinstance(value, Mapping) and all(isinstance(column, list) for column in value.values()):
        return Records.from_dict(value)
    return float("nan") if value is None else value


def _plain(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return {name: _plain(part) for name, part in value.items()} if isinstance(value, Mapping) else value
