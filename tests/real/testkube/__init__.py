"""A real single-node Kubernetes for the tests: no Docker, no image registry, nothing but root on Linux."""
