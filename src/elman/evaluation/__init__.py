"""Evaluation: one score for all (nats, perplexity, bits per character and byte), and the baselines beside
it.
"""
