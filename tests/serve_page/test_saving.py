"""Save as: the file as it came, other formats, smaller copies, before and after side by side; the example."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect


def saved(page, button: str = "#save-now", **choice: str) -> tuple[str, Image.Image]:
    page.click("#save-as")
    for name, value in choice.items():
        field = page.locator(f"#save-{name}")
        field.select_option(value) if name != "quality" else field.fill(value)
    with page.expect_download() as download:
        page.click(button)
    data = Path(download.value.path()).read_bytes()
    return download.value.suggested_filename, Image.open(io.BytesIO(data))


def test_formats_sizes_quality_and_both_sides(editor, jpg):
    editor.open(jpg)
    page = editor.page
    expect(page.locator("#save-as")).to_be_disabled()
    editor.stroke((62, 18), (84, 122), (104, 214))
    editor.repair()
    name, data = editor.download()
    same_name, same = saved(page)
    assert (same_name, same.format) == (name, "JPEG")
    assert (np.asarray(same) == np.asarray(Image.open(io.BytesIO(data)))).all()
    assert same.getexif()[0x010F] == "A camera"
    name, tiff = saved(page, format="tiff")
    assert (name, tiff.format, tiff.size) == ("scene.repaired.tif", "TIFF", (320, 240))
    name, small = saved(page, format="webp", size="50", quality="60")
    assert (name, small.format, small.size) == ("scene.repaired.webp", "WEBP", (160, 120))
    name, both = saved(page, "#save-both")
    assert (name, both.format, both.size) == ("scene.before-after.jpg", "JPEG", (652, 240))
    before, after = np.asarray(both, int)[:, :320], np.asarray(both, int)[:, 332:]
    assert np.abs(before[122, 84] - jpg.pixels[122, 84]).max() < 20
    assert after[122, 84].sum() < before[122, 84].sum() - 60


def test_a_repaired_picture_is_saved_twice_as_large(editor, png):
    editor.open(png)
    page = editor.page
    editor.stroke((62, 18), (84, 122), (104, 214))
    editor.repair()
    _, data = editor.download()
    name, large = saved(page, size="200")
    assert (name, large.format, large.size) == ("scene.repaired.png", "PNG", (640, 480))
    small = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
    again = np.asarray(large.convert("RGB").resize((320, 240), Image.Resampling.BOX), float)
    assert np.abs(small - again).mean() < 4  # the same picture
    _, jpeg = saved(page, format="jpeg", size="200")
    assert (jpeg.format, jpeg.size) == ("JPEG", (640, 480))


def test_the_example_is_a_photograph_with_damage_to_find(page):
    page.click("#example")
    expect(page.locator("#title")).to_contain_text("example.png")
    page.click("#find")
    expect(page.locator(".kind[data-kind=scratch]")).to_be_visible()
