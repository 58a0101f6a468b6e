"""Silence, staleness, failures waiting for somebody; the promises, verified."""
