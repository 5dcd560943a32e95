"""Twice and four times as large: better than a cubic enlargement, of every kind of picture."""

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from remend.errors import ModelError
from remend.metrics import psnr
from remend.picture import Container, Metadata, Picture
from remend.restoration.enlarging import enlarged


def halved(image):
    size = image.shape[1] // 2, image.shape[0] // 2
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def cubic(image):
    size = image.shape[1] * 2, image.shape[0] * 2
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_it_beats_a_cubic_enlargement(name):
    truth = getattr(data, name)()[:300, :300]
    small = halved(truth)
    found = enlarged(Picture(small, "RGB"), 2).samples
    assert found.shape == truth.shape and found.dtype == np.uint8
    assert psnr(found, truth) > psnr(cubic(small), truth) + 0.8


def test_tiles_leave_no_seam(monkeypatch):
    image = data.astronaut()[:200, :260]
    whole = enlarged(Picture(image, "RGB"), 2).samples
    monkeypatch.setattr("remend.restoration.enlarging.SIDE_PX", 64)
    tiled = enlarged(Picture(image, "RGB"), 2).samples
    difference = np.abs(whole.astype(int) - tiled)
    assert difference.max() <= 6 and difference.mean() < 0.15  # features in 8 bits are rounded tile by tile


def test_every_kind_of_picture_keeps_its_kind():
    image = data.astronaut()[:50, :61]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    alpha = np.zeros((50, 61, 1), np.uint8)
    alpha[10:40, 20:50] = 255
    kinds = {
        "L": grey,
        "LA": np.concatenate([grey, alpha], axis=2),
        "RGB": (image.astype(np.uint16) * 257),
        "RGBA": np.concatenate([image, alpha], axis=2),
        "CMYK": np.concatenate([image, grey], axis=2),
    }
    for mode, samples in kinds.items():
        done = enlarged(Picture(samples, mode), 2)
        assert done.mode == mode and done.samples.dtype == samples.dtype
        assert done.samples.shape == (100, 122, samples.shape[2])
        opaque = np.s_[24:76, 44:96]
        wanted = samples.astype(float)[12:38, 22:48].mean(axis=(0, 1))
        assert np.allclose(done.samples[opaque].mean(axis=(0, 1)), wanted, rtol=0.03)
    transparent = enlarged(Picture(kinds["RGBA"], "RGBA"), 2).samples
    assert np.array_equal(transparent[:16, :30, :3], image[:8, :15].repeat(2, 0).repeat(2, 1))
    floats = np.asarray(image, np.float32) / 300 - 0.2
    floats[5, 5] = np.nan
    done = enlarged(Picture(floats, "RGB"), 2).samples
    assert np.isnan(done[10:12, 10:12]).all() and np.isnan(done).sum() == 12
    assert np.nanmax(np.abs(done[40:60, 40:60] - floats[20:30, 20:30].repeat(2, 0).repeat(2, 1))) < 0.5


def test_grey_stays_grey_and_one_pixel_is_no_trouble():
    grey = np.repeat(data.camera()[:40, :40, None], 3, axis=2)
    done = enlarged(Picture(grey, "RGB"), 2).samples
    assert np.array_equal(done[..., 0], done[..., 2])
    assert enlarged(Picture(np.full((1, 1, 3), 9, np.uint8), "RGB"), 4).samples.shape == (4, 4, 3)
    flat = enlarged(Picture(np.full((30, 20, 3), 140, np.uint8), "RGB"), 4).samples
    assert flat.shape == (120, 80, 3) and np.abs(flat.astype(int) - 140).max() <= 2


def test_a_palette_is_left_and_a_print_keeps_its_size():
    palette = np.array([[10, 20, 30, 255], [200, 100, 50, 255]], np.uint8)
    container = Container("png", metadata=Metadata(dpi=(300, 300)))
    picture = Picture(np.eye(20, dtype=np.uint8)[..., None], "P", palette=palette, container=container)
    done = enlarged(picture, 4)
    assert done.mode == "RGB" and done.size == (80, 80)
    assert done.container.metadata.dpi == (1200, 1200)
    assert enlarged(picture, 1) is picture


def test_without_its_net_it_says_so(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be read"):
        enlarged(Picture(np.zeros((8, 8, 3), np.uint8), "RGB"), 2, weights=tmp_path / "gone.onnx")
