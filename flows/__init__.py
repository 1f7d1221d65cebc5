"""Prefect flows and the command line: everything that starts work."""
