"""The critic: its losses and penalties, what it is shown, its part of a step, and an alarm."""
