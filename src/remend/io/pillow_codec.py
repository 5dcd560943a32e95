"""Pillow's decoders behind our errors, and containers that Pillow reads and writes by itself.

A plugin class is opened by itself, not through `Image.open`: the format is known by then, and
Pillow's own limit on pixels, which is a setting of the whole process, stays out of it.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.source_stream import opened
from remend.picture import CHANNELS, Bool, Container, Metadata, Mode, Picture

__all__ = ["PillowCodec", "array_of", "eight_bit_image", "left_out", "load_frame", "open_frame"]

# What the plugins raise on damaged files; libavif's and libheif's come as RuntimeError.
DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    struct.error,
    LookupError,
    TypeError,
    OverflowError,
)


def open_frame(
    plugin: type[ImageFile.ImageFile], data: bytes | BinaryIO, name: str, kind: str
) -> ImageFile.ImageFile:
    """The file opened, its first frame not decoded yet.

    Raises:
        DecodeError: the plugin refuses it.
    """
    try:
        return plugin(io.BytesIO(data) if isinstance(data, bytes) else data)
    except DAMAGE as error:
        raise DecodeError(f"{name}: a damaged {kind}: {_reason(error)}") from error


def load_frame(image: ImageFile.ImageFile, name: str, kind: str) -> Image.Image:
    """The first frame, decoded.

    Raises:
        DecodeError: truncated or damaged.
    """
    try:
        image.load()
    except DAMAGE as error:
        raise DecodeError(f"{name}: a truncated or damaged {kind}: {_reason(error)}") from error
    return image


def array_of(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, C) uint8, writable."""
    samples = np.array(image)
    return samples.reshape(*samples.shape[:2], -1)


def eight_bit_image(
    picture: Picture, *, kind: str, modes: tuple[Mode, ...], metadata: Metadata | None = None
) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture as a Pillow image of one of ``modes`` with the same colours, and what had to change.

    L and LA become RGB and RGBA, a palette becomes its colours; CMYK and more than 8 bits are never
    converted.

    Raises:
        FormatError: the format cannot hold such samples.
    """
    if picture.mode == "CMYK":
        raise FormatError(f"{kind} cannot hold CMYK: write a TIFF or a JPEG")
    if picture.samples.dtype != np.uint8:
        wide = "a TIFF" if picture.samples.dtype == np.float32 else "a PNG or a TIFF"
        raise FormatError(f"{kind} cannot hold {picture.samples.dtype} samples: write {wide}")
    samples: NDArray[Any] = picture.samples
    mode: Mode = picture.mode
    notes: tuple[str, ...] = ()
    if picture.palette is not None:
        mode = "RGBA" if (picture.palette[:, 3] != 255).any() else "RGB"
        samples = picture.palette[samples[:, :, 0], : CHANNELS[mode]]
        notes = (f"{kind} has no palette: written as {mode}",)
    if mode not in modes:
        wider: Mode = "RGBA" if mode == "LA" else "RGB"
        samples = samples[:, :, [0, 0, 0, 1][: CHANNELS[wider]]]
        notes = (*notes, f"{kind} has no {mode}: written as {wider}, the same colours")
    if samples.shape[2] == 1:
        samples = samples[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(samples)), notes


class PillowCodec:
    """A lossless container of 8 bits a sample whose pixels a plugin of Pillow reads and writes.

    A subclass says what the attributes below are. A picture is written as a new file of its samples, its
    palette and its resolution; whatever else the source file held is left out.

    Attributes:
        format, suffixes, lossless, bands: as of `remend.io.codec.Codec`.
        plugin: Pillow's class.
        modes: what the container holds: some of L, P, RGB and RGBA.
        starts: what its files begin with.
    """

    format: str
    suffixes: tuple[str, ...]
    lossless = True
    bands = False
    plugin: ClassVar[type[ImageFile.ImageFile]]
    modes: ClassVar[tuple[Mode, ...]]
    starts: ClassVar[tuple[bytes, ...]]

    def recognises(self, head: bytes) -> bool:
        """By what it starts with."""
        return head.startswith(self.starts)

    def header(self, source: Source) -> Header:
        """From the file's first bytes."""
        with opened(source) as file, self._opened(file, source.name) as image:
            return Header(image.width, image.height, 1, int(getattr(image, "n_frames", 1)))

    def decode(self, source: Source) -> Picture:
        """One of ``modes``; bilevel pictures are L.

        Raises:
            DecodeError: truncated or damaged; FormatError: of another mode.
        """
        data = source.read_bytes()
        with self._opened(data, source.name) as image:
            mode = "L" if image.mode == "1" else image.mode
            if mode not in self.modes:
                raise FormatError(
                    f"{source.name}: a {self.kind} of mode {image.mode}: save it as a TIFF first"
                )
            bits = 8 * len(image.getbands())
            source.budget.take(source.name, image.width * image.height, bits, len(data))
            loaded = load_frame(image, source.name, self.kind)
            samples = array_of(loaded.convert("L") if image.mode == "1" else loaded)
            palette = _palette_of(loaded, int(samples.max())) if mode == "P" else None
            across, down = image.info.get("dpi", (0, 0))
        dpi = (float(across), float(down)) if across > 0 and down > 0 else None
        container = Container(self.format, source.path, source.data, metadata=Metadata(dpi=dpi))
        return Picture(samples, mode, palette, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """A new file of the same kind; without a changed pixel the very file."""
        assert picture.container is not None
        if not changed.any():
            return Encoded(picture.container.read_bytes())
        return Encoded(self.written(picture, picture.container.metadata))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """One of ``modes``, with the resolution.

        Raises:
            FormatError: the format cannot hold such samples.
        """
        notes: tuple[str, ...] = ()
        opaque = picture.palette is not None and (picture.palette[:, 3] == 255).all()
        if not (opaque and "P" in self.modes):
            modes = tuple(mode for mode in self.modes if mode != "P")
            image, notes = eight_bit_image(picture, kind=self.kind, modes=modes)
            picture = Picture(array_of(image), cast(Mode, image.mode))
        return Encoded(self.written(picture, metadata), (*notes, *left_out(self.kind, metadata)))

    @property
    def kind(self) -> str:
        """What messages call it."""
        return self.format.upper()

    def written(self, picture: Picture, metadata: Metadata) -> bytes:
        """A file of it, by Pillow."""
        image = Image.fromarray(
            np.ascontiguousarray(
                np.squeeze(picture.samples, 2) if picture.samples.shape[2] == 1 else picture.samples
            )
        )
        if picture.palette is not None:
            image = Image.frombytes("P", image.size, image.tobytes())
            image.putpalette(np.ascontiguousarray(picture.palette[:, :3]).tobytes())
        file = io.BytesIO()
        try:
            image.save(file, self.plugin.format, dpi=metadata.dpi or (0, 0))
        except DAMAGE as error:
            raise FormatError(
                f"a {self.kind} cannot hold this picture ({_reason(error)}): write a TIFF"
            ) from error
        return file.getvalue()

    def _opened(self, data: bytes | BinaryIO, name: str) -> ImageFile.ImageFile:
        return open_frame(self.plugin, data, name, self.kind)


def left_out(kind: str, metadata: Metadata, kept: tuple[str, ...] = ("the resolution",)) -> tuple[str, ...]:
    """A line on what a new file of this kind has no place for, if there is anything."""
    held = {
        "the profile": metadata.icc,
        "EXIF": metadata.exif,
        "XMP": metadata.xmp,
        "text": metadata.text,
        "the resolution": metadata.dpi,
    }
    lost = ", ".join(word for word, value in held.items() if value and word not in kept)
    return (f"a {kind} has no place for {lost}: left out",) if lost else ()


def _palette_of(image: Image.Image, largest: int) -> NDArray[np.uint8]:
    """(N, 4) RGBA up to the last entry that a pixel names; those that the file lacks are black."""
    stored = np.frombuffer(bytes(image.getpalette("RGB") or ()), np.uint8).reshape(-1, 3)[: largest + 1]
    palette = np.full((largest + 1, 4), 255, np.uint8)
    palette[:, :3] = 0
    palette[: len(stored), :3] = stored
    return palette


def _reason(error: Exception) -> str:
    """The plugin's message, kept to one line."""
    return " ".join(str(error).split()) or type(error).__name__
