"""Damage: masks that the user gives, damage found by analysis, damage made by generators."""
