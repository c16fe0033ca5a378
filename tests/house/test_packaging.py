"""What is shipped: sdist, the wheel made from it, and an installation that holds every file of the project's data."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from ibic_fidelity.foundation.files import sha256

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ("instruments", "data/synthetic")

LOADS = """
import hashlib, json, pathlib
import ibic_fidelity
from ibic_fidelity.foundation.files import bundled
from ibic_fidelity.instrument.cases import load_cases
from ibic_fidelity.instrument.reading import bundled_instruments
names = bundled_instruments()
loaded = {name: len(ibic_fidelity.load_instrument(name).items) for name in names}
pilot = bundled("data/synthetic") / "pilot.csv"
responses = ibic_fidelity.read_responses(pilot, ibic_fidelity.load_instrument("ibic"))
digests = {}
for kind in ("instruments", "data/synthetic"):
    folder = bundled(kind)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digests[kind + "/" + path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
cases = load_cases("ibic", ibic_fidelity.load_instrument("ibic"))
print(json.dumps({"package": ibic_fidelity.__file__, "loaded": loaded, "sites": len(responses.sites),
                  "cases": len(cases.cases),
                  "bundled": str(bundled("instruments")), "digests": digests}))
"""


def _run(*command: str | Path, cwd: Path, path: Path | None = None) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if path is not None:
        env["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8", env=env
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def expected(tracked) -> dict[str, str]:
    """The digest of every file of the project that is shipped as data."""
    names = [name for name in tracked if name.startswith(tuple(f"{kind}/" for kind in BUNDLED))]
    assert len(names) > 10
    return {name: sha256((ROOT / name).read_bytes()) for name in names}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is made from it; needs no network, since hatchling is installed."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def _fresh_environment(folder: Path) -> Path:
    """A new environment that finds the libraries of this one behind its own, so that it downloads nothing."""
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (own,) = (folder / "venv").rglob("site-packages")
    libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n", encoding="utf-8")
    return python


def _install(python: Path, *what: str | Path) -> None:
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps",
        "--no-build-isolation", "--ignore-installed", *what, cwd=python.parent,
    )  # fmt: skip


def _loads(python: Path | str, cwd: Path, path: Path | None = None) -> dict:
    return json.loads(_run(python, "-c", LOADS, cwd=cwd, path=path))


@pytest.fixture(scope="module")
def wheel_environment(built, tmp_path_factory) -> Path:
    python = _fresh_environment(tmp_path_factory.mktemp("wheel"))
    _install(python, built[1])
    return python


def test_an_installed_wheel_loads_instruments_and_pilot_from_another_folder(wheel_environment, expected, tmp_path):
    found = _loads(wheel_environment, tmp_path)
    assert Path(found["package"]).is_relative_to(wheel_environment.parent.parent)
    assert "_bundled" in found["bundled"]
    assert set(found["loaded"]) >= {"ibic", "lq2002"}
    assert found["sites"] == 24
    assert found["cases"] == 12
    assert found["digests"] == expected


def test_the_installed_command_runs(wheel_environment, tmp_path):
    command = wheel_environment.parent / "ibic-fidelity"
    assert _run(command, "--version", cwd=tmp_path).strip() == "0.1.0"
    assert "ibic: " in _run(command, "instrument", "list", cwd=tmp_path)


def test_an_editable_installation_loads_the_files_of_the_checkout(expected, tmp_path):
    python = _fresh_environment(tmp_path)
    _install(python, "--editable", ROOT)
    found = _loads(python, tmp_path)
    assert Path(found["package"]).is_relative_to(ROOT)
    assert Path(found["bundled"]) == ROOT / "instruments"
    assert found["digests"] == expected


def test_a_plain_checkout_loads_its_own_files(expected, tmp_path):
    found = _loads(sys.executable, tmp_path, path=ROOT)
    assert Path(found["package"]).is_relative_to(ROOT)
    assert found["digests"] == expected


def test_the_wheel_holds_the_package_whole(built, tracked):
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(next(name for name in names if name.endswith(".dist-info/METADATA"))).decode("utf-8")
    package = {name for name in tracked if name.startswith("ibic_fidelity/")}
    assert package <= names
    for ending in ("py.typed", "__init__.pyi", "sv.toml", "en.toml", ".html", ".css"):
        assert any(name.endswith(ending) for name in package), ending
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() in metadata
    assert "License-Expression: GPL-3.0-or-later" in metadata


def test_the_wheel_holds_nothing_but_the_package_and_its_data(built, tracked):
    shipped = {name for name in tracked if name.startswith("ibic_fidelity/")}
    shipped |= {
        f"ibic_fidelity/_bundled/{name}" for name in tracked if name.startswith(tuple(f"{kind}/" for kind in BUNDLED))
    }
    with zipfile.ZipFile(built[1]) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == shipped


def test_the_sdist_holds_what_is_needed_to_build_and_to_test(built, tracked):
    with tarfile.open(built[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    needed = {name for name in tracked if name.startswith(("ibic_fidelity/", "instruments/", "data/", "tests/"))}
    needed = {name for name in needed if not name.endswith(".png")}
    assert {*needed, "README.md", "LICENSE", "pyproject.toml", "ARCHITECTURE.md"} <= names
