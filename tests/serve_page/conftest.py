"""The page in a real Chromium, before a real server."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from made_damage import worn
from page_driver import Editor, Sample, file_of, scene

pytest.importorskip("fastapi", reason="the page is served by remend[serve]")
sync_api = pytest.importorskip("playwright.sync_api", reason="the page is tested with Playwright")

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# Faults of the page that no test would look for by itself.
WATCH = """
window.faults = [];
const hear = (kind, words) => addEventListener(kind, (event) => faults.push(words(event)));
hear("securitypolicyviolation", (event) => `CSP: ${event.violatedDirective} ${event.blockedURI}`);
hear("unhandledrejection", (event) => `unhandled: ${event.reason?.stack ?? event.reason}`);
"""
# Messages go after seconds, and a crowded machine may take longer to come to look at them: here they stay.
STAY = """
const later = window.setTimeout;
const held = (after) => (after >= 4000 && after <= 14000 ? 600_000 : after);
window.setTimeout = (run, after, ...rest) => later(run, held(after), ...rest);
"""


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where a server listens that was started for these tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "remend", "serve", "--port", str(port)]
    log = subprocess.DEVNULL
    server = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert server.poll() is None, "remend serve ended at once"
            try:
                urllib.request.urlopen(f"{url}/ready", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # By module, not by session: while it runs, its event loop would be in the way of other tests.
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    sync_api.expect.set_options(timeout=60_000)  # machines that run tests are busy
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


Opener = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Opener]:
    """Open the page; at the end it must have been without faults and without foreign requests."""
    contexts, faults = [], []

    def open_one(*, init: str = "", **options: Any) -> Any:
        usual = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})
        contexts.append(context)
        context.add_init_script(WATCH + STAY + init)
        page = context.new_page()
        page.set_default_timeout(60_000)
        own = (address + "/", f"blob:{address}/")

        def hear(message: Any) -> None:
            # A refused request is told by the page in words; Chromium's own line about it is no fault.
            # Nor is its advice about reading pixels, which only these tests do.
            innocent = ("Failed to load resource", "willReadFrequently")
            if message.type in ("error", "warning") and not any(words in message.text for words in innocent):
                faults.append(f"console: {message.text}")

        page.on("console", hear)
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("request", lambda r: r.url.startswith(own) or faults.append(f"foreign request: {r.url}"))
        page.goto(address)
        sync_api.expect(page.locator("#method option").first).to_be_attached()
        return page

    yield open_one
    for context in contexts:
        for page in context.pages:
            faults += page.evaluate("window.faults")
        context.close()
    assert faults == []


@pytest.fixture
def page(open_page: Opener) -> Any:
    return open_page()


@pytest.fixture
def png() -> Sample:
    return file_of(scene(), "scene.png")


@pytest.fixture
def jpg() -> Sample:
    return file_of(scene(), "scene.jpg", quality=90, exif=_exif())


@pytest.fixture
def worn_png() -> Sample:
    """A photograph with strokes that the finder finds."""
    return file_of(worn(count=4)[0], "worn.png")


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    return exif


@pytest.fixture
def editor(page: Any) -> Editor:
    return Editor(page)
