"""A run from its request to its last checkpoint: the step, the loop, what is saved and what is shown."""
