"""The command line: one file a verb. It reaches the backend through HTTP only."""
