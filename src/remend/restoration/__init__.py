"""What lies on a whole picture and is no hole: how much of it there is, and how it is taken off."""
