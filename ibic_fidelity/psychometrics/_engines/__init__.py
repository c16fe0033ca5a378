"""Adapters: one module for each library that computes for us, and the only one that imports it."""
