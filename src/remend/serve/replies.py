"""Answers: problems, and results from the disk with the headers that say what was done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from remend.serve.job import Job
from remend.serve.problems import MEDIA_TYPE, Problem
from remend.serve.task import mask_beside

__all__ = ["Json", "ProblemReply", "ResultReply", "result_headers"]

CHUNK = 1 << 18
SEND_SECONDS = 300.0
GRACE_SECONDS = 15.0
NOTES_BYTES = 2048  # of notes in a header; the job's report has them all


class Json(Response):
    """Plain data as an answer that nobody keeps."""

    media_type = "application/json"

    def __init__(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        super().__init__(body, status, {"Cache-Control": "no-store"} | (headers or {}))


class ProblemReply(Response):
    """A problem as an answer."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        headers = {"Cache-Control": "no-store"}
        if problem.retry_after is not None:
            headers["Retry-After"] = str(problem.retry_after)
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        super().__init__(json.dumps(problem.as_json(), ensure_ascii=False).encode(), problem.status, headers)


class ResultReply(Response):
    """A finished job's result, read from the disk piece by piece in another thread.

    Args:
        job: done.
        least_rate: bytes a second that its reader must take, over all; who does not is hung up on.
        as_mask: of a detection, the mask instead of the regions.
        after: called when the answer has gone out, or its reader has.
    """

    def __init__(
        self, job: Job, *, least_rate: float, as_mask: bool = False, after: Callable[[], None] | None = None
    ) -> None:
        assert job.report is not None
        self.path = mask_beside(job.result) if as_mask else job.result
        self.after, self.least_rate = after, least_rate
        media_type = "image/png" if as_mask else job.report["media_type"]
        super().__init__(b"", 200, result_headers(job.report, as_mask=as_mask), media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            file, piece = await asyncio.to_thread(self._begin)
            with file, suppress(TimeoutError):  # who does not read is hung up on
                seconds = GRACE_SECONDS + file.seek(0, 2) / self.least_rate
                async with asyncio.timeout(min(SEND_SECONDS, seconds)):
                    await self._send(file, piece, send)
        finally:
            if self.after is not None:
                self.after()

    async def _send(self, file: BinaryIO, piece: bytes, send: Send) -> None:
        size = file.seek(0, 2)
        file.seek(len(piece))
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        headers.append((b"content-length", str(size).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        left = size - len(piece)
        while left > 0 and piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await asyncio.to_thread(file.read, CHUNK)
            left -= len(piece)
        await send({"type": "http.response.body", "body": piece})

    def _begin(self) -> tuple[BinaryIO, bytes]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:  # it expired just now
            raise Problem("not-found", "the result is not kept any more", remedy="post it again") from None
        return file, file.read(CHUNK)


def result_headers(report: dict[str, Any], *, as_mask: bool = False) -> dict[str, str]:
    """What was done, in headers; see docs/api.md. Plain ASCII, whatever the names are."""
    filename = report["filename"]
    if as_mask:
        filename = filename.removesuffix(".json") + ".png"
    named = quote(filename, safe="")
    plain = "".join(c if c.isascii() and c not in '"\\' else "_" for c in filename)
    timing = ", ".join(f"{stage};dur={1000 * spent:.1f}" for stage, spent in report["seconds"].items())
    notes = list(report["notes"])
    while len(json.dumps(notes)) > NOTES_BYTES:
        notes.pop()
    steps = [step for step in report["steps"] if "step" in step]  # of a restoration
    return {
        **({"Remend-Steps": json.dumps(steps)} if steps else {}),
        **({"Remend-Prints": json.dumps(report["prints"])} if "prints" in report else {}),
        "Cache-Control": "no-store",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{named}",
        "Remend-Plan": json.dumps(report["plan"]),
        "Remend-Size": f"{report['width']}x{report['height']}",
        "Remend-Hole-Ratio": f"{report['hole_ratio']:.6f}",
        "Remend-Found": json.dumps(report["found"]),
        "Remend-Left": json.dumps(report["left"]),
        "Remend-Notes": json.dumps(notes),
        "Server-Timing": timing,
    }
