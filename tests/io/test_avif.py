"""AVIF: lossy and said so; metadata survive, an empty mask gives the very file."""

import io

import numpy as np
import pytest
from PIL import Image, features

from remend.errors import FormatError, PictureError
from remend.io.avif import CODEC
from remend.io.codec import Source
from remend.picture import Metadata, Picture

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")

EXIF = b"II*\0" + bytes([8, 0, 0, 0, 1, 0, 0x0F, 1, 2, 0, 3, 0, 0, 0]) + b"ab\0\0" + bytes(4)


def source(data: bytes) -> Source:
    return Source("made.avif", data=data)


def made(channels: int) -> np.ndarray:
    yy, xx = np.mgrid[:48, :64]
    return np.stack((xx * 3, yy * 4, xx + yy, 100 + xx), axis=2).astype(np.uint8)[..., :channels]


def saved(samples: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.squeeze(samples)).save(file, "AVIF", **{"quality": 90, "speed": 9, **options})
    return file.getvalue()


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_round_trip(mode: str, channels: int) -> None:
    data = saved(made(channels), exif=EXIF, xmp=b"<x/>", icc_profile=Image.core.__name__.encode())
    assert CODEC.recognises(data[:64])
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    with Image.open(io.BytesIO(data)) as judged:
        assert np.array_equal(np.array(judged).reshape(48, 64, -1), picture.samples)
    assert picture.container.metadata.xmp == b"<x/>"
    assert CODEC.rewrite(picture, np.zeros(picture.size, bool)).data == data
    changed = np.zeros(picture.size, bool)
    changed[10:20, 10:20] = True
    before = picture.samples.copy()
    picture.samples[changed, 0] = 128
    result = CODEC.rewrite(picture, changed)
    assert "compressed again" in result.notes[0]
    back = CODEC.decode(source(result.data))
    far = ~changed
    far[6:24, 6:24] = False
    if channels > 1:
        assert back.samples.shape == before.shape
    assert np.abs(back.samples.astype(int) - before)[far].mean() < 2
    assert back.container is not None
    assert back.container.metadata == picture.container.metadata


def test_orientation() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = saved(made(3), exif=exif)
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert CODEC.header(source(data)).orientation == picture.container.orientation == 6
    picture.samples[0, 0] = 0
    changed = np.zeros(picture.size, bool)
    changed[0, 0] = True
    assert CODEC.header(source(CODEC.rewrite(picture, changed).data)).orientation == 6


def test_first_frame_of_an_animation() -> None:
    file = io.BytesIO()
    frames = [Image.fromarray(made(3)), Image.fromarray(255 - made(3))]
    frames[0].save(file, "AVIF", save_all=True, append_images=frames[1:], speed=9)
    data = file.getvalue()
    assert CODEC.recognises(data[:64])
    assert CODEC.header(source(data)).frames == 2
    picture = CODEC.decode(source(data))
    assert picture.container is not None
    assert "first of 2 frames" in picture.container.notes[0]


def test_encode() -> None:
    result = CODEC.encode(Picture(made(3), "RGB"), Metadata(exif=EXIF, text={"a": "b"}))
    assert "lossy" in result.notes[0]
    back = CODEC.decode(source(result.data))
    assert np.abs(back.samples.astype(int) - made(3)).mean() < 2
    with pytest.raises(FormatError, match="uint16"):
        CODEC.encode(Picture(made(3).astype(np.uint16), "RGB"), Metadata())


def test_ten_bits_are_said() -> None:
    cv2 = pytest.importorskip("cv2")
    ok, data = cv2.imencode(".avif", made(3).astype(np.uint16) * 4, [cv2.IMWRITE_AVIF_DEPTH, 10])
    assert ok
    picture = CODEC.decode(source(data.tobytes()))
    assert picture.container is not None
    assert "10 bits" in picture.container.notes[0]


def test_damage_is_told_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    data = saved(made(3))
    for length in range(0, len(data) - 20, 61):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
    for at in range(0, len(data), 29):
        broken = bytearray(data)
        broken[at] ^= 0x41
        try:
            header = CODEC.header(source(bytes(broken)))
            if header.width * header.height > 1 << 20:
                continue
            CODEC.decode(source(bytes(broken)))
        except PictureError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr() == ("", "")
