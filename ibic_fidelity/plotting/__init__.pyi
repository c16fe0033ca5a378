from .profile import plot_profile
from .sites import plot_sites

__all__ = ["plot_profile", "plot_sites"]
