"""Named random streams: a new stage of a computation shifts nobody else's numbers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of a named stream under a seed.

    Parameters
    ----------
    seed : int
        The user's seed, 0 or larger.
    *names : str or int
        The path of the stream, such as ``"scores/bootstrap", "0180"``.

    Returns
    -------
    numpy.random.Generator
        PCG64, the same for the same seed and names on every machine, independent between names.

    Examples
    --------
    >>> float(stream(1, "example").random()) == float(stream(1, "example").random())
    True
    >>> float(stream(1, "example").random()) == float(stream(1, "another").random())
    False
    """
    import numpy as np

    path = "\x1f".join(f"{'str' if isinstance(name, str) else 'int'}:{name}" for name in names)
    digest = hashlib.sha256(path.encode()).digest()
    key = tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=key)))
