"""Destination clusters from the command line: what is known of them, registering, changing, new credentials."""
