"""ibic_fidelity measures to what extent a municipality works according to IBIC, and how sure we are of it."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
