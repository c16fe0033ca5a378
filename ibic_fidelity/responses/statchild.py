"""The program that reads an SPSS or Stata file in a process of its own and prints it as JSON.

A broken .sav file can crash the library that reads it, and the process with it; here the crash ends in a
fault. The text of this module is run on its own, so it imports nothing of this package.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, time

import pyreadstat


def main(path: str, kind: str, encoding: str) -> None:
    """Print the data and what the file says of them, or the error."""
    read = pyreadstat.read_dta if kind == "dta" else pyreadstat.read_sav
    try:
        data, meta = read(path, output_format="dict", user_missing=True, encoding=encoding or None)
    except pyreadstat.ReadstatError as error:
        json.dump({"error": str(error)}, sys.stdout)
        return
    except UnicodeDecodeError:
        json.dump({"error": "convert string"}, sys.stdout)
        return
    found = {
        "columns": [[name, [_plain(value) for value in values]] for name, values in data.items()],
        "labels": {name: list(labels.items()) for name, labels in meta.variable_value_labels.items()},
        "ranges": {
            name: [(one["lo"], one["hi"]) for one in ranges if isinstance(one, dict)]
            for name, ranges in meta.missing_ranges.items()
        },
        "missing": meta.missing_user_values,
        "types": meta.readstat_variable_types,
    }
    json.dump(found, sys.stdout)


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
