"""Pulling from OCI registries and plain HTTP file servers: bounded, verified by digest, careful with credentials.

Only reading is in here. Nothing is written to disk and no image is run.
"""
