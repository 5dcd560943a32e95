"""Straighten and crop on the page: prints take the scan's place, and undo brings it back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from page_driver import Editor, Sample, file_of

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import expect  # noqa: E402

NEAR_PX = 4


def bed(name: str, *places: tuple[int, int]) -> Sample:
    """A light bed with a print of 150×200 pixels at each place (top, left)."""
    rng = np.random.default_rng(4)
    pixels = np.clip(rng.normal(238, 1, (420, 600, 3)), 0, 255)
    y, x = np.mgrid[:150, :200].astype(np.float32)
    for number, (top, left) in enumerate(places):
        picture = np.stack([60 + 50 * np.sin(x / 17 + number), 90 + 40 * np.cos(y / 13), 70 + x / 4], axis=2)
        pixels[top : top + 150, left : left + 200] = picture + rng.normal(0, 3, picture.shape)
    return file_of(np.clip(pixels, 0, 255).astype(np.uint8), name)


def crop(editor: Editor) -> None:
    editor.page.click("#crop")
    editor.wait_done()


def test_several_prints_become_pictures_of_the_list_and_undo_brings_the_scan_back(editor, png):
    page = editor.page
    editor.open(bed("bed.png", (40, 50), (230, 330)), png)
    thumbs, title = page.locator(".thumb"), page.locator("#title")
    expect(thumbs).to_have_count(2)
    editor.stroke((100, 100), (150, 110))
    crop(editor)
    expect(title).to_contain_text("bed.cropped-1.png")
    expect(thumbs).to_have_count(3)
    names = [one.get_attribute("aria-label") for one in thumbs.all()]
    assert names == ["bed.cropped-1.png", "bed.cropped-2.png", "scene.png"], "in the scan's place"
    expect(page.locator("#undo")).to_have_attribute("title", "Undo crop (Ctrl+Z)")
    name, data = editor.download()
    assert name == "bed.cropped-1.png"
    assert np.allclose(Image.open(io.BytesIO(data)).size, (200, 150), atol=NEAR_PX)

    page.keyboard.press("Control+z")
    expect(title).to_contain_text("bed.png")
    expect(thumbs).to_have_count(2)
    expect(page.locator("#marked")).not_to_have_text("nothing marked")  # the stroke is still there
    page.reload()
    expect(title).to_contain_text("bed.png")
    expect(thumbs).to_have_count(2)
    page.keyboard.press("Control+Shift+z")
    expect(title).to_contain_text("bed.cropped-1.png")
    expect(thumbs).to_have_count(3)

    # The scan is set aside over a reload, too, and its second print is a picture like any other.
    page.reload()
    expect(thumbs).to_have_count(3)
    thumbs.nth(1).click()
    expect(title).to_contain_text("bed.cropped-2.png")
    page.keyboard.press("Control+z")
    expect(title).to_contain_text("bed.png")
    page.keyboard.press("Control+z")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    expect(page.locator("#redo")).to_have_attribute("title", "Redo brush stroke (Ctrl+Shift+Z)")


def test_one_print_is_the_picture_and_is_worked_on_as_such(editor):
    page = editor.page
    editor.open(bed("bed.png", (120, 180)))
    crop(editor)
    expect(page.locator("#title")).to_contain_text("bed.cropped.png")
    expect(page.locator("#strip")).to_be_hidden()
    editor.size = tuple(int(n) for n in page.locator("#title").inner_text().split(" · ")[1].split(" × "))
    assert np.allclose(editor.size, (200, 150), atol=NEAR_PX)
    editor.stroke((60, 60), (120, 70))
    editor.repair()
    name, data = editor.download()
    assert name == "bed.cropped.repaired.png"
    assert Image.open(io.BytesIO(data)).size == editor.size
    for step in ("Undo repair", "Undo brush stroke", "Undo crop"):
        expect(page.locator("#undo")).to_have_attribute("title", f"{step} (Ctrl+Z)")
        page.keyboard.press("Control+z")
    expect(page.locator("#title")).to_contain_text("bed.png")


def test_what_is_no_scan_stays_and_that_is_said(editor, png):
    page = editor.page
    editor.open(png)
    crop(editor)
    expect(page.locator(".notice")).to_contain_text("No print is seen on a scanner's bed")
    expect(page.locator("#title")).to_contain_text("scene.png")
    expect(page.locator("#undo")).to_be_disabled()


def test_it_speaks_chinese_and_everybody_can_use_it(open_page):
    page = open_page(locale="zh-CN", bypass_csp=True)
    page.set_input_files("#files", [bed("bed.png", (40, 50), (230, 330)).payload])
    expect(page.locator("#crop")).to_have_text("扶正并裁切")
    page.click("#crop")
    expect(page.locator(".notice")).to_contain_text("2 张照片，现在各成一幅图片")
    expect(page.locator("#undo")).to_have_attribute("title", "撤销“裁切”(Ctrl+Z)")
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
