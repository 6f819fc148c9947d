"""Insight: what happens inside a model, as data, as text and as pictures."""
