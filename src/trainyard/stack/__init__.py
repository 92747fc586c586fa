"""The local services: three numbered steps, each with a check, a start and a wait, and what keeps them running."""
