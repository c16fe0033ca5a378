"""Exceptions and warnings, each with a code and parameters.

The text is made when somebody reads it, in English by ``str(error)`` and in any language by
``error.message.text(language)``.  ``exit_code`` is what the command line returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ibic_fidelity.foundation.messages import Message

if TYPE_CHECKING:
    import pandas as pd

    from ibic_fidelity.foundation.results import Fault


class IbicError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, /, **params: object) -> None:
        self.message = Message(code, params)
        super().__init__(code)

    @property
    def code(self) -> str:
        """Return the stable code of the error, ``room.code``."""
        return self.message.code

    def __str__(self) -> str:
        return self.message.text("en")

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.__dict__.get("faults"))


class UsageError(IbicError, ValueError):
    """A function or command was called in a way that has no meaning."""


class ArgumentTypeError(IbicError, TypeError):
    """An argument is of a kind that the function does not take."""


class FileError(IbicError, OSError):
    """A file could not be read or written."""

    exit_code: ClassVar[int] = 4

    def __str__(self) -> str:
        return self.message.text("en")


class FaultsError(IbicError):
    """Base of errors that carry a table of faults, so that all are shown at once."""

    exit_code: ClassVar[int] = 3

    def __init__(self, code: str, /, *, faults: tuple[Fault, ...] = (), **params: object) -> None:
        super().__init__(code, **params)
        self.faults = faults

    @property
    def failures(self) -> pd.DataFrame:
        """Return one line a fault: file, row, column, value, rule, remedy (English)."""
        from ibic_fidelity.foundation.results import fault_table

        return fault_table(self.faults, "en")

    def __str__(self) -> str:
        lines = [self.message.text("en"), *(fault.line("en") for fault in self.faults[:20])]
        if len(self.faults) > 20:
            lines.append(Message("faults.more", {"n": len(self.faults) - 20}).text("en"))
        return "\n".join(lines)


class InstrumentError(FaultsError):
    """An instrument definition breaks its rules; every fault names file and line."""


class ResponseError(FaultsError):
    """Responses break the instrument's rules; every fault names row, column and value."""


class FormError(FaultsError):
    """A form or table that people filled in breaks its rules; every fault names file, row and column."""


class IbicWarning(UserWarning):
    """Base of every warning of this package."""

    def __init__(self, code: str, /, **params: object) -> None:
        self.message = Message(code, params)
        super().__init__(code)

    @property
    def code(self) -> str:
        """Return the stable code of the warning."""
        return self.message.code

    def __str__(self) -> str:
        return self.message.text("en")


class UndefinedStatisticWarning(IbicWarning):
    """A statistic is not defined for these data; NaN was returned."""


class DroppedDataWarning(IbicWarning):
    """Rows, items or sites were left out, as the message says."""


def _rebuild(kind: type[IbicError], message: Message, faults: tuple[Fault, ...] | None) -> IbicError:
    if issubclass(kind, FaultsError):
        return kind(message.code, faults=faults or (), **dict(message.params))
    return kind(message.code, **dict(message.params))
