"""One mask for many pictures, and an edge that is soft inside the mask."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from page_driver import Editor, Sample, file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

LINE = ((60, 60), (90, 60))


def thumb(page, number: int):
    return page.locator(".thumb").nth(number)


def flat(name: str, width: int, height: int, colour: tuple[int, int, int]) -> Sample:
    return file_of(np.full((height, width, 3), colour, np.uint8), name)


def test_marks_of_one_picture_are_laid_on_all(open_page):
    page = open_page()
    editor = Editor(page)
    first = flat("a.png", 200, 150, (90, 90, 90))
    same = flat("b.png", 200, 150, (10, 90, 90))
    double = flat("c.png", 400, 300, (90, 10, 90))
    editor.open(first)
    page.click("#mask-more summary")
    expect(page.locator("#mask-share")).to_be_hidden()  # for one picture it says nothing
    editor.open(first.renamed("a.png"), same, double)
    expect(page.locator("#mask-share")).to_be_visible()
    thumb(page, 0).click()
    expect(page.locator("#title")).to_contain_text("a.png")
    page.keyboard.press("m")
    editor.stroke((40, 30), (80, 60))
    before = editor.marked()
    page.click("#mask-share")
    told = page.locator(".notice", has_text="Marked on 3 more pictures")
    expect(told).to_contain_text("1 of another size")
    thumb(page, 2).click()
    expect(page.locator("#title")).to_contain_text("b.png")
    np.testing.assert_array_equal(editor.marked(), before)
    thumb(page, 3).click()
    expect(page.locator("#title")).to_contain_text("c.png")
    editor.size = (400, 300)
    np.testing.assert_array_equal(editor.marked(), before.repeat(2, 0).repeat(2, 1))
    page.keyboard.press("Control+z")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    page.keyboard.press("Control+Shift+z")
    page.get_by_role("button", name="Find and repair all").click()
    expect(page.locator(".notice", has_text="4 repaired")).to_be_visible(timeout=120_000)
    expect(page.locator("#marked")).to_have_text("nothing marked")
    # What was marked on a picture that is repaired already is repaired by the next round, and no other.
    page.keyboard.press("m")
    editor.stroke((200, 40), (260, 80))
    page.get_by_role("button", name="Find and repair all").click()
    expect(page.locator(".notice", has_text="1 repaired")).to_be_visible(timeout=120_000)


def test_what_comes_while_all_are_repaired_is_repaired_too(open_page):
    page = open_page()
    editor = Editor(page)
    one = flat("a.png", 200, 150, (90, 90, 90))
    editor.open(one, one.renamed("b.png"))
    page.keyboard.press("m")
    editor.stroke((40, 30), (80, 60))
    hold = {"open": False}

    def wait(route):
        if not hold["open"]:  # the first is held until the last has come
            hold["open"] = True
            page.set_input_files("#files", [one.renamed("c.png").payload])
            expect(page.locator(".thumb")).to_have_count(3)
        route.fallback()

    page.route("**/v1/jobs", wait)
    page.get_by_role("button", name="Find and repair all").click()
    expect(page.locator(".notice", has_text="1 repaired, 2 without damage")).to_be_visible(timeout=120_000)


def test_the_edge_is_soft_and_nothing_outside_changes(editor):
    rng = np.random.default_rng(4)
    noise = file_of(rng.integers(0, 255, (150, 200, 3), np.uint8), "noise.png")
    editor.open(noise)
    page = editor.page
    editor.without_rims()
    page.keyboard.press("m")
    editor.stroke((60, 40), (120, 100))
    marked = editor.marked()
    page.locator("#feather").fill("12")
    expect(page.locator("#feather-value")).to_have_text("12 px")
    editor.repair()
    soft = np.asarray(Image.open(io.BytesIO(editor.download()[1])))
    np.testing.assert_array_equal(soft[~marked], noise.pixels[~marked])
    changed = np.abs(soft.astype(int) - noise.pixels).mean(axis=2)
    ys, xs = np.nonzero(marked)
    rows = [changed[ys.min() + n, xs.min() + 15 : xs.max() - 15].mean() for n in (0, 5, 20)]
    assert 0 < rows[0] < 0.4 * rows[1] < 0.4 * rows[2] * 1.3
    page.reload()
    expect(page.locator("#feather")).to_have_value("12")
