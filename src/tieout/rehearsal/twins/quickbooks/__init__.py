"""A stand-in for QuickBooks Online with its real habits: tokens that run out, balances that move, tombstones, signed events."""

from tieout.rehearsal.twins.quickbooks.limits import Limits
from tieout.rehearsal.twins.quickbooks.twin import QuickBooks

TWIN = QuickBooks

__all__ = ["TWIN", "Limits", "QuickBooks"]
