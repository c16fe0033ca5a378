"""The page on scores.json names what the file holds."""

import json
import re
from pathlib import Path

from ibic_fidelity.scoring.municipalities import score_municipalities
from ibic_fidelity.scoring.sources import FLAGS
from ibic_fidelity.studies.design import StudyDesign
from ibic_fidelity.studies.generate import simulate_study

PAGE = (Path(__file__).parents[2] / "docs" / "en" / "scores-json.md").read_text(encoding="utf-8")


def test_every_part_and_column_is_named_and_no_other():
    study = simulate_study(StudyDesign(n_sites=3), seed=1)
    data = json.loads(score_municipalities(study.responses, study.instrument).to_json())
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert set(rows) == set(data) - {"schema"}
    assert data["schema"] in PAGE
    for name in ("rows", "gates", "bands", "missing", "response", "spread"):
        outside = re.sub(r"\([^)]*\)", "", rows[name])
        assert set(re.findall(r"`(\w+)`", outside)) == set(data[name]), name


def test_flags_stand_in_their_order():
    places = [PAGE.index(f"`{flag}`") for flag in FLAGS]
    assert places == sorted(places)
