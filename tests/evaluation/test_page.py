"""The page of a report and the page of votes, in a browser: they run, ask for nothing, and fit a phone."""

import json
import shutil
import urllib.parse
from pathlib import Path

import numpy as np
import pytest

from remend.evaluation.gallery import Gallery
from remend.evaluation.report import as_html
from remend.evaluation.run import evaluate
from remend.evaluation.votes import Sheet

api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH"),
]


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield opened
        opened.close()


@pytest.fixture
def phone(browser):
    """A page of 360 px; what it asks for and what goes wrong fails the test."""
    page = browser.new_page(viewport={"width": 360, "height": 780})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else wrong.append(r.url))
    yield page
    assert wrong == []
    page.close()


@pytest.fixture
def made(tmp_path: Path, save, hole):
    rng = np.random.default_rng(0)
    for index in range(8):
        save(f"p/{index}.png", rng.integers(90, 160, (24, 32, 3), np.uint8))
        mask = hole.copy()
        mask[0, 0] = 255 * (index % 2)
        save(f"p/{index}_mask.png", mask)

    def fill(image, where, method):
        out = image.copy()
        out[where] = int(method)
        return out

    gallery, sheet = Gallery(), Sheet()

    def see(seen):
        gallery.see(seen)
        sheet.see(seen)

    evaluation = evaluate(tmp_path / "p", ["128", "255"], restore=fill, observer=see)
    (tmp_path / "report.html").write_text(as_html(evaluation, gallery), "utf-8")
    (tmp_path / "votes.html").write_text(sheet.page(evaluation.protocol.sha256), "utf-8")
    return tmp_path


def test_the_report(phone, made: Path):
    phone.goto((made / "report.html").as_uri())
    assert phone.locator("#over").inner_text() == "over 8 of 8 pairs"
    assert phone.locator("article").count() == 8
    phone.get_by_role("button", name="border (4)", exact=True).click()
    assert phone.locator("#over").inner_text() == "over 4 of 4 pairs"
    assert phone.locator("article").count() == 4
    before = phone.locator("#diffbody").inner_text()
    phone.select_option("#baseline", "255")
    assert phone.locator("#diffbody").inner_text() != before
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_votes(phone, made: Path):
    phone.goto((made / "votes.html").as_uri())
    for key in "12312":
        phone.keyboard.press(key)
    phone.locator("#back").click()
    for _ in range(4):
        phone.locator("#left").click()
    assert "All done" in phone.locator("#where").inner_text()
    saved = phone.locator("#save").get_attribute("href").partition(",")[2]
    votes = json.loads(urllib.parse.unquote(saved))["votes"]
    assert [vote["choice"] for vote in votes] == ["left", "right", "same", "left"] + ["left"] * 4
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
