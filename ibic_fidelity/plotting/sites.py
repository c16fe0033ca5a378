"""All sites beside each other, in the order of their names or codes; never as a league."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._draw import ROW_INCHES, draw_heading, draw_scale, draw_score, label_rows, row_inches
from ibic_fidelity.plotting._rows import (
    Order,
    band_cuts,
    check,
    reason_words,
    shown_rows,
    site_name,
    sites_in_order,
)
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.scores import Scores
from ibic_fidelity.scoring.shrunken import ShrunkenScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ibic_fidelity.plotting._rows import Row


def plot_sites(
    scores: Scores,
    instrument: Instrument,
    statistic: str = "total_core",
    *,
    sites: Sequence[str] | None = None,
    wave: str = "",
    order: Order = "name",
    lang: Language = "sv",
    ax: Axes | None = None,
) -> Axes:
    """Draw one total or component of all sites as dots with intervals, 0–100.

    Sites stand in the order of their names (Swedish alphabet) or codes. They are never sorted by score:
    with intervals as wide as these, a ranking would mostly be a ranking of chance.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned; nothing is computed here.
    instrument : Instrument
        The instrument of these scores.
    statistic : str
        Id of a total or component.
    sites : sequence of str, optional
        Some of the sites; by default all.
    wave : str
        Which wave.
    order : {"name", "code"}
        Order from the top.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes. Give it about 0.15 inches a site: in a lower one
        every second, third … label is left out so that none covers another.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        The instrument has no such total or component, nothing was scored in that wave, or the
        instrument is another.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> ax = plot_sites(scores, study.instrument, ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Färgelanda', 'Kiruna', 'Upplands Väsby']
    """
    check(scores, instrument, lang)
    label = statistic_label(instrument, statistic, lang)
    rows = scores.rows
    require_way_of_working(scores.estimand, "plot_sites")
    kept = (rows["service_area"] == "") & (rows["wave"] == wave)
    kept &= ((rows["level"] == "total") & (rows["statistic"] == statistic)) | (
        (rows["level"] == "component") & (rows["component"] == statistic)
    )
    if sites is not None:
        wanted = set(sites)
        kept &= [site in wanted for site in rows["site"]]
    if not kept.any():
        raise UsageError("plotting.nothing", statistic=statistic, wave=repr(wave))
    found = shown_rows(rows.where(kept), instrument)
    return draw_sites(found, scores, instrument, label, order=order, lang=lang, ax=ax)


def draw_sites(
    rows: Sequence[Row],
    scores: Scores | ShrunkenScores,
    instrument: Instrument,
    label: str,
    *,
    order: Order,
    lang: Language,
    ax: Axes | None,
) -> Axes:
    """Draw rows of one statistic that were looked up already, one row a site."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    by_site = {row["site"]: row for row in rows}
    ordered = sites_in_order(tuple(by_site), instrument, order)
    height = row_inches(ax, len(ordered))
    size = min(1.0, max(0.3, height / 0.2))
    for position, site in enumerate(ordered):
        row = by_site[site]
        words = reason_words(row["reason"], lang) if row["reason"] else ""
        draw_score(ax, row, -position, lang, words, total=row["level"] == "total", size=0.75 * size)
    total = any(row["level"] == "total" for row in rows)
    draw_scale(ax, lang, scores.confidence_level, band_cuts(instrument) if total else ())
    step = max(1, round(ROW_INCHES / height + 0.35)) if height < ROW_INCHES else 1
    shown = range(0, len(ordered), step)
    label_rows(ax, [-i for i in shown], [site_name(ordered[i], instrument)[:32] for i in shown], fontsize=8)
    ax.set_ylim(-len(ordered) + 0.3, 0.7)
    draw_heading(ax, label, synthetic=scores.provenance.synthetic, lang=lang)
    return ax


def statistic_label(instrument: Instrument, statistic: str, lang: Language) -> str:
    """Return the label of a total or component."""
    labels = {part.id: part.label[lang] for part in (*instrument.components, *instrument.totals)}
    if statistic not in labels:
        raise UsageError("plotting.unknown_statistic", statistic=repr(statistic), known=list(labels))
    return labels[statistic]
