"""Moving pictures: holes filled from the frames where they are none, film cleaned, the rest left as it was.

`propagate` turns frames and masks into frames and knows no files; `job` joins it to video files and folders.
"""
