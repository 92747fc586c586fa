"""MLflow, as far as the backend needs it."""
