"""The profile of one site: its totals and components with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._draw import draw_heading, draw_scale, draw_score, label_rows
from ibic_fidelity.plotting._rows import (
    area_label,
    check,
    cuts_of,
    in_totals,
    printable,
    reason_words,
    shown_rows,
    site_name,
)
from ibic_fidelity.scoring.scores import Scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ibic_fidelity.plotting._rows import Row

GAP = 0.6  # rows between totals and components


def plot_profile(
    scores: Scores,
    instrument: Instrument,
    site: str,
    *,
    service_area: str = "",
    wave: str = "",
    components: Sequence[str] | None = None,
    lang: Language = "sv",
    ax: Axes | None = None,
) -> Axes:
    """Draw the totals and components of one site as dots with intervals, 0–100.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned; nothing is computed here.
    instrument : Instrument
        The instrument of these scores: labels, order and bands.
    site, service_area, wave : str
        What to draw; an empty service area is the whole site.
    components : sequence of str, optional
        Ids of the components; by default those that enter a total (all, where there is no total).
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes.

    Returns
    -------
    Axes
        Totals, with diamonds, stand above the components. A withheld score is drawn as the words why.

    Raises
    ------
    UsageError
        The site, area or wave was not scored, or the instrument is another.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ax = plot_profile(scores, study.instrument, "0114", lang="en", ax=Figure().subplots())
    >>> ax.get_xlim() == (0, 100), ax.get_title(loc="left")
    (True, 'Upplands Väsby')
    """
    check(scores, instrument, lang)
    kept = scores.rows["site"] == site
    kept = kept & (scores.rows["service_area"] == service_area) & (scores.rows["wave"] == wave)
    if not kept.any():
        raise UsageError("plotting.not_scored", site=repr(site), area=repr(service_area), wave=repr(wave))
    rows = shown_rows(scores.rows.where(kept), instrument)
    title = profile_title(instrument, site, service_area, wave, lang)
    return draw_profile(rows, scores, instrument, title, components=components, lang=lang, ax=ax)


def draw_profile(
    rows: Sequence[Row],
    scores: Scores,
    instrument: Instrument,
    title: str,
    *,
    components: Sequence[str] | None,
    lang: Language,
    ax: Axes | None,
) -> Axes:
    """Draw rows of one site that were looked up already."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    drawn = profile_rows(rows, instrument, components)
    positions, y = [], 0.0
    for position, row in enumerate(drawn):
        if position and row["level"] == "component" and drawn[position - 1]["level"] == "total":
            y -= GAP
            ax.axhline(y + 0.5 + GAP / 2, color="#E3E3E3", lw=1, zorder=0)
        positions.append(y)
        words = reason_words(row["reason"], lang) if row["reason"] else ""
        draw_score(ax, row, y, lang, words, total=row["level"] == "total")
        y -= 1
    draw_scale(ax, lang, scores.confidence_level, cuts_of(scores, instrument) if instrument.totals else ())
    label_rows(ax, positions, [_label(row, instrument, lang) for row in drawn])
    for label, row in zip(ax.get_yticklabels(), drawn, strict=True):
        label.set_fontweight("bold" if row["level"] == "total" else "normal")
    ax.set_ylim(y + 0.4, 0.6)
    draw_heading(ax, title, synthetic=scores.provenance.synthetic, lang=lang)
    return ax


def profile_rows(rows: Sequence[Row], instrument: Instrument, components: Sequence[str] | None = None) -> list[Row]:
    """Return the rows of a profile in the instrument's order, totals first."""
    by_total = {row["statistic"]: row for row in rows if row["level"] == "total"}
    by_component = {row["component"]: row for row in rows if row["level"] == "component"}
    wanted = [part.id for part in in_totals(instrument)] if components is None else components
    totals = [by_total[total.id] for total in instrument.totals if total.id in by_total]
    return [*totals, *(by_component[name] for name in wanted if name in by_component)]


def _label(row: Row, instrument: Instrument, lang: Language) -> str:
    if row["level"] == "total":
        return next(total.label[lang] for total in instrument.totals if total.id == row["statistic"])
    return instrument.by_component[row["component"]].label[lang]


def profile_title(instrument: Instrument, site: str, service_area: str, wave: str, lang: Language) -> str:
    """Return the name of the site, with area and wave where there are any."""
    parts = (site_name(site, instrument), area_label(service_area, instrument, lang), printable(wave))
    return " · ".join(part for part in parts if part)
