"""Swedish personal numbers: found in any cell, never echoed."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable

MASK = "••••••-••••"

_PATTERN = re.compile(r"(?<!\d)(?:(18|19|20)?(\d{2})(\d{2})(\d{2})[-+\u2010-\u2015\u2212 \u00a0]?(\d{4}))(?!\d)")
_MARKS = "-+\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
#: A number that lost its leading zero in a spreadsheet: people born in the years 2000–2009.
_LOST_ZERO = re.compile(r"\d{9}(?:\.0)?")


def has_personal_number(text: str) -> bool:
    """Return whether a text holds a personnummer or samordningsnummer.

    Ten or twelve digits with ``-``, ``+``, a space or nothing before the last four, a date that exists
    (the day plus 60 in a samordningsnummer) and the right check digit.

    Examples
    --------
    >>> has_personal_number("Anna 850709-9805"), has_personal_number("850709-9806")
    (True, False)
    """
    if any(_is_date(match) and _luhn(match) for match in _PATTERN.finditer(text)):
        return True
    if _LOST_ZERO.fullmatch(text.strip()):
        match = _PATTERN.fullmatch("0" + text.strip().removesuffix(".0"))
        return match is not None and _is_date(match) and _luhn(match)
    return False


def has_personal_form(text: str) -> bool:
    """Return whether a text holds a date and four digits set off as in a personal number, whatever the check digit.

    Examples
    --------
    >>> has_personal_form("19850709-9806"), has_personal_form("8507099806"), has_personal_form("851309-9806")
    (True, False, False)
    """
    return any(_is_date(match) and match.group()[-5] in _MARKS for match in _PATTERN.finditer(text))


def personal_numbers(texts: Iterable[str]) -> list[str]:
    """Return the texts that hold a personal number, in their order."""
    distinct = list(dict.fromkeys(texts))
    joined = "\n".join(distinct)
    if re.search(r"\d{6}[^\d\n]?\d{3}", joined) is None:
        return []
    return [text for text in distinct if len(text) >= 9 and has_personal_number(text)]


def masked(text: str) -> str:
    """Return a text with everything that looks like a personal number masked, check digit right or wrong.

    Examples
    --------
    >>> masked("Anna 850709-9805")
    'Anna ••••••-••••'
    """
    if _LOST_ZERO.fullmatch(text.strip()) and has_personal_number(text):
        return MASK
    return _PATTERN.sub(lambda match: MASK if _is_date(match) else match.group(), text)


def _is_date(match: re.Match[str]) -> bool:
    century, *parts = match.group(1, 2, 3, 4)
    year, month, day = (int(part or 0) for part in parts)
    if day > 60:
        day -= 60
    if not 1 <= month <= 12 or day < 1:
        return False
    # without a century 29 February is possible where any century of that year leaps
    years = [int(century) * 100 + year] if century else [1900 + year, 2000 + year]
    return any(day <= monthrange(one, month)[1] for one in years)


def _luhn(match: re.Match[str]) -> bool:
    digits = [int(digit) for digit in "".join(part or "" for part in match.group(2, 3, 4, 5))]
    total = 0
    for place, digit in enumerate(digits):
        doubled = digit * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return total % 10 == 0
