"""HEIF: with the extra a round trip, without it one line that says what to install."""

import builtins
import io
from typing import Any

import numpy as np
import pytest

from remend.errors import FormatError, PictureError
from remend.io.codec import Source
from remend.io.heif import CODEC
from remend.picture import Metadata, Picture


def source(data: bytes) -> Source:
    return Source("made.heic", data=data)


def made(channels: int = 3) -> np.ndarray:
    yy, xx = np.mgrid[:48, :64]
    return np.stack((xx * 3, yy * 4, xx + yy, 100 + xx), axis=2).astype(np.uint8)[..., :channels]


def test_brands() -> None:
    assert CODEC.recognises(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40))
    assert not CODEC.recognises(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif" + bytes(40))
    assert not CODEC.recognises(b"\x89PNG\r\n\x1a\n" + bytes(56))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "pillow_heif":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for use in (CODEC.header, CODEC.decode):
        with pytest.raises(FormatError, match=r"pip install \"remend\[heif\]\""):
            use(source(data))
    with pytest.raises(FormatError, match="pip install"):
        CODEC.encode(Picture(made(), "RGB"), Metadata())


@pytest.mark.parametrize("channels", [3, 4])
def test_round_trip(channels: int) -> None:
    library = pytest.importorskip("pillow_heif", reason="needs the extra heif")
    from PIL import Image

    file = io.BytesIO()
    library.from_pillow(Image.fromarray(made(channels))).save(file, quality=90, xmp=b"<x/>")
    data = file.getvalue()
    assert CODEC.recognises(data[:64])
    header, picture = CODEC.header(source(data)), CODEC.decode(source(data))
    assert (header.height, header.width) == picture.size
    assert picture.container is not None
    assert picture.container.metadata.xmp == b"<x/>"
    assert np.abs(picture.samples.astype(int) - made(channels)).mean() < 3
    assert CODEC.rewrite(picture, np.zeros(picture.size, bool)).data == data
    changed = np.zeros(picture.size, bool)
    changed[10:20, 10:20] = True
    before = picture.samples.copy()
    picture.samples[changed, :3] = 128
    result = CODEC.rewrite(picture, changed)
    assert "compressed again" in result.notes[0]
    back = CODEC.decode(source(result.data))
    far = ~changed
    far[2:28, 2:28] = False
    assert np.abs(back.samples.astype(int) - before)[far].mean() < 2
    assert back.container is not None
    assert back.container.metadata == picture.container.metadata
    for length in range(0, len(data), 97):
        with pytest.raises(PictureError):
            CODEC.decode(source(data[:length]))
