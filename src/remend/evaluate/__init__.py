"""Metrics, and reports over pairs of pictures and masks."""
