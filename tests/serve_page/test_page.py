"""The main job on the page: open, mark, repair, look, undo, download, come back."""

from __future__ import annotations

import base64
import io
import re
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from page_driver import Sample, becomes, file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

SCRATCH = [(62, 18), (84, 122), (104, 214)]  # along the first scratch of the scene


def test_opens_a_chosen_picture(editor, png):
    editor.open(png)
    expect(editor.page.locator("#title")).to_contain_text("320 × 240")
    expect(editor.page).to_have_title("scene.png – Remend")
    assert np.abs(np.subtract(editor.colour(20.5, 200.5), png.pixels[200, 20].astype(int))).max() < 12


def test_opens_a_dropped_picture(page, jpg):
    drop = """([name, data]) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
      for (const kind of ["dragenter", "dragover", "drop"])
        document.getElementById("drop").dispatchEvent(
          new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(drop, ["dropped.jpg", base64.b64encode(jpg.data).decode()])
    expect(page.locator("#title")).to_contain_text("dropped.jpg")
    expect(page.locator("#dropping")).to_be_hidden()


def test_opens_a_pasted_picture(page, png):
    paste = """(data) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "image.png", {type: "image/png"}));
      dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(paste, base64.b64encode(png.data).decode())
    expect(page.locator("#title")).to_contain_text("image.png")


def test_finds_damage_and_lets_each_region_go(editor, worn_png):
    editor.open(worn_png)
    page = editor.page
    page.click("#find")
    expect(page.locator(".region-list .region")).not_to_have_count(0)
    editor.wait_done()
    region = page.locator(".region-list .region").first
    expect(region).to_contain_text(re.compile("(Scratch|Crack|Dust|Hole) 1"))
    expect(region).to_contain_text("%")
    before = editor.marked()
    region.locator("input").uncheck()
    after = editor.marked()
    assert 0 < after.sum() < before.sum()
    assert not (after & ~before).any()
    region.locator("input").check()
    assert (editor.marked() == before).all()
    page.keyboard.press("Control+z")
    assert (editor.marked() == after).all()
    page.click(".tool[data-tool=pick]")  # on the picture itself
    x, y = np.argwhere(before & ~after)[0][::-1]
    page.mouse.click(*editor.at(x + 0.5, y + 0.5))
    assert (editor.marked() == before).all()


def test_paint_repair_slide_undo_download_jpeg(editor, jpg):
    editor.open(jpg)
    page = editor.page
    damaged = editor.colour(84, 122)
    editor.stroke(*SCRATCH)
    mask = editor.marked()
    assert mask[122, 84]
    assert 0.01 < mask.mean() < 0.2
    editor.repair()
    expect(page.locator(".answer img")).to_have_count(1)
    repaired = editor.colour(84, 122)
    assert sum(repaired) < sum(damaged) - 60  # the white scratch has gone

    page.click("#compare")
    slider = page.locator("#slider")
    slider.press("End")
    assert np.abs(np.subtract(editor.colour(84, 122), damaged)).max() <= 3
    slider.press("Home")
    assert editor.colour(84, 122) == repaired
    page.click("#compare")

    page.keyboard.press("Control+z")  # the repair
    expect(page.locator("#download")).to_be_disabled()
    assert (editor.marked() == mask).all()
    page.keyboard.press("Control+z")  # the stroke
    expect(page.locator("#undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    expect(page.locator("#download")).to_be_enabled()
    assert editor.colour(84, 122) == repaired

    name, data = editor.download()
    assert name == "scene.repaired.jpg"
    result = np.asarray(Image.open(io.BytesIO(data)))
    assert Image.open(io.BytesIO(data)).getexif()[0x010F] == "A camera"
    blocks = cv2.dilate(_blocks(mask), np.ones((33, 33), np.uint8)) > 0  # chroma upsampling reaches over
    assert (result[~blocks] == jpg.pixels[~blocks]).all()
    assert np.abs(result[mask].astype(int) - jpg.pixels[mask]).max() > 50


def _blocks(mask: np.ndarray) -> np.ndarray:
    """The 16 × 16 blocks that a mask touches."""
    touched = np.zeros(mask.shape, np.uint8)
    for y, x in np.argwhere(mask):
        touched[y // 16 * 16 : y // 16 * 16 + 16, x // 16 * 16 : x // 16 * 16 + 16] = 1
    return touched


def test_a_second_repair_keeps_the_first_and_ages_nothing(editor, png):
    editor.open(png)
    editor.without_rims()
    editor.stroke(*SCRATCH)
    first = editor.marked()
    editor.repair()
    _, once = editor.download()
    editor.stroke((147, 20), (130, 200))
    second = editor.marked() & ~first
    editor.repair()
    _, twice = editor.download()
    one, two = (np.asarray(Image.open(io.BytesIO(data))) for data in (once, twice))
    assert (two[~(first | second)] == png.pixels[~(first | second)]).all()
    assert (two[first & ~second] == one[first & ~second]).all()
    assert (one[second] == png.pixels[second]).all()
    assert (two[second] != png.pixels[second]).any()


def test_work_survives_a_reload(editor, png):
    editor.open(png)
    page = editor.page
    editor.stroke(*SCRATCH)
    editor.repair()
    expect(page.locator(".answer img")).to_have_count(1)
    repaired = editor.colour(84, 122)
    editor.stroke((200, 50), (220, 80))
    mask = editor.marked()
    page.mouse.wheel(0, -300)
    zoom = page.locator("#zoom-value").inner_text()
    # The view is noted when it has been still for a moment.
    editor.wait_kept(f"Math.round(100 * record.view?.scale) === {int(zoom.split()[0])}")
    page.reload()
    expect(page.locator("#title")).to_contain_text("scene.png")
    expect(page.locator(".answer img")).to_have_count(1)
    assert page.locator("#zoom-value").inner_text() == zoom
    assert (editor.marked() == mask).all()
    page.keyboard.press("0")
    assert editor.colour(84, 122) == repaired
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(page.locator("#undo")).to_be_disabled()
    expect(page.locator("#download")).to_be_disabled()


def test_another_answer_stands_beside_the_first(editor, png):
    editor.open(png)
    page = editor.page
    editor.stroke(*SCRATCH)
    editor.repair()
    page.keyboard.press("n")
    expect(page.locator(".answer")).to_have_count(2)
    editor.wait_done()
    expect(page.locator(".answer").nth(1)).to_have_attribute("aria-checked", "true")
    expect(page.locator(".answer").nth(1)).to_contain_text("Textured")
    _, third = editor.download()
    page.locator(".answer").first.click()
    expect(page.locator(".answer").first).to_have_attribute("aria-checked", "true")
    _, first = editor.download()
    assert first != third


def test_tab_held_shows_the_original_and_tapped_goes_on(editor, png):
    editor.open(png)
    page = editor.page
    original = editor.colour(84, 122)
    editor.stroke(*SCRATCH)
    editor.repair()
    expect(page.locator(".answer img")).to_have_count(1)
    repaired = editor.colour(84, 122)
    assert repaired != original
    page.locator("#stage").focus()
    page.keyboard.down("Tab")
    page.wait_for_timeout(300)  # so long that it is no tap
    assert becomes(lambda: editor.colour(84, 122), original)
    page.keyboard.up("Tab")
    assert editor.colour(84, 122) == repaired
    expect(page.locator("#stage")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#stage")).not_to_be_focused()


def test_strokes_leave_the_canvas_and_the_right_button_erases(editor, png):
    editor.open(png)
    page = editor.page
    page.mouse.move(*editor.at(200, 120))
    page.mouse.down()
    page.mouse.move(5, 400, steps=5)  # over the tools: still the same stroke
    page.mouse.move(*editor.at(200, 200), steps=5)
    page.mouse.up()
    mask = editor.marked()
    assert mask[:, 0].any()
    assert mask[200, 199]
    editor.stroke((200, 200), (205, 205), button="right")
    after = editor.marked()
    assert not after[202, 202]
    assert not (after & ~mask).any()
    expect(page.locator(".tool[data-tool=brush]")).to_have_attribute("aria-pressed", "true")


def test_lasso_and_box(editor, png):
    editor.open(png)
    page = editor.page
    page.keyboard.press("l")
    editor.stroke((50, 50), (150, 50), (150, 150), (50, 150), (50, 60))
    lasso = editor.marked()
    assert lasso[100, 100]
    assert not lasso[100, 160]
    page.keyboard.press("m")
    editor.stroke((80, 80), (120, 120), button="right")
    with_hole = editor.marked()
    assert not with_hole[100, 100]
    assert (lasso & ~with_hole).sum() == pytest.approx(40 * 40, rel=0.1)


def test_zoom_stays_at_the_pointer_and_space_drags(editor, png):
    editor.open(png)
    page = editor.page
    place = editor.at(30, 200)
    before = editor.colour_on_screen(*place)
    page.mouse.move(*place)
    page.mouse.wheel(0, -600)
    assert page.locator("#zoom-value").inner_text() != "200 %"
    assert np.abs(np.subtract(editor.colour_on_screen(*place), before)).max() < 14
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(place[0] + 90, place[1] - 50, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    assert np.abs(np.subtract(editor.colour_on_screen(place[0] + 90, place[1] - 50), before)).max() < 14
    expect(page.locator("#undo")).to_be_disabled()  # nothing was painted
    page.keyboard.press("0")
    assert np.abs(np.subtract(editor.colour_on_screen(*place), before)).max() < 14


def test_brush_size_by_keys_slider_and_wheel(editor, png):
    editor.open(png)
    page = editor.page
    size = lambda: int(page.locator("#size-value").inner_text().split()[0])  # noqa: E731
    start = size()
    page.keyboard.press("]")
    assert size() > start
    page.keyboard.press("[")
    assert abs(size() - start) <= 1
    page.mouse.move(*editor.at(100, 100))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    assert size() > start
    page.locator("#size").fill("1000")
    assert size() == 300  # 600 screen pixels, at twice the picture's size


def test_everything_by_keyboard(editor, png):
    editor.open(png)
    page = editor.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    columns = np.flatnonzero(editor.marked().any(axis=0))
    assert columns.size > 30
    page.locator("#stage").focus()
    page.keyboard.press("r")
    editor.wait_done()
    expect(page.locator(".answer")).to_have_count(1)
    page.keyboard.press("h")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("Another answer, that looks different")
    page.keyboard.press("h")
    expect(page.locator("#keys")).to_be_hidden()


def test_mask_goes_out_and_comes_back(editor, png, tmp_path):
    editor.open(png)
    page = editor.page
    editor.stroke(*SCRATCH)
    mask = editor.marked()
    assert mask.shape == png.pixels.shape[:2]
    page.keyboard.press("Delete")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    file = tmp_path / "mask.png"
    Image.fromarray(mask.astype(np.uint8) * 255).save(file)
    page.set_input_files("#mask-file", file)
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    assert (editor.marked() == mask).all()
    Image.new("L", (50, 40), 255).save(file)
    page.set_input_files("#mask-file", file)
    expect(page.locator(".notice.bad")).to_contain_text("The mask is 50×40 and the picture 320×240.")


def test_repairs_when_the_brush_is_lifted(editor, png):
    editor.open(png)
    page = editor.page
    page.locator("#auto").check()
    editor.stroke(*SCRATCH)
    expect(page.locator(".answer")).to_have_count(1)
    expect(page.locator("#marked")).to_have_text("nothing marked")


def test_cancel_leaves_the_mask(editor, png):
    editor.open(png)
    editor.without_rims()
    page = editor.page
    page.click("#advanced summary")
    page.select_option("#method", "criminisi")
    page.keyboard.press("m")
    editor.stroke((20, 20), (300, 220))
    mask = editor.marked()
    page.click("#repair")
    expect(page.locator("#progress")).to_be_visible()
    page.click("#cancel")
    editor.wait_done()
    assert (editor.marked() == mask).all()
    expect(page.locator("#download")).to_be_disabled()
    expect(page.locator(".notice.bad")).to_have_count(0)


def test_several_pictures_are_repaired_accepted_and_rejected(editor, worn_png):
    jpg = file_of(worn_png.pixels, "b.jpg", quality=90)
    pictures = [worn_png.renamed("a.png"), jpg, worn_png.renamed("c.png")]
    editor.open(*pictures)
    page = editor.page
    expect(page.locator(".thumb")).to_have_count(3)
    page.click("#all")
    expect(page.locator("#all")).to_have_text("Stop")
    expect(page.locator("#all")).to_have_text("Find and repair all", timeout=40_000)
    expect(page.locator(".badge.repaired")).to_have_count(3)
    page.locator("#stage").focus()
    page.keyboard.press("a")
    expect(page.locator("#title")).to_contain_text("b.jpg")
    page.keyboard.press("a")
    expect(page.locator("#title")).to_contain_text("c.png")
    page.keyboard.press("x")
    expect(page.locator(".badge.accepted")).to_have_count(2)
    expect(page.locator(".badge.rejected")).to_have_count(1)
    with page.expect_download() as download:
        page.click("#download-all")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.repaired.png", "b.repaired.jpg"]
        assert Image.open(archive.open("b.repaired.jpg")).size == (384, 300)


def test_what_the_browser_cannot_show_is_shown_and_given_back_as_it_was(editor, png, tmp_path):
    deep = np.clip(png.pixels.astype(np.uint16) * 257 + 19, 0, 65535).astype(np.uint16)
    path = tmp_path / "deep.tif"
    assert cv2.imwrite(str(path), deep[..., ::-1])
    editor.open(Sample("deep.tif", path.read_bytes(), deep))
    editor.stroke(*SCRATCH)
    mask = editor.marked()
    editor.repair()
    name, data = editor.download()
    assert name == "deep.repaired.tif"
    result = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert result.dtype == np.uint16
    assert (result[~mask] == deep[~mask]).all()
    assert (result[mask] != deep[mask]).any()


def test_faults_say_what_to_do(editor, png):
    page = editor.page
    torn = Sample("torn.png", png.data[:2000], png.pixels)
    page.set_input_files("#files", [torn.payload])
    expect(page.locator(".notice.bad .remedy")).not_to_be_empty()
    expect(page.locator("#welcome")).to_be_visible()
    page.set_input_files("#files", [{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}])
    expect(page.locator(".notice.bad").last).to_contain_text("notes.txt is not a picture.")


def test_theme_is_kept(page):
    page.keyboard.press("t")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
