"""Plots of results: each takes a result, computes nothing and returns the Axes it drew on."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
