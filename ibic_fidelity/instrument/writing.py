"""An instrument, or parts of one, as the YAML that `load_instrument` reads."""

from __future__ import annotations

from typing import Any

from ibic_fidelity.instrument.calibration import Calibration
from ibic_fidelity.instrument.model import Instrument


def calibration_yaml(calibration: Calibration) -> str:
    """Return a calibration as the file that an instrument names in ``calibration_file``."""
    return _yaml({"calibration": calibration.model_dump(mode="json", exclude_none=True)})


def instrument_yaml(instrument: Instrument) -> dict[str, str]:
    """Return an instrument as the files that define it, by name; comments of the files it was read from are lost.

    The register of sites, where it has one, is a file of codes and names.
    """
    content = plain(instrument)
    items, codes = content.pop("items"), content.pop("register_codes", {})
    files = {"instrument.yaml": _yaml({**content, "item_files": ["items.yaml"]}), "items.yaml": _yaml({"items": items})}
    if instrument.site.register_file is not None:
        lines = ["code,name", *(f"{code},{_quoted(name)}" for code, name in codes.items())]
        files[instrument.site.register_file] = "\n".join(lines) + "\n"
    return files


def plain(instrument: Instrument) -> dict[str, Any]:
    """Return an instrument as plain data for `Instrument.model_validate`, without what is left at its default."""
    return instrument.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"sha256"})


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _yaml(content: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
