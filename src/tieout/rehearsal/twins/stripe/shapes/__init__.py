"""The objects Stripe answers with, field for field as of 2026-08-26.dahlia. They are the twin's state as well: what is stored is what is sent."""
