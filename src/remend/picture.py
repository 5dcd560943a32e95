"""The array contracts that every stage keeps: Picture, mask, Box, Region, Filled.

Conventions, everywhere in the package:

- arrays are indexed ``[y, x]``; a position given as a pair is ``(x, y)``
- colour is RGB order, never BGR
- a mask is ``(H, W)`` bool and **True means repair**
- pictures are in display orientation; only ``remend.io`` knows how they are stored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from remend.errors import MaskError, UsageError
from remend.planes import LazyPlane

__all__ = [
    "Bool",
    "Box",
    "Channels",
    "Container",
    "Filled",
    "Float",
    "Metadata",
    "Mode",
    "Picture",
    "Projection",
    "Region",
    "check_mask",
    "keep_part",
    "part",
]

Bool = NDArray[np.bool_]
Float = NDArray[np.float32]
Native = NDArray[Any]

Mode = Literal["L", "LA", "RGB", "RGBA", "CMYK", "P"]
Projection = Literal["flat", "equirect"]
CHANNELS: dict[str, int] = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "P": 1}
DTYPES = (np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32, np.float32, np.float64)
PLAIN = (np.uint8, np.uint16, np.float32)  # what pictures have; the others are measurements


@dataclass(frozen=True, slots=True)
class Metadata:
    """What travels with a picture when its format changes.

    Attributes:
        icc: ICC profile, as stored.
        exif: EXIF block: a TIFF structure, without the ``Exif\\0\\0`` prefix.
        xmp: XMP packet, UTF-8 XML.
        dpi: horizontal and vertical resolution in dots an inch.
        text: PNG text entries and other comments, by keyword.
        cicp: colour primaries and transfer, as ITU-T H.273 numbers them; None = sRGB, or not said.
        colour: what else the file says of its colours and only its own format can hold, in words.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    cicp: tuple[int, int] | None = None
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """The file a picture came from, as far as it is needed to write it back as it came.

    Attributes:
        format: the codec's name: ``jpeg``, ``png``, ``tiff`` …
        path: where it was read; None when it came as bytes.
        data: the file's bytes; None when they can be read again from ``path``.
        orientation: the EXIF orientation, 1–8, that display order was made with.
        metadata: what travels into another format.
        details: the codec's own notes (bit depth, interlace, compression …).
        notes: lines that the user should see (``first of 12 frames``).
        missing: (H, W) bool, what a file cut short does not hold; None = it is whole.
    """

    format: str
    path: Path | None = None
    data: bytes | None = None
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    details: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    missing: Bool | None = None

    def read_bytes(self) -> bytes:
        """The file as it was read, all of it."""
        if self.data is not None:
            return self.data
        if self.path is None:
            raise UsageError("this picture has no file behind it: it came as an array")
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Channels:
    """What the channels of a picture mean: colours first, as the mode says, then bands.

    A band is a channel beside the colours: infrared, an elevation, a spot ink.

    Attributes:
        count: of all channels.
        colours: how many of the first are the mode's colours.
        alpha: which one is transparency; None = none.
        kept: further ones that no repair changes, a saved selection, say.
    """

    count: int
    colours: int
    alpha: int | None = None
    kept: tuple[int, ...] = ()

    @staticmethod
    def of(mode: Mode, count: int | None = None) -> Channels:
        """A mode's own channels; with more of them (``count``), the others are bands.

        >>> Channels.of("RGBA")
        Channels(count=4, colours=3, alpha=3, kept=())
        >>> Channels.of("L", 5).bands
        (1, 2, 3, 4)
        """
        alpha = {"LA": 1, "RGBA": 3}.get(mode)
        colours = CHANNELS[mode] if alpha is None else alpha
        return Channels(CHANNELS[mode] if count is None else count, colours, alpha)

    @property
    def bands(self) -> tuple[int, ...]:
        """The channels that are neither the mode's colours, nor transparency, nor kept."""
        return tuple(c for c in range(self.colours, self.count) if c != self.alpha and c not in self.kept)

    @property
    def plain(self) -> bool:
        """Whether there is nothing beside colours and the transparency right behind them."""
        return self.count == self.colours + (self.alpha is not None)


@dataclass(slots=True)
class Picture:
    """Native samples in display orientation, with what is needed to write the file back.

    Attributes:
        samples: (H, W, C) integers of 8, 16 or 32 bits, float32 or float64; any strides. Of a huge picture a
            `LazyPlane`, which is read and written through ``part`` and ``keep_part`` like any other.
        mode: what the first channels mean; ``P`` holds palette indices (C = 1).
        palette: (N, 4) uint8 RGBA, N ≤ 256, for mode ``P``; otherwise None.
        container: the file it came from; None for a picture made from an array.
        channels: what all of them mean; None = the mode's own, which then are all.
        projection: ``equirect`` is a 360° panorama: left and right border meet, the top and the bottom row
            are one point each.

    Raises:
        UsageError: when the samples do not fit the mode and the channels.
    """

    samples: Native
    mode: Mode
    palette: NDArray[np.uint8] | None = None
    container: Container | None = None
    channels: Channels = None  # type: ignore[assignment]  # the mode's own, made below
    projection: Projection = "flat"

    def __post_init__(self) -> None:
        samples = self.samples
        if self.channels is None:
            self.channels = Channels.of(self.mode)
        if samples.ndim != 3 or samples.shape[2] != self.channels.count:
            raise UsageError(
                f"a picture of mode {self.mode} needs samples of shape (H, W, {self.channels.count}), "
                f"got {samples.shape}"
            )
        if samples.dtype not in DTYPES:
            raise UsageError(
                "samples must be integers of 8, 16 or 32 bits, float32 or float64, "
                f"got {samples.dtype}: convert them"
            )
        if samples.shape[0] < 1 or samples.shape[1] < 1:
            raise UsageError(f"a picture needs at least one pixel, got {samples.shape[1]}×{samples.shape[0]}")
        if (self.mode == "P") != (self.palette is not None):
            raise UsageError("a palette belongs to mode P, and to no other")

    @property
    def height(self) -> int:
        """Rows, in display orientation."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Columns, in display orientation."""
        return int(self.samples.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def wraps_x(self) -> bool:
        """Whether the picture goes on from its right border at its left one."""
        return self.projection == "equirect"

    @property
    def alpha_channel(self) -> int | None:
        """Index of the alpha channel, None where there is none."""
        return self.channels.alpha

    @property
    def plain(self) -> bool:
        """Whether any format may hold it: no bands, and samples that are no measurements (signed, wide)."""
        return self.channels.plain and self.samples.dtype in PLAIN


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A half-open rectangle of pixels: rows ``top … bottom - 1``, columns ``left … right - 1``.

    In a picture that wraps it may reach over the left and right border, but is never wider than the picture:
    column ``width + 3`` is column 3.
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Ready to index an array: ``array[box.slices]``."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by_px: int, size: tuple[int, int], *, wraps_x: bool = False) -> Box:
        """The box with ``by_px`` more on every side, cut at a picture of ``size`` (height, width).

        In one that wraps it goes over the left and right border, until it is as wide as the picture.
        """
        top, bottom = max(0, self.top - by_px), min(size[0], self.bottom + by_px)
        if wraps_x:
            left = self.left - min(by_px, (size[1] - self.width) // 2)
            return Box(top, left, bottom, min(self.right + by_px, left + size[1]))
        return Box(top, max(0, self.left - by_px), bottom, min(size[1], self.right + by_px))

    def runs(self, width: int) -> Iterator[tuple[slice, slice]]:
        """The columns of a picture of ``width`` that the box shows, and where in the box, left to right."""
        at = self.left
        while at < self.right:
            low = at % width
            until = min(self.right, at - low + width)
            yield slice(low, low + until - at), slice(at - self.left, until - self.left)
            at = until

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def overlaps(self, other: Box) -> bool:
        """Whether they share a pixel."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )

    def inside(self, outer: Box) -> Box:
        """The same box in the coordinates of ``outer``."""
        return Box(
            self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left
        )

    @staticmethod
    def around(mask: Bool) -> Box | None:
        """The bounding box of the True pixels, None when there are none."""
        rows = np.flatnonzero(mask.any(axis=1))
        if not rows.size:
            return None
        columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
        return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Region:
    """One piece of damage.

    Attributes:
        box: where it is in the picture.
        mask: (box.height, box.width) bool, True = damaged.
        kind: what it is, a name of `remend.kinds.KINDS`.
        confidence: 0 (a guess) to 1 (sure); 1 for masks that the user gave.
    """

    box: Box
    mask: Bool
    kind: str
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if self.mask.shape != (self.box.height, self.box.width) or self.mask.dtype != np.bool_:
            raise UsageError(
                f"a region's mask must be bool of shape {(self.box.height, self.box.width)}, "
                f"got {self.mask.dtype} {self.mask.shape}"
            )


@dataclass(frozen=True, slots=True)
class Filled:
    """What a filler answers for one window.

    Attributes:
        pixels: (h, w, 3) float32. Only the hole's pixels are read; they may leave [0, 1] slightly.
        source_xy: (h, w, 2) int32 window coordinates (x, y) of the pixel that each filled pixel was
            copied, or mainly taken, from; -1 where there is none. None for fillers that do not copy.
    """

    pixels: Float
    source_xy: NDArray[np.int32] | None = None


def part(plane: Native, box: Box) -> Native:
    """What ``box`` shows of a plane of a picture.

    Args:
        plane: (H, W, …), of the whole picture.
        box: within it, or over the left and right border of one that wraps.

    Returns:
        (box.height, box.width, …): a view within the picture, a copy over its border.
    """
    if box.left >= 0 and box.right <= plane.shape[1]:
        return plane[box.slices]
    rows = slice(box.top, box.bottom)
    return np.concatenate([plane[rows, columns] for columns, _ in box.runs(plane.shape[1])], axis=1)


def keep_part(plane: Native, box: Box, changed: Native) -> None:
    """Write what ``part`` gave, since changed, back to where it came from; a view is there already."""
    if isinstance(plane, np.ndarray) and np.may_share_memory(changed, plane):
        return
    for columns, here in box.runs(plane.shape[1]):
        plane[box.top : box.bottom, columns] = changed[:, here]


def check_mask(mask: object, size: tuple[int, int]) -> Bool:
    """Return ``mask`` as an (H, W) bool array that fits a picture of ``size``.

    Args:
        mask: (H, W) bool; nothing else is guessed at here (``remend.damage.given`` reads files).
        size: (height, width) of the picture.

    Raises:
        MaskError: when the shape or the type is another.

    >>> check_mask(np.zeros((2, 3), bool), (2, 3)).shape
    (2, 3)
    """
    array: Any = mask if isinstance(mask, LazyPlane) else np.asarray(mask)
    if array.dtype != np.bool_:
        raise MaskError(f"a mask array must be bool (True = repair), got {array.dtype}: compare it first")
    if array.shape != tuple(size):
        got = "×".join(str(n) for n in array.shape[::-1])
        raise MaskError(
            f"the mask is {got} and the picture {size[1]}×{size[0]}: give a mask of the picture's size"
        )
    return cast(Bool, array)
