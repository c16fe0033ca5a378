"""Messages as codes and parameters; the texts are looked up last, in the reader's language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from types import MappingProxyType
from typing import Any, Literal, get_args

Language = Literal["sv", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say, as a code and its parameters.

    Two messages are equal when code and parameters are; the wording is no part of them.

    Examples
    --------
    >>> Message("files.not_found", {"path": "svar.csv"}).text("sv")
    'Filen svar.csv finns inte.'
    """

    code: str
    params: Mapping[str, object]

    def __init__(self, code: str, params: Mapping[str, object] | None = None) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "params", MappingProxyType(dict(params or {})))

    def __hash__(self) -> int:
        return hash((self.code, frozenset(self.params)))  # equal values may print differently: 1 and 1.0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.code, dict(self.params)) == (other.code, dict(other.params))

    def __reduce__(self) -> tuple[type[Message], tuple[str, dict[str, object]]]:
        return Message, (self.code, dict(self.params))

    def text(self, language: Language = "en") -> str:
        """Return the message in a language."""
        return text(self.code, language, **self.params)

    def as_dict(self) -> dict[str, object]:
        """Return the message as plain JSON data."""
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Rebuild what JSON kept of `as_dict`, messages inside messages too."""
        return cls(data["code"], {name: _rebuilt(value) for name, value in data["params"].items()})


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return all texts of a language, keyed by ``room.code``."""
    raw = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(raw)
    return MappingProxyType(
        {f"{room}.{code}": value for room, texts in tables.items() for code, value in texts.items()}
    )


def text(code: str, language: Language = "en", /, **params: object) -> str:
    """Return the text of a code in a language, its parameters filled in.

    Parameters that are messages themselves are rendered in the same language; lists are joined by commas;
    numbers with decimals get the language's decimal sign.

    Examples
    --------
    >>> share = {"share": 0.125, "ratio": 1.5}
    >>> text("psychometrics.feldt_too_narrow", "sv", **share).count("1,50")
    1
    """
    filled = {name: _render(value, language) for name, value in params.items()}
    words = catalogue(language)[code]
    if any(isinstance(value, float) for value in filled.values()):
        return _Numbers(language).format(words, **filled)
    return words.format(**filled)


class _Numbers(Formatter):
    """Formats floats in a language, with as many decimals as the text asks for."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        plain: str = super().format_field(value, format_spec)
        if not isinstance(value, float):
            return plain
        plain = plain.replace("inf", "∞")
        return plain.replace(".", ",").replace("%", "\u00a0%") if self.language == "sv" else plain


def _rebuilt(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"code", "params"}:
            return Message.from_dict(value)
        return {name: _rebuilt(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rebuilt(part) for part in value]
    return value


def _render(value: object, language: Language) -> object:
    if isinstance(value, Message):
        return value.text(language)
    if isinstance(value, Mapping) and set(value) == set(LANGUAGES):
        return value[language]
    if isinstance(value, list | tuple):
        return ", ".join(str(_render(part, language)) for part in value)
    return value
