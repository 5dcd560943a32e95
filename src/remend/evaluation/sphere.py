"""WS-PSNR as a metric of an evaluation, for 360° panoramas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from remend.metrics import ws_psnr
from remend.picture import Bool

__all__ = ["SphereMetric"]

Image = NDArray[np.uint8]


class SphereMetric:
    """A `remend.evaluation.features.PictureMetric`: PSNR by share of the sphere."""

    names: ClassVar[tuple[str, ...]] = ("ws_psnr", "ws_psnr_hole")
    rules: ClassVar[Mapping[str, str]] = {"ws_psnr": "PSNR weighed by the cosine of latitude, RGB, 255"}

    def measure(self, output: Image, target: Image, hole: Bool) -> dict[str, float]:
        """Both of its figures of one picture."""
        return {"ws_psnr": ws_psnr(output, target), "ws_psnr_hole": ws_psnr(output, target, hole)}
