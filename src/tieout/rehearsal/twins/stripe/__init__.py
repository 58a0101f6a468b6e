"""A stateful stand-in for Stripe's receivables: customers, invoices, payments, credit notes, disputes, payouts, events."""

from tieout.rehearsal.twins.stripe.twin import StripeTwin

TWIN = StripeTwin

__all__ = ["TWIN", "StripeTwin"]
