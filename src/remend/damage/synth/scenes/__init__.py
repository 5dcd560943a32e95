"""Thin, dotted and lettered things that belong to a scene: wires, fences, rain, stars, hair, signs.

They are drawn into clean photographs as negatives to train a damage finder with. What tells them from damage
is drawn too: a wire hangs between things and does not break off, bars have thickness and a lit side, ropes
twist, stars stand in the dark; all take the light, the softness and the noise of the photograph.
"""

from remend.damage.synth.scenes.makers import SCENE_KINDS, scene

__all__ = ["SCENE_KINDS", "scene"]
