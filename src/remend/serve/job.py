"""One request's work: where it stands, who watches, what came of it."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remend.serve.problems import Problem
from remend.serve.task import Cancelled, Done, Failed, Progress, Task
from remend.serve.uploads import Upload

__all__ = ["ENDED", "Job"]

ENDED = frozenset({"done", "failed", "cancelled"})
# Where a stage begins on the way from 0 to 1; filling takes most of the time.
BEGINS = {"read": 0.01, "find": 0.04, "plan": 0.1, "fill": 0.12, "write": 0.93} | {
    "measure": 0.04, "noise": 0.1, "damage": 0.7, "tone": 0.85, "enlarge": 0.9
}  # fmt: skip
BRISK = 1.6  # when the expected time is over, four fifths of the way are shown
LEAST_TOLD_S = 0.1


@dataclass(slots=True, eq=False)
class Job:
    """A task and what has become of it.

    Attributes:
        id: secret enough to be the key to its result.
        task, upload: what to do, and the files that it needs.
        kept: remembered after its end, for who asks by id; otherwise somebody waits for it.
        state: ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
        position: in the queue, 1 = next; None elsewhere.
        size: bytes of the result on disk.
        share: of the whole job, when the worker last said something.
        heard, began, ended: monotonic times: when that was, and of the work's beginning and end.
        unwanted: set when it shall stop.
        changed: set and replaced at each change.
        tied: how many listeners keep it alive, if any does.
        fetched: somebody has read the result or the end of the events.
        client: whose share it counts to.
    """

    id: str
    task: Task
    upload: Upload
    kept: bool
    state: str = "queued"
    position: int | None = None
    progress: Progress | None = None
    share: float = 0.0
    heard: float = 0.0
    report: dict[str, Any] | None = None
    problem: Problem | None = None
    size: int = 0
    born: float = field(default_factory=time.monotonic)
    began: float | None = None
    ended: float | None = None
    unwanted: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    tied: int = 0
    fetched: bool = False
    client: str | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED

    @property
    def result(self) -> Path:
        """Where the result lies, once it is done."""
        return self.task.result

    def hear(self, progress: Progress) -> None:
        """The worker has come so far."""
        self.share = self.share_now()  # what was shown stays shown
        self.progress, self.heard = progress, time.monotonic()
        share = BEGINS.get(progress.stage, 0.0)
        if progress.stage == "fill" and progress.steps:
            share += (BEGINS["write"] - share) * progress.step / progress.steps
        self.share = max(self.share, share)
        self.tell()

    def share_now(self) -> float:
        """How far it is, 0 to 1: between two words of the worker it moves on as the clock does."""
        progress = self.progress
        if self.over or progress is None or not progress.left_s:
            return self.share
        to_go = max(0.0, BEGINS["write"] - self.share)
        # It slows down as it comes near the expected end, which is a guess, and never reaches it.
        return self.share + to_go * (1 - math.exp(-BRISK * (time.monotonic() - self.heard) / progress.left_s))

    def left_now(self) -> float | None:
        """Seconds that filling is likely to take still; None where nobody knows, or it is late already."""
        if self.state != "running" or self.progress is None or self.progress.left_s is None:
            return None
        left = self.progress.left_s - (time.monotonic() - self.heard)
        return round(left, 1) if left >= LEAST_TOLD_S else None

    def end(self, outcome: Done | Failed | Cancelled) -> float:
        """It is over, and this came of it, unless nobody wants it any more.

        Returns:
            The seconds that it was worked on.
        """
        self.ended = time.monotonic()
        began = self.began if self.began is not None else self.ended
        if isinstance(outcome, Done) and not self.unwanted.is_set():
            seconds = {"queue": round(began - self.born, 4), **outcome.report["seconds"]}
            self.state, self.report = "done", {**outcome.report, "seconds": seconds}
            self.size, self.share = outcome.report["bytes"], 1.0
        elif isinstance(outcome, Failed) and not self.unwanted.is_set():
            self.state, self.problem = "failed", outcome.problem
        else:  # an end of the server that came too soon has left its problem
            self.state = "cancelled" if self.problem is None else "failed"
        return self.ended - began

    def tell(self) -> None:
        """Wake everybody who watches."""
        self.changed.set()
        self.changed = asyncio.Event()

    def as_json(self, *, result_seconds: float) -> dict[str, Any]:
        """As the API shows it; see docs/api.md."""
        now = time.monotonic()
        in_fill = self.progress is not None and self.progress.stage == "fill"
        here = f"/v1/jobs/{self.id}"
        return {
            "id": self.id,
            "kind": self.task.options.kind,
            "state": self.state,
            "place": self.position if self.state == "queued" else None,
            "stage": None if self.progress is None else self.progress.stage,
            "step": self.progress.step if in_fill and self.progress is not None else None,
            "steps": self.progress.steps if in_fill and self.progress is not None else None,
            "progress": round(self.share_now(), 4),
            "left_s": self.left_now(),
            "age_s": round(now - self.born, 3),
            "expires_in_s": None
            if self.ended is None
            else round(max(0.0, self.ended + result_seconds - now), 1),
            "report": self.report if self.state == "done" else None,
            "problem": None if self.problem is None else self.problem.as_json(),
            "links": {"self": here, "result": f"{here}/result", "events": f"{here}/events"},
        }
