"""From regions of damage to windows, each with a filler and the reason for it."""
