"""Pixels and protocols: the web pages and the command line."""
