"""Correlations of what answers to ordered categories stand for: polychoric, tetrachoric, polyserial."""
