"""ibic_fidelity: to what extent does a municipality work according to IBIC, and how sure are we?"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
