"""Which case files an audit reads: drawn from all eligible ones by somebody named, so that it can be redone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ibic_fidelity.errors import FormError, UsageError
from ibic_fidelity.foundation.files import read_bytes, sha256
from ibic_fidelity.foundation.messages import Language, Message, text
from ibic_fidelity.foundation.randomness import stream
from ibic_fidelity.instrument.model import Instrument
from ibic_fidelity.instrument.registers import suggest_site
from ibic_fidelity.platforms.sheets import FILE_LIMIT, SheetTable, read_table
from ibic_fidelity.responses.privacy import has_personal_form, has_personal_number, masked

if TYPE_CHECKING:
    import pandas as pd

    from ibic_fidelity.foundation.results import Fault

#: A site with fewer eligible cases than this is read whole.
CENSUS = 20
NEEDED = ("site", "service_area", "law", "unit")
Role = Literal["drawn", "census", "reserve"]
Stratum = tuple[str, str, str]
_NAME = re.compile(r"[A-ZÅÄÖÉ][a-zåäöé]+ [A-ZÅÄÖÉ][a-zåäöé-]+")


@dataclass(frozen=True, slots=True)
class DrawnCase:
    """A case to read: the how manieth of its site, and whether it is read or stands in reserve.

    Reserves are taken in their order, of the same area and law, where a drawn case turns out not to be eligible.
    """

    site: str
    service_area: str
    law: str
    unit: str
    role: Role
    order: int


@dataclass(frozen=True, slots=True, eq=False)
class FileDrawing:
    """The cases of every site, as `draw_files` draws them.

    Attributes
    ----------
    cases : tuple of DrawnCase
        By site, role and order.
    eligible : mapping of (site, area, law) to int
        How many there were to draw from.
    seed, per_site, reserve : int
    drawer : str
    frame_sha256 : str
    """

    cases: tuple[DrawnCase, ...]
    eligible: Mapping[Stratum, int]
    seed: int
    per_site: int
    reserve: int
    drawer: str
    frame_sha256: str

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a case: site, service_area, law, unit, role, order; on every row seed, drawer and frame."""
        import pandas as pd

        names = ("site", "service_area", "law", "unit", "role", "order")
        made = pd.DataFrame({name: [getattr(case, name) for case in self.cases] for name in names})
        return made.assign(seed=self.seed, drawer=self.drawer, frame_sha256=self.frame_sha256)

    def text(self, language: Language = "en") -> str:
        """Return who drew with which seed, and how many cases of each site."""
        lines = [text("studies.drawn", language, drawer=self.drawer, seed=self.seed, sha=self.frame_sha256[:12])]
        for site in dict.fromkeys(case.site for case in self.cases):
            mine = [case for case in self.cases if case.site == site]
            n = {role: sum(case.role == role for case in mine) for role in ("drawn", "census", "reserve")}
            of = sum(k for (one, *_), k in self.eligible.items() if one == site)
            code = "studies.drawn_census" if n["census"] else "studies.drawn_site"
            lines.append(text(code, language, site=site, of=of, n=n["census"] or n["drawn"], reserve=n["reserve"]))
        return "\n".join(lines)

    def summary(self) -> str:
        """Return the same in English."""
        return self.text("en")


def draw_files(
    frame: Path, instrument: Instrument, *, seed: int, drawer: str, per_site: int = 30, reserve: int = 10
) -> FileDrawing:
    """Draw case files from a list of all eligible cases.

    Parameters
    ----------
    frame : Path
        .xlsx or .csv with a row a case: site, service_area, law, unit (a pseudonymous id); headings of the
        instrument's own are read too, and lag for law.
    instrument : Instrument
        Whose sites, areas, laws and headings these are.
    seed : int
        The same seed and list, in any order, give the same cases.
    drawer : str
        Who draws, by name or role.
    per_site : int
        How many of each site, in proportion to areas and laws, each that has cases with at least one where they
        suffice. A site with fewer than twenty, or no more than this, is read whole.
    reserve : int
        At most how many more of each area and law, in their order.

    Returns
    -------
    FileDrawing

    Raises
    ------
    FormError
        A missing column or cell; a case twice; a personal number or what looks like a name; an unknown site, area or
        law. All faults are told at once.
    UsageError
        Nobody named, or fewer than one case a site.
    """
    if not drawer.strip():
        raise UsageError("studies.draw_nobody")
    if per_site < 1 or reserve < 0 or seed < 0:
        raise UsageError("studies.draw_sizes", per_site=per_site, reserve=reserve, seed=seed)
    table = read_table(frame, needed=NEEDED, also=_headings(instrument))
    faults = _faults(table, instrument)
    if faults:
        raise FormError("platforms.faulty", faults=tuple(faults), n=len(faults), path=masked(frame.name))
    strata: dict[Stratum, list[str]] = {}
    areas = _areas(instrument)
    for _, row in table.rows:
        area = areas.get(row["service_area"].casefold(), row["service_area"])
        strata.setdefault((row["site"], area, row["law"]), []).append(row["unit"])
    cases: list[DrawnCase] = []
    for site in sorted({name for name, *_ in strata}):
        mine = {key: sorted(units) for key, units in sorted(strata.items()) if key[0] == site}
        cases += _of_site(mine, seed, per_site, reserve)
    return FileDrawing(
        cases=tuple(cases),
        eligible={key: len(units) for key, units in sorted(strata.items())},
        seed=seed,
        per_site=per_site,
        reserve=reserve,
        drawer=drawer.strip(),
        frame_sha256=sha256(read_bytes(frame, limit=FILE_LIMIT)),
    )


def _of_site(strata: Mapping[Stratum, Sequence[str]], seed: int, per_site: int, reserve: int) -> list[DrawnCase]:
    sizes = [len(units) for units in strata.values()]
    whole = sum(sizes) < CENSUS or sum(sizes) <= per_site
    taken = sizes if whole else shares(sizes, per_site)
    read: list[DrawnCase] = []
    spare: list[DrawnCase] = []
    for n, ((site, area, law), units) in zip(taken, strata.items(), strict=True):
        order = stream(seed, "studies/draw", site, area, law).permutation(len(units))
        mixed = [units[place] for place in order]
        role: Role = "census" if whole else "drawn"
        read += [DrawnCase(site, area, law, unit, role, 0) for unit in mixed[:n]]
        spare += [
            DrawnCase(site, area, law, unit, "reserve", place)
            for place, unit in enumerate(mixed[n : n + reserve], start=1)
        ]
    site = next(iter(strata))[0]
    reading = stream(seed, "studies/draw", site, "order").permutation(len(read))
    turned = [read[place] for place in reading]
    numbered = [
        DrawnCase(one.site, one.service_area, one.law, one.unit, one.role, number)
        for number, one in enumerate(turned, start=1)
    ]
    return numbered + spare


def shares(sizes: Sequence[int], n: int) -> list[int]:
    """Return how many of n each part gets in proportion to its size, at least one where n suffices for that.

    Examples
    --------
    >>> shares([80, 15, 5], 30), shares([98, 1, 1], 10), shares([50, 50, 50], 2)
    ([24, 5, 1], [8, 1, 1], [1, 1, 0])
    """
    whole = sum(sizes)
    least = [1 if n >= len(sizes) else 0] * len(sizes)
    given = [max(n * size // whole, low) for size, low in zip(sizes, least, strict=True)]
    rest = sorted(range(len(sizes)), key=lambda j: (-(n * sizes[j] / whole - given[j]), j))
    for j in rest:
        if sum(given) < n and given[j] < sizes[j]:
            given[j] += 1
    while sum(given) > n:
        largest = max(range(len(sizes)), key=lambda j: (given[j] - n * sizes[j] / whole if given[j] > 1 else -1.0, -j))
        given[largest] -= 1
    return given


def _headings(instrument: Instrument) -> dict[str, str]:
    names = {name.casefold(): key for key, also in instrument.keys.items() for name in also}
    return {**names, "lag": "law"}


def _areas(instrument: Instrument) -> dict[str, str]:
    return {
        name.casefold(): area.id
        for area in instrument.service_areas
        for name in (area.id, area.label.sv, area.label.en, *area.also)
    }


def _faults(table: SheetTable, instrument: Instrument) -> list[Fault]:
    areas, laws = _areas(instrument), sorted({law for item in instrument.items for law in item.law})
    register = instrument.register_codes
    seen: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    for number, row in table.rows:
        faults += [table.broken("studies.draw_blank", number, name) for name in NEEDED if not row[name]]
        unit, site = row["unit"], row["site"]
        shown = masked(unit)
        if has_personal_number(unit) or has_personal_form(unit):
            faults.append(table.broken("studies.draw_personal", number, "unit", shown))
        elif _NAME.search(unit):
            faults.append(table.broken("studies.draw_name", number, "unit"))
        if unit and (site, unit) in seen:
            faults.append(table.broken("studies.draw_twice", number, "unit", shown, first=seen[site, unit]))
        seen.setdefault((site, unit), number)
        if site and register and site not in register:
            meant = suggest_site(site, register)
            hint = Message("studies.draw_meant", {"code": meant}) if meant else Message("studies.draw_see_register")
            faults.append(table.broken("studies.draw_site", number, "site", masked(site), hint=hint))
        if row["service_area"] and areas and row["service_area"].casefold() not in areas:
            known = [area.id for area in instrument.service_areas]
            faults.append(table.broken("studies.draw_area", number, "service_area", row["service_area"], known=known))
        if row["law"] and laws and row["law"] not in laws:
            faults.append(table.broken("studies.draw_law", number, "law", row["law"], known=laws))
    return faults
