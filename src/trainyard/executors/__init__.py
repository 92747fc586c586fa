"""Where trainers run. Executors launch, observe and stop; they know no jobs service and write no state."""
