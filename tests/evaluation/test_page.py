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
from remend.evaluation.study import Sheet
from remend.evaluation.votes import read_ballots

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

    gallery, sheet, ratings = Gallery(), Sheet(), Sheet(ask="rate")

    def see(seen):
        gallery.see(seen)
        sheet.see(seen)
        ratings.see(seen)

    evaluation = evaluate(tmp_path / "p", ["128", "255"], restore=fill, observer=see)
    (tmp_path / "report.html").write_text(as_html(evaluation, gallery), "utf-8")
    (tmp_path / "votes.html").write_text(sheet.page(evaluation.protocol.sha256), "utf-8")
    (tmp_path / "ratings.html").write_text(ratings.page(evaluation.protocol.sha256), "utf-8")
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
    for key in "123":
        phone.keyboard.press(key)
    phone.locator("#back").click()
    total = phone.locator("#bar").get_attribute("max")
    assert total == "10", "eight pictures and two catch trials"
    for _ in range(8):
        phone.locator("#left").click()
    assert "All done" in phone.locator("#where").inner_text()
    saved = json.loads(urllib.parse.unquote(phone.locator("#save").get_attribute("href").partition(",")[2]))
    assert [vote["choice"] for vote in saved["votes"]] == ["left", "right"] + ["left"] * 8
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    again = ballot(made, saved)
    assert len(again.votes) == 10


def ballot(folder: Path, saved: dict):
    """What the count makes of a file that the page saved."""
    path = folder / f"votes-{saved['voter']}.json"
    path.write_text(json.dumps(saved))
    return read_ballots([path], protocol=saved["protocol"], ask=saved["ask"])[0]


def download(page, folder: Path) -> dict:
    with page.expect_download() as got:
        page.locator("#save").click()
    name = got.value.suggested_filename
    got.value.save_as(folder / name)
    saved = json.loads((folder / name).read_text("utf-8"))
    assert name == f"votes-{saved['voter']}.json"
    return saved


def test_a_voter_who_is_interrupted_goes_on(phone, made: Path):
    phone.goto((made / "votes.html").as_uri())
    for _ in range(3):
        phone.locator("#same").click()
    before = download(phone, made)
    phone.reload()
    assert phone.locator("#where").inner_text() == "4 of 10"
    for _ in range(7):
        phone.locator("#left").click()
    after = download(phone, made)
    assert after["voter"] == before["voter"]
    assert after["votes"][:3] == before["votes"]
    phone.locator("#again").click()
    assert phone.locator("#where").inner_text() == "1 of 10"
    phone.locator("#left").click()
    assert download(phone, made)["voter"] != after["voter"]


def test_order_and_sides_are_drawn_for_each_voter(phone, made: Path):
    phone.goto((made / "votes.html").as_uri())
    orders, lefts = set(), set()
    for voter in range(6):
        phone.evaluate(f"begin('{voter}a4b5c6d7e8f9012', [])")
        order = phone.evaluate("trials.map(t => t.pair)")
        lefts |= {tuple(t) for t in phone.evaluate("trials.map(t => [t.pair, t.sides[0].token])")}
        orders.add(tuple(order))
    assert len(orders) == 6
    assert len(lefts) > 14, "either method was left on most pictures"


def test_a_page_of_ratings_in_chinese(browser, made: Path):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="zh-CN"
    )
    page = context.new_page()
    page.goto((made / "ratings.html").as_uri())
    assert page.locator("h1").inner_text() == "这张图片的质量如何？"
    page.locator("#rates button").nth(3).tap()
    page.keyboard.press("2")
    assert page.locator("#where").inner_text() == "第 3 题，共 18 题"
    page.locator("#language").tap()
    assert page.locator("h1").inner_text() == "How good is this picture?"
    small = """() => [...document.querySelectorAll("button, a.button")].filter(one => one.checkVisibility()
      && Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < 43.5).length"""
    assert page.evaluate(small) == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    saved = download(page, made)
    assert [vote.choice for vote in ballot(made, saved).votes] == ["4", "2"]
    context.close()
