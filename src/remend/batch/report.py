"""A page about a batch: what became of every file, and the repairs that a person should look at first.

One HTML file with everything in it: no script, nothing loaded from anywhere.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from remend import __version__
from remend.adapt import as_picture
from remend.batch.manifest import Known, Manifest
from remend.errors import RemendError
from remend.io.atomic import write_whole
from remend.picture import Bool, Box
from remend.places import is_remote, located
from remend.samples import eight_bit

__all__ = ["write_report"]

LEAST_CERTAIN = 24
SIDE_PX = 320
AROUND_PX = 48  # of what surrounds a repair in its thumbnail
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .8rem .2rem 0;
vertical-align: top; border-top: 1px solid #8884; overflow-wrap: anywhere }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; max-width: 656px }
img { max-width: 320px; max-height: 320px; margin-right: 4px; border: 1px solid #8884 }
figcaption { font-size: 13px; overflow-wrap: anywhere } :root { color-scheme: light dark }
"""


def write_report(path: Path, manifest: Manifest) -> None:
    """Write the page.

    Args:
        path: of the HTML file; one that is there is replaced.
        manifest: of the batch.

    Raises:
        WriteError: the page cannot be written, or the manifest not read.

    Cost: two dozen pictures are read, before and after.
    """
    write_whole(path, "".join(_page(manifest)).encode("utf-8", "replace"), overwrite=True)


def _page(manifest: Manifest) -> Iterator[str]:
    counts = manifest.counts()
    total = sum(counts.values())
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Remend: {total} files</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    yield f"<h1>{total} files</h1><p>"
    yield ", ".join(f"{counts[state]} {state}" for state in sorted(counts, key=lambda one: -counts[one]))
    yield f". Remend {html.escape(__version__)}.</p>"
    failed = list(manifest.pictures(["failed", "running"]))
    if failed:
        yield "<h2>Failed</h2>"
        yield from _table((one.source, one.reason or "was in hand when the batch ended") for one in failed)
    unsure = list(manifest.pictures(["repaired"], order="certainty", most=LEAST_CERTAIN))
    if unsure:
        yield "<h2>Least certain</h2><p>Before and after, around what was repaired; the least certain first: "
        yield "how sure the damage was, and how far fills reach from what is known.</p>"
        for known in unsure:
            yield _figure(known, manifest.path_of(known))
    skipped = [(one.source, one.reason) for one in manifest.pictures(["skipped"])]
    skipped += manifest.left_out()
    if skipped:
        yield "<h2>Skipped</h2>"
        yield from _table(iter(skipped))
    yield "</html>\n"


def _table(rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield "<table><tr><th>File<th>Why"
    for file, reason in rows:
        yield f"<tr><td>{html.escape(file)}<td>{html.escape(reason)}"
    yield "</table>"


def _figure(known: Known, result: Path) -> str:
    """Before and after, around what differs."""
    caption = f"{known.source} · certainty {known.certainty or 0:.2f}"
    try:
        before, after = (
            np.ascontiguousarray(eight_bit(as_picture(path.read_bytes() if is_remote(path) else path)))
            for path in (located(known.source), result)
        )
    except (RemendError, OSError) as error:
        return f"<figure><figcaption>{html.escape(f'{caption} · {error}')}</figcaption></figure>"
    box = Box(0, 0, *after.shape[:2])
    if before.shape == after.shape:
        box = _around((before != after).any(axis=2))
    shown = "".join(
        f'<img alt="{name}" src="data:image/jpeg;base64,{_small(pixels[box.slices])}">'
        for name, pixels in (("before", before), ("after", after))
    )
    return f"<figure>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _around(changed: Bool) -> Box:
    box = Box.around(changed) or Box(0, 0, *changed.shape)
    return box.grown(AROUND_PX, (changed.shape[0], changed.shape[1]))


def _small(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> str:
    scale = min(1.0, SIDE_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return base64.b64encode(coded.tobytes()).decode("ascii")
