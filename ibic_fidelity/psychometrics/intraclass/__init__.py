"""Intraclass correlations of raters and of groups, and what they mean for the error of one measurement."""
