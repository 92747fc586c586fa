"""The kit that proves a trainer, in any language: it plays the platform with real parts and judges what it saw."""
