"""Datasets: upload, check, keep, and the sample."""
