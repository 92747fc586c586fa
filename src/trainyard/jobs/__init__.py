"""Jobs: submitting them, deciding what happens to them, and the one place that writes their state."""
