"""Answers: one table a source, checked against the instrument that asked for them."""
