"""Scans before they are restored: prints on a scanner's bed found, their tilt and rims measured, cut out."""
