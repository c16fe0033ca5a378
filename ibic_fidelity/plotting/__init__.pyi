from .funnel import plot_funnel
from .precision import plot_decision, plot_variance_shares
from .profile import plot_profile
from .scree import plot_scree
from .shrunken import plot_shrunken
from .sites import plot_sites
from .statistics import plot_coefficients

__all__ = [
    "plot_coefficients",
    "plot_decision",
    "plot_funnel",
    "plot_profile",
    "plot_scree",
    "plot_shrunken",
    "plot_sites",
    "plot_variance_shares",
]
