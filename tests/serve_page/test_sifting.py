"""What was found, sifted on the page: the slider both ways, switches, looking harder, searching all the same.

What the server finds is made up here (`Finder`), so that these tests hold whatever it finds.
"""

from __future__ import annotations

import numpy as np
import pytest

from page_driver import Finder, region_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

SURE, UNSURE = (60, 20, 66, 200), (150, 20, 156, 200)
SPECK, FAINT, GUESS = (200, 50, 206, 56), (220, 90, 230, 100), (120, 150, 128, 158)
DATE = (230, 200, 300, 220)
FOUND = [
    region_of("scratch", 0.95, SURE),
    region_of("scratch", 0.62, UNSURE),
    region_of("dust", 0.55, SPECK),
    region_of("dust", 0.3, FAINT),
    region_of("dust", 0.1, GUESS),
    region_of("text", 0.9, DATE),
]


def boxes(*these) -> np.ndarray:
    mask = np.zeros((240, 320), bool)
    for left, top, right, bottom in these:
        mask[top:bottom, left:right] = True
    return mask


def slide(page, percent: int) -> None:
    page.locator("#sensitivity").fill(str(percent))


def switch(page, kind: str):
    return page.locator(f".kind[data-kind={kind}]").get_by_role("switch")


def search(editor) -> None:
    editor.page.click("#find")
    editor.wait_done()


@pytest.fixture
def found(editor, png) -> Finder:
    finder = Finder(editor.page, FOUND)
    editor.open(png)
    search(editor)
    return finder


def test_the_server_is_asked_once_for_everything(editor, found):
    for percent in (20, 80, 50):
        slide(editor.page, percent)
    assert len(found.searches) == 1
    assert [found.asked(name) for name in ("sensitivity", "find", "force")] == ["0.98", "all", "false"]


def test_the_slider_adds_marks_and_takes_them_away(editor, found):
    page = editor.page
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK)).all()
    expect(switch(page, "scratch").locator("..")).to_have_text("2 scratches")
    expect(page.locator(".region:visible")).to_have_count(3)
    for percent, marked in (
        (98, boxes(SURE, UNSURE, SPECK, FAINT, GUESS)),
        (4, boxes()),
        (70, boxes(SURE, UNSURE, SPECK, FAINT)),
        (6, boxes(SURE)),
    ):
        slide(page, percent)
        assert (editor.marked() == marked).all(), percent
    expect(switch(page, "scratch").locator("..")).to_have_text("1 scratch")
    expect(page.locator(".kind[data-kind=dust]")).to_be_hidden()
    # All of it is one step back, and one forth.
    page.keyboard.press("Control+z")
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK)).all()
    expect(page.locator("#sensitivity")).to_have_value("50")
    page.keyboard.press("Control+Shift+z")
    assert (editor.marked() == boxes(SURE)).all()
    expect(page.locator("#sensitivity")).to_have_value("6")


def test_marks_follow_the_slider_while_it_is_held(editor, found):
    page = editor.page
    slide_to = """(percent) => {
      const slider = document.getElementById("sensitivity");
      slider.value = percent;
      slider.dispatchEvent(new Event("input", {bubbles: true}));
    }"""
    before = page.locator("#marked").inner_text()
    page.evaluate(slide_to, 98)
    expect(page.locator("#marked")).not_to_have_text(before)
    more = page.locator("#marked").inner_text()
    page.evaluate(slide_to, 4)
    expect(page.locator("#marked")).to_have_text("nothing marked")
    page.evaluate(slide_to, 98)
    expect(page.locator("#marked")).to_have_text(more)
    page.evaluate(slide_to, 50)
    expect(page.locator("#marked")).to_have_text(before)
    page.evaluate(slide_to, 30)
    page.click("#find")  # what is held counts when something else begins
    editor.wait_done()
    assert (editor.marked() == boxes(SURE)).all()


def test_keys_move_the_slider_and_it_says_what_it_marks(editor, found):
    page = editor.page
    slider = page.get_by_role("slider", name="Sensitivity")
    slider.focus()
    expect(slider).to_have_attribute("aria-valuetext", "50 %, 3 marked")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "42 %, 2 marked")
    assert (editor.marked() == boxes(SURE, UNSURE)).all()
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "98 %, 5 marked")


def test_what_was_painted_by_hand_stays(editor, found):
    page = editor.page
    page.keyboard.press("m")  # the box: over the whole of one, half of another, and where nothing is
    editor.stroke((146, 10), (170, 210))
    editor.stroke((196, 46), (203, 60))
    by_hand = editor.marked() & ~boxes(SURE, UNSURE, SPECK) | boxes(UNSURE)
    by_hand[50:56, 200:203] = True
    slide(page, 0)
    assert (editor.marked() == by_hand).all()
    slide(page, 98)
    assert (editor.marked() == by_hand | boxes(SURE, SPECK, FAINT, GUESS)).all()


def test_painting_over_a_mark_makes_it_the_users_own(editor, found):
    page = editor.page
    editor.stroke((203, 53), (203, 53))  # a dab of the brush that covers the speck
    inside = editor.marked() & ~boxes(SURE, UNSURE)
    assert inside[50:56, 200:206].all()
    slide(page, 0)
    assert (editor.marked() == inside).all()


def test_what_was_erased_by_hand_stays_erased(editor, found):
    page = editor.page
    page.keyboard.press("m")
    editor.stroke((50, 100), (70, 150), button="right")
    rest = boxes(SURE) & ~boxes((50, 100, 70, 150))
    slide(page, 0)
    slide(page, 30)
    assert (editor.marked() == rest).all()
    row = page.locator(".region:visible").first.locator("input")
    row.uncheck()  # asked for by hand, it comes whole
    row.check()
    assert (editor.marked() == boxes(SURE)).all()


def test_what_was_ticked_or_thrown_away_stays_so(editor, found):
    page = editor.page
    slide(page, 98)
    lines = page.locator(".kind[data-kind=dust] .region")
    lines.nth(2).locator("input").uncheck()
    lines.nth(0).locator("input").uncheck()
    lines.nth(0).locator("input").check()
    slide(page, 10)
    assert (editor.marked() == boxes(SURE, SPECK)).all()
    expect(switch(page, "dust").locator("..")).to_have_text("1 of 2 specks of dust")
    slide(page, 98)
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK, FAINT)).all()


def test_a_kind_is_switched_off_and_on(editor, found):
    page = editor.page
    switch(page, "scratch").uncheck()
    assert (editor.marked() == boxes(SPECK)).all()
    expect(switch(page, "scratch").locator("..")).to_have_text("2 scratches, left")
    slide(page, 98)
    assert (editor.marked() == boxes(SPECK, FAINT, GUESS)).all()
    switch(page, "scratch").check()
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK, FAINT, GUESS)).all()
    page.keyboard.press("Control+z")
    expect(switch(page, "scratch")).not_to_be_checked()
    assert (editor.marked() == boxes(SPECK, FAINT, GUESS)).all()


def test_lettering_is_seen_and_left_until_it_is_switched_on(editor, found):
    page = editor.page
    text = switch(page, "text")
    expect(text).not_to_be_checked()
    expect(text.locator("..")).to_have_text("1 date or caption, left")
    text.focus()
    page.keyboard.press("Space")
    expect(text).to_be_checked()
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK, DATE)).all()
    slide(page, 6)
    assert (editor.marked() == boxes(SURE)).all()


def test_two_regions_share_a_pixel(editor, png):
    finder = Finder(
        editor.page, [region_of("scratch", 0.9, (40, 40, 80, 44)), region_of("dust", 0.6, (60, 30, 70, 60))]
    )
    editor.open(png)
    search(editor)
    slide(editor.page, 20)
    assert (editor.marked() == boxes((40, 40, 80, 44))).all()
    assert len(finder.searches) == 1


def test_looking_harder_until_something_shows(editor, png):
    page = editor.page
    Finder(
        page, [region_of("dust", 0.25, FAINT), region_of("dust", 0.05, GUESS), region_of("text", 0.9, DATE)]
    )
    editor.open(png)
    search(editor)
    expect(page.locator("#verdict-text")).to_have_text(
        "No damage was found at a sensitivity of 50 %, but there are fainter signs."
    )
    assert page.locator("#marked").inner_text() == "nothing marked"
    page.get_by_role("button", name="Look harder").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_hidden()
    expect(page.locator("#sensitivity")).to_be_focused()
    expect(page.locator("#sensitivity")).to_have_value("80")
    expect(page.locator("#live")).to_have_text("1 speck of dust marked at a sensitivity of 80 %")
    assert (editor.marked() == boxes(FAINT)).all()
    page.locator("#stage").focus()
    page.keyboard.press("Shift+F")  # harder still
    expect(page.locator("#sensitivity")).to_have_value("98")
    assert (editor.marked() == boxes(FAINT, GUESS)).all()
    page.reload()
    expect(page.locator("#sensitivity")).to_have_value("98")
    assert (editor.marked() == boxes(FAINT, GUESS)).all()
    # It was for this picture alone: the next begins as ever.
    editor.open(png.renamed("another.png"))
    expect(page.locator("#sensitivity")).to_have_value("50")


def test_nothing_is_said_to_be_nothing(editor, png):
    page = editor.page
    finder = Finder(page, [])
    editor.open(png)
    search(editor)
    expect(page.locator("#verdict-text")).to_have_text(
        "No damage was found, not even at the highest sensitivity. Paint over what should go."
    )
    expect(page.get_by_role("button", name="Look harder")).to_have_count(0)
    expect(page.locator(".notice")).to_have_count(0)
    page.locator("#stage").focus()
    page.keyboard.press("Shift+F")
    expect(page.locator("#live")).to_contain_text("not even at the highest sensitivity")
    assert len(finder.searches) == 1


def test_a_document_is_left_and_searched_all_the_same(editor, png):
    page = editor.page
    finder = Finder(page, FOUND, nature="document")
    editor.open(png)
    search(editor)
    expect(page.locator("#verdict-text")).to_have_text(
        "This looks like a document, not a photograph: it was left as it is."
    )
    expect(page.locator("#marked")).to_have_text("nothing marked")
    page.get_by_role("button", name="Search all the same").click()
    expect(page.locator("#verdict")).to_be_hidden()
    editor.wait_done()
    assert finder.forced
    assert (editor.marked() == boxes(SURE, UNSURE, SPECK)).all()
    page.keyboard.press("Control+z")
    expect(page.locator("#verdict")).to_be_visible()
    assert not editor.marked().any()


def test_a_cleared_mask_stays_clear_until_something_is_ticked(editor, found):
    page = editor.page
    page.keyboard.press("Delete")
    slide(page, 60)
    expect(page.locator("#marked")).to_have_text("nothing marked")
    slide(page, 70)
    assert (editor.marked() == boxes(FAINT)).all()
    switch(page, "scratch").click()
    switch(page, "scratch").click()
    assert (editor.marked() == boxes(SURE, UNSURE, FAINT)).all()


def test_sifting_survives_a_reload(editor, found):
    page = editor.page
    switch(page, "text").check()
    slide(page, 70)
    page.locator(".kind[data-kind=dust] .region input").first.uncheck()
    marked = editor.marked()
    assert (marked == boxes(SURE, UNSURE, FAINT, DATE)).all()
    editor.wait_kept("entries.at(-1).kind === 'keep' && record.done === entries.length")
    page.reload()
    expect(page.locator("#sensitivity")).to_have_value("70")
    expect(switch(page, "text")).to_be_checked()
    assert (editor.marked() == marked).all()
    slide(page, 50)
    assert (editor.marked() == boxes(SURE, UNSURE, DATE)).all()


def test_a_repair_fills_what_is_marked_and_the_rest_stays(editor, found, png):
    page = editor.page
    slide(page, 30)
    editor.repair()
    expect(page.locator(".answer")).to_have_count(1)
    expect(page.locator(".kind")).to_have_count(0)
    search(editor)  # what was repaired is not found again
    expect(page.locator("#verdict-text")).to_have_text(
        "No further damage was found at a sensitivity of 30 %, but there are fainter signs."
    )
    slide(page, 50)
    assert (editor.marked() == boxes(UNSURE, SPECK)).all()


def test_on_a_phone_a_notice_says_what_the_folded_panel_would(open_page, png):
    from page_driver import Editor

    editor = Editor(open_page(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True))
    page = editor.page
    finder = Finder(page, [region_of("dust", 0.25, FAINT)])
    editor.open(png)
    search(editor)
    expect(page.locator(".notice")).to_contain_text("fainter signs")
    page.locator(".notice").get_by_role("button", name="Look harder").click()
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    finder.nature, finder.regions = "graphic", FOUND
    page.keyboard.press("Delete")
    search(editor)
    expect(page.locator(".notice")).to_contain_text("a drawing or a screenshot")
    page.locator(".notice").get_by_role("button", name="Search all the same").click()
    editor.wait_done()
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    assert finder.forced
