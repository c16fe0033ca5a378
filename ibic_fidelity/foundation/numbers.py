"""Numbers as people read them: Swedish, English and APA, without a system locale."""

from __future__ import annotations

import math
from typing import Literal

from ibic_fidelity.foundation.messages import Language

Style = Literal["sv", "en", "apa"]

_THIN = "\u00a0"
_MINUS = "\u2212"
NOT_AVAILABLE = "–"


def number(value: float, style: Style, *, digits: int = 0) -> str:
    """Return a number with a fixed count of decimals.

    Swedish takes a decimal comma and a no-break space between thousands, English a point and a comma;
    APA drops the zero before the point where the absolute value is below 1. What is not finite is a dash.

    Examples
    --------
    >>> number(-1234.5, "sv", digits=1), number(0.034, "apa", digits=3), number(1234.5, "en", digits=1)
    ('−1\\xa0234,5', '.034', '1,234.5')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    plain = f"{abs(value):,.{digits}f}"
    sign = _MINUS if value < 0 and float(plain.replace(",", "")) != 0 else ""
    if style == "sv":
        plain = plain.replace(",", _THIN).replace(".", ",")
    elif style == "apa":
        plain = plain.replace(",", "")
        if plain.startswith("0."):
            plain = plain[1:]
    return sign + plain


def percent(share: float, language: Language, *, digits: int = 0) -> str:
    """Return a share as a percentage with a no-break space.

    Examples
    --------
    >>> percent(0.456, "sv"), percent(0.456, "en")
    ('46\\xa0%', '46%')
    """
    if not math.isfinite(share):
        return NOT_AVAILABLE
    figure = number(100 * share, language, digits=digits)
    return f"{figure}{_THIN}%" if language == "sv" else f"{figure}%"


def interval(low: float, high: float, style: Style, *, digits: int = 0) -> str:
    """Return an interval as ``low–high``, or a dash where it is not defined.

    Examples
    --------
    >>> interval(41.2, 58.9, "sv")
    '41–59'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOT_AVAILABLE
    return f"{number(low, style, digits=digits)}–{number(high, style, digits=digits)}"


def coefficient(value: float, language: Language, *, digits: int = 2) -> str:
    """Return a coefficient such as alpha: 0,87 in Swedish, .87 in English.

    Examples
    --------
    >>> coefficient(0.873, "sv"), coefficient(0.873, "en")
    ('0,87', '.87')
    """
    return number(value, "sv" if language == "sv" else "apa", digits=digits)
