"""Reaching people: draft, approve, claim, send, settle; the words of our letters."""
