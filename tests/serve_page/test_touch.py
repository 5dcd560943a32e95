"""The page on a phone: fingers paint, two fingers zoom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from page_driver import Editor

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect


@pytest.fixture
def phone(open_page):
    page = open_page(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True
    )
    return Editor(page)


class Fingers:
    """Touches by Chromium's own protocol: what the page gets are real pointer events."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def send(self, kind, *points):
        touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, *path):
        self.send("touchStart", path[0])
        for start, end in pairwise(path):
            for share in np.linspace(0.2, 1, 5):
                self.send("touchMove", tuple(np.add(start, np.multiply(share, np.subtract(end, start)))))
        self.send("touchEnd")


def test_a_finger_paints_and_the_thumb_reaches_the_verbs(phone, png):
    phone.open(png)
    page = phone.page
    Fingers(page).drag(phone.at(62, 18), phone.at(84, 122), phone.at(104, 214))
    expect(page.locator("#undo")).to_be_enabled()
    page.locator("#repair").tap()
    expect(page.locator("#download")).to_be_enabled()
    page.locator("#panel-toggle").tap()
    expect(page.locator(".answer img")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_two_fingers_zoom_and_paint_nothing(phone, png):
    phone.open(png)
    page = phone.page
    before = page.locator("#zoom-value").inner_text()
    fingers = Fingers(page)
    x, y = phone.at(160, 120)
    fingers.send("touchStart", (x - 20, y))
    fingers.send("touchMove", (x - 22, y))  # the first finger has begun a stroke
    fingers.send("touchStart", (x - 22, y), (x + 22, y))
    for spread in range(24, 90, 6):
        fingers.send("touchMove", (x - spread, y), (x + spread, y))
    fingers.send("touchEnd")
    zoom = int(page.locator("#zoom-value").inner_text().split()[0])
    assert zoom > 2 * int(before.split()[0])
    expect(page.locator("#undo")).to_be_disabled()
    page.locator("#zoom-fit").tap()
    assert page.locator("#zoom-value").inner_text() == before


def test_targets_are_large_enough(phone, png):
    phone.open(png)
    page = phone.page
    page.locator("#panel-toggle").tap()
    small = """() => [...document.querySelectorAll("button, select, summary, .switch, input[type=range]")]
      .filter((one) => one.checkVisibility({visibilityProperty: true}))
      .map((one) => ({name: one.id || one.textContent, ...one.getBoundingClientRect().toJSON()}))
      .filter(({width, height}) => width && (width < 43.5 || height < 43.5))
      .map(({name}) => name)"""
    assert page.evaluate(small) == []
