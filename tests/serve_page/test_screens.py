"""On every screen each control can be seen whole and reached: nothing lies over its middle."""

from __future__ import annotations

import cv2
import pytest

from page_driver import Editor, Finder, file_of, region_of, scene

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

SCREENS = {
    "portrait phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "small phone": {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True},
    "landscape phone": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True},
    "tablet held across": {"viewport": {"width": 1180, "height": 820}, "has_touch": True},
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "dark desktop": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
}
COVERED = """async (within) => {
  const found = [];
  const controls = "button, input, select, summary, [role=slider]";
  const seen = [...document.querySelector(within).querySelectorAll(controls)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".visually-hidden"));
  for (const one of seen) {
    one.scrollIntoView({ block: "center", inline: "center" });
    await new Promise((go) => requestAnimationFrame(go));
    if (!one.isConnected) continue; // a message whose time was over
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const name = one.id || one.getAttribute("aria-label") || one.textContent.trim() || one.className;
    const outside = left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
    // A slider as high as the picture is held by its middle.
    const isHeld = one.matches("[role=slider]") && right > 0 && left < innerWidth;
    if (outside && !isHeld) found.push(`${name} is cut off`);
    const middle = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const own = middle && (one.contains(middle) || (middle.matches("label") && middle.contains(one)));
    if (!own) found.push(`${name} is covered by ${middle?.id || middle?.className || middle?.tagName}`);
  }
  return seen.length < 2 ? `only ${seen.length} controls` : found.join(", ");
}"""


def panorama():
    """Twice as wide as high, so that it can be looked around in."""
    return file_of(cv2.resize(scene(), (400, 200)), "a.png")


@pytest.mark.parametrize("screen", SCREENS)
def test_no_control_is_covered(open_page, screen):
    page = open_page(**SCREENS[screen])
    editor = Editor(page)
    picture = panorama()
    Finder(page, [region_of("dust", 0.9, (20, 20, 26, 26)), region_of("text", 0.9, (50, 50, 90, 60))])
    editor.open(picture, picture.renamed("b.png"))
    assert page.evaluate(COVERED, "body") == ""
    page.click("#find")
    editor.wait_done()
    page.click("#repair")
    editor.wait_done()
    page.click("#compare")
    assert page.evaluate(COVERED, "body") == ""
    toggle = page.locator("#panel-toggle")
    if toggle.is_visible():
        toggle.click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.fill("#say", "the scratch")
    page.press("#say", "Enter")
    editor.wait_done()
    page.locator("#restore-look").click()
    editor.wait_done()
    expect(page.locator("#restore-steps li, #restore-none").first).to_be_visible()
    assert page.evaluate(COVERED, "#panel") == ""
    assert page.evaluate(COVERED, "body") == ""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("screen", ["portrait phone", "landscape phone", "desktop"])
@pytest.mark.parametrize("dialog", ["keys", "save", "around"])
def test_no_control_of_a_dialog_is_covered(open_page, screen, dialog):
    page = open_page(**SCREENS[screen])
    editor = Editor(page)
    editor.open(panorama())
    page.evaluate(f"document.getElementById('{dialog}').showModal()")
    assert page.evaluate(COVERED, f"#{dialog}") == ""
