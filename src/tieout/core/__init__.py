"""Thought: pure Python that knows no framework, no network, no database and no clock."""
