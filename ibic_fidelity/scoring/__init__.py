"""From answers to scores: measures, items, components, totals, their intervals, gates and bands."""
