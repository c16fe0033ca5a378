"""Parts of an instrument as the YAML that `load_instrument` reads."""

from __future__ import annotations

from ibic_fidelity.instrument.calibration import Calibration


def calibration_yaml(calibration: Calibration) -> str:
    """Return a calibration as the file that an instrument names in ``calibration_file``."""
    import yaml

    content = {"calibration": calibration.model_dump(mode="json", exclude_none=True)}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
