"""Studies that did not happen: designs, and data with a known truth."""
