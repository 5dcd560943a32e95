"""The decision before the finder: what is this picture?

A photograph, or a scan of one, may be searched for damage. A document, a graphic, a halftone print or an
engraving is nothing but thin lines, dots and letters: a finder would take it apart, so it is left alone.

``signs`` measures: on twelve probes at the picture's own resolution (dots of a screen, engraved lines, type,
exact flatness) and on reduced copies (paper, few tones, outlines). ``nature`` decides: a small network weighs
the signs. It was fitted by ``benchmarks/fit_gate.py`` to made graphics and to photographs in every state of
wear; its numbers stand in ``gate.json``. In doubt the answer is ``photograph``: the finder is careful too.
"""

from remend.damage.gate.nature import CLIP, NATURES, PLACE, Nature, NatureKind, nature_of
from remend.damage.gate.signs import SIGNS, signs_of

__all__ = ["CLIP", "NATURES", "PLACE", "SIGNS", "Nature", "NatureKind", "nature_of", "signs_of"]
