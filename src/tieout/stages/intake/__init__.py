"""What came in: connections, envelopes exactly as received, runs, and rows set aside with their reason."""
