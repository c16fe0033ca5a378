"""What the tests of the house share."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LITTER = {"__pycache__", "dist", "build", "venv", "node_modules", "ibic-fidelity-demo"}


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The files of the project: what git tracks or will, or all files where there is no git."""
    git = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-c", "core.quotepath=off", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8",
    ) if (ROOT / ".git").exists() else None  # fmt: skip
    if git is not None and git.returncode == 0:
        return sorted(name for name in git.stdout.splitlines() if (ROOT / name).is_file())
    return sorted(
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file()
        and not any(part in _LITTER or part.startswith(".") for part in path.relative_to(ROOT).parts[:-1])
    )
