"""What should go, said on the page: typed, chosen from several, spoken."""

from __future__ import annotations

import io
import json
import wave

import pytest

from made_scenes import SIZE, landscape
from page_driver import file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

RED, GREEN = (200, 30, 30), (20, 170, 50)


@pytest.fixture(scope="module")
def made():
    scene = landscape(4)
    scene.ball("left", 150, 300, RED)
    scene.ball("right", 450, 300, RED)
    scene.ball("green", 300, 320, GREEN)
    return scene


def agreement(mask, truth) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def say(page, words: str) -> None:
    page.fill("#say", words)
    page.press("#say", "Enter")


def test_words_mark_what_they_mean_and_undo_unmarks_it(editor, made):
    editor.open(file_of(made.pixels, "scene.png"))
    page = editor.page
    say(page, "remove the green ball")
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    assert agreement(editor.marked(), made.masks["green"]) > 0.7
    page.click("#undo")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    say(page, "去掉绿色的球")
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    assert agreement(editor.marked(), made.masks["green"]) > 0.7
    assert editor.size == SIZE[::-1]


def test_several_that_fit_are_shown_to_choose_from(editor, made):
    editor.open(file_of(made.pixels, "scene.png"))
    page = editor.page
    say(page, "remove the red ball")
    choices = page.locator("#say-choices button")
    expect(choices).to_have_count(3)  # both, and all of them
    expect(choices.first).to_be_focused()
    expect(page.locator("#say-choices canvas")).to_have_count(2)
    choices.nth(1).click()
    expect(page.locator("#say-which")).to_be_hidden()
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
    assert agreement(editor.marked(), made.masks["right"]) > 0.7


def test_what_means_nothing_is_told_and_marks_nothing(editor, made):
    editor.open(file_of(made.pixels, "scene.png"))
    page = editor.page
    say(page, "remove the flibbertigibbet")
    expect(page.locator("#notices")).to_contain_text("flibbertigibbet")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    expect(page.locator("#say-go")).to_be_enabled()


def test_what_is_spoken_goes_to_this_server_as_wav_and_comes_back_as_words(open_page, made):
    from page_driver import Editor

    page = open_page(permissions=["microphone"])
    heard = []

    def told(route):
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"listens": True})

    def hear(route):
        body = route.request.post_data_buffer
        start = body.index(b"RIFF")
        with wave.open(io.BytesIO(body[start:])) as sound:
            heard.append(
                (sound.getframerate(), sound.getnchannels(), sound.getsampwidth(), sound.getnframes())
            )
        route.fulfill(content_type="application/json", body=json.dumps({"text": "remove the green ball"}))

    page.route("**/v1/methods", told)
    page.route("**/v1/listen", hear)
    page.reload()
    editor = Editor(page)
    editor.open(file_of(made.pixels, "scene.png"))
    page.click("#say-speak")
    expect(page.locator("#say-speak")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(700)
    page.click("#say-speak")
    expect(page.locator("#say")).to_have_value("remove the green ball")
    expect(page.locator("#marked")).to_have_text("nothing marked")  # the words are shown first
    ((rate, channels, width, frames),) = heard
    assert (rate, channels, width) == (16000, 1, 2)
    assert 2000 < frames < 16000 * 15
    page.press("#say", "Enter")
    expect(page.locator("#marked")).not_to_have_text("nothing marked")
