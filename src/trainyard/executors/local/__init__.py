"""Tier 1: processes of this machine, each run below a shim that outlives the backend."""
