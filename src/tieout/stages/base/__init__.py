"""Organisations, people, roles, secrets, the audit trail, the switches, and the walls between organisations."""
