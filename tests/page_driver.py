"""What the tests of the page do on it, and the pictures that they give it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["Editor", "Finder", "Sample", "becomes", "file_of", "region_of", "scene"]


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect  # only where there is a page

    return expect(locator)


def becomes(look: Callable[[], Any], wanted: Any, seconds: float = 60) -> bool:
    """Whether what is looked at becomes what is wanted, however long a crowded machine takes for it."""
    end = time.monotonic() + seconds
    matches = wanted if callable(wanted) else lambda seen: seen == wanted
    while not matches(look()):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Sample:
    """A picture file for the page."""

    name: str
    data: bytes
    pixels: np.ndarray

    def renamed(self, name: str) -> Sample:
        return replace(self, name=name)

    @property
    def payload(self) -> dict[str, Any]:
        kind = self.name.rsplit(".", 1)[1].replace("jpg", "jpeg")
        return {"name": self.name, "mimeType": f"image/{kind}", "buffer": self.data}


def scene(width: int = 320, height: int = 240) -> np.ndarray:
    """Smooth colours that differ everywhere, with grain, three white scratches and two dark ones."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    picture = np.stack(
        [40 + 150 * x / width, 60 + 120 * y / height, 120 + 40 * np.sin(x / 40 + y / 60)], axis=2
    )
    picture += np.random.default_rng(3).normal(0, 2, picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    for left, lean in ((60, 0.2), (150, -0.1), (260, 0.15)):
        for row in range(20, height - 30):
            at = int(left + lean * row)
            picture[row, at : at + 3] = 252
    for top, left in ((70, 180), (160, 20)):
        picture[top : top + 2, left : left + 60] = 4
    return picture


def file_of(pixels: np.ndarray, name: str, **options: Any) -> Sample:
    data = io.BytesIO()
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF"}[name.rsplit(".", 1)[1]]
    Image.fromarray(pixels).save(data, kind, **options)
    return Sample(name, data.getvalue(), np.asarray(Image.open(io.BytesIO(data.getvalue()))))


class Editor:
    """What the tests do on the page, in the picture's pixels."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def open(self, *samples: Sample) -> None:
        self.page.set_input_files("#files", [sample.payload for sample in samples])
        _expect(self.page.locator("#title")).to_contain_text(sorted(s.name for s in samples)[0])
        _expect(self.page.locator("#stage")).to_be_focused()
        self.size = samples[0].pixels.shape[1::-1]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the fitted picture is on the screen."""
        box = self.page.locator("#stage").bounding_box()
        side = min(24, 0.03 * box["width"])
        width, height = box["width"] - 2 * side, box["height"] - side - 72
        scale = min(width / self.size[0], height / self.size[1], 2)
        left = box["x"] + side + (width - self.size[0] * scale) / 2
        top = box["y"] + side + (height - self.size[1] * scale) / 2
        return left + x * scale, top + y * scale

    def stroke(self, *points: tuple[float, float], button: str = "left") -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down(button=button)
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=4)
        mouse.up(button=button)

    def colour(self, x: float, y: float) -> tuple[int, int, int]:
        """What the canvas shows there."""
        return self.colour_on_screen(*self.at(x, y))

    def colour_on_screen(self, x: float, y: float) -> tuple[int, int, int]:
        look = """async ([x, y]) => {
          await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
          const canvas = document.querySelector("#stage canvas"), box = canvas.getBoundingClientRect();
          const ratio = canvas.width / box.width;
          const context = canvas.getContext("2d");
          const { data } = context.getImageData((x - box.x) * ratio, (y - box.y) * ratio, 1, 1);
          return [...data.slice(0, 3)];
        }"""
        return tuple(self.page.evaluate(look, [x, y]))

    def wait_kept(self, what: str) -> None:
        """Wait until the browser has kept this of the only picture: of its ``record`` and ``entries``."""
        self.page.wait_for_function(
            f"""async () => {{
              const {{ allWorks, entriesOf }} = await import("/static/editor/store.js");
              const [record] = await allWorks();
              const entries = await entriesOf(record.id);
              return {what};
            }}""",
            polling=100,
        )

    def without_rims(self) -> None:
        """What is repaired is what was painted, to the pixel."""
        self.page.click("#mask-more summary")
        self.page.locator("#rims").uncheck()

    def repair(self) -> None:
        count = self.answers_seen()
        self.page.click("#repair")
        self.wait_done()
        assert self.answers_seen() >= min(count, 1)

    def answers_seen(self) -> int:
        return int(self.page.locator(".answer").count())

    def wait_done(self) -> None:
        _expect(self.page.locator("#progress")).to_be_hidden()
        _expect(self.page.locator("#repair")).to_be_enabled()

    def marked(self) -> np.ndarray:
        """The mask, by way of its export."""
        if self.page.locator("#marked").inner_text() == "nothing marked":
            return np.zeros(self.size[::-1], bool)
        if not self.page.locator("#mask-export").is_visible():
            self.page.click("#mask-more summary")
        with self.page.expect_download() as download:
            self.page.click("#mask-export")
        return np.asarray(Image.open(Path(download.value.path())).convert("L")) > 0

    def download(self) -> tuple[str, bytes]:
        with self.page.expect_download() as download:
            self.page.click("#download")
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def region_of(kind: str, confidence: float, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """A region as the server would answer it: all of its box (left, top, right, bottom)."""
    pixels = (box[2] - box[0]) * (box[3] - box[1])
    return {"kind": kind, "confidence": confidence, "box": list(box), "pixels": pixels, "runs": [0, pixels]}


class Finder:
    """Stands in for what the server finds: every search answers these regions.

    Args:
        page: asks for them.
        regions: as ``region_of`` makes them, in any order.
        nature: of the picture; what is no photograph has no regions unless the search is forced.
    """

    def __init__(self, page: Any, regions: list[dict[str, Any]], nature: str = "photograph") -> None:
        self.regions = sorted(regions, key=lambda region: -region["confidence"])
        self.nature = nature
        self.searches: list[str] = []
        page.on("request", self._hear)
        page.route("**/v1/jobs/*/result", self._answer)

    @property
    def forced(self) -> bool:
        """Whether the last search was to look at what is no photograph, too."""
        return _field(self.searches[-1], "force") == "true"

    def asked(self, name: str) -> str:
        """A field of the last search."""
        return _field(self.searches[-1], name)

    def _hear(self, request: Any) -> None:
        if request.method == "POST" and request.url.endswith("/v1/jobs"):
            form = (request.post_data_buffer or b"").decode("latin-1")
            if _field(form, "kind") == "detect":
                self.searches.append(form)

    def _answer(self, route: Any) -> None:
        response = route.fetch()
        if not response.headers["content-type"].startswith("application/json"):
            route.fulfill(response=response)
            return
        found = self.regions if self.nature == "photograph" or self.forced else []
        regions = [{"id": number, **region} for number, region in enumerate(found)]
        route.fulfill(response=response, json=response.json() | {"nature": self.nature, "regions": regions})


def _field(form: str, name: str) -> str:
    """One of a multipart form's short fields."""
    _, _, rest = form.partition(f'name="{name}"\r\n\r\n')
    return rest.partition("\r\n")[0]
