"""A multigrid solver for smooth surfaces over holes of any shape, in whole-array operations only.

The surface u minimises, over the unknown pixels, the energy of a thin plate under tension

    bending · Σ (Δu)²  +  stretching · Σ |∇u|²

with the five-point Laplacian Δ and picture borders that mirror. Its matrix is symmetric and positive,
so conjugate gradients apply; the preconditioner is a V-cycle that smooths with Chebyshev polynomials
and goes down by ``pyrDown`` and up by ``pyrUp``, which are each other's transpose (times four).

Reference: Briggs, Henson, McCormick, A multigrid tutorial, SIAM 2000; for masks that no coarse grid
resolves, the outer conjugate gradients: Tatebe, The multigrid preconditioned conjugate gradient
method, 1993. The start is a coarse solution, as in Bornemann, Deuflhard, The cascadic multigrid
method for elliptic problems, Numerische Mathematik 1996.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from remend.fill.push_pull import halve_known, push_pull
from remend.picture import Bool, Float

__all__ = ["Plate", "solve"]

BENDING = np.array(
    [[0, 0, 1, 0, 0], [0, 2, -8, 2, 0], [1, -8, 20, -8, 1], [0, 2, -8, 2, 0], [0, 0, 1, 0, 0]], np.float32
)
STRETCHING = np.array(
    [[0, 0, 0, 0, 0], [0, 0, -1, 0, 0], [0, -1, 4, -1, 0], [0, 0, -1, 0, 0], [0, 0, 0, 0, 0]], np.float32
)
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
# Sides of a grid on which plain Chebyshev iterations suffice.
COARSEST_PX = 8
# Pixels times iterations that a grid may cost, and the least and most iterations that come of it.
# A plate without tension converges more slowly, and is asked for to be exact.
TENSE_PX, STIFF_PX = 1 << 20, 1 << 22
TENSE_ITERATIONS, STIFF_ITERATIONS = (2, 12), (3, 12)


@dataclass(frozen=True, slots=True)
class Plate:
    """How stiff the surface is: weights of its bending and stretching energies."""

    bending: float
    stretching: float

    @property
    def kernel(self) -> NDArray[np.float32]:
        """5×5 stencil. Mirrored borders make it the very product of two mirrored Laplacians."""
        return self.bending * BENDING + self.stretching * STRETCHING

    @property
    def largest(self) -> float:
        """Upper bound of the eigenvalues (Δ has eigenvalues in [-8, 0])."""
        return 64 * self.bending + 8 * self.stretching

    @property
    def oscillating(self) -> float:
        """Least eigenvalue of the waves that a grid of half the resolution cannot carry."""
        return 4 * self.bending + 2 * self.stretching

    @property
    def coarser(self) -> Plate:
        """The same energies on pixels twice as wide."""
        return Plate(self.bending / 16, self.stretching / 4)


class _Grid:
    """One resolution: where the unknowns are, the plate there, and room to work in.

    ``residual``, ``error`` and ``step`` are 0 outside the unknowns and stay so, because nothing is ever
    written there. The arrays are made once and serve all iterations and channels.
    """

    def __init__(self, unknown: Bool, plate: Plate) -> None:
        self.plate = plate
        self.kernel = plate.kernel
        self.inside = np.ascontiguousarray(unknown).view(np.uint8)
        self.residual, self.error, self.step = (np.zeros(unknown.shape, np.float32) for _ in range(3))
        self.work = np.empty(unknown.shape, np.float32)

    def apply(self, surface: Float) -> Float:
        """The gradient of the energies, into ``work``: right at the unknowns, meaningless elsewhere."""
        cv2.filter2D(surface, cv2.CV_32F, self.kernel, dst=self.work, borderType=cv2.BORDER_REFLECT)
        return self.work

    def smooth(self, steps: int, least: float, *, last: bool = False) -> None:
        """Chebyshev steps for eigenvalues from ``least`` up, moving ``residual`` into ``error``.

        ``last`` leaves the residual behind by a step, for when nobody will read it.
        """
        centre = (self.plate.largest + least) / 2
        radius = (self.plate.largest - least) / 2
        rho = radius / centre
        np.multiply(self.residual, np.float32(1 / centre), out=self.step)
        for _ in range(steps - 1):
            self.advance()
            rho_next = 1 / (2 * centre / radius - rho)
            cv2.addWeighted(self.step, rho_next * rho, self.residual, 2 * rho_next / radius, 0, dst=self.step)
            rho = rho_next
        if last:
            cv2.add(self.error, self.step, dst=self.error)
        else:
            self.advance()

    def advance(self) -> None:
        """Add ``step`` to ``error`` and keep ``residual`` true."""
        cv2.add(self.error, self.step, dst=self.error)
        cv2.subtract(self.residual, self.apply(self.step), dst=self.residual, mask=self.inside)


def _grids(unknown: Bool, plate: Plate) -> list[_Grid]:
    """The pyramid of grids, finest first, down to where no unknown or hardly a pixel is left.

    A coarse pixel is unknown when it and its four neighbours are so on the finer grid: with fewer, the
    coarse corrections are cut at the rim and their energy explodes; with more, thin holes go too soon.
    """
    grids = [_Grid(unknown, plate)]
    inside = unknown.view(np.uint8)
    while max(inside.shape) > COARSEST_PX:
        eroded = cv2.erode(inside, CROSS, borderType=cv2.BORDER_REPLICATE)
        inside = np.asarray(eroded, np.uint8)[::2, ::2]
        if not inside.any():
            break
        plate = plate.coarser
        grids.append(_Grid(inside.view(np.bool_), plate))
    return grids


def _cycle(grids: list[_Grid], steps: int) -> None:
    """One V-cycle: turns the ``residual`` of the finest grid into its ``error``, nearly."""
    grid = grids[0]
    grid.error.fill(0)
    if len(grids) == 1:
        # The rim is at most some pixels away from here, or the window is tiny.
        grid.smooth(5 * steps, grid.plate.oscillating / 16, last=True)
        return
    grid.smooth(steps, grid.plate.oscillating)
    below = grids[1]
    cv2.copyTo(cv2.pyrDown(grid.residual, dst=below.work), below.inside, below.residual)
    _cycle(grids[1:], steps)
    cv2.copyTo(cv2.pyrUp(below.error, dst=grid.work, dstsize=grid.work.shape[::-1]), grid.inside, grid.step)
    grid.advance()
    grid.smooth(steps, grid.plate.oscillating, last=True)


def _relax(surface: Float, grids: list[_Grid], iterations: int, tolerance: float, steps: int) -> None:
    """Conjugate gradients, channel by channel, in place."""
    grid = grids[0]
    count = float(np.count_nonzero(grid.inside))
    residual, direction = np.zeros_like(grid.work), np.empty_like(grid.work)
    for channel in range(surface.shape[2]):
        plane = np.ascontiguousarray(surface[..., channel])
        cv2.copyTo(grid.apply(plane), grid.inside, residual)
        np.negative(residual, out=residual)
        before = 0.0
        for _ in range(iterations):
            np.copyto(grid.residual, residual)
            _cycle(grids, steps)
            product = float(np.vdot(residual, grid.error))
            if product <= 0:  # nothing left above rounding
                break
            if before:
                cv2.scaleAdd(direction, product / before, grid.error, dst=direction)
            else:
                np.copyto(direction, grid.error)
            before = product
            bent = cv2.copyTo(grid.apply(direction), grid.inside, grid.step)
            length = product / float(np.vdot(direction, bent))
            cv2.scaleAdd(direction, length, plane, dst=plane)
            cv2.scaleAdd(bent, -length, residual, dst=residual)
            if length * float(np.sqrt(np.vdot(direction, direction) / count)) < tolerance:
                break
        surface[..., channel] = plane


def solve(
    window: Float,
    unknown: Bool,
    plate: Plate,
    *,
    iterations: int | None = None,
    tolerance: float = 2e-3,
    steps: int = 2,
) -> Float:
    """The surface of least energy through the known pixels.

    Begins with the solution at half the size, and so on down, so that each grid has only its own detail
    to add: under tension, and for thin holes, two or three iterations are within a grey level. On holes
    tens of pixels wide a plate without tension takes ten, because there the slopes of single pixels at
    the rim decide about the whole; cut short, it spans the hole by the slopes of a coarser grid.

    Args:
        window: (h, w, c) float32; values under ``unknown`` mean nothing, NaN included.
        unknown: (h, w) bool, True = solve here.
        plate: the energies' weights; at least one above 0.
        iterations: most conjugate-gradient iterations on each grid; None = 12 on small ones and fewer,
            down to 2 (3 without tension), the more pixels there are.
        tolerance: root mean square change of one iteration at which to stop, in units of the window.
        steps: Chebyshev steps before and after each coarse correction.

    Returns:
        A new (h, w, c) float32 array: the window, ``unknown`` solved. Not clipped. 0.5 everywhere when
        nothing is known.

    Cost: about 25 ns a pixel, channel and iteration; 31 bytes a pixel beside the result.
    """
    known = ~unknown
    if known.all():
        return window.copy()
    if not known.any():
        return np.full(window.shape, 0.5, np.float32)
    # A coarse pixel is known from a quarter of its kernel on: less is mostly noise of the very rim.
    below, known_below = halve_known(window, known, least_weight=0.25)
    if max(unknown.shape) > 2 * COARSEST_PX and known_below.any():
        below = solve(
            below, ~known_below, plate.coarser, iterations=iterations, tolerance=tolerance, steps=steps
        )
        guess = cv2.pyrUp(below, dstsize=unknown.shape[::-1])
        guess = cv2.copyTo(window, known.view(np.uint8), guess)
        surface = np.asarray(guess, np.float32).reshape(window.shape)
    else:
        surface = push_pull(window, known)
    del below
    if iterations is None:
        affordable, bounds = (
            (TENSE_PX, TENSE_ITERATIONS) if plate.stretching else (STIFF_PX, STIFF_ITERATIONS)
        )
        iterations_here = int(np.clip(affordable // unknown.size, *bounds))
    else:
        iterations_here = iterations
    _relax(surface, _grids(unknown, plate), iterations_here, tolerance, steps)
    return surface
