"""Everybody can use it: axe finds nothing, in either theme, empty or at work."""

from __future__ import annotations

import pytest

from page_driver import Editor, Finder, region_of

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import expect  # noqa: E402


@pytest.fixture(params=["light", "dark"])
def page(open_page, request):
    # axe-core is put into the page as a script, which the page's own policy rightly forbids.
    return open_page(color_scheme=request.param, reduced_motion="reduce", bypass_csp=True)


def violations(page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def test_empty_page(page):
    assert violations(page) == []


def test_at_work(page, worn_png):
    editor = Editor(page)
    editor.open(worn_png, worn_png.renamed("second.png"))
    page.click("#find")
    expect(page.locator(".region-list .region")).not_to_have_count(0)
    editor.wait_done()
    page.click("#mask-more summary")
    assert violations(page) == []
    editor.repair()
    expect(page.locator(".answer img")).to_have_count(1)
    page.click("#compare")
    assert violations(page) == []
    page.keyboard.press("h")
    assert violations(page) == []


def test_what_was_found_and_what_was_not(page, png):
    editor = Editor(page)
    finder = Finder(
        page, [region_of("dust", 0.3, (20, 20, 26, 26)), region_of("text", 0.9, (50, 50, 90, 60))]
    )
    editor.open(png)
    page.click("#find")
    expect(page.get_by_role("button", name="Look harder")).to_be_visible()
    expect(page.get_by_role("switch", name="1 date or caption, left")).to_be_visible()
    editor.wait_done()
    assert violations(page) == []
    page.click("#harder")
    expect(page.get_by_role("switch", name="1 speck of dust")).to_be_checked()
    assert violations(page) == []
    finder.nature = "document"
    page.click("#find")
    expect(page.get_by_role("button", name="Search all the same")).to_be_visible()
    editor.wait_done()
    assert violations(page) == []


SCREENS = {
    "portrait phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "landscape phone": {"viewport": {"width": 844, "height": 390}, "has_touch": True},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "color_scheme": "dark"},
    "desktop": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_on_every_screen(open_page, screen, worn_png):
    page = open_page(bypass_csp=True, **SCREENS[screen])
    editor = Editor(page)
    editor.open(worn_png, worn_png.renamed("second.png"))
    assert violations(page) == []
    toggle = page.locator("#panel-toggle")
    if toggle.is_visible():
        toggle.click()
    page.fill("#say", "remove a scratch")
    page.press("#say", "Enter")
    expect(page.locator("#say-choices button").first).to_be_visible()
    assert violations(page) == []
