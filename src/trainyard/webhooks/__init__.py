"""Telling other programs when a job has ended: signed, repeated until it is taken, never lost with the backend."""
