"""What trainers send back: who may, and what becomes of it."""
