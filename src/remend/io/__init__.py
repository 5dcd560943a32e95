"""Reading and writing pictures so that nothing is lost: `read_picture`, `write_picture`."""
