"""A stand-in for HubSpot's CRM that keeps state: records, properties, associations, search, webhooks, OAuth; in both families of paths."""

from tieout.rehearsal.twins.hubspot.twin import HubSpot

TWIN = HubSpot

__all__ = ["TWIN", "HubSpot"]
