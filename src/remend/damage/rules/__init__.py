"""Rules that find damage, one a file; each is found by its `register_finder`."""
