"""Measures and charts over the ledger."""
