"""Tiers 2 and 3: a training as a Kubernetes Job. Building what is sent is pure and stands apart from sending it."""
