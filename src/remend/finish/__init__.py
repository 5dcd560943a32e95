"""After filling: seams, grain, and optional denoising and sharpening, inside the hole only."""
