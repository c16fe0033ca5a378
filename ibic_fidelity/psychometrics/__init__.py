"""Psychometrics: arrays in, frozen results out.

Nothing here knows an instrument, a site or a file.  Rows are respondents (or targets), columns are items
(or raters); NaN is a missing answer.  pandas is imported only where a result's `.table` is asked for.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
