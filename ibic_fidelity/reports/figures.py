"""Figures as SVG inside the page: text stays text, the same scores give the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

from ibic_fidelity.plotting._rows import Row, site_name
from ibic_fidelity.plotting.profile import draw_profile, profile_rows, profile_title
from ibic_fidelity.plotting.sites import draw_sites
from ibic_fidelity.reports.material import Material, Place
from ibic_fidelity.reports.sentences import alt_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 7.4, 2.4, 0.25, 0.62, 0.72  # inches
PROFILE_ROW, SITE_ROW = 0.31, 0.155  # inches
SITES_A_FIGURE = 58  # as many as stand on one printed page
_TAG = re.compile(r"<[^>]*>")  # in SVG text, < and > are escaped
_FONT = re.compile(r"font-family: [^;\"]*|'DejaVu Sans'[^;\"]*")


def profile_figure(material: Material, place: Place, name: str) -> str:
    """Return the profile of a place as SVG."""
    rows = profile_rows(material.rows[place], material.instrument, material.entering)
    site, wave, area = place
    title = profile_title(material.instrument, site, area, wave, material.lang)

    def draw(ax: Axes) -> None:
        draw_profile(rows, material.scores, material.instrument, title, components=material.entering,
                     lang=material.lang, ax=ax)  # fmt: skip

    heading = material.say("reports.profile_alt", site=material.named(site), level=material.level)
    return as_svg(draw, PROFILE_ROW * (len(rows) + 0.6), name, heading, alt_text(rows, material))


def site_figures(material: Material, rows: Sequence[Row], label: str, name: str) -> tuple[str, ...]:
    """Return all sites' scores of one total or component as SVG, as many figures as readable rows need."""
    by_site = {row["site"]: row for row in rows}
    ordered = [by_site[site] for site in material.sites() if site in by_site]
    made = []
    for start in range(0, len(ordered), SITES_A_FIGURE):
        part = ordered[start : start + SITES_A_FIGURE]

        def draw(ax: Axes, part: Sequence[Row] = part) -> None:
            draw_sites(part, material.scores, material.instrument, label, order="name", lang=material.lang, ax=ax)

        first, last = (site_name(row["site"], material.instrument) for row in (part[0], part[-1]))
        heading = material.say("reports.sites_alt", label=label, first=first, last=last, level=material.level)
        shown = [row["estimate"] for row in part if not row["reason"]]
        words = material.say(
            "reports.sites_alt_span", n=material.whole(len(shown)), withheld=material.whole(len(part) - len(shown)),
            low=material.score(min(shown)), high=material.score(max(shown)),
        ) if shown else material.say("reports.sites_alt_none")  # fmt: skip
        made.append(as_svg(draw, SITE_ROW * (len(part) + 0.6), f"{name}-{start}", heading, words))
    return tuple(made)


def as_svg(
    draw: Callable[[Axes], None],
    inches: float,
    name: str,
    title: str,
    description: str,
    *,
    top: float = TOP,
    bottom: float = BOTTOM,
) -> str:
    """Return what `draw` puts on Axes of a height, as an SVG element named by its title and description."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    height = top + inches + bottom
    figure = Figure(figsize=(WIDTH, height))
    box = (LEFT / WIDTH, bottom / height, 1 - (LEFT + RIGHT) / WIDTH, inches / height)
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ibic"}), warnings.catch_warnings():
        # The browser has its own fonts: a letter that matplotlib's lacks is still in the text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        draw(figure.add_axes(box))
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return _element(written.getvalue(), name, title, description)


def _element(svg: str, name: str, title: str, description: str) -> str:
    """Return a whole SVG file as an element of a page: own ids, own fonts, nothing that names an address."""
    body = svg[svg.index("<svg") : svg.rindex("</svg>")]
    body = re.sub(r" <metadata>.*?</metadata>\n", "", body, flags=re.DOTALL)
    body = re.sub(r" <defs>\s*<style.*?</style>\s*</defs>\n", "", body, count=1, flags=re.DOTALL)
    body = _TAG.sub(lambda tag: _own(tag[0], name), body)
    view = re.search(r'viewBox="[^"]*"', body)
    box = f'{view[0] if view else ""} preserveAspectRatio="xMinYMin meet"'
    opening = (
        f'<svg {box} role="img" aria-labelledby="{name}-title {name}-desc">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(description)}</desc>'
    )
    return opening + body[body.index(">") + 1 :] + "</svg>"


def _own(tag: str, name: str) -> str:
    """Return a tag whose ids are this figure's and whose font is the page's."""
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = tag.replace('xlink:href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    return _FONT.sub(lambda found: "font-family: inherit" if found[0].startswith("font-family") else "inherit", tag)
