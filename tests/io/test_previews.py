"""After a repair nothing in the file still shows what was repaired, or the notes say so."""

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, JpegImagePlugin

from remend.errors import FormatError
from remend.io import encode_picture, read_picture
from remend.io.png.chunks import chunk_bytes
from remend.io.previews import bare_resources, bare_xmp
from remend.picture import Picture

MAGENTA = (255, 0, 255)
SIZE = 128
DISC = np.zeros((SIZE, SIZE), bool)
DISC[40:72, 48:80] = True


def damaged() -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    samples = np.stack([x, y, 200 - x // 2], axis=2).astype(np.uint8)
    samples[DISC] = MAGENTA
    return samples


def jpeg(samples: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "JPEG", quality=92, **options)
    return file.getvalue()


def exif_with_thumbnail(maker: bytes = b"") -> bytes:
    """IFD0 with a camera's name (and a maker's note), IFD1 with a 64 × 64 JPEG."""
    thumbnail = jpeg(damaged()[::2, ::2])
    ifd0 = 8
    note = ifd0 + 2 + 12 * 2 + 4
    ifd1 = note + max(len(maker), 4) + len(maker) % 2
    at = ifd1 + 2 + 12 * 3 + 4
    first = struct.pack("<HHHI4sHHIII", 2, 0x010F, 2, 4, b"cam\0", 0x927C, 7, max(len(maker), 4), note, ifd1)
    second = struct.pack("<HHHII", 3, 0x0103, 3, 1, 6)
    second += struct.pack("<HHIIHHIII", 513, 4, 1, at, 514, 4, 1, len(thumbnail), 0)
    return b"II*\0" + struct.pack("<I", 8) + first + maker.ljust(ifd1 - note, b"\0") + second + thumbnail


def repaired(data: bytes, format: str | None = None) -> tuple[bytes, tuple[str, ...], Picture]:
    picture = read_picture(data)
    picture.samples[DISC] = np.array([64, 56, 168, 255][: picture.samples.shape[2]], picture.samples.dtype)
    encoded = encode_picture(picture, changed=DISC, format=format)
    return encoded.data, encoded.notes, picture


def shows_magenta(samples: np.ndarray) -> bool:
    return bool((np.abs(samples[..., :3].astype(int) - MAGENTA).sum(axis=2) < 90).any())


def jpegs_in(data: bytes) -> list[np.ndarray]:
    found, at = [], -1
    while (at := data.find(b"\xff\xd8\xff", at + 1)) >= 0:
        try:
            with JpegImagePlugin.JpegImageFile(io.BytesIO(data[at:])) as image:
                found.append(np.asarray(image.convert("RGB")))
        except (OSError, SyntaxError):
            continue
    return found


def png(*extra: bytes, before: bool = True) -> bytes:
    file = io.BytesIO()
    Image.fromarray(damaged()).save(file, "PNG")
    data = file.getvalue()
    return data[:33] + b"".join(extra) + data[33:]


def with_segments(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    made = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return data[:2] + made + data[2:]


@pytest.mark.parametrize("format", [None, "png", "webp", "avif"])
def test_the_exif_thumbnail_is_made_anew(format):
    source = jpeg(damaged(), exif=b"Exif\0\0" + exif_with_thumbnail())
    assert sum(map(shows_magenta, jpegs_in(source))) == 2
    data, _, _ = repaired(source, format)
    exif = read_picture(data).container.metadata.exif
    (thumbnail,) = jpegs_in(exif)
    assert not shows_magenta(thumbnail)
    expected = damaged()[::2, ::2].astype(int)
    expected[DISC[::2, ::2]] = (64, 56, 168)
    assert np.abs(thumbnail - expected).mean() < 6
    assert b"cam" in exif


def test_a_preview_in_a_makers_note_is_blotted_out_and_the_rest_of_it_stays():
    maker = b"MAKER" + jpeg(damaged()[::2, ::2]) + b"REST"
    data, _, _ = repaired(jpeg(damaged(), exif=b"Exif\0\0" + exif_with_thumbnail(maker)))
    assert b"MAKER" in data
    assert b"REST" in data
    assert not any(map(shows_magenta, jpegs_in(data)))


def gain_map(kind: int = 0) -> bytes:
    """A file as phones write it: an index, and a map behind the picture that glows where the disc is."""
    glow = np.full((SIZE // 2, SIZE // 2), 60, np.uint8)
    glow[DISC[::2, ::2]] = 250
    packet = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta hdrgm:Version='1.0'/>"
    second = with_segments(jpeg(glow), (0xE1, packet)) if kind == 0 else jpeg(damaged())
    first = jpeg(damaged())
    index = 4 + 4  # marker and length, then the name
    length = len(first) + 4 + 4 + 8 + 2 + 12 + 4 + 32
    body = b"MPF\0II*\0" + struct.pack("<IHHHIII", 8, 1, 0xB002, 7, 32, 26, 0)
    body += struct.pack("<IIIHH", 0x030000, length, 0, 0, 0)
    body += struct.pack("<IIIHH", kind, len(second), length - 2 - index, 0, 0)
    made = with_segments(first, (0xE2, body))
    assert len(made) == length
    return made + second


def test_a_gain_map_is_smoothed_where_the_picture_was_repaired():
    source = gain_map()
    data, notes, _ = repaired(source)
    assert notes == ()
    with Image.open(io.BytesIO(data[data.rfind(b"\xff\xd8\xff") :])) as image:
        glow = np.asarray(image)
    assert np.abs(glow.astype(int) - 60).max() < 15
    assert data.count(b"hdrgm") == 1
    entries = data.index(b"MPF\0") + 4 + 26
    size, offset = struct.unpack_from("<II", data, entries + 16 + 4)
    assert data[data.index(b"MPF\0") + 4 + offset :][:3] == b"\xff\xd8\xff"
    assert data.index(b"MPF\0") + 4 + offset + size == len(data)


def test_a_large_thumbnail_of_the_index_is_made_anew():
    data, notes, _ = repaired(gain_map(0x010001))
    assert notes == ()
    assert len(jpegs_in(data)) == 2
    assert not any(map(shows_magenta, jpegs_in(data)))


def test_another_view_is_kept_and_told():
    data, notes, _ = repaired(gain_map(0x020002))
    assert any("first of 2 pictures" in note for note in notes)
    assert len(jpegs_in(data)) == 2


def test_segments_that_show_or_vouch_for_the_old_picture_go():
    preview = jpeg(damaged()[::2, ::2])
    resource = b"8BIM" + struct.pack(">HHI", 1036, 0, len(preview)) + preview + b"\0" * (len(preview) % 2)
    kept = b"8BIM" + struct.pack(">HHI", 1005, 0, 4) + b"dpi!"
    source = with_segments(
        jpeg(damaged()),
        (0xEB, b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa"),
        (0xED, b"Photoshop 3.0\0" + kept + resource),
        (0xE5, b"MAKER" + preview),
    )
    data, notes, _ = repaired(source)
    assert b"jumb" not in data
    assert b"dpi!" in data
    assert any("C2PA" in note for note in notes)
    assert not any(map(shows_magenta, jpegs_in(data)))


def test_xmp_previews_become_blanks():
    packet = b"<x><xmp:Thumbnails><rdf:Alt>/9j/4AAQ</rdf:Alt></xmp:Thumbnails><dc:title>t</dc:title></x>"
    bare = bare_xmp(packet)
    assert len(bare) == len(packet)
    assert b"/9j/" not in bare
    assert b"<dc:title>t</dc:title>" in bare
    attribute = b'<d GImage:Mime="image/jpeg" GImage:Data="' + b"A" * 99 + b'" a="b"/>'
    assert bare_xmp(attribute).split() == [b"<d", b'GImage:Mime="image/jpeg"', b'a="b"/>']
    assert bare_resources(b"rubbish") == b"rubbish"


def test_png_chunks_that_are_not_safe_to_copy_go():
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<xmp:Thumbnails>/9j/</xmp:Thumbnails>")
    source = png(
        chunk_bytes(b"iDOT", bytes(28)),
        chunk_bytes(b"gAMA", struct.pack(">I", 45455)),
        chunk_bytes(b"tIME", bytes(7)),
        chunk_bytes(b"mkTS", b"layers"),
        chunk_bytes(b"prVt", b"safe to copy"),
        chunk_bytes(b"iTXt", text),
        chunk_bytes(b"eXIf", exif_with_thumbnail()),
        chunk_bytes(b"caBX", b"jumb"),
    )
    unchanged = encode_picture(read_picture(source), changed=np.zeros_like(DISC))
    assert unchanged.data == source
    data, notes, picture = repaired(source)
    for gone in (b"iDOT", b"tIME", b"mkTS", b"caBX"):
        assert gone not in data
    for stays in (b"gAMA", b"prVt", b"eXIf", b"iTXt"):
        assert stays in data
    assert any("mkTS" in note for note in notes)
    assert any("C2PA" in note for note in notes)
    after = read_picture(data)
    assert np.array_equal(after.samples, picture.samples)
    assert after.container.metadata.xmp.strip() == b""
    assert not any(map(shows_magenta, jpegs_in(data)))


def test_layers_of_a_tiff_go_with_a_word():
    file = io.BytesIO()
    layers = b"Adobe Photoshop Document Data Block\0" + b"8BIMLayr" + damaged().tobytes()
    tags = [(37724, 7, len(layers), layers, True), (52545, 7, 4, b"jumb", True)]
    tifffile.imwrite(file, damaged(), photometric="rgb", extratags=tags)
    data, notes, picture = repaired(file.getvalue())
    assert b"8BIMLayr" not in data
    assert damaged().tobytes() not in data
    assert any("layers" in note for note in notes)
    assert any("C2PA" in note for note in notes)
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert np.array_equal(tiff.asarray(), picture.samples)
        assert not {37724, 52545} & {tag.code for tag in tiff.pages[0].tags}


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("sub", [True, False])
def test_reduced_copies_of_a_tiff_are_repaired(sub, dtype):
    file = io.BytesIO()
    scale = 257 if dtype == "uint16" else 1
    with tifffile.TiffWriter(file) as tiff:
        whole = damaged().astype(dtype) * scale
        tiff.write(whole, photometric="rgb", subifds=1 if sub else 0)
        tiff.write(damaged()[::2, ::2], photometric="rgb", subfiletype=1, compression="zlib")
    picture = read_picture(file.getvalue())
    picture.samples[DISC] = np.array((64, 56, 168), dtype) * scale
    encoded = encode_picture(picture, changed=DISC)
    assert encoded.notes == ()
    with tifffile.TiffFile(io.BytesIO(encoded.data)) as tiff:
        page = tiff.pages[0].pages[0] if sub else tiff.pages[1]
        small = page.asarray()
        assert np.array_equal(tiff.pages[0].asarray(), picture.samples)
    assert not shows_magenta(small)
    assert np.array_equal(small[:18], damaged()[::2, ::2][:18])


def test_a_small_copy_is_not_taken_for_the_picture():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(damaged()[::2, ::2], photometric="rgb", subfiletype=1, subifds=1)
        tiff.write(np.zeros((SIZE, SIZE), np.uint16), photometric=32803, subfiletype=0)
    with pytest.raises(FormatError, match="raw file"):
        read_picture(file.getvalue())
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(damaged()[::2, ::2], photometric="rgb", subfiletype=1)
        tiff.write(damaged(), photometric="rgb")
    with pytest.raises(FormatError, match="small copy"):
        read_picture(file.getvalue())


@pytest.mark.parametrize("head", [b"II*\0\x10\0\0\0CR\2\0", b"\0\0\0\x18ftypcrx ", b"FUJIFILMCCD-RAW 0201"])
def test_raw_files_are_refused_by_what_they_are(head):
    with pytest.raises(FormatError, match="rawpy"):
        read_picture(head.ljust(99, b"\0"))
