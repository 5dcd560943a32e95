"""Looking around in a panorama: over its seam, straight down, and painting there."""

from __future__ import annotations

import numpy as np
import pytest

from page_driver import Editor, becomes, file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 180, 60), (30, 60, 200), (120, 120, 120)


@pytest.fixture
def editor(page):
    """A panorama: green ahead, red at its left end, blue at its right end, grey below."""
    pixels = np.full((300, 600, 3), GREEN, np.uint8)
    pixels[:, :100], pixels[:, 500:] = RED, BLUE
    pixels[250:] = GREY
    editor = Editor(page)
    editor.open(file_of(pixels, "around.png"))
    return editor


def shows(page, across: float, down: float) -> tuple[int, int, int]:
    """The colour at a share of the view."""
    look = """([across, down]) => {
      const canvas = document.getElementById("around-view");
      const context = canvas.getContext("2d");
      const { data } = context.getImageData(across * canvas.width, down * canvas.height, 1, 1);
      return [...data.slice(0, 3)];
    }"""
    return tuple(page.evaluate(look, [across, down]))


def at(page, direction: str, degrees: int) -> None:
    """Wait until it looks there."""
    expect(page.locator("#around-view")).to_have_attribute(f"data-{direction}", str(degrees))


def test_only_a_panorama_can_be_looked_around_in(page, png):
    Editor(page).open(png)
    expect(page.locator("#look-around")).to_be_hidden()


def test_over_the_seam_and_down(editor):
    page = editor.page
    page.click("#look-around")
    at(page, "yaw", 0)
    assert becomes(lambda: shows(page, 0.5, 0.5), GREEN)
    page.click("#around-seam")
    at(page, "yaw", 180)
    assert becomes(lambda: (shows(page, 0.45, 0.5), shows(page, 0.55, 0.5)), (BLUE, RED))
    box = page.locator("#around-view").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 100, middle[1], steps=4)  # dragged to the right: what lies left comes
    page.mouse.up()
    assert becomes(lambda: shows(page, 0.5, 0.5), BLUE)
    page.click("#around-down")
    at(page, "pitch", -90)
    assert becomes(lambda: shows(page, 0.5, 0.5), GREY)
    page.keyboard.press("Escape")
    expect(page.locator("#around")).to_be_hidden()
    expect(page.locator("#stage")).to_be_focused()


def test_the_keys_turn_and_zoom(editor):
    page = editor.page
    page.click("#look-around")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
    at(page, "yaw", 90)
    at(page, "pitch", -90)
    assert becomes(lambda: shows(page, 0.5, 0.5), GREY)


def test_what_is_painted_over_the_seam_and_below_is_marked(editor):
    page = editor.page
    page.click("#look-around")
    page.click("#around-paint")
    page.click("#around-seam")
    at(page, "yaw", 180)
    page.focus("#around-view")
    page.keyboard.press("Enter")
    page.click("#around-down")
    at(page, "pitch", -90)
    page.focus("#around-view")
    page.keyboard.press("Enter")
    assert becomes(lambda: shows(page, 0.5, 0.5), lambda seen: seen != GREY)  # tinted
    page.keyboard.press("Escape")
    marked = editor.marked()
    assert marked[150, 0]
    assert marked[150, -1]
    assert marked[299].all()
    assert not marked[150, 20:-20].any()
    np.testing.assert_array_equal(marked, marked[:, ::-1])
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#marked")).to_have_text("nothing marked")


def test_what_was_painted_around_is_repaired_as_a_panorama(editor):
    """The file says nothing of itself, and yet its nadir is filled in a view of its own."""
    page = editor.page
    page.evaluate("""() => {
      const real = window.fetch;
      window.asked = [];
      window.fetch = (path, options) => {
        if (path === "/v1/jobs") asked.push(options.body.get("projection"));
        return real(path, options);
      };
    }""")
    editor.stroke((300, 100), (330, 100))
    editor.repair()
    page.click("#look-around")
    page.click("#around-paint")
    page.click("#around-down")
    at(page, "pitch", -90)
    page.focus("#around-view")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    editor.repair()
    assert page.evaluate("asked") == [None, "equirect"]


def test_a_stroke_is_one_line_and_the_right_button_unmarks(editor):
    page = editor.page
    page.click("#look-around")
    page.click("#around-paint")
    at(page, "yaw", 0)
    box = page.locator("#around-view").bounding_box()
    y = box["y"] + box["height"] / 2
    points = [box["x"] + box["width"] * share for share in (0.4, 0.6)]
    for button in ("left", "right"):
        page.mouse.move(points[0], y)
        page.mouse.down(button=button)
        page.mouse.move(points[1], y, steps=2)
        page.mouse.up(button=button)
        if button == "left":
            page.keyboard.press("Escape")
            marked = editor.marked()
            row = np.flatnonzero(marked[150])
            assert np.diff(row).max() == 1
            assert row.size > 30
            page.click("#look-around")
            page.click("#around-paint")
            at(page, "yaw", 0)
    page.keyboard.press("Escape")
    expect(page.locator("#marked")).to_have_text("nothing marked")
