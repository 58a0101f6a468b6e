"""Tieout: one truth about who owes what, the cash applied to it, and the rest collected decently."""

__version__ = "0.1.0"
