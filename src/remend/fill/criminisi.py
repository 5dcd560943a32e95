"""Fill patch by patch, strong edges first: Criminisi, Pérez and Toyama's exemplar-based inpainting."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.errors import UsageError
from remend.fill.filler import Capabilities, register
from remend.fill.push_pull import push_pull
from remend.picture import Bool, Filled, Float

__all__ = ["Criminisi"]

LEAN = np.float32(0.2)  # the smooth fill counts 0.2² = 4 % of a known pixel when patches are compared
LEAST_DATA = np.float32(1e-3)  # priority of a flat stretch of rim, so that it is not 0 × confidence


@register(
    "criminisi",
    summary="copies patch by patch, strong edges first; slow, for small holes across structure",
    reference="Criminisi, Pérez, Toyama, Region filling and object removal by exemplar-based inpainting, "
    "TIP 2004",
)
@dataclass(frozen=True, slots=True)
class Criminisi:
    """Copy whole patches onto the rim, in an order that lets lines grow into the hole before texture does.

    Choose it for small and middling holes that straight edges cross, where every filled pixel should be an
    exact copy of one in the picture. It never revisits a choice; over wide holes
    take `Exemplar`, which is also far quicker.

    Args:
        radius_px: patches are (2 × radius + 1)² pixels: 9² in the paper.
        search_px: sources are sought at most so far away, on either axis; farther only when none is there.

    Raises:
        UsageError: a radius or a distance that is not positive.

    Cost: a step for each 20 to 40 hole pixels, each a masked correlation over the searched square: about
    3 ms at the default. Memory: a dozen floats a window pixel.

    Reference: Criminisi, Pérez, Toyama, Region filling and object removal by exemplar-based image
    inpainting, IEEE TIP 2004. The data term uses the patch's structure tensor instead of the gradient at
    one pixel, which on the rim is the least reliable of all; and unknown pixels take a small part in the
    comparison with what a smooth fill would put there, which keeps a bad patch from breeding others.
    """

    radius_px: int = 4
    search_px: int = 96

    def __post_init__(self) -> None:
        if self.radius_px < 1 or self.search_px < 1:
            raise UsageError(
                f"radius_px and search_px must be at least 1, got {self.radius_px} and {self.search_px}"
            )

    @property
    def name(self) -> str:
        """The word on the command line."""
        return "criminisi"

    @property
    def capabilities(self) -> Capabilities:
        """Small and middling holes, with texture."""
        return Capabilities(context_px=48, context_radii=3.0, makes_texture=True)

    def fill(
        self, window: Float, hole: Bool, *, usable: Bool, prior: Float | None = None, seed: int = 0
    ) -> Filled:
        """Fill ``hole``; see `Filler.fill`. Nothing is drawn at random, so ``seed`` changes nothing.

        Pixels that no known pixel leads to, and all of them where no whole patch is known, come from the
        prior, or a smooth fill, without a source.
        """
        smooth = push_pull(window, usable) if prior is None else prior
        canvas = _Canvas.of(np.where(usable[..., None], window, smooth), hole, usable, self.radius_px)
        if canvas.sources.any():
            while True:
                centre = canvas.most_urgent()
                if centre is None:
                    break
                canvas.copy_onto(centre, canvas.best_source(centre, self.search_px))
        return canvas.result()


@dataclass(slots=True)
class _Canvas:
    """The picture as filled so far. All planes are padded by the patch's radius with pixels never known.

    Attributes:
        image: (h, w, 3) float32; a smooth fill where not known.
        known: (h, w) bool, usable or filled.
        left: (h, w) bool, still to fill.
        sources: (h, w) bool, centres of patches that were known in whole from the start.
        confidence: (h, w) float32: 1 where usable, less where filled, 0 elsewhere.
        priority: (h, w) float32, on the rim; -1 elsewhere.
        source: (h, w, 2) int32, (x, y) on this canvas each filled pixel was copied from.
    """

    radius: int
    image: Float
    known: Bool
    left: Bool
    sources: Bool
    confidence: Float
    priority: Float
    source: NDArray[np.int32]

    @classmethod
    def of(cls, window: Float, hole: Bool, usable: Bool, radius: int) -> _Canvas:
        edge = ((radius, radius), (radius, radius))
        known = np.pad(usable, edge)
        image = np.pad(window, (*edge, (0, 0)))
        kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
        sources = cv2.erode(known.view(np.uint8), kernel, borderValue=0).view(np.bool_)
        canvas = cls(
            radius=radius,
            image=image.astype(np.float32),
            known=known,
            left=np.pad(hole, edge),
            sources=sources,
            confidence=known.astype(np.float32),
            priority=np.full(known.shape, -1, np.float32),
            source=np.full((*known.shape, 2), -1, np.int32),
        )
        canvas._prioritise(0, 0, *known.shape)
        return canvas

    def _prioritise(self, top: int, left: int, bottom: int, right: int) -> None:
        """Recompute the priorities of a rectangle, from what lies a little beyond it."""
        beyond = self.radius + 2
        y0, x0 = max(0, top - beyond), max(0, left - beyond)
        part = np.s_[y0 : bottom + beyond, x0 : right + beyond]
        known = self.known[part].view(np.uint8)
        rim = self.left[part] & (cv2.dilate(known, np.ones((3, 3), np.uint8)) > 0)
        grey = cv2.cvtColor(self.image[part], cv2.COLOR_RGB2GRAY)
        # A gradient is known where the 3² pixels it is made of are.
        whole = cv2.erode(known, np.ones((3, 3), np.uint8), borderValue=0).astype(np.float32)
        across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125) * whole
        down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125) * whole
        size = (2 * self.radius + 1,) * 2
        weight = np.maximum(cv2.boxFilter(whole, -1, size), np.float32(1e-6))
        normal_x = cv2.Sobel(self.known[part].astype(np.float32), cv2.CV_32F, 1, 0, ksize=5)
        normal_y = cv2.Sobel(self.known[part].astype(np.float32), cv2.CV_32F, 0, 1, ksize=5)
        length = np.maximum(cv2.magnitude(normal_x, normal_y), np.float32(1e-6))
        normal_x, normal_y = normal_x / length, normal_y / length
        # Mean squared component along the normal of the isophotes (gradients turned by 90°) in the patch.
        flow = (
            normal_x**2 * cv2.boxFilter(down * down, -1, size)
            - 2 * normal_x * normal_y * cv2.boxFilter(across * down, -1, size)
            + normal_y**2 * cv2.boxFilter(across * across, -1, size)
        )
        data = np.sqrt(np.maximum(flow, 0) / weight) + LEAST_DATA
        # Pixels outside the window count as lost, like unknown ones.
        trust = cv2.boxFilter(self.confidence[part], -1, size, borderType=cv2.BORDER_CONSTANT)
        fresh = np.where(rim, trust * data, np.float32(-1))
        inner = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
        self.priority[top:bottom, left:right] = fresh[inner]

    def most_urgent(self) -> tuple[int, int] | None:
        """Row and column of the rim pixel to fill next; None when no rim is left."""
        row, column = divmod(int(self.priority.argmax()), self.priority.shape[1])
        return (row, column) if self.priority[row, column] >= 0 else None

    def best_source(self, centre: tuple[int, int], search_px: int) -> tuple[int, int]:
        """Row and column of the source patch that agrees best with what is known around ``centre``."""
        r, (row, column) = self.radius, centre
        height, width = self.known.shape
        top, bottom = max(r, row - search_px), min(height - r, row + search_px + 1)
        left, right = max(r, column - search_px), min(width - r, column + search_px + 1)
        if not self.sources[top:bottom, left:right].any():
            top, bottom, left, right = r, height - r, r, width - r
        patch = np.s_[row - r : row + r + 1, column - r : column + r + 1]
        mask = np.where(self.left[patch], LEAN, self.known[patch].astype(np.float32))
        distance = cv2.matchTemplate(
            self.image[top - r : bottom + r, left - r : right + r],
            self.image[patch],
            cv2.TM_SQDIFF,
            mask=cv2.merge([mask] * 3),
        )
        distance[~self.sources[top:bottom, left:right]] = np.inf
        best_row, best_column = divmod(int(distance.argmin()), distance.shape[1])
        return top + best_row, left + best_column

    def copy_onto(self, centre: tuple[int, int], source: tuple[int, int]) -> None:
        """Fill the unknown pixels of one patch from another, and look again at the rim around it."""
        r, (row, column) = self.radius, centre
        patch = np.s_[row - r : row + r + 1, column - r : column + r + 1]
        rows, columns = np.nonzero(self.left[patch])
        rows, columns = rows + row - r, columns + column - r
        from_rows, from_columns = rows + source[0] - row, columns + source[1] - column
        self.confidence[rows, columns] = self.confidence[patch].mean()
        self.image[rows, columns] = self.image[from_rows, from_columns]
        self.source[rows, columns] = np.stack([from_columns, from_rows], axis=1)
        self.known[rows, columns] = True
        self.left[rows, columns] = False
        # Gradients, normals and means reach so far from what has changed.
        reach = 2 * r + 2
        height, width = self.known.shape
        self._prioritise(
            max(0, row - reach),
            max(0, column - reach),
            min(height, row + reach + 1),
            min(width, column + reach + 1),
        )

    def result(self) -> Filled:
        """Pixels and sources of the window without its padding."""
        inner = np.s_[self.radius : -self.radius, self.radius : -self.radius]
        source = self.source[inner].copy()
        source[source[..., 0] >= 0] -= self.radius
        return Filled(self.image[inner].copy(), source)
