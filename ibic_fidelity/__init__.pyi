from . import psychometrics
from .instrument.model import Instrument
from .instrument.reading import load_instrument
from .responses.model import Responses
from .responses.reading import read_responses
from .scoring.municipalities import score_municipalities
from .scoring.scores import Scores
from .scoring.shrink import shrink_scores
from .scoring.shrunken import ShrunkenScores
from .studies.design import StudyDesign
from .studies.generate import Study, simulate_study

__all__ = [
    "Instrument",
    "Responses",
    "Scores",
    "ShrunkenScores",
    "Study",
    "StudyDesign",
    "load_instrument",
    "psychometrics",
    "read_responses",
    "score_municipalities",
    "shrink_scores",
    "simulate_study",
]
