"""Reports of results: pages that need no network and no script, and a workbook; nothing is computed here."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
