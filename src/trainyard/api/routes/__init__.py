"""Routes: one file a subject; each translates a request into one call of a service."""
