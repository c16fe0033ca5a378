"""Faults as they are listed: what must be put right first stands first, the same fault on many rows once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.results import Fault

ROWS_SHOWN = 5

#: Rules about the table itself; as long as one is broken, faults in its cells may be its consequences.
_STRUCTURE = frozenset(
    f"responses.{name}"
    for name in (
        *("unknown_kind", "wrong_kind", "empty_file", "no_rows", "password", "damaged", "not_a_workbook", "doctype"),
        *("packed_too_much", "too_many_cells", "which_sheet", "sheet_aside", "merged_cells", "title_row", "nul"),
        *("not_decodable", "encoding_unclear", "statistics_encoding", "separator_unclear", "quote_open"),
        *("quote_inside", "header_again", "qualtrics_header", "pasted", "file_repeated", "column_nameless"),
        *("column_twice", "columns_alike", "column_same", "columns_missing", "column_near", "no_source"),
        *("no_site_column", "no_base_column", "ids_in_some"),
    )
)
_PERSONAL = frozenset({"responses.personal_number", "responses.personal_form"})
_MORE = "responses.more_like_this"


@dataclass(frozen=True, slots=True)
class Group:
    """Faults that break one rule with one value in one column of a file: the first, and the rows of all."""

    fault: Fault
    rows: tuple[int | None, ...]

    def line(self, language: Language) -> str:
        """Return the group in one line of text."""
        if len(self.rows) == 1:
            return self.fault.line(language)
        fault = self.fault
        shown = [str(row) for row in self.rows[:ROWS_SHOWN] if row is not None]
        shown += ["…"] if len(self.rows) > ROWS_SHOWN else []
        rows = text("responses.same_rows", language, n=len(self.rows), rows=", ".join(shown))
        place = fault.column + (f" [{fault.value}]" if fault.value else "")
        where = ", ".join(part for part in (fault.file, place.strip(), rows) if part)
        return f"{where}: {fault.rule.text(language)} {fault.remedy(language)}"


def ranked(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults of structure first, then personal numbers, then the others, each in the order given."""
    return tuple(sorted(faults, key=lambda fault: _rank(fault.rule.code)))


def grouped(faults: Iterable[Fault]) -> tuple[Group, ...]:
    """Return faults in the order of `ranked`, those that differ only in their row as one.

    Examples
    --------
    >>> rule = Message("responses.site_blank", {"site": "site"})
    >>> [group.rows for group in grouped([Fault(rule, "a.csv", row) for row in (2, 3)])]
    [(2, 3)]
    """
    groups: dict[tuple[str, Message, str, str], list[Fault]] = {}
    for fault in ranked(faults):
        groups.setdefault((fault.file, fault.rule, fault.column, fault.value), []).append(fault)
    return tuple(Group(some[0], tuple(fault.row for fault in some)) for some in groups.values())


def kinds(faults: Iterable[Fault]) -> tuple[tuple[Message, int], ...]:
    """Return each rule that is broken, as it is broken first, and how many times; the most frequent first."""
    first: dict[str, Message] = {}
    times: dict[str, int] = {}
    for fault in ranked(faults):
        rule, n = fault.rule, 1
        inner, more = rule.params.get("example"), rule.params.get("n")
        if rule.code == _MORE and isinstance(inner, Message) and isinstance(more, int):
            rule, n = inner, more
        first.setdefault(rule.code, rule)
        times[rule.code] = times.get(rule.code, 0) + n
    return tuple((first[code], n) for code, n in sorted(times.items(), key=lambda pair: -pair[1]))


def count_of(faults: Iterable[Fault]) -> int:
    """Return how many faults there are, those that are only counted in one line included."""
    return sum(n for _, n in kinds(faults))


def kind_lines(faults: Iterable[Fault], language: Language) -> list[str]:
    """Return a heading and one line a kind of fault, with how many there are."""
    lines = [text("responses.of_kind", language, n=n, rule=rule) for rule, n in kinds(faults)]
    return [text("responses.of_kinds", language), *(f"  {line}" for line in lines)]


def _rank(code: str) -> int:
    if code in _STRUCTURE:
        return 0
    return 1 if code in _PERSONAL else 3 if code == _MORE else 2
