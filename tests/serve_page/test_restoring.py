"""Open, find, repair, restore, compare, save: the whole way on the page."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from page_driver import Editor, Sample, file_of

pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
from playwright.sync_api import expect  # noqa: E402

LINE = [(40, 30), (160, 40)]


@pytest.fixture
def grainy() -> Sample:
    """A picture under noise that a restoration takes off, with a scratch."""
    y, x = np.mgrid[:240, :320].astype(np.float32)
    clean = np.stack([90 + 50 * np.sin(x / 31) + y / 4, 100 + 40 * np.cos(y / 23), 70 + x / 4], axis=2)
    for row, column, side in ((30, 40, 50), (120, 180, 70), (60, 220, 34)):
        clean[row : row + side, column : column + side] += 45
    pixels = np.clip(clean + np.random.default_rng(5).normal(0, 11, clean.shape), 0, 255).astype(np.uint8)
    for column in range(40, 160):
        pixels[30 + column // 16 : 33 + column // 16, column] = 255
    return file_of(pixels, "grainy.png")


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def roughness(pixels: np.ndarray) -> float:
    return float(np.abs(np.diff(pixels[150:230, 20:120], axis=1)).mean())


def look(page) -> None:
    page.click("#restore-look")
    expect(page.locator(".restore-step").first).to_be_visible()


def test_from_repair_to_restoration_and_back(editor, grainy):
    editor.open(grainy)
    page = editor.page
    editor.stroke(*LINE)
    editor.repair()
    _, repaired = editor.download()
    look(page)
    noise = page.locator(".restore-step[data-step=noise]")
    expect(noise).to_contain_text("levels")  # the reason, with what was measured
    expect(noise.get_by_role("switch")).to_be_checked()
    left = page.locator(".restore-step[data-step=blocks]")
    expect(left).to_contain_text("Left:")
    expect(left.get_by_role("switch")).to_be_disabled()
    # The picture is made, and flat: brought to more contrast, what is left of its noise would be more.
    page.locator(".restore-step[data-step=tone]").get_by_role("switch").uncheck()
    page.click("#restore")
    editor.wait_done()
    expect(page.locator("#undo")).to_have_attribute("title", "Undo restore (Ctrl+Z)")
    name, restored = editor.download()
    assert name == "grainy.repaired.png"
    assert roughness(pixels_of(restored)) < 0.6 * roughness(pixels_of(repaired))
    noise.get_by_role("slider").fill("30")
    expect(noise).to_contain_text("30 %")
    page.click("#restore")
    editor.wait_done()
    _, less = editor.download()
    rough = [roughness(pixels_of(data)) for data in (restored, less, repaired)]
    assert rough == sorted(rough)
    assert rough[0] < 0.9 * rough[1] < 0.9 * 0.95 * rough[2]
    page.keyboard.press("Control+z")
    assert editor.download()[1] == repaired, "one step back, whatever was tried"
    page.keyboard.press("Control+Shift+z")
    assert editor.download()[1] == less
    page.click("#compare")
    page.locator("#slider").press("End")
    assert np.abs(np.subtract(editor.colour(100.5, 37.5), 255)).max() < 30  # the scratch, in the original


def measured(page, **strengths: float) -> None:
    """What the server measures is made up here: the steps with these strengths."""
    steps = [{"step": name, "strength": share, "reason": "so many"} for name, share in strengths.items()]

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"steps": steps})

    page.route("**/v1/jobs/*/result", answer)


def test_what_does_not_help_cannot_be_switched_on_and_nothing_is_left_to_do(editor, png):
    page = editor.page
    measured(page, noise=0.0, tone=0.0)
    editor.open(png)
    look(page)
    expect(page.locator("#restore-none")).to_be_visible()
    expect(page.locator("#restore")).to_be_hidden()
    for switch in page.locator(".restore-step").get_by_role("switch").all():
        expect(switch).to_be_disabled()


def test_switched_off_steps_are_not_taken(editor, png):
    page = editor.page
    measured(page, noise=1.0, blocks=0.0, damage=1.0, tone=1.0)
    editor.open(png)
    look(page)
    expect(page.locator(".restore-step")).to_have_count(3)  # damage has its own flow
    page.get_by_role("switch", name="Noise and grain").uncheck()
    expect(page.locator("#restore")).to_be_enabled()
    page.get_by_role("switch", name="Faded tones").uncheck()
    expect(page.locator("#restore")).to_be_disabled()


def test_repairs_go_on_from_what_was_restored(editor, grainy):
    editor.open(grainy)
    page = editor.page
    look(page)
    page.click("#restore")
    editor.wait_done()
    _, restored = editor.download()
    editor.stroke(*LINE)
    editor.without_rims()
    marked = editor.marked()
    editor.repair()
    _, both = editor.download()
    one, two = pixels_of(restored), pixels_of(both)
    assert (one[~marked] == two[~marked]).all()
    assert np.abs(one - two)[marked].mean() > 5
    page.reload()
    expect(page.locator("#title")).to_contain_text("grainy.png")
    assert editor.download()[1] == both


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(open_page, grainy, scheme):
    page = open_page(color_scheme=scheme, bypass_csp=True)
    editor = Editor(page)
    editor.open(grainy)
    look(page)
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_reasons_speak_chinese_and_no_step_is_shown_that_nobody_asked_for(open_page, grainy):
    page = open_page(locale="zh-CN")
    Editor(page).open(grainy)
    look(page)
    expect(page.locator(".restore-step[data-step=screen]")).to_have_count(0)
    for reason in page.locator(".restore-step").all_inner_texts():
        assert not re.search("[a-z]{4,}", reason), reason
