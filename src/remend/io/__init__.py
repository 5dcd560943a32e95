"""Reading and writing pictures so that nothing is lost: `read_picture`, `write_picture`."""

from remend.io.read import read_header, read_picture
from remend.io.write import Written, encode_picture, write_picture

__all__ = ["Written", "encode_picture", "read_header", "read_picture", "write_picture"]
