"""AVIF: always compressed again as a whole, which is said; profile, EXIF and XMP are carried.

AVIF codes colour through a lossy transform, so no encoder setting brings the source's samples back.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import AvifImagePlugin, Image

from remend.io.codec import Encoded, Header, Source
from remend.io.colour import beside_pictures, nclx_of, with_nclx
from remend.io.exif_tag import bare_exif, exif_orientation
from remend.io.pillow_codec import array_of, eight_bit_image, load_frame, open_frame
from remend.io.previews import renewed
from remend.picture import Bool, Container, Metadata, Picture

__all__ = ["CODEC", "AvifCodec"]

QUALITY = 95


class AvifCodec:
    """AVIF, still or the first frame, 8 bits. ``details``: ``depth``, the source's bits a sample."""

    format = "avif"
    suffixes: tuple[str, ...] = (".avif",)
    lossless = False
    bands = False

    def recognises(self, head: bytes) -> bool:
        """By a brand of AVIF in the file type box."""
        if head[4:8] != b"ftyp":
            return False
        brands = head[8 : min(len(head), int.from_bytes(head[:4], "big"))]
        return any(brands[at : at + 4] in (b"avif", b"avis") for at in range(0, len(brands), 4))

    def header(self, source: Source) -> Header:
        """From the boxes; the file is read, its pictures are not decoded."""
        with open_frame(AvifImagePlugin.AvifImageFile, source.read_bytes(), source.name, "AVIF") as image:
            exif = image.info.get("exif")
            frames = int(getattr(image, "n_frames", 1))
            return Header(
                image.width, image.height, exif_orientation(bare_exif(exif) if exif else None), frames
            )

    def decode(self, source: Source) -> Picture:
        """L, RGB or RGBA of 8 bits; more bits are reduced, which is said."""
        data = source.read_bytes()
        with open_frame(AvifImagePlugin.AvifImageFile, data, source.name, "AVIF") as image:
            source.budget.take(source.name, image.width * image.height, 32, len(data), copies=4)
            samples = array_of(load_frame(image, source.name, "AVIF"))
            info, mode, frames = image.info, image.mode, int(getattr(image, "n_frames", 1))
        exif = bare_exif(info["exif"]) if info.get("exif") else None
        depth = _depth(data)
        notes = []
        if depth > 8:
            notes.append(f"an AVIF of {depth} bits a sample: read and written with 8")
        if frames > 1:
            notes.append(f"first of {frames} frames; it will be written as a still picture")
        container = Container(
            format=self.format,
            path=source.path,
            data=source.data,
            orientation=exif_orientation(exif),
            metadata=Metadata(
                icc=info.get("icc_profile"), exif=exif, xmp=info.get("xmp"), cicp=nclx_of(data)
            ),
            details={"depth": depth},
            notes=tuple(notes),
        )
        if mode not in ("L", "RGB", "RGBA"):
            mode = {1: "L", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
        return Picture(samples, mode, None, container)  # type: ignore[arg-type]

    def rewrite(self, picture: Picture, changed: Bool, *, consume: bool = False) -> Encoded:
        """The whole frame compressed again; without a changed pixel the very file."""
        assert picture.container is not None
        if not changed.any():
            return Encoded(picture.container.read_bytes())
        squeezed = np.squeeze(picture.samples, 2) if picture.samples.shape[2] == 1 else picture.samples
        metadata = renewed(picture.container.metadata, picture)
        beside = beside_pictures(picture.container.read_bytes())
        data, colour_notes = _encoded(Image.fromarray(np.ascontiguousarray(squeezed)), metadata)
        note = f"lossy AVIF: the whole frame was compressed again (quality {QUALITY}, no chroma subsampling)"
        return Encoded(data, (note, *colour_notes, *beside))

    def encode(self, picture: Picture, metadata: Metadata) -> Encoded:
        """L, RGB or RGBA with profile, EXIF and XMP, at quality 95."""
        image, notes = eight_bit_image(picture, kind="AVIF", modes=("L", "RGB", "RGBA"))
        notes += (f"AVIF is lossy: quality {QUALITY}, no chroma subsampling",)
        if metadata.dpi and not metadata.exif:
            notes += ("AVIF has no place for the resolution: left out",)
        if metadata.text:
            notes += ("AVIF has no place for text entries: left out",)
        data, colour_notes = _encoded(image, metadata)
        return Encoded(data, notes + colour_notes)


def _encoded(image: Image.Image, metadata: Metadata) -> tuple[bytes, tuple[str, ...]]:
    """The file, and what it cannot say of the colours."""
    kept = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    file = io.BytesIO()
    image.save(
        file,
        "AVIF",
        quality=QUALITY,
        subsampling="4:0:0" if image.mode == "L" else "4:4:4",
        speed=6,
        **{name: value for name, value in kept.items() if value},
    )
    return with_nclx(file.getvalue(), metadata.cicp)


def _depth(data: bytes) -> int:
    """Bits a sample, from the first AV1 configuration box."""
    at = data.find(b"av1C")
    if at < 0 or at + 7 > len(data):
        return 8
    flags = data[at + 6]
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 8


CODEC = AvifCodec()
