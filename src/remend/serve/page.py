"""The page's files, read once at the start: no path of a request ever reaches the file system.

What the page says of an option stands in its HTML as ``{label:NAME}``, ``{help:NAME}`` or ``{default:NAME}``
and is filled in from the table of options.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from remend.serve.options import REPAIR

__all__ = ["Asset", "asset_reply", "read_assets"]

MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
}

OPTION = re.compile(r"\{(?P<what>label|help|default):(?P<name>\w+)\}")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page."""

    content: bytes
    media_type: str
    etag: str


def read_assets(folder: str = "static") -> dict[str, Asset]:
    """All files below a folder of this package, by their place in it, with slashes.

    Files of other kinds than a page is made of are left out.
    """
    found = {}
    for place, file in _below(files("remend.serve").joinpath(folder), ""):
        media_type = MEDIA_TYPES.get(place.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            if media_type.startswith("text/html"):
                content = OPTION.sub(_told, content.decode()).encode()
            found[place] = Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:16]}"')
    return found


def _told(asked: re.Match[str]) -> str:
    return escape(str(getattr(REPAIR[asked["name"]], asked["what"])))


def _below(folder: Traversable, place: str) -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, f"{place}{entry.name}/")
        else:
            yield place + entry.name, entry


def asset_reply(asset: Asset, request: Request) -> Response:
    """The file, or 304 for who has it."""
    headers = {"Cache-Control": "no-cache", "ETag": asset.etag}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(asset.content, 200, headers, asset.media_type)
