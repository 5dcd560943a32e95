"""A job's server-sent events: at once, after each change, while it moves by the clock, and at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable

from remend.serve.job import Job

__all__ = ["BEAT_S", "listen"]

BEAT_S = 10.0  # a comment, so that nothing on the way thinks the line is dead
BETWEEN_S = 0.05  # at most this often
TICK_S = 0.4  # while a step is in work whose time is guessed


async def listen(
    job: Job, *, result_seconds: float, tied: bool, leave: Callable[[Job], None]
) -> AsyncGenerator[bytes]:
    """The events of one listener.

    Args:
        job: to watch.
        result_seconds: how long results are kept.
        tied: the job shall not outlive its listeners.
        leave: called when the last tied listener leaves before the end.
    """
    job.tied += tied
    number = 0
    try:
        while True:
            changed = job.changed  # taken before the look, so that no change is missed
            number += 1
            line = json.dumps(job.as_json(result_seconds=result_seconds), ensure_ascii=False)
            yield f"id: {number}\nevent: {'end' if job.over else 'progress'}\ndata: {line}\n\n".encode()
            if job.over:
                job.fetched = job.fetched or job.state != "done"
                return
            while True:
                moves = job.progress is not None and bool(job.progress.left_s)
                try:
                    async with asyncio.timeout(TICK_S if moves else BEAT_S):
                        await changed.wait()
                    break
                except TimeoutError:
                    if moves:
                        break  # the clock alone has changed it
                    yield b": still here\n\n"
            await asyncio.sleep(BETWEEN_S)
    finally:
        job.tied -= tied
        if tied and not job.tied and not job.over:
            leave(job)
