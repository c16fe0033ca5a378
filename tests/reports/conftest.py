"""Scores to report: a study, one in which everything is withheld, and names that try to break out."""

import dataclasses
from html.parser import HTMLParser

import numpy as np
import pytest

import ibic_fidelity as ibic
from ibic_fidelity.dossier.reliability import component_reliability
from ibic_fidelity.dossier.statistics import Statistic, collected
from ibic_fidelity.foundation.messages import Message
from ibic_fidelity.foundation.results import Records

EVIL = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>': "{{777*7}} {% raw %} $x_1$ \\frac{",
    "../../x": "../../x " + "Mycket långt namn " * 12,
    "CON": "CON",
    "con": "\u202eevil\x00\x1b name 漢字 😀",
    "=1+1": '=HYPERLINK("http://x")',
    "index": "</style></title></svg><b>",
}
VOID = {"meta", "br", "img", "hr", "link", "input", "col"}


class Page(HTMLParser):
    """What a page holds: tags with attributes, the text of each, and whether every tag is closed in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.text, self.faults = [], [], [], []
        self.inside = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if len(attrs) != len(dict(attrs)):
            self.faults.append(f"attribute twice in {tag}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def scored(design, *, instrument=None, seed=1):
    study = ibic.simulate_study(design, seed=seed, instrument=instrument)
    return ibic.score_municipalities(study.responses, study.instrument), study.instrument


@pytest.fixture(scope="session")
def page():
    return Page


@pytest.fixture(scope="session")
def study():
    return scored(ibic.StudyDesign(n_sites=6))


@pytest.fixture(scope="session")
def by_area():
    return scored(ibic.StudyDesign(n_sites=4, service_areas=("aldre", "lss"), files=24, users=5))


@pytest.fixture(scope="session")
def hidden():
    """Two files a site, few people: no total can be shown."""
    return scored(ibic.StudyDesign(n_sites=3, files=2, users=3, relatives=0, providers=4))


@pytest.fixture(scope="session")
def evil():
    instrument = ibic.load_instrument("ibic").model_copy(update={"register_codes": EVIL})
    return scored(ibic.StudyDesign(n_sites=len(EVIL)), instrument=instrument)


@pytest.fixture(scope="session")
def no_totals():
    """The second instrument: companies, no total, no band, no gate."""
    instrument = ibic.load_instrument("lq2002")
    return scored(ibic.StudyDesign(instrument="lq2002", n_sites=5, users=20), instrument=instrument)


@pytest.fixture(scope="session")
def two_waves(study):
    scores, instrument = study

    def twice(records):
        n = len(records)
        columns = {name: np.concatenate([column, column]) for name, column in records.columns.items()}
        columns["wave"] = np.array(["2024"] * n + ["2025"] * n, dtype=object)
        return Records.of(**columns)

    parts = ("rows", "gates", "bands", "missing", "response")
    return dataclasses.replace(scores, **{name: twice(getattr(scores, name)) for name in parts}), instrument


@pytest.fixture(scope="session")
def answered():
    """Answers of a simulated study, and their instrument."""
    study = ibic.simulate_study(ibic.StudyDesign(n_sites=8), seed=1)
    return study.responses, study.instrument


@pytest.fixture(scope="session")
def reliability(answered):
    return component_reliability(*answered), answered[1]


@pytest.fixture(scope="session")
def statistics_of(reliability):
    """Statistics of made-up rows, by the instrument of the study."""
    statistics, instrument = reliability

    def made(*rows, preface=(), instrument=instrument):
        title = Message("dossier.title_reliability")
        return collected(
            title, rows, instrument, provenance=statistics.provenance, confidence_level=0.95, preface=preface
        )

    return made


@pytest.fixture(scope="session")
def rater_rows():
    """Six raters' drift in the audited files, one of them not defined, one with a name that tries to break out."""
    names = ("g01", "g02", "g03", "g04", '"><script>alert(1)</script>', "=1+1")
    few = Message("dossier.too_few_rows", {"n": 2})
    drift = [
        Statistic("drift", 12, float(place - 3), place - 5.0, place - 1.0, "t", source="files", rater=name)
        for place, name in enumerate(names)
    ]
    drift[3] = Statistic.of("drift", 2, np.nan, notes=(few,)).where(source="files", rater=names[3])
    return drift
