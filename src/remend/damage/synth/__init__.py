"""Seeded generators of masks and damage, shared with training (NumPy and OpenCV only)."""
