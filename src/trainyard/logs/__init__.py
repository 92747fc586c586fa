"""Job logs as files: read by range, followed, and shown from the end."""
