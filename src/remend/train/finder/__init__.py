"""Training of the net that finds damage: maps of damage, crops that carry it, the loss, the loop."""
