"""Self-contained pages: one a site, and one for all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ibic_fidelity.errors import UsageError
from ibic_fidelity.foundation.files import claim_folder, file_stem, write_file
from ibic_fidelity.foundation.messages import Language
from ibic_fidelity.foundation.parallel import Progress
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.plotting._rows import check, printable
from ibic_fidelity.plotting.sites import statistic_label
from ibic_fidelity.reports import overview, sentences, tables
from ibic_fidelity.reports.figures import profile_figure, site_figures
from ibic_fidelity.reports.html import render, trusted
from ibic_fidelity.reports.material import Material
from ibic_fidelity.reports.own_forms import own_forms
from ibic_fidelity.scoring.estimands import require_way_of_working
from ibic_fidelity.scoring.scores import Scores

OVERVIEW = "index.html"
#: Dimensions that may stand apart from the score, and what their sections are called.
APART = {
    "core": "reports.apart_core",
    "extended": "reports.apart_extended",
    "experience": "reports.apart_experience",
    "precondition": "reports.apart_precondition",
    "context": "reports.apart_context",
    "outcome": "reports.apart_outcome",
}


def site_report(
    scores: Scores, instrument: Instrument, site: str, *, lang: Language = "sv", index: str | None = None
) -> str:
    """Return the page of one site as HTML: one file, no network, no script.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned.
    instrument : Instrument
        The instrument of these scores.
    site : str
        Its code.
    lang : {"sv", "en"}
        Language of the page.
    index : str, optional
        File name of the page of all sites, to link back to.

    Returns
    -------
    str
        The same bytes for the same scores. A figure is never made of fewer units than its source's
        minimum, nor of fewer than five people; the reason stands in its place.

    Raises
    ------
    UsageError
        The site was not scored, the instrument is another, or the language is not known.

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> site_report(scores, study.instrument, "0114", lang="en").splitlines()[1]
    '<html lang="en">'
    """
    return _site_page(Material(scores, instrument, lang), site, index)


def overview_report(
    scores: Scores, instrument: Instrument, *, lang: Language = "sv", links: Mapping[str, str] | None = None
) -> str:
    """Return the page of all sites as HTML: one file, no network, no script.

    Sites stand in the order of their names, never of their scores.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned.
    instrument : Instrument
        The instrument of these scores.
    lang : {"sv", "en"}
        Language of the pages.
    links : mapping, optional
        From site to the file name of its page.

    Returns
    -------
    str

    Examples
    --------
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> "Kiruna (2584)" in overview_report(scores, study.instrument)
    True
    """
    require_way_of_working(scores.estimand, "overview_report")
    return _overview_page(Material(scores, instrument, lang), links)


def write_reports(
    scores: Scores,
    instrument: Instrument,
    folder: str | Path,
    *,
    lang: Language = "sv",
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write the page of all sites (``index.html``) and one page a site, linked to each other.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned.
    instrument : Instrument
        The instrument of these scores.
    lang : {"sv", "en"}
        Language of the pages.
    folder : str or Path
        Made where it does not exist.
    force : bool
        Replace files of the same names; without it nothing is written if one of them exists.
    progress : callable, optional
        Called with (done, total) after every page.

    Returns
    -------
    tuple of Path
        The page of all sites first.

    Raises
    ------
    FileError
        A file of that name exists, or the folder cannot be written.
    UsageError
        As for `site_report`; the scores are of this period only, and a page of all sites compares.

    Examples
    --------
    >>> import tempfile
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pages = write_reports(scores, study.instrument, folder, lang="en")
    >>> pages[0].name, pages[1].name
    ('index.html', '0114-upplands-vasby.html')
    """
    check(scores, instrument, lang)
    require_way_of_working(scores.estimand, "write_reports")
    names = page_names(scores, instrument)
    target = claim_folder(Path(folder), (OVERVIEW, *names.values()), force=force)
    material = Material(scores, instrument, lang)
    pages = len(names) + 1
    written = _write_sites(material, names, target, index=OVERVIEW, force=force, pages=pages, progress=progress)
    first = write_file(target / OVERVIEW, _overview_page(material, names), force=force)
    if progress is not None:
        progress(pages, pages)
    return first, *written


def write_site_reports(
    scores: Scores,
    instrument: Instrument,
    folder: str | Path,
    *,
    lang: Language = "sv",
    force: bool = False,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write one page a site and no page of all, which scores of this period may not have.

    Parameters
    ----------
    scores : Scores
        What `score_municipalities` returned, of either estimand.
    instrument : Instrument
        The instrument of these scores.
    folder : str or Path
        Made where it does not exist.
    lang : {"sv", "en"}
        Language of the pages.
    force : bool
        Replace files of the same names; without it nothing is written if one of them exists.
    progress : callable, optional
        Called with (done, total) after every page.

    Returns
    -------
    tuple of Path
        In the order of the sites.

    Raises
    ------
    FileError
        A file of that name exists, or the folder cannot be written.
    UsageError
        As for `site_report`.

    Examples
    --------
    >>> import tempfile
    >>> import ibic_fidelity as ibic
    >>> study = ibic.simulate_study(ibic.StudyDesign(n_sites=3), seed=1)
    >>> scores = ibic.score_municipalities(study.responses, study.instrument, estimand="this_period")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(write_site_reports(scores, study.instrument, folder))
    3
    """
    check(scores, instrument, lang)
    names = page_names(scores, instrument)
    target = claim_folder(Path(folder), tuple(names.values()), force=force)
    material = Material(scores, instrument, lang)
    pages = len(names)
    return tuple(_write_sites(material, names, target, index=None, force=force, pages=pages, progress=progress))


def _write_sites(
    material: Material, names: Mapping[str, str], folder: Path, *, index: str | None, force: bool,
    pages: int, progress: Progress | None,
) -> list[Path]:  # fmt: skip
    written = []
    for done, (site, name) in enumerate(names.items(), start=1):
        written.append(write_file(folder / name, _site_page(material, site, index), force=force))
        if progress is not None:
            progress(done, pages)
    return written


def page_names(scores: Scores, instrument: Instrument) -> dict[str, str]:
    """Return a file name for every site, from code and name, safe everywhere and never the same twice."""
    taken = {Path(OVERVIEW).stem}
    names = {}
    for site in scores.sites:
        name = instrument.register_codes.get(site, "")
        stem = file_stem(f"{site} {name}" if name else site)
        free, number = stem, 1
        while free in taken:
            number += 1
            free = f"{stem}-{number}"
        taken.add(free)
        names[site] = f"{free}.html"
    return names


def _site_page(material: Material, site: str, index: str | None) -> str:
    waves = material.waves(site)
    if not waves:
        raise UsageError("scoring.unknown_site", site=site)
    parts = [_wave(material, site, wave, number) for number, wave in enumerate(waves)]
    name, code = material.name(site), printable(site)
    return render(
        "site.html",
        **_common(material),
        title=name,
        code="" if name == code else code,
        parts=parts,
        waves=len(waves) > 1,
        index=index and quote(index),
    )


def _wave(material: Material, site: str, wave: str, number: int) -> dict[str, Any]:
    """Return everything that the page says of one wave."""
    place = (site, wave, "")
    return {
        "name": printable(wave),
        "suffix": f"-{number}" if number else "",
        "summary": sentences.summary(material, place),
        "figure": trusted(profile_figure(material, place, f"profile{number}")),
        "profile": tables.profile_table(material, place),
        "areas": tables.areas_table(material, site, wave) if material.areas(site, wave) else None,
        "gates": tables.gates_table(material, place),
        "items": tables.item_tables(material, place, material.entering),
        "kinds": any(item.specificity for item in material.instrument.items),
        "hides_items": sentences.hides_items(material, place),
        "apart": _apart(material, place),
        "response": tables.response_table(material, place),
        "missing": tables.missing_table(material, place),
        "hidden_missing": tables.hidden_missing(material, place),
    }


def _apart(material: Material, place: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Return the sections of components that never enter a total, and of forms that enter no figure at all."""
    made = []
    for dimension, code in APART.items():
        parts = [
            part.id
            for part in material.instrument.components
            if part.dimension == dimension and part.id not in material.entering
        ]
        heading = material.say(code)
        table = tables.dimension_table(
            material, place, parts, material.say("reports.components_caption", level=material.level)
        )
        if table.rows:
            made.append(
                {
                    "id": dimension,
                    "heading": heading,
                    "introduction": material.say("reports.not_in_score"),
                    "table": table,
                    "items": tables.item_tables(material, place, parts),
                }
            )
    own = own_forms(material, place)
    return [*made, own] if own is not None else made


def _overview_page(material: Material, links: Mapping[str, str] | None) -> str:
    waves = material.waves()
    parts = [_overview_wave(material, wave, number, links) for number, wave in enumerate(waves)]
    return render(
        "overview.html",
        **_common(material),
        title=material.say("reports.overview_title", sites=material.nouns, n=material.whole(len(material.sites()))),
        parts=parts,
        waves=len(waves) > 1,
        spread=overview.spread_table(material, measures=False),
    )


def _overview_wave(material: Material, wave: str, number: int, links: Mapping[str, str] | None) -> dict[str, Any]:
    statistics = [total.id for total in material.instrument.totals[:1]] or list(material.entering)
    figures = []
    for statistic in statistics:
        rows = overview.site_rows(material, statistic, wave)
        label = statistic_label(material.instrument, statistic, material.lang)
        figures += [trusted(svg) for svg in site_figures(material, rows, label, f"sites{number}-{statistic}")]
    totals = [
        {
            "id": total.id,
            "label": total.label[material.lang],
            "table": overview.totals_table(material, total.id, wave, links),
        }
        for total in material.instrument.totals
    ]
    return {
        "name": printable(wave),
        "suffix": f"-{number}" if number else "",
        "summary": sentences.overview_summary(material, wave),
        "figures": figures,
        "totals": totals,
        "components": overview.components_table(material, wave, links),
        "sources": overview.sources_table(material, wave),
    }


def _common(material: Material) -> dict[str, Any]:
    return {
        "lang": material.lang,
        "t": material.say,
        "m": material,
        "instrument_title": material.instrument.title[material.lang],
        "stamp": material.instrument.stamp(material.lang),
        "nouns": material.nouns,
        "package": material.scores.provenance.package,
        "synthetic": material.synthetic,
        "notes": sentences.notes(material),
        "method": sentences.method(material),
        "versions": tables.versions_table(material, material.scores.provenance),
        "pooled_sites": material.whole(len(material.scores.sites)),
    }
