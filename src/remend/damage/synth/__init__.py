"""Seeded generators of masks and damage, shared with training (NumPy and OpenCV only).

Masks: ``make_mask(kind, size, seed=…, ratio=…)``. Damage on a picture: ``damage_picture(image, kind,
seed=…)``. The generators behind them, with all their parameters, are in the modules:

- ``irregular``: LaMa, DeepFill v2, Co-Mod-GAN, centre, box
- ``wear``: scratches, dust; ``film``: transport; ``surface``: cracks, stains, tears, blocks
- ``folds``: folds; ``flakes``: chips; ``blots``: blots; ``borders``: borders
- ``blemishes``: foxing, mould, silvering; ``residues``: tape, water rings, fingerprints
- ``lettering``: text, with ``dates``; ``watermark``: watermarks
- ``degrade``: noise, blur
- ``layers``, ``strokes``, ``noise``, ``patches``, ``glyphs``: what these are drawn with

Nothing is damaged in what ``graphics`` (documents, charts, drawings, prints …) and ``scenes`` (wires, rain,
stars … in a photograph) draw: it only looks so, and teaches a damage finder what to leave alone.
"""

from remend.damage.synth.masks import MASK_KINDS, make_mask
from remend.damage.synth.pictures import DAMAGES, damage_picture

__all__ = ["DAMAGES", "MASK_KINDS", "damage_picture", "make_mask"]
