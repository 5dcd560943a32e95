"""The page's files, read once at the start: no path of a request ever reaches the file system.

What the page says of an option stands in its HTML as ``{label:NAME}``, ``{help:NAME}`` or ``{default:NAME}``
and is filled in from the table of options.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from remend.language import VALUE, error_table, pattern_of
from remend.serve.options import REPAIR

__all__ = ["Asset", "asset_reply", "error_words", "read_assets"]

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

LEAST_HEAD = 8  # letters that a line must have to be told from others
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
            found[place] = _asset(content, media_type)
    return found


def error_words() -> Asset:
    """The table of errors in Chinese, as a module of the page: patterns, and what they become.

    A problem's detail is often an error's line without the advice at its end: such lines come last.
    """
    whole = error_table()
    heads = {}
    for english, chinese in whole.items():
        head, _, advice = english.rpartition(": ")
        if advice and len(VALUE.sub("", head)) >= LEAST_HEAD:
            heads[head] = chinese.rpartition("：")[0]
    fitting = {
        english: chinese
        for english, chinese in heads.items()
        if sorted(VALUE.findall(english)) == sorted(VALUE.findall(chinese))
    }
    lines = [[f"^{pattern_of(english)}$", chinese] for english, chinese in (*whole.items(), *fitting.items())]
    # JavaScript writes named groups without Python's P.
    content = f"export default {json.dumps(lines, ensure_ascii=False)};\n".replace("(?P<", "(?<")
    return _asset(content.encode(), MEDIA_TYPES["js"])


def _asset(content: bytes, media_type: str) -> Asset:
    return Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:16]}"')


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
