"""Comparison: several runs as one picture."""
