"""Training of the net that takes off noise, blocks and slight blur: made damage, the loop, the export."""
