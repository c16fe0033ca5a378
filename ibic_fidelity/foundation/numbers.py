"""Numbers as people read them: Swedish, English and APA, without a system locale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from ibic_fidelity.foundation.messages import Language

Style = Literal["sv", "en", "apa"]

_THIN = "\u00a0"
_MINUS = "\u2212"
NOT_AVAILABLE = "–"


def number(value: float, style: Style, *, digits: int = 0) -> str:
    r"""Return a number with a fixed count of decimals.

    Swedish takes a decimal comma and a no-break space between thousands, English a point and a comma;
    APA drops the zero before the point where the absolute value is below 1. What is not finite is a dash.

    Examples
    --------
    >>> number(-1234.5, "sv", digits=1), number(0.034, "apa", digits=3), number(1234.5, "en", digits=1)
    ('−1\xa0234,5', '.034', '1,234.5')
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
    r"""Return a share as a percentage with a no-break space.

    Examples
    --------
    >>> percent(0.456, "sv"), percent(0.456, "en")
    ('46\xa0%', '46%')
    """
    if not math.isfinite(share):
        return NOT_AVAILABLE
    figure = number(100 * share, language, digits=digits)
    return f"{figure}{_THIN}%" if language == "sv" else f"{figure}%"


def interval(low: float, high: float, style: Style, *, digits: int = 0) -> str:
    """Return an interval as ``low–high``, or a dash where it is not defined.

    Beside a minus sign an en dash cannot be read, and the word for "to" stands instead.

    Examples
    --------
    >>> interval(41.2, 58.9, "sv")
    '41–59'
    >>> interval(-0.2, 0.3, "apa", digits=1)
    '−.2 to .3'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return NOT_AVAILABLE
    first, last = number(low, style, digits=digits), number(high, style, digits=digits)
    if first.startswith(_MINUS) or last.startswith(_MINUS):
        return f"{first} {'till' if style == 'sv' else 'to'} {last}"
    return f"{first}–{last}"


def coefficient(value: float, language: Language, *, digits: int = 2) -> str:
    """Return a coefficient such as alpha: 0,87 in Swedish, .87 in English.

    Examples
    --------
    >>> coefficient(0.873, "sv"), coefficient(0.873, "en")
    ('0,87', '.87')
    """
    return number(value, "sv" if language == "sv" else "apa", digits=digits)


def beside_cuts(value: float, style: Style, cuts: Sequence[float] = ()) -> str:
    """Return a number without decimals, or with as many as show on which side of each cut it lies.

    A score of 74.6 is below a cut of 75; printed as 75 it would seem to be above.

    Examples
    --------
    >>> beside_cuts(74.6, "sv", (50, 75)), beside_cuts(74.96, "en", (75,)), beside_cuts(61.2, "en", (75,))
    ('74,6', '74.96', '61')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    for digits in range(8):  # at seven decimals what is 1e-7 below a cut is printed below it
        shown = float(f"{value:.{digits}f}")
        if all((shown >= cut - 5e-8) == (value >= cut - 1e-7) for cut in cuts):
            break
    return number(value, style, digits=digits)


def probability(value: float, language: Language, cuts: Sequence[float] = ()) -> str:
    r"""Return a probability as a percentage, never rounded to certainty, nor across a cut (as a share).

    Examples
    --------
    >>> probability(0.0004, "en"), probability(0.9999, "sv"), probability(0.797, "en", (0.8,))
    ('<1%', '>99\xa0%', '79.7%')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value <= 0.005:
        return f"<{percent(0.01, language)}"
    if value >= 0.995:
        return f">{percent(0.99, language)}"
    figure = beside_cuts(100 * value, language, [100 * cut for cut in cuts])
    return f"{figure}{_THIN}%" if language == "sv" else f"{figure}%"
