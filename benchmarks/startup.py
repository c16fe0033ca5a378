"""How long a user waits for a start, as ratios to ``python -c "import pandas"`` in the same run.

    python benchmarks/startup.py [rounds]

Every round runs each command once, so that a busy moment of the machine meets all of them; printed are
medians of the ratios within a round.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ibic_fidelity
from ibic_fidelity.errors import FileError
from ibic_fidelity.foundation.files import bundled

ALPHA = """
import numpy
from ibic_fidelity import psychometrics
psychometrics.cronbach_alpha(numpy.random.default_rng(0).normal(size=(200, 8)) + numpy.arange(200)[:, None] / 99)
"""
IMPORT = "import time; start = time.perf_counter(); import ibic_fidelity; print(time.perf_counter() - start)"
#: What each may take, in times of the reference.
LIMITS = {"ibic-fidelity --help": 1.0, "ibic-fidelity check pilot.csv": 4.0, "cronbach_alpha on an array": 2.0}


def _pilot(folder: Path) -> Path:
    """Return the bundled pilot, or a study like it where it is not there."""
    try:
        path = bundled("data/synthetic") / "pilot.csv"
    except FileError:
        path = Path()
    if path.is_file():
        return path
    from ibic_fidelity.studies.writing import write_study

    names = ("pilot.csv", "truth.csv", "outcomes.csv")
    study = ibic_fidelity.simulate_study(ibic_fidelity.StudyDesign(n_sites=24), seed=0)
    write_study(study, folder, names, force=True)
    return folder / names[0]


def _seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start


def main() -> int:
    """Print the ratios and the seconds; return 1 if a limit is passed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    python = sys.executable
    program = str(Path(python).with_name("ibic-fidelity"))
    with tempfile.TemporaryDirectory() as folder:
        pilot = str(_pilot(Path(folder)))
        reference = (python, "-c", "import pandas")
        commands = dict(
            zip(LIMITS, [(program, "--help"), (program, "check", pilot), (python, "-c", ALPHA)], strict=True)
        )
        for command in (reference, *commands.values()):  # once without the clock: files into the cache, .pyc made
            _seconds(*command)
        ratios: dict[str, list[float]] = {name: [] for name in commands}
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        base, imports = [], []
        for _ in range(rounds):
            base.append(_seconds(*reference))
            for name, command in commands.items():
                seconds[name].append(_seconds(*command))
                ratios[name].append(seconds[name][-1] / base[-1])
            done = subprocess.run((python, "-c", IMPORT), check=True, capture_output=True, text=True)
            imports.append(float(done.stdout))
    print(f"import pandas: {statistics.median(base):.2f} s (median of {rounds} rounds)")
    slow = False
    for name, limit in LIMITS.items():
        ratio = statistics.median(ratios[name])
        slow |= ratio > limit
        print(f"{name}: {statistics.median(seconds[name]):.2f} s, ratio {ratio:.2f} (at most {limit:g})")
    print(f"import ibic_fidelity: {statistics.median(imports):.4f} s (at most 0.1)")
    return int(slow or statistics.median(imports) > 0.1)


if __name__ == "__main__":
    sys.exit(main())
