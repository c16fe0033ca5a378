"""Exploratory structure: whether items can be factored, how many factors there are, and which."""
