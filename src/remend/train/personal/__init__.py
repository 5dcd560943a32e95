"""A net tuned to the pictures of one album, from what of them is intact."""
