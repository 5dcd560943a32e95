"""24 megapixels: painting, zooming and panning cost what the screen costs, not what the picture does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from page_driver import Editor, Sample

pytest.importorskip("playwright.sync_api")

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
