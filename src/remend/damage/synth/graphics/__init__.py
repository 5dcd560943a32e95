"""Pictures on which nothing is damaged although much is thin, dotted or lettered.

Documents, screenshots, charts, drawings, maps, prints in dots and in engraved lines: what a damage finder
must leave alone (negatives to train it with), and what ``remend.damage.gate`` must tell from photographs.
All are drawn, none is copied; with ``photo`` the prints, sketches and posters are made after that picture.
"""

from remend.damage.synth.graphics.finishes import FINISHES, Finish, scanned
from remend.damage.synth.graphics.makers import GRAPHIC_KINDS, graphic

__all__ = ["FINISHES", "GRAPHIC_KINDS", "Finish", "graphic", "scanned"]
