"""HTTP: routes translate, services do. Nothing below this package knows FastAPI."""
