"""Inference: pictures in, what a checkpoint sees in them out, through the trainer's own predict.py."""
