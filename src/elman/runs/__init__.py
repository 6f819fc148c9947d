"""Runs: from a text to a scored model folder. `preparation` imports no torch; `run` and `result` do."""
