"""What other programs talk to: webhooks of connected systems, and the push API."""
