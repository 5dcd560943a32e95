"""What was done to a file, written into it and beside it: `record` says it, `packet` puts it into XMP.

`remend.undoing` works from it.
"""
