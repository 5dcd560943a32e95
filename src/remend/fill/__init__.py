"""Fillers, one a file, and the catalogue above them."""
