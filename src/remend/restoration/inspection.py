"""All that is measured of a picture before it is restored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from remend.picture import Picture
from remend.restoration.blur import estimate_blur
from remend.restoration.compression import Compression, estimate_compression, quality_of_file
from remend.restoration.noise import Noise, estimate_noise
from remend.restoration.screens import Screen, estimate_screen
from remend.restoration.tones import Tones, estimate_tones
from remend.samples import eight_bit

__all__ = ["Inspection", "inspect_picture"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was measured.

    Attributes:
        noise: of each channel, and against the light.
        quality: of the JPEG that the picture was read from; None for other files.
        compression: what its pixels show of compression, of this file or an earlier one; None = nothing.
        blur_px: deviation of the blur; None = no edges to tell by.
        tones: black, white, fading, cast.
        screen: the lattice of a halftone; None = none is certain.
    """

    noise: Noise
    quality: int | None
    compression: Compression | None
    blur_px: float | None
    tones: Tones
    screen: Screen | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data, in levels of 255 and pixels."""
        shown = self.compression
        return {
            "noise": {
                "sigma": [round(one, 2) for one in self.noise.sigma],
                "dark": round(self.noise.dark, 2),
                "light": round(self.noise.light, 2),
            },
            "jpeg_quality": self.quality,
            "compression": None
            if shown is None
            else {"quality": shown.quality, "offset": list(shown.offset), "earlier": shown.earlier},
            "blur_px": None if self.blur_px is None else round(self.blur_px, 2),
            "black": [round(one) for one in self.tones.black],
            "white": [round(one) for one in self.tones.white],
            "fading": round(self.tones.fading, 3),
            "cast": round(self.tones.cast, 1),
            "one_tone": self.tones.one_tone,
            "screen": None
            if self.screen is None
            else {
                "period_px": round(self.screen.period_px, 3),
                "angles": [round(angle, 1) for angle in self.screen.angles],
            },
        }


def inspect_picture(picture: Picture) -> Inspection:
    """Measure a picture; it is not changed. Cost: about .5 s, whatever the size."""
    image = np.ascontiguousarray(eight_bit(picture))
    noise = estimate_noise(image)
    return Inspection(
        noise=noise,
        quality=quality_of_file(picture),
        compression=estimate_compression(image),
        blur_px=estimate_blur(image, noise=noise.mean),
        tones=estimate_tones(image),
        screen=estimate_screen(image),
    )
