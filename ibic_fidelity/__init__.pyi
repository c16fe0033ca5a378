from . import psychometrics
from .disclosure.published import PublishedScores
from .disclosure.publishing import publish
from .instrument.model import Instrument
from .instrument.reading import load_instrument
from .responses.model import Responses
from .responses.reading import read_responses
from .scoring.municipalities import score_municipalities
from .scoring.scores import Scores
from .studies.design import StudyDesign
from .studies.generate import Study, simulate_study

__all__ = [
    "Instrument",
    "PublishedScores",
    "Responses",
    "Scores",
    "Study",
    "StudyDesign",
    "load_instrument",
    "psychometrics",
    "publish",
    "read_responses",
    "score_municipalities",
    "simulate_study",
]
