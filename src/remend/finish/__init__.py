"""After filling: seams, grain, and optional sharpening, inside the hole only."""
