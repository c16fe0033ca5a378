"""Zipped office files, looked at before anything parses them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Literal

MAX_ENTRIES = 1_000
MAX_BYTES = 200_000_000
MAX_RATIO = 100
SMALL = 5_000_000

Why = Literal["damaged", "password", "packed_too_much", "wrong_content", "doctype"]


class ArchiveError(Exception):
    """A zipped file that is not read, and why; `megabytes` is how much it would unpack to."""

    def __init__(self, why: Why, megabytes: int = 0) -> None:
        self.why: Why = why
        self.megabytes = megabytes
        super().__init__(why)


def safe_parts(raw: bytes, main: str) -> Mapping[str, bytes]:
    """Return the XML parts of a zipped file that has a part `main`.

    Raises
    ------
    ArchiveError
        The file is damaged or locked, would unpack to more than 200 MB (or, above 5 MB, to over a hundred times its
        size), has no part `main`, or declares a document type or entities.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            size = sum(entry.file_size for entry in entries)
            packed = sum(entry.compress_size for entry in entries)
            bomb = size > MAX_BYTES or (size > SMALL and size > MAX_RATIO * packed)
            if bomb or len(entries) > MAX_ENTRIES:
                raise ArchiveError("packed_too_much", size // 1_000_000)
            names = [entry.filename for entry in entries]
            if main not in names:
                raise ArchiveError("wrong_content")
            parts = {name: archive.read(name) for name in names if name.endswith((".xml", ".rels"))}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        locked = "encrypted" in str(error)  # a RuntimeError of zipfile
        raise ArchiveError("password" if locked else "damaged") from None
    if any(_declares(part) for part in parts.values()):
        raise ArchiveError("doctype")
    return parts


def _declares(part: bytes) -> bool:
    words = ("<!DOCTYPE", "<!ENTITY")
    return any(word.encode(codec) in part for word in words for codec in ("ascii", "utf-16-le", "utf-16-be"))
