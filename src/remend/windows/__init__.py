"""Windows: parts of a picture as fillers see them, at any scale, in tiles, and put back."""
