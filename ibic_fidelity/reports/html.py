"""Templates to pages: everything is escaped, and nothing comes from outside the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ibic_fidelity.plotting._draw import BAND_COLOURS

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters["strip_svg"] = strip_svg
    made.filters["css_string"] = css_string
    return made


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def render(template: str, **context: Any) -> str:
    """Return a page."""
    return _environment().get_template(template).render(band_colours=BAND_COLOURS, **context)


def trusted(svg: str) -> str:
    """Return SVG that this package drew, and escaped, as markup."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704 - figures.py escapes what it puts in


def css_string(words: str) -> str:
    r"""Return a text as a string of a style sheet, in which nothing can end the string or the sheet.

    Examples
    --------
    >>> print(css_string('a"b</style>'))
    "a\000022b\00003c/style\00003e"
    """
    unsafe = "\"'\\<>&\n\r\f"
    return trusted('"' + "".join(f"\\{ord(c):06x}" if c in unsafe else c for c in words) + '"')


def strip_svg(strip: tuple[float, float, float]) -> str:
    """Return a small dot and whisker, which says no more than the numbers beside it."""
    low, estimate, high = strip
    line = f'<path d="M{low + 5:.1f} 7H{high + 5:.1f}"/>' if low == low else ""  # noqa: PLR0124 - NaN: no interval
    dot = f'<circle cx="{estimate + 5:.1f}" cy="7" r="3.5"/>'
    return trusted(
        f'<svg class="strip" viewBox="0 0 110 14" aria-hidden="true"><path class="base" d="M5 7H105"/>{line}{dot}</svg>'
    )
