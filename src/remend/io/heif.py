"""HEIF and HEIC, through the extra ``heif``: compressed again as a whole, which is said.

libheif turns the picture upright while it reads, so the stored orientation is always 1 here.
"""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

from PIL import Image

from remend.errors import FormatError
from remend.io.codec import Encoded, Header, Source
from remend.io.colour import beside_pictures, nclx_of, with_nclx
from remend.io.exif_tag import bare_exif
from remend.io.pillow_codec import array_of, eight_bit_image, load_frame, open_frame
from remend.io.previews import renewed
from remend.picture import Bool, Container, Metadata, Mode, Picture

__all__ = ["CODEC", "HeifCodec"]

QUALITY = 95
BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


class HeifCodec:
    """HEIF, the primary picture, 8 bits. ``details``: ``depth``, the source's bits a sample."""

    format = "heif"
    suffixes: tuple[str, ...] = (".heic", ".heif", ".hif")
    lossless = False
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By a brand of HEIF in the file type box, where none of AVIF is."""
        if head[4:8] != b"ftyp":
            return False
        end = min(len(head), int.from_bytes(head[:4], "big"))
        brands = {head[at : at + 4] for at in range(8, end, 4)}
        return bool(brands.intersection(BRANDS)) and not brands.intersection((b"avif", b"avis"))

    def header(self, source: Source) -> Header:
        """From the boxes; the file is read, its pictures are not decoded.

        Raises:
            FormatError: the extra is not installed.
        """
        with _open(source.read_bytes(), source.name) as image:
            return Header(image.width, image.height, 1, int(getattr(image, "n_frames", 1)))

    def decode(self, source: Source) -> Picture:
        """RGB, RGBA, L or LA of 8 bits; more bits are reduced, which is said."""
        data = source.read_bytes()
        with _open(data, source.name) as image:
            source.budget.take(source.name, image.width * image.height, 32, len(data), copies=4)
            info, frames = dict(image.info), int(getattr(image, "n_frames", 1))
            loaded = load_frame(image, source.name, "HEIF")
            samples = array_of(loaded)
        depth = int(info.get("bit_depth", 8))
        modes: dict[int, Mode] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
        notes = []
        if depth > 8:
            notes.append(f"a HEIF of {depth} bits a sample: read and written with 8")
        if frames > 1:
            notes.append(f"first of {frames} pictures; the others will not be written")
        exif, xmp = info.get("exif"), info.get("xmp")
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            metadata=Metadata(
                icc=info.get("icc_profile"),
                exif=bare_exif(exif) if exif else None,
                xmp=xmp.encode() if isinstance(xmp, str) else xmp,
                cicp=nclx_of(data),
            ),
            details={"depth": depth},
            notes=tuple(notes),
        )
        return Picture(samples, modes[samples.shape[2]], None, container)

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The whole frame compressed again; without a changed pixel the very file."""
        assert picture.container is not None
        if not changed.any():
            return Encoded(picture.container.read_bytes())
        image, notes = eight_bit_image(picture, kind="HEIF", modes=("L", "LA", "RGB", "RGBA"))
        note = f"lossy HEIF: the whole frame was compressed again (quality {QUALITY})"
        metadata = renewed(picture.container.metadata, picture)
        data, colour_notes = _encoded(image, metadata)
        beside = beside_pictures(picture.container.read_bytes())
        return Encoded(data, (*notes, note, *colour_notes, *beside))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """L, LA, RGB or RGBA with profile, EXIF and XMP, at quality 95."""
        image, notes = eight_bit_image(picture, kind="HEIF", modes=("L", "LA", "RGB", "RGBA"))
        notes += (f"HEIF is lossy: quality {QUALITY}",)
        if metadata.dpi and not metadata.exif:
            notes += ("HEIF has no place for the resolution: left out",)
        if metadata.text:
            notes += ("HEIF has no place for text entries: left out",)
        data, colour_notes = _encoded(image, metadata)
        return Encoded(data, notes + colour_notes)


def _library() -> ModuleType:
    try:
        import pillow_heif
    except ImportError as error:
        raise FormatError('HEIF needs an extra that is not installed: pip install "remend[heif]"') from error
    return pillow_heif  # type: ignore[no-any-return]


def _open(data: bytes, name: str) -> Any:
    return open_frame(_library().HeifImageFile, data, name, "HEIF")


def _encoded(image: Image.Image, metadata: Metadata) -> tuple[bytes, tuple[str, ...]]:
    """The file, and what it cannot say of the colours."""
    library = _library()
    file = io.BytesIO()
    heif = library.from_pillow(image)
    kept = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    heif.save(file, quality=QUALITY, chroma=444, **{name: value for name, value in kept.items() if value})
    return with_nclx(file.getvalue(), metadata.cicp)


CODEC = HeifCodec()
