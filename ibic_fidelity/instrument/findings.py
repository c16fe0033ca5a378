"""What a check of an instrument tells: one finding at a time, and all of them as a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ibic_fidelity.foundation.messages import Language, Message
from ibic_fidelity.foundation.results import table

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["warning", "information"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: in which item (empty: in no single one), how serious, and why.

    ``message`` has its remedy under the same code with ``_remedy`` added, as the rule of a fault.
    """

    severity: Severity
    item: str
    message: Message

    def line(self, language: Language) -> str:
        """Return the finding in one line of text."""
        return f"{self.message.text(language)} {self.remedy(language)}"

    def remedy(self, language: Language) -> str:
        """Return what to do about it."""
        return Message(f"{self.message.code}_remedy", self.message.params).text(language)


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentCheck:
    """The findings on an instrument, in the order of its items, general ones last.

    Attributes
    ----------
    instrument_id, instrument_version : str
        What was checked.
    findings : tuple of Finding
        Warnings are for the author to mend or defend; information is a figure to know.
    """

    instrument_id: str
    instrument_version: str
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that are warnings."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a finding: item, reason (English), severity, code."""
        return table(
            {
                "item": [finding.item for finding in self.findings],
                "reason": [finding.message.text("en") for finding in self.findings],
                "severity": [finding.severity for finding in self.findings],
                "code": [finding.message.code for finding in self.findings],
            },
            extra=("severity", "code"),
        )

    def summary(self) -> str:
        """Return how many findings there are, and the warnings."""
        n, warnings = len(self.findings), len(self.warnings)
        head = f"{self.instrument_id} {self.instrument_version}: {warnings} warning(s), "
        head += f"{n - warnings} for information"
        return "\n".join([head, *(f"  {finding.line('en')}" for finding in self.warnings)])


def warned(item: str, code: str, /, **params: object) -> Finding:
    """Return a warning, for the author to mend or defend."""
    return Finding("warning", item, Message(code, params))


def informed(item: str, code: str, /, **params: object) -> Finding:
    """Return a figure to know."""
    return Finding("information", item, Message(code, params))
