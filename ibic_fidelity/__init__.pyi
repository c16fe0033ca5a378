from . import psychometrics
from .disclosure.published import PublishedScores
from .disclosure.publishing import publish
from .dossier.item_review import ItemReview, review_items
from .instrument.differences import diff_instruments
from .instrument.model import Instrument
from .instrument.protocol import load_protocol
from .instrument.reading import load_instrument
from .instrument.revision import revise
from .responses.mapping import map_responses
from .responses.model import Responses
from .responses.panel import PanelRatings, read_panel
from .responses.reading import read_responses
from .scoring.comparison.funnel import site_funnel
from .scoring.comparison.overall import OverallComparison, compare_all
from .scoring.comparison.peers import compare_with_peers
from .scoring.comparison.sites import compare_sites
from .scoring.comparison.specificity import score_by_specificity
from .scoring.comparison.waves import compare_waves
from .scoring.comparison.weights import weight_sensitivity
from .scoring.comparison.within import compare_sources, gap_between_areas, gap_between_items
from .scoring.municipalities import score_municipalities
from .scoring.scores import Scores
from .scoring.shrink import shrink_scores
from .scoring.shrunken import ShrunkenScores
from .studies.design import StudyDesign
from .studies.generate import Study, simulate_study

__all__ = [
    "Instrument",
    "ItemReview",
    "OverallComparison",
    "PanelRatings",
    "PublishedScores",
    "Responses",
    "Scores",
    "ShrunkenScores",
    "Study",
    "StudyDesign",
    "compare_all",
    "compare_sites",
    "compare_sources",
    "compare_waves",
    "compare_with_peers",
    "diff_instruments",
    "gap_between_areas",
    "gap_between_items",
    "load_instrument",
    "load_protocol",
    "map_responses",
    "psychometrics",
    "publish",
    "read_panel",
    "read_responses",
    "review_items",
    "revise",
    "score_by_specificity",
    "score_municipalities",
    "shrink_scores",
    "simulate_study",
    "site_funnel",
    "weight_sensitivity",
]
