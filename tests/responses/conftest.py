"""A small instrument with every type of scale, and a folder of answers to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibic_fidelity.instrument.reading import load_instrument

INSTRUMENT = """
format: 1
id: prov
version: 0.1.0
status: candidate
rubric: none
title: {sv: Prov, en: Trial}
about: {sv: Ett litet instrument, en: A small instrument}
site:
  one: {sv: kommun, en: municipality}
  many: {sv: kommuner, en: municipalities}
  register: kommuner.csv
keys:
  site: [kommun, kommunkod]
  unit: [löpnr]
  rater: [granskare]
  weight: [vikt]
service_areas:
  - {id: aldre, label: {sv: Äldreomsorg, en: Older people}, also: [äldre, ÄO]}
  - {id: lss, label: {sv: LSS, en: LSS}}
sources:
  - id: files
    kind: audit
    label: {sv: Akter, en: Case files}
    unit: {sv: akt, en: file}
    units: {sv: akter, en: files}
    eligible: nakter
  - id: user
    kind: survey
    label: {sv: Brukare, en: Users}
    unit: {sv: svar, en: answer}
    units: {sv: svar, en: answers}
    invited: ntill
  - id: register
    kind: register
    label: {sv: Registeruppgift, en: Register}
    unit: {sv: värde, en: value}
    units: {sv: värden, en: values}
  - id: tyst
    kind: survey
    label: {sv: Tysta, en: The silent}
    unit: {sv: svar, en: answer}
    units: {sv: svar, en: answers}
scales:
  - id: grad
    type: levels
    levels:
      - {code: 0, anchor: {sv: Inte alls, en: Not at all}}
      - {code: 1, anchor: {sv: I låg grad, en: To a low degree}}
      - {code: 2, anchor: {sv: Delvis, en: Partly}}
      - {code: 3, anchor: {sv: I hög grad, en: To a high degree}}
      - {code: 4, anchor: {sv: Helt, en: Fully}}
    missing: {dont_know: ["8", "-8", Vet ej], not_applicable: ["9", Ej aktuellt]}
  - id: janej
    type: share
    levels:
      - {code: 0, anchor: {sv: Nej, en: "No"}}
      - {code: 1, anchor: {sv: Ja, en: "Yes"}}
    missing: {dont_know: ["8", Vet ej], not_applicable: ["9", Ej aktuellt]}
  - id: lista
    type: checklist
    levels:
      - {code: 0, anchor: {sv: Nej, en: "No"}}
      - {code: 1, anchor: {sv: Ja, en: "Yes"}}
    missing: {dont_know: ["8"], not_applicable: ["9", Ej aktuellt]}
  - id: procent
    type: register
    low: 0
    high: 100
    missing: {dont_know: [uppgift saknas]}
components:
  - {id: utreda, label: {sv: Utreda, en: Assess}, dimension: core, measurement_model: formative}
  - {id: erfara, label: {sv: Erfara, en: Experience}, dimension: experience, measurement_model: formative}
references:
  - {id: r1, citation: Prov}
items:
  - id: ut1
    label: UT1
    component: utreda
    idea: {sv: Behovet finns, en: The need is there}
    measures: [{id: ut1, source: files, scale: grad, role: primary, wording: {sv: Å?, en: A?}}]
    rationale: {sv: Därför, en: Therefore}
    cites: [r1]
  - id: ut2
    label: UT2
    component: utreda
    idea: {sv: Målet finns, en: The goal is there}
    not_applicable: {sv: Inget mål behövs, en: No goal needed}
    measures:
      - {id: ut2, source: files, scale: janej, role: primary, wording: {sv: Ä?, en: B?}}
      - {id: ut2b, source: user, scale: janej, role: triangulating, wording: {sv: Ä?, en: B?}}
    rationale: {sv: Därför, en: Therefore}
    cites: [r1]
  - id: pl1
    label: PL1
    component: utreda
    idea: {sv: Planen är hel, en: The plan is whole}
    measures:
      - id: pl1
        source: files
        scale: lista
        role: primary
        wording: {sv: Ö?, en: C?}
        parts:
          - {id: pl1a, wording: {sv: vem, en: who}}
          - {id: pl1b, wording: {sv: när, en: when}}
    rationale: {sv: Därför, en: Therefore}
    cites: [r1]
  - id: ta1
    label: TÄ1
    component: utreda
    idea: {sv: Andel, en: Share}
    measures: [{id: ta1, source: register, scale: procent, role: primary, wording: {sv: Andel, en: Share}}]
    rationale: {sv: Därför, en: Therefore}
    cites: [r1]
  - id: kv1
    label: KV1
    component: erfara
    idea: {sv: Delaktighet, en: Participation}
    measures: [{id: kv1, source: user, scale: grad, role: primary, wording: {sv: Får du?, en: May you?}}]
    rationale: {sv: Därför, en: Therefore}
    cites: [r1]
"""
REGISTER = "code,name\n0114,Upplands Väsby\n0180,Stockholm\n0305,Håbo\n1480,Göteborg\n"


@pytest.fixture(scope="session")
def instrument(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prov")
    (folder / "instrument.yaml").write_text(INSTRUMENT.replace("{", "{ ").replace("}", " }"), encoding="utf-8")
    (folder / "kommuner.csv").write_text(REGISTER, encoding="utf-8")
    return load_instrument(folder)


@pytest.fixture
def write(tmp_path):
    def written(content: str | bytes, name: str = "svar.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written
