"""Trainers' images: built by whichever builder is there, delivered to where a cluster finds them, and recorded."""
