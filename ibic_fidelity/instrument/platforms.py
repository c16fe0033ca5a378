"""Whether ids and codes can be carried by the programs that answers are collected and analysed in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from ibic_fidelity.instrument.findings import Finding, warned
from ibic_fidelity.instrument.model import KEYS, Instrument

#: Names that a program keeps for itself, in small letters: an id is written in no others, and most programs do not
#: tell large from small. Length, first letter and characters are settled by the reader, within what each one takes;
#: REDCap keeps no name that the reader lets through.
RESERVED = {
    "SPSS": frozenset(["all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"]),
    "Stata": frozenset(["byte", "double", "float", "if", "in", "int", "long", "using", "with"]),
    "LimeSurvey": frozenset(
        ["lang", "sid", "savedid", "token", "qid", "gid", "sgq", "self", "that", "this", "time", "other"]
    ),
    "XLSForm": frozenset(["meta", "instanceid", "instancename"]),
    "Qualtrics": frozenset(
        ["startdate", "enddate", "status", "ipaddress", "progress", "finished", "responseid", "userlanguage"]
    ),
}
#: Names of a pattern: Stata's types str1 to str2045, and what no XML name may begin with.
_PATTERNS = {"Stata": re.compile(r"str\d{1,4}"), "XLSForm": re.compile(r"xml.*")}
#: How many missing codes of one variable SPSS can hold apart.
SPSS_MISSING = 3


def ids_and_codes(instrument: Instrument) -> Iterator[Finding]:
    """Yield ids that a program keeps for itself, that stand in two forms or name a key, and too many missing codes."""
    keys = {key.casefold() for key in KEYS} | {name.casefold() for names in instrument.keys.values() for name in names}
    places: dict[str, list[str]] = defaultdict(list)
    for source in instrument.sources:
        for item, measure in instrument.measures_of(source.id):
            columns = [part.id for part in measure.parts] or [measure.id]
            if instrument.by_scale[measure.scale].type == "register":
                columns.append(f"{measure.id}n")
            for column in columns:
                places[column].append(source.id)
                for program in _taken_by(column):
                    yield warned(item.id, "instrument.check_reserved", id=column, program=program)
                if column in keys:
                    yield warned(item.id, "instrument.check_id_is_key", id=column)
    for column in instrument.count_columns():
        places[column].append("register")
    for column, sources in places.items():
        if len(sources) > 1:
            yield warned("", "instrument.check_column_twice", id=column, sources=sources)
    for scale in instrument.scales:
        codes = [code for code in (*scale.missing.dont_know, *scale.missing.not_applicable) if code.isdigit()]
        if len(codes) > SPSS_MISSING:
            yield warned("", "instrument.check_missing_codes", scale=scale.id, n=len(codes), limit=SPSS_MISSING)


def _taken_by(column: str) -> list[str]:
    pattern = {program for program, taken in _PATTERNS.items() if taken.fullmatch(column)}
    return [program for program, names in RESERVED.items() if column in names or program in pattern]
