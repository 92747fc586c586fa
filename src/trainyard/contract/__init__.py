"""The only thing trainers and backend agree on: names, environment, callbacks, storage keys. Pure data, no I/O."""
