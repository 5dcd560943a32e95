"""24 megapixels: work on them costs what the screen costs, and memory what the picture does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from page_driver import Editor, Sample, file_of

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

MOST_MS = 8
# Every listener for pointer moves and every animation frame is timed, from before the page's own code runs.
STOPWATCH = """
window.times = {move: [], frame: []};
const timed = (list, run) => function (...args) {
  const began = performance.now();
  try { return run.apply(this, args); } finally { list.push(performance.now() - began); }
};
const add = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (kind, run, ...rest) {
  const listener = kind === "pointermove" && typeof run === "function" ? timed(window.times.move, run) : run;
  return add.call(this, kind, listener, ...rest);
};
const ask = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (run) => ask(timed(window.times.frame, run));
"""


@pytest.fixture(scope="module")
def large() -> Sample:
    y, x = np.mgrid[:4000, :6000]
    pixels = np.stack([x % 256, y % 256, (x + y) // 40 % 256], axis=2).astype(np.uint8)
    ok, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return Sample("large.jpg", data.tobytes(), pixels)


MOST_MB = 200  # above the empty page, once it is at rest


def memory_of(browser: Any) -> Callable[[], float]:
    """Tells the megabytes of all of a browser's processes; what they share counts once."""
    session = browser.new_browser_cdp_session()

    def measure() -> float:
        kilobytes = 0
        for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
            told = Path(f"/proc/{process['id']}/smaps_rollup").read_text()
            kilobytes += int(re.search(r"^Pss: +(\d+)", told, re.MULTILINE)[1])
        return kilobytes / 1024

    return measure


def stand_in(page: Any, patches: list[bytes]) -> None:
    """Answers repairs with these patches, in turn: what the page holds is measured, not the fill."""
    links = {name: f"/v1/jobs/made/{name}" for name in ("self", "events", "result")}
    job = {"id": "made", "state": "done", "progress": 1, "report": {"notes": []}, "links": links}
    page.route("**/v1/jobs", lambda route: route.fulfill(status=202, json=job))
    page.route(
        "**/v1/jobs/made/result", lambda route: route.fulfill(content_type="image/png", body=patches.pop(0))
    )
    events = f"event: end\ndata: {json.dumps(job)}\n\n"
    page.route(
        "**/v1/jobs/made/events*", lambda route: route.fulfill(content_type="text/event-stream", body=events)
    )


def patch_of(mask: np.ndarray) -> bytes:
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    pixels[mask] = (90, 120, 60, 255)
    return file_of(pixels, "patch.png", compress_level=1).data


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux's /proc")
def test_memory(open_page, browser, large, record_property):
    page = open_page(viewport={"width": 1440, "height": 900})
    editor = Editor(page)
    used = memory_of(browser)
    stroke, specks = np.zeros((2, 4000, 6000), np.uint8)
    cv2.line(stroke, (3000, 2000), (3100, 2030), 255, 80)
    rng = np.random.default_rng(1)
    for x, y in rng.integers((0, 0), (6000, 4000), (100, 2)):
        cv2.circle(specks, (int(x), int(y)), 5, 255, -1)
    stand_in(page, [patch_of(stroke > 0), patch_of(specks > 0)])
    garbage = page.context.new_cdp_session(page)

    def at_rest() -> float:
        """What is held once three seconds took nothing away: a busy machine frees pictures late."""
        told = [np.inf]
        while len(told) < 40 and (len(told) < 2 or min(told[-3:]) < min(told[:-3], default=np.inf) - 2):
            page.wait_for_timeout(1000)
            garbage.send("HeapProfiler.collectGarbage")
            told.append(used())
        return told[-1]

    empty = at_rest()
    editor.open(large)
    figures = {"opened": at_rest() - empty}
    for name, mask in (("stroke", stroke), ("specks all over", specks)):
        page.set_input_files("#mask-file", [file_of(mask, "mask.png", compress_level=1).payload])
        expect(page.locator("#marked")).to_contain_text("%")
        editor.repair()
        expect(page.locator("#marked")).to_have_text("nothing marked")
        page.keyboard.press("1")
        page.keyboard.press("c")
        page.keyboard.press("c")
        page.keyboard.press("0")
        figures[name] = at_rest() - empty
    for name, value in figures.items():
        record_property(name, round(value))
    print({name: round(value) for name, value in figures.items()})
    assert max(figures.values()) <= MOST_MB


def p95(page, kind: str) -> float:
    times = page.evaluate(f"times.{kind}.splice(0)")
    assert len(times) >= 20
    return float(np.percentile(times, 95))


@pytest.mark.slow
@pytest.mark.parametrize("zoom", ["fit", "actual"])
def test_strokes_zoom_and_pan(open_page, large, zoom, record_property):
    page = open_page(init=STOPWATCH, viewport={"width": 1600, "height": 1000})
    editor = Editor(page)
    editor.open(large)
    if zoom == "actual":
        page.keyboard.press("1")
    page.evaluate("times.move.splice(0), times.frame.splice(0)")
    box = page.locator("#stage").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    for turn in np.linspace(0, 6 * np.pi, 240):
        page.mouse.move(middle[0] + 12 * turn * np.cos(turn), middle[1] + 12 * turn * np.sin(turn))
    page.mouse.up()
    figures = {"stroke": p95(page, "move"), "stroke frame": p95(page, "frame")}
    for _ in range(30):
        page.mouse.wheel(0, -30)
    for _ in range(30):
        page.mouse.wheel(0, 30)
    figures["zoom frame"] = p95(page, "frame")
    page.keyboard.down("Space")
    page.mouse.down()
    for step in range(60):
        page.mouse.move(middle[0] + 3 * step, middle[1] + 2 * step)
    page.mouse.up()
    page.keyboard.up("Space")
    figures["pan"], figures["pan frame"] = p95(page, "move"), p95(page, "frame")
    for name, value in figures.items():
        record_property(name, round(value, 2))
    print({name: round(value, 2) for name, value in figures.items()})
    assert figures["stroke"] <= MOST_MS
    assert figures["pan"] <= MOST_MS
