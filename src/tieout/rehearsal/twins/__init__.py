"""Stateful stand-ins of vendors, for rehearsal and tests: each has the vendor's real habits and a fault script."""
