"""The bundled folders, and the one way in which this package writes a file."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from pathlib import Path
from typing import Literal

from ibic_fidelity.errors import FileError, UsageError

Kind = Literal["instruments", "data/synthetic"]

_PACKAGE = Path(__file__).resolve().parent.parent
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(1, 10)), *(f"lpt{i}" for i in range(1, 10))}


def bundled(kind: Kind) -> Path:
    """Return the folder of bundled instruments or synthetic data.

    Looks inside the installed package, then beside the ``pyproject.toml`` of a checkout.

    Examples
    --------
    >>> (bundled("instruments") / "ibic" / "instrument.yaml").is_file()
    True
    """
    installed = _PACKAGE / "_bundled" / kind
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / kind).is_dir():
        return checkout / kind
    raise FileError("files.not_bundled", kind=kind)


def read_bytes(path: Path, *, limit: int | None = None) -> bytes:
    """Return the content of a file, or raise `FileError` saying why it cannot be read."""
    try:
        folder = path.is_dir()
        over = limit is not None and not folder and path.stat().st_size > limit
        data = b"" if folder or over else path.read_bytes()
    except FileNotFoundError:
        raise FileError("files.not_found", path=str(path)) from None
    except OSError as error:
        raise FileError("files.unreadable", path=str(path), why=error.strerror or str(error)) from None
    if folder:
        raise FileError("files.is_folder", path=str(path))
    if limit is not None and over:
        raise FileError("files.too_large", path=str(path), limit=limit // 1_000_000)
    return data


def write_file(path: Path, content: str | bytes, *, force: bool = False) -> Path:
    """Write a file whole or not at all.

    The content goes to a temporary file beside the target, is flushed to the disk and then takes the
    target's name, so that a reader never sees half a file. An existing file stays unless `force`.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        taken = path.exists() and not force
    except OSError as error:
        raise _unwritable(path, error) from None
    if taken:
        raise FileError("files.exists", path=str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).chmod(0o644 & ~_umask())
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def claim_folder(path: Path, names: tuple[str, ...], *, force: bool) -> Path:
    """Check, before any work is done, that `names` can be written into a folder."""
    if path.exists() and not path.is_dir():
        raise UsageError("files.not_folder", path=str(path))
    taken = [name for name in names if (path / name).exists()]
    if taken and not force:
        raise FileError("files.exists", path=str(path / taken[0]))
    return path


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def file_stem(name: str) -> str:
    """Return a file name that is safe everywhere for any text, without an ending.

    Examples
    --------
    >>> file_stem("../Håbo kommun"), file_stem("CON"), file_stem("")
    ('habo-kommun', 'con-', 'utan-namn')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80] or "utan-namn"
    return f"{stem}-" if stem in _RESERVED else stem


def _unwritable(path: Path, error: OSError) -> FileError:
    return FileError("files.unwritable", path=str(path), why=error.strerror or str(error))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
