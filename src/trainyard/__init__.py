"""Trainyard: train vision models on your machine, in Kubernetes and in production as the same job."""

__version__ = "0.1.0"
