"""GIF: indices and tables to the byte, judged by Pillow."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from remend.errors import FormatError, PictureError
from remend.io.codec import Source
from remend.io.gif import CODEC
from remend.io.gif_blocks import read_screen, walk_blocks
from remend.picture import Metadata, Picture

H, W = 29, 41


def source(data: bytes) -> Source:
    return Source("made.gif", data=data)


def made(entries: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, entries, (H, W), dtype=np.uint8)


def image_of(indices: np.ndarray, *, grey: bool = False) -> Image.Image:
    image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
    colours = np.random.default_rng(5).integers(0, 256, 768)
    image.putpalette([i // 3 if grey else int(value) for i, value in enumerate(colours)])
    return image


def saved(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "GIF", optimize=False, **options)
    return file.getvalue()


def rgba(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as judged:
        return np.array(judged.convert("RGBA"))


def blocks(data: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    file = io.BytesIO(data)
    screen = read_screen(file, "x")
    return screen.to_bytes(), [
        (block.kind, data[block.start : block.end]) for block in walk_blocks(file, "x")
    ]


@pytest.mark.parametrize("entries", [2, 5, 200, 256])
@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("transparent", [None, 1])
def test_round_trip(entries: int, interlace: int, grey: bool, transparent: int | None) -> None:
    options: dict[str, object] = {"interlace": interlace, "comment": b"a comment"}
    if transparent is not None:
        options["transparency"] = transparent
    data = saved(image_of(made(entries), grey=grey), **options)
    picture = CODEC.decode(source(data))
    assert picture.mode == "P"
    assert picture.palette is not None
    assert picture.container is not None
    assert np.array_equal(picture.samples[..., 0], made(entries))
    seen = picture.palette[picture.samples[..., 0]]
    assert np.array_equal(seen, rgba(data)), "palette and transparency as Pillow sees them"
    assert picture.container.metadata.text == {"Comment": "a comment"}
    assert CODEC.rewrite(picture, np.zeros((H, W), bool)).data == data

    changed = np.zeros((H, W), bool)
    changed[3:9, 4:20] = True
    picture.samples[changed] = made(entries, 1)[changed][:, None]
    result = CODEC.rewrite(picture, changed)
    assert result.notes == ()
    before, after = blocks(data), blocks(result.data)
    assert before[0] == after[0]
    assert [b for b in before[1] if b[0] != "image"] == [b for b in after[1] if b[0] != "image"]
    back = CODEC.decode(source(result.data))
    assert np.array_equal(back.samples, picture.samples)
    assert np.array_equal(rgba(result.data), picture.palette[picture.samples[..., 0]])


def test_new_palette_entries_take_the_free_room_or_grow_the_table() -> None:
    for entries, table in ((200, 256), (4, 8)):
        picture = CODEC.decode(source(local_table_gif(entries)))
        assert picture.palette is not None
        assert len(picture.palette) == entries
        picture.palette = np.vstack((picture.palette, np.array([[7, 8, 9, 255]], np.uint8)))
        changed = np.zeros(picture.size, bool)
        changed[2, 3] = True
        picture.samples[changed] = entries
        result = CODEC.rewrite(picture, changed).data
        assert rgba(result)[2, 3].tolist() == [7, 8, 9, 255]
        assert np.array_equal(rgba(result), picture.palette[picture.samples[..., 0]])
        image = next(raw for kind, raw in blocks(result)[1] if kind == "image")
        assert 2 << (image[9] & 7) == table


def local_table_gif(entries: int) -> bytes:
    """The same picture with its table beside the frame, on a screen without one."""
    data = saved(image_of(made(entries)))
    file = io.BytesIO(data)
    screen = read_screen(file, "x")
    image = next(block for block in walk_blocks(file, "x") if block.kind == "image")
    size = max(1, (entries - 1).bit_length())
    start = b"GIF89a" + struct.pack("<HHBBB", W, H, 0, 0, 0)
    descriptor = struct.pack("<BHHHHB", 0x2C, 0, 0, W, H, 0x80 | (size - 1))
    return (
        start
        + descriptor
        + screen.table[: 3 << size].ljust(3 << size, b"\0")
        + data[image.body : image.end]
        + b";"
    )


def test_a_frame_smaller_than_its_screen() -> None:
    data = bytearray(local_table_gif(6))
    struct.pack_into("<HH", data, 6, W + 5, H + 7)
    picture = CODEC.decode(source(bytes(data)))
    assert picture.size == (H + 7, W + 5)
    assert CODEC.header(source(bytes(data))).width == W + 5
    changed = np.zeros(picture.size, bool)
    changed[0, 0] = True
    picture.samples[0, 0] = (picture.samples[0, 0] + 1) % 6
    assert np.array_equal(CODEC.decode(source(CODEC.rewrite(picture, changed).data)).samples, picture.samples)


def test_first_frame_of_an_animation() -> None:
    frames = [image_of(made(30, seed)) for seed in range(3)]
    data = saved(frames[0], save_all=True, append_images=frames[1:], duration=40, loop=0)
    assert CODEC.header(source(data)).frames == 3
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert picture.palette is not None
    assert "first of 3 frames" in picture.container.notes[0]
    assert np.array_equal(picture.palette[picture.samples[..., 0]], rgba(data))
    changed = np.zeros((H, W), bool)
    changed[0, 0] = True
    result = CODEC.rewrite(picture, changed)
    assert "dropped" in result.notes[0]
    with Image.open(io.BytesIO(result.data)) as judged:
        assert judged.n_frames == 1


def test_xmp_is_found_and_kept() -> None:
    data = local_table_gif(6)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    xmp = b'<x:xmpmeta a="1">' + b"x" * 300 + b"</x:xmpmeta>"
    data = data[:-1] + b"!\xff\x0bXMP DataXMP" + xmp + trailer + b";"
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert picture.container.metadata.xmp == xmp
    changed = np.ones(picture.size, bool)
    assert xmp + trailer in CODEC.rewrite(picture, changed).data


def test_encode() -> None:
    palette = np.random.default_rng(0).integers(0, 256, (11, 4), dtype=np.uint8)
    palette[:, 3] = 255
    palette[4, 3] = palette[9, 3] = 0
    indices = made(11)[..., None]
    result = CODEC.encode(Picture(indices, "P", palette), Metadata(icc=b"x", text={"Comment": "größe"}))
    assert "profile" in result.notes[0]
    seen, expected = rgba(result.data), palette[indices[..., 0]]
    assert np.array_equal(seen[..., 3], expected[..., 3])
    assert np.array_equal(seen[expected[..., 3] > 0], expected[expected[..., 3] > 0])
    back = CODEC.decode(source(result.data))
    assert back.container is not None
    assert back.container.metadata.text == {"Comment": "größe"}
    grey = np.random.default_rng(0).integers(0, 256, (H, W, 1), dtype=np.uint8)
    assert np.array_equal(rgba(CODEC.encode(Picture(grey, "L"), Metadata()).data)[..., :1], grey)
    with pytest.raises(FormatError, match="256 colours"):
        CODEC.encode(Picture(np.zeros((2, 2, 3), np.uint8), "RGB"), Metadata())
    palette[3, 3] = 90
    with pytest.raises(FormatError, match="half-transparent"):
        CODEC.encode(Picture(indices, "P", palette), Metadata())


def test_a_bomb_is_told_by_its_header() -> None:
    data = bytearray(local_table_gif(6))
    struct.pack_into("<HH", data, 6, 65535, 65535)
    assert CODEC.header(source(bytes(data))).height == 65535


def test_damage_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    data = saved(image_of(made(30)), comment=b"words")
    for length in range(0, len(data) - 40, 11):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
    for at in range(0, len(data), 7):
        broken = bytearray(data)
        broken[at] ^= 0x41
        try:
            header = CODEC.header(source(bytes(broken)))
            if header.width * header.height > 1 << 20:
                continue
            picture = CODEC.decode(source(bytes(broken)))
            CODEC.rewrite(picture, np.ones(picture.size, bool))
        except PictureError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
