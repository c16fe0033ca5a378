"""What results have in common: intervals, faults, provenance, tables and JSON."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibic_fidelity.foundation.messages import Language, Message

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

#: The columns that result tables draw from, in this order.
COLUMNS = (
    "site",
    "service_area",
    "wave",
    "source",
    "component",
    "item",
    "statistic",
    "n",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "ci_level",
    "method",
    "reason",
)


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """An interval, its confidence level and the method that made it.

    Examples
    --------
    >>> ConfidenceInterval(0.5, 0.9, 0.95, "Feldt").high
    0.9
    """

    low: float
    high: float
    confidence_level: float
    method: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file: where, what stands there, which rule, what to do.

    ``row`` is the line that the user sees (1 is the header) or ``None`` where the fault is not on a line.
    ``rule`` is a message; its remedy has the same code with ``_remedy`` added.
    """

    rule: Message
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    def line(self, language: Language) -> str:
        """Return the fault in one line of text."""
        from ibic_fidelity.foundation.messages import text

        where = [self.file] if self.file else []
        if self.row is not None:
            where.append(text("faults.row", language, row=self.row))
        if self.column:
            where.append(text("faults.column", language, column=self.column))
        parts = ", ".join(where)
        if self.value:
            parts += f" [{self.value}]"
        return f"{parts}: {self.rule.text(language)} {self.remedy(language)}".strip(": ")

    def remedy(self, language: Language) -> str:
        """Return what to do about it."""
        return Message(f"{self.rule.code}_remedy", self.rule.params).text(language)


def fault_table(faults: Iterable[Fault], language: Language) -> pd.DataFrame:
    """Return faults as a frame with the columns file, row, column, value, rule, remedy, code."""
    import pandas as pd

    faults = tuple(faults)
    return pd.DataFrame(
        {
            "file": pd.array([fault.file for fault in faults], dtype="str"),
            "row": pd.array([fault.row for fault in faults], dtype="Int64"),
            "column": pd.array([fault.column for fault in faults], dtype="str"),
            "value": pd.array([fault.value for fault in faults], dtype="str"),
            "rule": pd.array([fault.rule.text(language) for fault in faults], dtype="str"),
            "remedy": pd.array([fault.remedy(language) for fault in faults], dtype="str"),
            "code": pd.array([fault.rule.code for fault in faults], dtype="str"),
        }
    )


@dataclass(frozen=True, slots=True)
class Provenance:
    """From what a result was made: enough to make it again, nothing that identifies a person or machine."""

    package: str
    instrument_id: str
    instrument_version: str
    instrument_status: str
    instrument_sha256: str
    data_sha256: str
    synthetic: bool
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))
        object.__setattr__(self, "libraries", MappingProxyType(dict(self.libraries)))

    def as_dict(self) -> dict[str, Any]:
        """Return the provenance as plain JSON data."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Provenance:
        """Rebuild what `as_dict` made."""
        return cls(**data)


def library_versions(*names: str) -> dict[str, str]:
    """Return the versions of Python and of the named distributions."""
    return {"python": platform.python_version(), **{name: _version(name) for name in names}}


def package_version() -> str:
    """Return the version of this package."""
    return _version("ibic-fidelity")


@cache
def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def table(columns: Mapping[str, Sequence[Any]], *, extra: Sequence[str] = ()) -> pd.DataFrame:
    """Return a new frame whose columns are declared ones, in the declared order, `extra` ones last."""
    import pandas as pd

    unknown = set(columns) - set(COLUMNS) - set(extra)
    if unknown:
        msg = f"undeclared result columns {sorted(unknown)}"
        raise KeyError(msg)
    order = [name for name in (*COLUMNS, *extra) if name in columns]
    return pd.DataFrame({name: columns[name] for name in order})


def to_json(data: object) -> str:
    """Return JSON with sorted keys, NaN as null, two spaces of indentation and a last line end."""
    return json.dumps(_plain(data), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return _plain(value.as_dict())
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Parallel read-only columns of equal length: rows without the cost of a frame.

    Examples
    --------
    >>> Records.of(site=["0180", "1480"], estimate=[61.5, 48.0]).table
       site  estimate
    0  0180      61.5
    1  1480      48.0
    """

    columns: Mapping[str, Any]

    @classmethod
    def of(cls, **columns: Sequence[Any] | NDArray[Any]) -> Records:
        """Return records of columns; text columns are kept as objects."""
        import numpy as np

        made = {}
        for name, values in columns.items():
            array = np.array(values)  # a copy: the caller's array stays the caller's
            if array.dtype.kind in "US":
                array = array.astype(object)
            array.setflags(write=False)
            made[name] = array
        lengths = {len(array) for array in made.values()}
        if len(lengths) > 1:
            msg = f"columns of unequal length {lengths}"
            raise ValueError(msg)
        return cls(MappingProxyType(made))

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]  # type: ignore[no-any-return]

    def where(self, mask: NDArray[np.bool_]) -> Records:
        """Return the rows that a mask picks."""
        return Records.of(**{name: column[mask] for name, column in self.columns.items()})

    def rows(self) -> list[dict[str, Any]]:
        """Return one mapping a row, with plain Python values."""
        lists = {name: column.tolist() for name, column in self.columns.items()}
        return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]

    @property
    def table(self) -> pd.DataFrame:
        """Return the columns as a new frame."""
        import pandas as pd

        return pd.DataFrame({name: column.tolist() for name, column in self.columns.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data, one list a column."""
        return {name: _plain(column) for name, column in self.columns.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Records:
        """Rebuild what `as_dict` made; null in a column of numbers is NaN again."""
        import numpy as np

        made = {}
        for name, values in data.items():
            kinds = {type(value) for value in values} - {type(None)}
            if kinds == {bool} and None not in values:
                made[name] = np.array(values)
            elif kinds <= {int, float} and (kinds or None in values):
                made[name] = np.array([np.nan if value is None else value for value in values])
            else:
                made[name] = np.array(values, dtype=object)
        return cls.of(**made)
