"""How relevant and essential the items of an instrument are, in the eyes of a panel."""
