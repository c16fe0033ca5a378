"""What a study looks like: how many sites, files, raters and respondents, and how the world is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ibic_fidelity.errors import UsageError


@dataclass(frozen=True, slots=True)
class LatentShares:
    """How the latent variance of one answer in a file is made up; the rest is the file's own state of the item.

    Every answer is yes when a standard normal latent value is below a threshold, so that the expected
    answer over assessors, files and raters is exactly the planted level, whatever the shares are.

    Parameters
    ----------
    assessor : float
        Common to all files of an assessor.
    unit : float
        Common to all items of a file (or, in a survey, of a respondent).
    rater : float
        Severity of a rater, common to everything that the rater rates.
    rater_error : float
        What a second rater of the same file would see differently.
    """

    assessor: float = 0.10
    unit: float = 0.15
    rater: float = 0.015
    rater_error: float = 0.10

    def __post_init__(self) -> None:
        parts = [getattr(self, part.name) for part in fields(self)]
        if min(parts) < 0 or sum(parts) >= 1:
            raise UsageError("studies.latent_shares", shares=parts)


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """A study design.

    Parameters
    ----------
    instrument : str
        Bundled name or path.
    n_sites : int
        Sites, taken evenly from the instrument's register where it has one.
    service_areas : tuple of str
        Service areas audited in each site; empty for none named.
    files, assessors : int
        Audited files in each site and area, and the assessors they are nested under.
    short_sites : int
        Sites, spread among the others, in which only a quarter of the files were audited.
    raters : int
        Raters of the whole audit; each takes whole sites, at least three where the numbers allow.
    double_rated : float
        Share of files that a second rater rates too, linking all raters.
    providers, managers, users, relatives : int
        Respondents asked in each site and area, by source.
    representatives : int
        Persons drawn in each site and area who cannot answer themselves; a representative of each is asked.
    children : int
        Children drawn in each site and area: every guardian is asked, and two children of three.
    response_rate : float
        Share of those asked who answer, at random.
    missing : float
        Share of answers left blank, at random.
    not_applicable : float
        Share of answers that do not apply, where a fidelity item has such a rule.
    uneven : float
        How far `not_applicable` differs between sites: at 1 it rises from 0 at the first site to twice itself
        at the last.
    mean, site_sd, component_sd, item_sd : float
        The latent level of a site's component: `mean` + site (SD `site_sd`) + component (SD
        `component_sd`) + item (SD `item_sd`, the same in all sites), on the standard normal scale: 0 is
        a level of 50, 0.67 of 75.
    shares : LatentShares
        How the variance inside a site is made up.
    fidelity_effect : float
        Latent change of experience and distal outcomes for one latent unit of the site's fidelity.

    Examples
    --------
    >>> StudyDesign(n_sites=8, files=20).raters
    8
    """

    instrument: str = "ibic"
    n_sites: int = 24
    service_areas: tuple[str, ...] = ()
    files: int = 30
    assessors: int = 5
    short_sites: int = 0
    raters: int = 8
    double_rated: float = 0.25
    providers: int = 12
    managers: int = 1
    users: int = 30
    relatives: int = 15
    representatives: int = 0
    children: int = 0
    response_rate: float = 0.7
    missing: float = 0.02
    not_applicable: float = 0.05
    uneven: float = 0.0
    mean: float = 0.1
    site_sd: float = 0.35
    component_sd: float = 0.25
    item_sd: float = 0.4
    shares: LatentShares = LatentShares()
    fidelity_effect: float = 0.4

    def __post_init__(self) -> None:
        areas: object = self.service_areas
        if isinstance(areas, str):
            raise UsageError("studies.areas_are_several", value=self.service_areas)
        for name in ("n_sites", "files", "assessors", "raters"):
            if getattr(self, name) < 1:
                raise UsageError("studies.at_least_one", name=name, value=getattr(self, name))
        for name in ("double_rated", "response_rate", "missing", "not_applicable", "uneven"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError("studies.share", name=name, value=getattr(self, name))
        people = ("providers", "managers", "users", "relatives", "representatives", "children")
        for name in ("short_sites", *people, "site_sd", "component_sd", "item_sd"):
            if getattr(self, name) < 0:
                raise UsageError("studies.not_negative", name=name, value=getattr(self, name))

    def as_dict(self) -> dict[str, Any]:
        """Return the design as plain JSON data."""
        plain = {part.name: getattr(self, part.name) for part in fields(self)}
        plain["shares"] = {part.name: getattr(self.shares, part.name) for part in fields(self.shares)}
        return plain
