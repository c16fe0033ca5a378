"""The validation protocol: what is decided about a study of the instrument before its data are seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ibic_fidelity.foundation.files import sha256
from ibic_fidelity.foundation.results import to_json
from ibic_fidelity.instrument.parts import Line, Name, Part, Text, fail
from ibic_fidelity.instrument.reading import read_model


class Cognitive(Part):
    """Cognitive interviews: at least five a form and round, two rounds, coded by problem."""

    rounds: int = Field(ge=2)
    per_form: int = Field(ge=5)
    forms: tuple[Name, ...] = Field(min_length=1)


class Certification(Part):
    """Raters before and during the audit: gold files, weighted kappa, and how many files are rated again blindly."""

    gold_files: int = Field(ge=10)
    kappa: float = Field(ge=0.70, le=1)
    blind_share: float = Field(ge=0.10, le=1)


class Drawing(Part):
    """How files are drawn: how many a site, by whom; a site with fewer than `census_below` is read whole."""

    per_site: int = Field(ge=1)
    reserve: int = Field(ge=0)
    census_below: int = Field(ge=20)
    by: Text


class Reaudit(Part):
    """A second audit of some sites within three months, with fresh files and other raters."""

    sites: int = Field(ge=10)
    months: int = Field(ge=1, le=3)


class Hypothesis(Part):
    """What is expected before the data are seen: between what, in which direction, how large."""

    id: Name
    statement: Text
    direction: Literal["higher", "lower", "positive", "negative", "equal"]
    statistic: Line
    size: float
    rests_on: Line


class Registered(Part):
    """When the hypotheses were fixed, where, and their SHA-256."""

    date: date
    where: Line
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Samples(Part):
    """Sites for developing the instrument, and others for confirming it."""

    development: int = Field(ge=1)
    confirmation: int = Field(ge=1)
    how: Text


class Judges(Part):
    """A panel of judges: how many, and what they do."""

    judges: int = Field(ge=3)
    method: Text


class Consequence(Part):
    """What the measurement may do to those it measures, and how that is watched."""

    id: Name
    risk: Text
    watched_by: Text


class Deviation(Part):
    """What was done otherwise than decided, when and why."""

    date: date
    what: Text
    why: Text


class Protocol(Part):
    """A whole validation protocol; read it with `load_protocol`.

    Hypotheses that are not registered make every test of construct validity exploratory, however many there are.
    """

    format: Annotated[int, Field(ge=1, le=1)]
    id: Name
    instrument: Name
    instrument_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Text
    status: Literal["draft", "registered", "running", "closed"]
    cognitive: Cognitive
    panel: Judges
    certification: Certification
    drawing: Drawing
    reaudit: Reaudit
    samples: Samples
    hypotheses: tuple[Hypothesis, ...] = Field(min_length=10)
    registered: Registered | None = None
    standard_setting: Judges
    weights: Judges
    consequences: tuple[Consequence, ...] = Field(min_length=1)
    ethics: Text
    data_flow: tuple[Text, ...] = Field(min_length=1)
    limits: tuple[Text, ...] = Field(min_length=1)
    deviations: tuple[Deviation, ...] = ()

    @model_validator(mode="after")
    def _what_was_registered_stands(self) -> Protocol:
        for ids in ([one.id for one in self.hypotheses], [one.id for one in self.consequences]):
            for twice in sorted({one for one in ids if ids.count(one) > 1}):
                raise fail("instrument.protocol_id_twice", id=twice)
        if self.registered is not None and self.registered.sha256 != self.hypotheses_sha256:
            raise fail("instrument.protocol_hash", now=self.hypotheses_sha256)
        return self

    @property
    def hypotheses_sha256(self) -> str:
        """Return the SHA-256 of the hypotheses, which a registration states."""
        return sha256(to_json([one.model_dump(mode="json") for one in self.hypotheses]).encode())

    @property
    def confirmatory(self) -> bool:
        """Return whether the hypotheses were registered; without that, construct validity is exploratory."""
        return self.registered is not None


def load_protocol(path: str | Path) -> Protocol:
    """Read a validation protocol.

    Parameters
    ----------
    path : str or Path
        A ``protocol.yaml``, strict as the instrument's own files, or the folder that has one.

    Returns
    -------
    Protocol

    Raises
    ------
    InstrumentError
        It asks less than a protocol must, lacks a part or a language, or its hypotheses are not those registered;
        every fault names file and line.
    FileError
        It cannot be read.

    Examples
    --------
    >>> from ibic_fidelity.foundation.files import bundled
    >>> protocol = load_protocol(bundled("instruments") / "ibic")
    >>> len(protocol.hypotheses), protocol.confirmatory
    (10, False)
    """
    file = Path(path)
    return read_model(file / "protocol.yaml" if file.is_dir() else file, Protocol)
