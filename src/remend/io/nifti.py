"""NIfTI-1 and NIfTI-2 in one file, through the extra ``medical``: slices repaired in place, stored values.

A page is a slice across the third axis, as stored: rows along the second axis, columns along the first.
Scale, offset, affines and every field of the header stay; only the voxels that changed are written, and a
comment in the header's extensions says so.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remend.budget import Budget
from remend.document import Document, Pages, Repaired
from remend.errors import DecodeError, FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.medical import NOT_FOR_DIAGNOSIS, first_of
from remend.options import Bounds
from remend.picture import DTYPES, Bool, Container, Metadata, Picture

__all__ = ["CODEC", "NiftiCodec"]

SIZES = {348: (40, "h"), 540: (16, "q")}  # of a header: where its dimensions lie, and their type
FURTHEST = 1 << 48  # byte of a file
HEAD = 560  # bytes that hold either
RGB24, RGBA32 = 128, 2304
COMMENT = 6  # of an extension
UNBOUND = Budget(Bounds(max_ratio=0, max_memory=1 << 62))  # of a file that was read before


@dataclass(frozen=True, slots=True)
class _Volume:
    """A file taken apart.

    Attributes:
        data: all of it, not compressed.
        header: nibabel's.
        shape: voxels along the first three axes, and how many volumes.
        dtype: of a stored sample, in the file's byte order.
        channels: of a voxel.
    """

    data: bytes
    header: Any
    shape: tuple[int, int, int, int]
    dtype: np.dtype[Any]
    channels: int

    @property
    def pages(self) -> int:
        """Slices of all volumes."""
        return self.shape[2] * self.shape[3]

    @property
    def start(self) -> int:
        """Where the voxels begin."""
        return int(self.header["vox_offset"])

    @property
    def page_bytes(self) -> int:
        """Bytes of a slice."""
        return self.shape[0] * self.shape[1] * self.channels * self.dtype.itemsize

    def page(self, data: bytes | bytearray, number: int) -> NDArray[Any]:
        """(rows, columns, channels), a view of ``data`` in the file's byte order."""
        at = self.start + number * self.page_bytes
        flat: NDArray[Any] = np.frombuffer(data, self.dtype, self.page_bytes // self.dtype.itemsize, at)
        return flat.reshape(self.shape[1], self.shape[0], self.channels)


class NiftiCodec:
    """NIfTI. ``details`` of its pictures: ``measured``, True: samples are no levels of light."""

    format = "nifti"
    suffixes: tuple[str, ...] = (".nii", ".nii.gz")
    lossless = True
    bands = True

    def recognises(self, head: bytes) -> bool:
        """By the size of its header and by its dimensions, inflated first where it is compressed."""
        if head[:2] == b"\x1f\x8b":
            try:
                head = zlib.decompressobj(31).decompress(head, HEAD)
            except zlib.error:
                return False
        for order in "<>":
            at, code = SIZES.get(struct.unpack_from(f"{order}i", head)[0] if len(head) >= 80 else 0, (0, ""))
            if code and 1 <= struct.unpack_from(f"{order}{code}", head, at)[0] <= 7:
                return True
        return False

    def header(self, source: Source) -> Header:
        """From its first bytes.

        Raises:
            FormatError: the extra is not installed, or a kind that is not supported.
        """
        volume = _taken_apart(_inflated(source, HEAD), source.name)
        return Header(volume.shape[0], volume.shape[1], 1, volume.pages)

    def decode(self, source: Source) -> Picture:
        """The first slice, with a note of the others."""
        document = self.open(source)
        picture = document.pages[0]
        assert picture.container is not None
        picture.container = first_of(picture.container, len(document.pages), "slice")
        return picture

    def open(self, source: Source) -> Document:
        """Every slice of every volume, one after the other. Cost: the file, not compressed."""
        volume = _read(source)

        def read(number: int) -> Picture:
            pixels, bits = volume.shape[0] * volume.shape[1], 8 * volume.channels * volume.dtype.itemsize
            source.budget.take(source.name, pixels, bits, len(volume.data))
            samples = volume.page(volume.data, number).astype(volume.dtype.newbyteorder("="))
            mode = {1: "L", 3: "RGB", 4: "RGBA"}[volume.channels]
            return Picture(samples, mode, container=_container(source, volume))  # type: ignore[arg-type]

        zooms = [abs(float(z)) for z in volume.header.get_zooms()[:3]]
        spacing = (*zooms[::-1],) if len(zooms) == 3 else None
        return Document(
            _container(source, volume),
            Pages(volume.pages, read),
            "slice",
            spacing_mm=spacing,  # type: ignore[arg-type]
            together=volume.shape[2],
        )

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The file with its first slice changed."""
        assert picture.container is not None
        document = Document(picture.container, [picture], "slice")
        return self.rewrite_pages(document, [Repaired(0, picture, changed)])

    def rewrite_pages(self, document: Document, repaired: Iterable[Repaired]) -> Encoded:
        """The changed voxels in their places, and a comment behind the header."""
        container = document.container
        raw = container.read_bytes()
        volume = _read(Source(str(container.path or "the volume"), data=raw, budget=UNBOUND))
        data, count, done = bytearray(volume.data), 0, ""
        for one in repaired:
            page = volume.page(data, one.number)
            page[one.changed] = one.picture.samples[one.changed]
            count += int(np.count_nonzero(one.changed))
            kept = one.picture.container
            done = done if kept is None else str(kept.details.get("done", ""))
        written = bytes(data)
        if count:
            what = f"changed {count} voxels ({done})" if done else f"filled in {count} voxels"
            text = f"Remend {what}. {NOT_FOR_DIAGNOSIS}"
            written = _commented(volume, text) + written[volume.start :]
        if raw[:2] == b"\x1f\x8b":
            written = gzip.compress(written, mtime=0)
        return Encoded(written, (NOT_FOR_DIAGNOSIS,) if count else ())

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """Refused: a volume's place in space cannot be made up.

        Raises:
            FormatError: always.
        """
        raise FormatError("a NIfTI is written from a NIfTI alone: write a TIFF or a PNG")


def _library() -> ModuleType:
    try:
        import nibabel
    except ImportError as error:
        raise FormatError(
            'NIfTI needs an extra that is not installed: pip install "remend[medical]"'
        ) from error
    return nibabel  # type: ignore[no-any-return]


def _read(source: Source) -> _Volume:
    """All of a file.

    Raises:
        DecodeError: it ends early; FormatError: a kind that is not supported.
    """
    volume = _taken_apart(_inflated(source, HEAD), source.name)
    wanted = volume.start + volume.pages * volume.page_bytes
    held = len(source.data) if source.data is not None else source.path.stat().st_size if source.path else 0
    bits = 8 * volume.channels * volume.dtype.itemsize
    source.budget.take(source.name, volume.pages * volume.shape[0] * volume.shape[1], bits, held, copies=1)
    data = _inflated(source, wanted + (1 << 20))  # what lies behind the voxels is kept
    if len(data) < wanted:
        raise DecodeError(f"{source.name}: a truncated NIfTI: {len(data):,} of {wanted:,} bytes")
    return _Volume(data, _header(io.BytesIO(data), source.name), volume.shape, volume.dtype, volume.channels)


def _inflated(source: Source, most: int) -> bytes:
    """The first bytes of a file, ``most`` or fewer, not compressed."""
    if source.head(2) != b"\x1f\x8b":
        return source.read_bytes() if most > HEAD else source.head(most)
    try:
        with gzip.open(source.path if source.data is None else io.BytesIO(source.data)) as file:  # type: ignore[arg-type]
            return file.read(most)
    except (OSError, EOFError, zlib.error) as error:
        raise DecodeError(f"{source.name}: a damaged NIfTI: it cannot be inflated ({error})") from error


def _header(file: io.BytesIO, name: str) -> Any:
    """nibabel's header, extensions and all."""
    library = _library()
    kinds = {348: library.Nifti1Header, 540: library.Nifti2Header}
    head = file.read(4)
    file.seek(0)
    size = next((size for order in "<>" if (size := struct.unpack(f"{order}i", head)[0]) in kinds), 0)
    try:
        return kinds[size].from_fileobj(file, check=False)
    except Exception as error:  # whatever a damaged header leads it to
        raise DecodeError(f"{name}: a damaged NIfTI header ({error})") from error


def _taken_apart(data: bytes, name: str) -> _Volume:
    """What the header says.

    Raises:
        DecodeError: it contradicts itself; FormatError: a kind that is not supported.
    """
    # Extensions lie further on; they are read when all of the file is.
    size = next((n for order in "<>" if (n := struct.unpack_from(f"{order}i", data)[0]) in SIZES), 348)
    header = _header(io.BytesIO(data[:size] + bytes(4)), name)
    magic = bytes(header["magic"].item())[:2]
    if magic != b"n+":
        kind = "the header of a pair" if magic == b"ni" else "an ANALYZE header"
        raise FormatError(f"{name}: {kind}, whose voxels lie in another file: save it as one .nii first")
    count = int(header["dim"][0])
    sides = [int(n) for n in header["dim"][1 : count + 1]] + [1] * (4 - count)
    if not 1 <= count <= 7 or min(sides) < 1:
        raise DecodeError(f"{name}: a damaged NIfTI: its sides are {'×'.join(map(str, sides))}")
    if not size <= float(header["vox_offset"]) < FURTHEST:  # it may be no number
        raise DecodeError(f"{name}: a damaged NIfTI: its voxels begin at byte {header['vox_offset']}")
    code = int(header["datatype"])
    channels = {RGB24: 3, RGBA32: 4}.get(code, 1)
    try:
        stored = np.dtype(np.uint8) if channels > 1 else header.get_data_dtype()
    except Exception as error:  # a code that nobody has given a meaning
        raise FormatError(f"{name}: a NIfTI of the unknown data type {code}") from error
    if stored.newbyteorder("=") not in DTYPES:
        raise FormatError(
            f"{name}: a NIfTI of {stored.name} voxels: integers of 8, 16 and 32 bits, floats of 32 and 64 "
            "and RGB are read"
        )
    volumes = int(np.prod(sides[3:], dtype=np.int64))
    return _Volume(data, header, (sides[0], sides[1], sides[2], volumes), stored, channels)


def _container(source: Source, volume: _Volume) -> Container:
    slope, height = (float(volume.header[key]) for key in ("scl_slope", "scl_inter"))
    rescale = (slope, height if np.isfinite(height) else 0.0) if np.isfinite(slope) and slope else (1.0, 0.0)
    details = {"measured": True, "slices": volume.shape[2], "rescale": rescale}
    return Container("nifti", source.path, source.data, details=details)


def _commented(volume: _Volume, text: str) -> bytes:
    """The header with one comment more, up to where voxels begin."""
    header = volume.header.copy()
    comment = _library().nifti1.Nifti1Extension(COMMENT, text.encode())
    if all(
        bytes(old.get_content()) != text.encode() for old in header.extensions if old.get_code() == COMMENT
    ):
        header.extensions.append(comment)
    header["vox_offset"] = 0  # anew
    file = io.BytesIO()
    header.write_to(file)
    return file.getvalue().ljust(int(header["vox_offset"]), b"\0")


CODEC = NiftiCodec()
