"""Figures: one script each, against a peer or a limit in the same run. `python -m bench.callbacks`, for example."""
