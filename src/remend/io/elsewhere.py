"""Files that are no pictures here but well known elsewhere: what they are, and the way out."""

from __future__ import annotations

__all__ = ["DEVELOP", "known_elsewhere"]

DEVELOP = "develop it to a TIFF first (darktable, RawTherapee, or rawpy in Python)"
JPEG_2000 = "a JPEG 2000, which is not read here: convert it to TIFF first (opj_decompress)"
RAW = f"a camera's raw file, not a picture: {DEVELOP}"
# Where the sign lies, the sign, and what to say. Raw files that are TIFF structures by their other signs
# (NEF, ARW, DNG, PEF …) are told by their tags.
SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (8, b"CR\x02\0", RAW),  # Canon CR2, a TIFF by its first bytes
    (4, b"ftypcrx ", RAW),  # Canon CR3
    (6, b"HEAPCCDR", RAW),  # Canon CRW
    (0, b"FUJIFILMCCD-RAW", RAW),
    (0, b"IIRO", RAW),  # Olympus
    (0, b"IIRS", RAW),
    (0, b"MMOR", RAW),
    (0, b"IIU\0", RAW),  # Panasonic, Leica
    (0, b"FOVb", RAW),  # Sigma
    (0, b"\0MRM", RAW),  # Minolta
    (0, b"\xff\x0a", "a JPEG XL, which is not read here: convert it to PNG first (djxl)"),
    (4, b"JXL \r\n\x87\n", "a JPEG XL, which is not read here: convert it to PNG first (djxl)"),
    (4, b"jP  \r\n\x87\n", JPEG_2000),
    (
        0,
        b"\xff\x4f\xff\x51",
        "a JPEG 2000, which is not read here: convert it to TIFF first (opj_decompress)",
    ),
    (0, b"8BPS", "a Photoshop file, which is not read here: save it as a TIFF first"),
    (0, b"8BPB", "a Photoshop file, which is not read here: save it as a TIFF first"),
    (0, b"%PDF", "a PDF: take its pictures out first (pdfimages -all)"),
    (0, b"v/1\x01", "an OpenEXR file, which is not read here: save it as a TIFF first"),
    (0, b"gimp xcf", "a GIMP file, which is not read here: export it as a PNG or TIFF first"),
)


def known_elsewhere(head: bytes) -> str | None:
    """What a file is and what to do with it, by its first 64 bytes; None where nobody knows.

    >>> known_elsewhere(b"%PDF-1.7")
    'a PDF: take its pictures out first (pdfimages -all)'
    """
    return next((advice for at, sign, advice in SIGNS if head.startswith(sign, at)), None)
