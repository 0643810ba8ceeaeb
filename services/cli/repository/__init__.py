"""Repositories and credentials for them from the command line."""
