"""What people give the page beside whole pictures: truncated ones, and masks of every kind."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from page_driver import Sample, file_of, scene
from remend.finding import find_mask
from remend.io import read_picture
from remend.options import MaskOptions

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect


def cut(sample: Sample, share: float = 0.6) -> Sample:
    """The first part of a file."""
    return replace(sample, data=sample.data[: int(share * len(sample.data))])


def missing_in(sample: Sample) -> np.ndarray:
    return read_picture(sample.data, tolerate=True).container.missing


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_of_a_truncated_picture_the_page_asks_and_then_opens_what_is_there(editor, kind):
    page = editor.page
    sample = cut(file_of(scene(), f"torn.{kind}"))
    page.set_input_files("#files", sample.payload)
    question = page.locator(".notice", has_text="torn.")
    expect(question).to_contain_text(f"The picture torn.{kind} is cut short.")
    expect(question).to_contain_text("Open what is there, and mark what is missing as damage?")
    expect(page.locator("#editor")).to_be_hidden()
    question.get_by_role("button", name="Open what is there").click()
    expect(page.locator("#title")).to_contain_text(f"torn.{kind}")
    expect(page.locator("#marked")).to_contain_text("%")
    expect(page.locator(".notice").first).to_contain_text("cut short")
    editor.size = sample.pixels.shape[1::-1]
    editor.wait_done()
    missing = missing_in(sample)
    assert (editor.marked() == missing).all()
    there = read_picture(sample.data, tolerate=True).samples
    assert np.abs(np.subtract(editor.colour(40.5, 10.5), there[10, 40].astype(int))).max() < 12

    editor.repair()
    expect(page.locator("#marked")).to_have_text("nothing marked")
    y, x = np.argwhere(missing).mean(axis=0)
    assert len(set(editor.colour(x, y))) > 1  # not the grey of what no decoder has
    name, data = editor.download()
    assert name == f"torn.repaired.{kind}"
    after = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))  # whole again
    if kind == "png":
        assert (after[~missing] == there[~missing]).all()
    assert (after[missing] != there[missing]).mean() > 0.9
    page.reload()
    expect(page.locator("#title")).to_contain_text(f"torn.{kind}")
    expect(page.locator(".answer img")).to_have_count(1)
    assert editor.download()[1] == data


def test_whole_pictures_open_beside_truncated_ones_and_one_question_is_for_all(editor, png, jpg):
    page = editor.page
    torn = [cut(sample).renamed(f"{n}.{sample.name[-3:]}") for n, sample in enumerate((png, jpg))]
    page.set_input_files("#files", [sample.payload for sample in (png, *torn)])
    expect(page.locator("#title")).to_contain_text("scene.png")
    question = page.locator(".notice", has_text="cut short")
    expect(question).to_contain_text("2 pictures are cut short.")
    question.get_by_role("button", name="Open what is there").click()
    expect(page.locator("#thumbs li")).to_have_count(3)
    expect(page.locator("#title")).to_contain_text("0.png")


def test_a_question_may_be_left(editor, jpg):
    page = editor.page
    page.set_input_files("#files", cut(jpg).payload)
    question = page.locator(".notice", has_text="cut short")
    question.get_by_role("button", name="Close this message").click()
    expect(question).to_have_count(0)
    expect(page.locator("#welcome")).to_be_visible()


def test_what_only_the_server_finds_truncated_is_asked_about_when_it_is_repaired(editor, png):
    whole = replace(png, data=png.data[:-3])  # the browser does not miss the end
    editor.open(whole)
    page = editor.page
    editor.stroke((62, 18), (84, 122))
    page.click("#repair")
    question = page.locator(".notice", has_text="truncated PNG")
    question.get_by_role("button", name="Open what is there").click()
    expect(page.locator(".answer img")).to_have_count(1)
    assert Image.open(io.BytesIO(editor.download()[1])).size == (320, 240)


def levels(mode: str = "L", most: int = 255) -> Image.Image:
    """A disc with a soft edge, and a faint speck apart from it."""
    y, x = np.mgrid[:240, :320]
    disc = np.clip(128 + 12 * (30 - np.hypot(x - 160, y - 120)), 0, 255)
    disc[20, 20] = 100
    return Image.fromarray((disc * most / 255).astype(np.uint8)).convert(mode)


def outlines() -> bytes:
    polygon = [40, 30, 90, 30, 90, 60, 40, 60]
    images = [{"id": 7, "file_name": "scene.png", "width": 320, "height": 240}]
    return json.dumps(
        {"images": images, "annotations": [{"image_id": 7, "segmentation": [polygon]}]}
    ).encode()


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def two_levels() -> Image.Image:
    image = Image.new("L", (320, 240))
    ImageDraw.Draw(image).rectangle((10, 10, 60, 60), fill=1)
    return image


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("soft.png", saved(levels(), "PNG")),
        ("soft.jpg", saved(levels(), "JPEG", quality=60)),
        ("soft.tif", saved(levels(), "TIFF")),
        ("colour.png", saved(levels("RGB"), "PNG")),
        ("label.png", saved(two_levels(), "PNG")),
        ("coco.json", outlines()),
    ],
)
def test_a_loaded_mask_is_the_one_of_the_command(editor, png, name, data):
    editor.open(png)
    page = editor.page
    page.set_input_files("#mask-file", {"name": name, "mimeType": "", "buffer": data})
    expect(page.locator("#marked")).to_contain_text("%")
    wanted = find_mask(read_picture(png.data), data, options=MaskOptions(), name="scene.png").mask
    assert wanted.any()
    assert (editor.marked() == wanted).all()
    page.keyboard.press("Control+z")
    expect(page.locator("#marked")).to_have_text("nothing marked")


def test_a_mask_that_may_not_be_meant_is_asked_about(editor, png):
    editor.open(png)
    page = editor.page
    small = np.zeros((120, 160), np.uint8)
    small[40:50, 40:50] = 255
    page.set_input_files("#mask-file", {"name": "s.png", "mimeType": "", "buffer": saved_array(small)})
    question = page.locator(".notice", has_text="The mask is 160×120 and the picture 320×240.")
    question.get_by_role("button", name="Resize it").click()
    expect(page.locator("#marked")).to_contain_text("%")
    resized = editor.marked()
    assert resized[80:100, 80:100].all() and resized.sum() == 400
    inverse = np.full((240, 320), 255, np.uint8)
    inverse[:20] = 0
    page.set_input_files("#mask-file", {"name": "i.png", "mimeType": "", "buffer": saved_array(inverse)})
    question = page.locator(".notice", has_text="The mask marks 92 % of the picture.")
    assert (editor.marked() == resized).all()
    question.get_by_role("button", name="It is meant").click()
    expect(page.locator("#marked")).to_contain_text("92 %")
    assert (editor.marked() == (inverse > 0)).all()


def test_a_mask_that_marks_nothing_certain_is_refused(editor, png):
    editor.open(png)
    page = editor.page
    page.set_input_files(
        "#mask-file", {"name": "d.png", "mimeType": "", "buffer": saved(levels(most=70), "PNG")}
    )
    expect(page.locator(".notice.bad")).to_contain_text("so nothing in it is white")
    expect(page.locator("#marked")).to_have_text("nothing marked")


def saved_array(array: np.ndarray) -> bytes:
    return saved(Image.fromarray(array), "PNG")
