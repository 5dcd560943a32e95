"""A click, a loop or a stroke selects the thing under it; rims go along; the mask grows and shrinks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from page_driver import Sample, file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect


def picture(width: int = 400, height: int = 300) -> tuple[Sample, np.ndarray]:
    """A red thing on moss, and where it is."""
    y, x = np.mgrid[:height, :width]
    noise = cv2.GaussianBlur(np.random.default_rng(2).normal(0, 1, (height, width, 3)), (0, 0), 2)
    angle = np.arctan2(y - height / 2, x - width / 2)
    thing = np.hypot(y - height / 2, 0.7 * (x - width / 2)) < 50 + 10 * np.sin(3 * angle)
    pixels = np.where(thing[..., None], (200, 60, 50), (90, 110, 70)) + 12 * noise / noise.std()
    return file_of(np.clip(pixels, 0, 255).astype(np.uint8), "thing.png"), thing


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float((one & two).sum() / (one | two).sum())


def circle(at: tuple[float, float], across: float, down: float) -> list[tuple[float, float]]:
    turns = np.linspace(0, 1.9 * np.pi, 24)  # a hurried one does not close
    return [(at[0] + across * np.cos(t), at[1] + down * np.sin(t)) for t in turns]


def test_a_click_a_loop_and_a_stroke_select_the_thing(editor):
    sample, thing = picture()
    editor.open(sample)
    page = editor.page
    page.keyboard.press("s")
    expect(page.locator(".tool[data-tool=select]")).to_have_attribute("aria-pressed", "true")
    for how in (
        [(200, 150), (200.5, 150)],
        circle((200, 150), 100, 75),
        [(170, 140), (190, 155), (225, 150)],
    ):
        editor.stroke(*how)
        expect(page.locator("#marked")).to_contain_text("%")
        assert overlap(editor.marked(), thing) > 0.93
        page.keyboard.press("Control+z")
        expect(page.locator("#marked")).to_have_text("nothing marked")
    editor.stroke((200, 150), (201, 150))
    expect(page.locator("#marked")).to_contain_text("%")
    editor.stroke((200, 150), (201, 150), button="right")  # and unmarks it
    expect(page.locator("#marked")).to_have_text("nothing marked")


def test_thin_rims_go_along_unless_they_are_not_to(editor):
    sample, thing = picture()
    editor.open(sample)
    page = editor.page
    page.keyboard.press("l")
    inner = cv2.erode(thing.astype(np.uint8), np.ones((7, 7)))
    outline = max(cv2.findContours(inner, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)[::12, 0]
    points = [(float(x), float(y)) for x, y in outline]
    editor.stroke(*points, points[0])
    left = thing & ~editor.marked()
    assert left.sum() > 300
    editor.repair()
    expect(page.locator(".notice", has_text="what was left")).to_be_visible()
    page.keyboard.press("Control+z")
    marked = editor.marked()
    assert (marked & left).sum() > 0.9 * left.sum()
    page.keyboard.press("Control+z")
    page.click("#mask-more summary") if not page.locator("#rims").is_visible() else None
    page.locator("#rims").uncheck()
    editor.repair()
    page.keyboard.press("Control+z")
    assert (thing & ~editor.marked()).sum() == left.sum()


def test_the_mask_grows_and_shrinks(editor, png):
    editor.open(png)
    page = editor.page
    page.keyboard.press("m")
    editor.stroke((100, 80), (160, 130))
    before = editor.marked()
    page.click("#mask-grow")
    wide = editor.marked()
    assert before.sum() < wide.sum()
    assert (wide & before == before).all()
    page.click("#mask-shrink")
    assert overlap(editor.marked(), before) > 0.98
    page.click("#mask-shrink")
    less = editor.marked()
    assert 0 < less.sum() < before.sum()
    assert not (less & ~before).any()
    for _ in range(3):
        page.keyboard.press("Control+z")
    assert (editor.marked() == before).all()
