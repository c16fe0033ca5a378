"""Generalizability: what of a rating is site, item, file, rater or the rest, and what scores owe to each."""
