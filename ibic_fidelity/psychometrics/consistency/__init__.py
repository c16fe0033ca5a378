"""Internal consistency: how far the items of a reflective scale go together, and what each item is like."""
