"""Save as: the file as it came, other formats, smaller copies, before and after side by side; the example."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from page_driver import Sample


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


def test_the_same_places_are_filled_on_several_pages(editor, png):
    pages = [Image.fromarray(np.roll(png.pixels, shift, axis=2)) for shift in range(3)]
    data = io.BytesIO()
    pages[0].save(data, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_deflate")
    editor.open(Sample("album.tif", data.getvalue(), png.pixels))
    page = editor.page
    editor.stroke((62, 18), (84, 122), (104, 214))
    editor.without_rims()
    marked = editor.marked()
    editor.repair()
    page.click("#save-as")
    field = page.locator("#save-pages")
    field.fill("one and two")
    page.click("#save-now")
    expect(page.locator("#save")).to_be_visible()  # that is no page: it stays open, and says so
    assert field.evaluate("field => !field.validity.valid")
    field.fill("1-2")
    expect(page.locator("#save-about")).to_contain_text("filled on each of these pages")
    with page.expect_download() as download:
        page.click("#save-now")
    assert download.value.suggested_filename == "album.repaired.tif"
    with Image.open(Path(download.value.path())) as album:
        assert album.n_frames == 3
        for number, before in enumerate(pages):
            album.seek(number)
            changed = (np.asarray(album.convert("RGB")) != np.asarray(before)).any(axis=2)
            assert not changed[~marked].any()
            assert changed.any() == (number < 2)


def test_pages_are_asked_for_where_there_may_be_some(editor, png):
    animated = io.BytesIO()
    frames = [Image.fromarray(np.roll(png.pixels, shift, axis=2)) for shift in range(2)]
    frames[0].save(animated, "PNG", save_all=True, append_images=frames[1:])
    for sample, has_pages in ((png, False), (Sample("film.png", animated.getvalue(), png.pixels), True)):
        editor.open(sample)
        editor.stroke((62, 18), (84, 122))
        editor.repair()
        editor.page.click("#save-as")
        expect(editor.page.locator("#save-about")).to_be_visible()
        assert editor.page.locator("#save-pages").is_visible() == has_pages
        editor.page.keyboard.press("Escape")
