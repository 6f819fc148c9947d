"""Measurements that anyone can repeat: each module prints a ratio against a named rival, both measured in
one run.
"""
