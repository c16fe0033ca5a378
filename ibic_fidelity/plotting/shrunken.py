"""Shrunken scores of all sites, in the order of their names or codes; never as a league."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ibic_fidelity.errors import ArgumentTypeError, UsageError
from ibic_fidelity.foundation.messages import Language, text
from ibic_fidelity.foundation.numbers import percent
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._draw import WORDS
from ibic_fidelity.plotting._rows import Order, check
from ibic_fidelity.plotting.sites import draw_sites, statistic_label
from ibic_fidelity.scoring.shrunken import ShrunkenScores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ibic_fidelity.plotting._draw import WORDS
from ibic_fidelity.plotting._rows import Row


def plot_shrunken(
    result: ShrunkenScores,
    instrument: Instrument,
    *,
    sites: Sequence[str] | None = None,
    order: Order = "name",
    lang: Language = "sv",
    ax: Axes | None = None,
) -> Axes:
    """Draw the shrunken scores of all sites as dots with posterior intervals, 0–100.

    Parameters
    ----------
    result : ShrunkenScores
        What `shrink_scores` returned; nothing is computed here.
    instrument : Instrument
        The instrument of these scores.
    sites : sequence of str, optional
        Some of the sites; by default all.
    order : {"name", "code"}
        Order from the top.
    lang : {"sv", "en"}
        Language of the words.
    ax : Axes, optional
        Where to draw; by default the current Axes. Give it about 0.15 inches a site.

    Returns
    -------
    Axes
        The reason stands in the place of a score that is not shrunken.

    Raises
    ------
    ArgumentTypeError
        `result` is something else, such as raw scores, which `plot_sites` draws.
    UsageError
        None of `sites` is there, the instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> from matplotlib.figure import Figure
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> shrunken = ibic.shrink_scores(scores, study.instrument)
    >>> plot_shrunken(shrunken, study.instrument, lang="en", ax=Figure().subplots()).get_title("left")
    'Drawn together: Fidelity, core'
    """
    given: object = result
    if not isinstance(given, ShrunkenScores):
        raise ArgumentTypeError("plotting.not_shrunken", got=type(given).__name__)
    check(result, instrument, lang)
    wanted = None if sites is None else set(sites)
    rows = [row for row in result.rows.rows() if wanted is None or row["site"] in wanted]
    if not rows:
        raise UsageError("plotting.nothing", statistic=repr(result.statistic), wave="''")
    return draw_shrunken(rows, result, instrument, order=order, lang=lang, ax=ax)


def draw_shrunken(
    rows: Sequence[Row],
    result: ShrunkenScores,
    instrument: Instrument,
    *,
    order: Order,
    lang: Language,
    ax: Axes | None,
) -> Axes:
    """Draw rows that were looked up already, one row a site."""
    label = text("plotting.shrunken_title", lang, label=statistic_label(instrument, result.statistic, lang))
    drawn = draw_sites(rows, result, instrument, label, order=order, lang=lang, ax=ax)
    level = percent(result.confidence_level, lang)
    drawn.set_xlabel(text("plotting.shrunken_axis", lang, level=level), fontsize=8.5, color=WORDS)
    return drawn
