"""The one truth: customers, documents, payments, allocations, each with its origin and its two clocks."""
