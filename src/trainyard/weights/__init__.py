"""Pretrained weights that the team put into the store, for trainers to begin with."""
