"""Fillers, one a file, and their registry."""
