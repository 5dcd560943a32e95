"""What people run into: names, limits, sizes, other tabs, phones held across, where focus goes."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from page_driver import Editor, Finder, becomes, file_of, region_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

LINE = [(62, 18), (84, 122), (104, 214)]


def huge_png() -> bytes:
    """A PNG whose header alone says that it is of 30000 × 10000 pixels."""
    header = struct.pack(">IIBBBBB", 30_000, 10_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def test_a_fault_of_a_file_is_told_by_the_files_name(page):
    page.set_input_files("#files", [{"name": "letter.png", "mimeType": "image/png", "buffer": b"Dear diary"}])
    notice = page.locator(".notice.bad")
    expect(notice).to_contain_text("letter.png")
    assert "image:" not in notice.inner_text().lower()


def test_too_many_pixels_are_told_before_anything_is_decoded(page):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.set_input_files("#files", [{"name": "wall.png", "mimeType": "image/png", "buffer": huge_png()}])
    notice = page.locator(".notice.bad")
    expect(notice).to_contain_text("wall.png has 300 megapixels, and this server takes 128.", timeout=2000)
    assert sent == []


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "bmp"])
def test_headers_tell_the_size(page, kind):
    file = io.BytesIO()
    Image.new("RGB", (301, 203), (90, 80, 70)).save(file, {"jpg": "JPEG"}.get(kind, kind.upper()))
    size = page.evaluate(
        """async (bytes) => {
          const { sizeInHeader } = await import("/static/editor/header.js");
          return sizeInHeader(new Blob([new Uint8Array(bytes)]));
        }""",
        list(file.getvalue()),
    )
    assert size == {"width": 301, "height": 203}


def test_opening_is_told_at_once(page, png):
    page.evaluate("""() => {
      const decode = window.createImageBitmap;
      window.createImageBitmap = async (...all) => {
        await new Promise((go) => setTimeout(go, 1500));
        return decode(...all);
      };
      const note = () => (window.began = performance.now());
      document.getElementById("files").addEventListener("change", note, true);
      new MutationObserver(() => (window.told ??= performance.now())).observe(
        document.getElementById("opening"), {attributes: true});
    }""")
    page.set_input_files("#files", png.payload)
    expect(page.locator("#opening")).to_have_text("Opening scene.png", timeout=1000)
    assert page.evaluate("told - began") <= 100
    expect(page.locator("#title")).to_contain_text("scene.png")
    expect(page.locator("#opening")).to_be_hidden()


def test_a_picture_is_decoded_once(page, png):
    page.evaluate("""() => {
      const decode = window.createImageBitmap;
      window.decoded = 0;
      window.createImageBitmap = (...all) => (window.decoded++, decode(...all));
    }""")
    Editor(page).open(png)
    assert page.evaluate("decoded") == 1


def test_the_brush_stays_as_large_on_the_screen(editor, png):
    editor.open(png)
    page = editor.page
    page.mouse.move(*editor.at(160, 120))
    across = lambda: page.locator("#ring").bounding_box()["width"]  # noqa: E731
    before, pixels = across(), int(page.locator("#size-value").inner_text().split()[0])
    for _ in range(4):
        page.keyboard.press("+")
    assert across() == pytest.approx(before, abs=0.5)
    assert int(page.locator("#size-value").inner_text().split()[0]) < pixels


def test_the_name_of_a_region_goes_with_its_tool(editor, png):
    Finder(editor.page, [region_of("scratch", 0.9, (60, 40, 100, 90))])
    editor.open(png)
    page = editor.page
    page.click("#find")
    editor.wait_done()
    page.keyboard.press("v")
    plain = editor.colour(60, 25)
    page.mouse.move(*editor.at(80, 60))
    label = editor.at(62, 33)
    shade = lambda: sum(editor.colour_on_screen(label[0] + 1, label[1]))  # noqa: E731
    assert becomes(shade, lambda seen: seen < 250)  # the dark label over the box
    page.keyboard.press("b")
    page.mouse.move(*editor.at(80, 60))
    assert np.abs(np.subtract(editor.colour_on_screen(*editor.at(60, 25)), plain)).max() < 30
    assert shade() > 250


def test_compare_stays_from_picture_to_picture(editor, png):
    editor.open(png.renamed("a.png"), png.renamed("b.png"))
    page = editor.page
    for _ in range(2):
        editor.stroke(*LINE)
        editor.repair()
        page.keyboard.press("PageDown")
        expect(page.locator("#title")).to_contain_text("b.png")
    page.keyboard.press("PageUp")
    expect(page.locator("#title")).to_contain_text("a.png")
    page.keyboard.press("c")
    expect(page.locator("#slider")).to_be_visible()
    page.keyboard.press("a")  # accepted, and on to the next
    expect(page.locator("#title")).to_contain_text("b.png")
    expect(page.locator("#slider")).to_be_visible()
    expect(page.locator("#compare")).to_have_attribute("aria-pressed", "true")


def test_the_zip_holds_clean_pictures_too_and_keeps_folders(page, png, tmp_path):
    Finder(page, [])
    for place in ("album/one.png", "album/trip/one.png", "album/trip/two.png"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png.data)
    page.set_input_files("#folder", tmp_path / "album")
    expect(page.locator("#thumbs li")).to_have_count(3)
    page.click("#all")
    expect(page.locator(".badge.clean")).to_have_count(3)
    expect(page.locator("#download-all")).to_be_enabled()
    page.locator("#stage").focus()
    page.keyboard.press("x")  # the first is not wanted
    expect(page.locator(".badge.rejected")).to_have_count(1)
    with page.expect_download() as download:
        page.click("#download-all")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["album/trip/one.png", "album/trip/two.png"]
        assert archive.read("album/trip/two.png") == png.data


def test_two_tabs_hold_the_same_work(open_page, png):
    page = open_page()
    editor = Editor(page)
    editor.open(png)
    other_page = page.context.new_page()
    other_page.goto(page.url)
    expect(other_page.locator("#title")).to_contain_text("scene.png")
    other = Editor(other_page)
    other.size = editor.size
    page.bring_to_front()
    editor.stroke(*LINE)
    mask = editor.marked()
    expect(other_page.locator("#marked")).to_contain_text("%")
    expect(other_page.locator(".notice")).to_contain_text("scene.png was changed in another tab")
    assert (other.marked() == mask).all()
    other_page.bring_to_front()
    other.stroke((200, 30), (220, 80))
    both = other.marked()
    told = other_page.locator("#marked").inner_text()
    expect(page.locator("#marked")).to_have_text(told)
    page.bring_to_front()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#marked")).to_have_text("nothing marked")
    expect(other_page.locator("#marked")).to_have_text("nothing marked")
    page.keyboard.press("Control+y")
    page.keyboard.press("Control+y")
    # Told there, it is kept: what is still on its way would be lost by the next line.
    expect(other_page.locator("#marked")).to_have_text(told)
    page.reload()
    expect(page.locator("#title")).to_contain_text("scene.png")
    assert (editor.marked() == both).all()
    other_page.click("#close")
    other_page.get_by_role("button", name="Close this message").last.click()
    expect(page.locator("#welcome")).to_be_visible()


def test_focus_never_falls_to_the_body(editor, png):
    editor.open(png)
    page = editor.page
    held = lambda: page.evaluate("document.activeElement.tagName")  # noqa: E731
    editor.stroke(*LINE)
    page.locator("#repair").press("Enter")
    editor.wait_done()
    assert held() != "BODY"
    for button in ("#undo", "#undo"):
        page.locator(button).press("Enter")
    expect(page.locator("#undo")).to_be_disabled()
    assert becomes(held, lambda seen: seen != "BODY", seconds=10)
    page.locator("#repair").press("Enter")  # nothing is marked: a notice
    close = page.get_by_role("button", name="Close this message")
    close.press("Enter")
    assert becomes(held, lambda seen: seen != "BODY", seconds=10)
    page.locator("#close").press("Enter")
    expect(page.locator("#welcome")).to_be_visible()
    assert becomes(held, lambda seen: seen != "BODY", seconds=10)


COVERED = """() => [...document.querySelectorAll(
    "header button, .tool, .float button, .float input, .panel-foot button, .strip button, .slider-knob")]
  .filter((one) => one.checkVisibility({visibilityProperty: true}))
  .filter((one) => {
    const box = one.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return top?.closest(".notice");
  })
  .map((one) => one.id || one.className)"""

SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True},
    "portrait": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "across": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_messages_cover_no_control(open_page, png, screen):
    page = open_page(**SCREENS[screen])
    editor = Editor(page)
    editor.open(png.renamed("a.png"), png.renamed("b.png"))
    editor.stroke(*LINE)
    page.click("#repair")
    editor.wait_done()
    page.click("#compare")
    page.evaluate("""async () => {
      const { notice } = await import("/static/editor/notices.js");
      for (const n of [1, 2, 3])
        notice(`message ${n}, as long as usual ones`, {remedy: "what to do next", bad: true, key: n});
    }""")
    expect(page.locator(".notice").last).to_contain_text("Message 3")
    assert page.evaluate(COVERED) == []


def test_held_across_a_phone_shows_the_picture_large(open_page, png):
    page = open_page(**SCREENS["across"])
    editor = Editor(page)
    editor.open(png)
    zoom = int(page.locator("#zoom-value").inner_text().split()[0])
    assert 240 * zoom / 100 >= 200, "CSS pixels high, of 390"
    for button in ("#find", "#repair", "#undo", "#download", "#panel-toggle"):
        expect(page.locator(button)).to_be_in_viewport(ratio=1)
    page.locator("#panel-toggle").tap()
    expect(page.locator("#sensitivity")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 844


def test_one_long_step_moves_on_and_says_how_long_it_may_take(editor, png):
    """A single hole stayed at 12 % to the end, without a word of how long."""
    links = {name: f"/v1/jobs/made/{name}" for name in ("self", "events", "result")}
    job = {"id": "made", "state": "running", "stage": "fill", "step": 1, "steps": 1, "links": links}
    told = [
        {"progress": 0.2, "left_s": 9.2},
        {"progress": 0.6, "left_s": 3.1},
        {"progress": 0.9, "left_s": 0.4},
    ]
    page = editor.page
    page.route("**/v1/jobs", lambda route: route.fulfill(status=202, json=job | {"progress": 0}))
    page.route("**/v1/jobs/made", lambda route: route.fulfill(status=204))

    def events(route):
        # The stream breaks off after each, and the browser asks for the next.
        body = (
            f"retry: 700\nevent: progress\ndata: {json.dumps(job | told.pop(0))}\n\n"
            if told
            else ": wait\n\n"
        )
        route.fulfill(content_type="text/event-stream", body=body)

    page.route("**/v1/jobs/made/events*", events)
    editor.open(png)
    editor.stroke(*LINE)
    page.click("#repair")
    for value, words in (("0.2", "about 9 s"), ("0.6", "about 3 s"), ("0.9", "about 1 s")):
        expect(page.locator("#progress-bar")).to_have_attribute("value", value)
        expect(page.locator("#progress-left")).to_have_text(words)
    expect(page.locator("#progress-text")).to_have_text("Filling")
    page.click("#cancel")
    editor.wait_done()


def listen(page) -> None:
    """Note method, quality and seed of every repair that the page asks for; see ``asked``."""
    page.evaluate("""() => {
      const real = window.fetch;
      window.asked = [];
      window.fetch = (path, options) => {
        const form = options?.body;
        if (path === "/v1/jobs") asked.push(["method", "quality", "seed"].map((name) => form.get(name)));
        return real(path, options);
      };
    }""")


def asked(page) -> list[tuple[str, str, str]]:
    return [tuple(one) for one in page.evaluate("asked")]


def test_the_same_answer_is_not_asked_for_again(editor):
    plain = file_of(np.full((120, 160, 3), 128, np.uint8), "plain.png")  # every method gives the same
    editor.open(plain)
    page = editor.page
    listen(page)
    editor.stroke((60, 60), (90, 60))
    editor.repair()
    page.keyboard.press("n")
    expect(page.locator(".notice")).to_contain_text("There is no other answer", timeout=60_000)
    editor.wait_done()
    requests = asked(page)
    assert len(set(requests)) == len(requests) > 5
    expect(page.locator(".answer")).to_have_count(1)
    page.keyboard.press("n")
    page.wait_for_timeout(300)
    assert asked(page) == requests


def test_another_answer_is_asked_as_it_is_preferred_now(editor, png):
    editor.open(png)
    page = editor.page
    listen(page)
    editor.stroke(*LINE)
    editor.repair()
    page.get_by_role("radio", name="fast").check()
    page.click("#advanced summary")
    page.select_option("#method", "telea")
    page.keyboard.press("n")
    expect(page.locator(".answer")).to_have_count(2)
    editor.wait_done()
    assert asked(page) == [("auto", "balanced", "0"), ("telea", "fast", "0")]
    expect(page.locator(".answer").nth(1)).to_contain_text("telea, fast")


def test_three_answers_are_three(editor, png):
    editor.open(png)
    page = editor.page
    editor.stroke(*LINE)
    editor.repair()
    page.keyboard.press("Shift+N")
    expect(page.locator("#three")).to_be_disabled()
    editor.wait_done()
    expect(page.locator(".answer img")).to_have_count(page.locator(".answer").count())
    names = page.locator(".answer b").all_inner_texts()
    assert names[0] == "Automatic"
    assert set(names[1:]) <= {"Smooth", "Textured", "Redrawn"}
    assert len(names) >= 3
    expect(page.locator(".answer").first).to_have_attribute("aria-checked", "true")
    files = []
    for n in range(len(names)):
        page.locator(".answer").nth(n).click()
        files.append(editor.download()[1])
    assert len(set(files)) == len(names)
    expect(page.locator(".answer .how").first).to_be_hidden()


def test_a_repair_is_unveiled(open_page, png):
    page = open_page(reduced_motion="no-preference")
    editor = Editor(page)
    editor.open(png)
    page.evaluate("""async () => {
      const { Stage } = await import("/static/editor/stage.js");
      const unveil = Stage.prototype.unveil;
      window.shares = [];
      Stage.prototype.unveil = function (rects) {
        unveil.call(this, rects);
        const look = () => {
          window.shares.push(this.veil?.share ?? 1);
          if (this.veil) requestAnimationFrame(look);
        };
        look();
      };
    }""")
    editor.stroke(*LINE)
    editor.repair()
    assert becomes(lambda: page.evaluate("shares.at(-1)"), 1)
    shares = page.evaluate("shares")
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[0] < 0.5


def test_a_wrong_token_is_asked_for_again(open_page, png):
    page = open_page()
    answers = iter([401, 401, 204])
    refused = {"kind": "token-needed", "detail": "none that is good", "remedy": "send it", "status": 401}
    signed_in = False

    def session(route):
        nonlocal signed_in
        status = next(answers)
        signed_in = status == 204
        json = None if signed_in else refused
        route.fulfill(status=status, **({"json": json} if json else {"body": ""}))

    def guard(route):
        if signed_in:
            route.fallback()
        else:
            route.fulfill(status=401, json=refused)

    page.route("**/v1/methods", guard)
    page.route("**/v1/session", session)
    page.reload()
    dialog = page.locator("#sign-in")
    for _ in range(2):
        expect(dialog).to_be_visible()
        page.fill("#token", "guess")
        page.keyboard.press("Enter")
        expect(page.locator("#token-why")).to_have_text("That token is not the server's. Try again.")
    page.fill("#token", "right")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#method option").first).to_be_attached()
