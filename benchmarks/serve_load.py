"""Sixty-four clients at once for two minutes, with `/health` asked beside them ten times a second.

Each client repairs, detects, makes jobs and fetches them, sends broken pictures and masks that do not
fit, leaves in the middle, and comes again after Retry-After (a tenth of it here, to keep the pressure).
On a slow or busy machine it goes on after the two minutes until 2,000 requests have been answered.
Bars: only 200, 202, 4xx and 503; memory of server and workers grows ≤ 5 % between answers 200 and 2,000;
/health p99 < 100 ms.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter

import cv2
import httpx
import numpy as np

from benchmarks.line import print_line
from benchmarks.serve_process import Running, serving

CLIENTS = 64
SECONDS = 120.0
AT_MOST_SECONDS = 600.0
MARKS = (200, 2000)


def pictures() -> dict[str, bytes]:
    """What the clients send."""
    rng = np.random.default_rng(0)
    photo = cv2.GaussianBlur(rng.integers(0, 255, (256, 320, 3), np.uint8), (0, 0), 3)
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.line(mask, (20, 30), (300, 200), 255, 3)
    photo[mask > 0] = 255
    png = cv2.imencode(".png", photo)[1].tobytes()
    return {
        "png": png,
        "jpeg": cv2.imencode(".jpg", photo)[1].tobytes(),
        "mask": cv2.imencode(".png", mask)[1].tobytes(),
        "small": cv2.imencode(".png", mask[:50, :50])[1].tobytes(),
        "cut": png[: len(png) // 2],
    }


class Load:
    """The clients, what they were answered, and the marks at which memory is read."""

    def __init__(self, server: Running) -> None:
        self.server, self.sent = server, pictures()
        self.statuses: Counter[int] = Counter()
        self.served = 0  # answers that were not 503
        self.memory: dict[int, int] = {}
        self.health: list[float] = []
        self.broken = 0
        self.began = time.monotonic()

    def note(self, answer: httpx.Response) -> None:
        """Count it."""
        self.statuses[answer.status_code] += 1
        if answer.status_code != 503:
            self.served += 1
            if self.served in MARKS:
                self.memory[self.served] = self.server.memory_bytes()

    def goes_on(self) -> bool:
        """Until the time is over and the last mark is reached."""
        spent = time.monotonic() - self.began
        return spent < SECONDS or (self.served < MARKS[-1] and spent < AT_MOST_SECONDS)

    async def client(self, number: int) -> None:
        """One client: different things in turn."""
        rng = np.random.default_rng(number)
        async with httpx.AsyncClient(base_url=self.server.address, timeout=60) as client:
            while self.goes_on():
                try:
                    await self.ask(client, int(rng.integers(12)))
                except httpx.ReadTimeout:
                    continue  # it left on purpose
                except httpx.TransportError:
                    self.broken += 1

    async def ask(self, client: httpx.AsyncClient, what: int) -> None:
        """One request, or a job's few."""
        sent = self.sent
        photo = sent["jpeg"] if what % 2 else sent["png"]
        if what == 0:
            answer = await client.post("/v1/repair", files={"image": sent["cut"]})
        elif what == 1:
            answer = await client.post("/v1/repair", files={"image": photo, "mask": sent["small"]})
        elif what == 2:
            answer = await client.post("/v1/detect", files={"image": photo})
        elif what == 3:
            answer = await client.post("/v1/repair", files={"image": photo}, timeout=0.2)
        elif what in (4, 5):
            answer = await client.post("/v1/jobs", files={"image": photo, "mask": sent["mask"]})
            if answer.status_code == 202:
                self.note(answer)
                links = answer.json()["links"]
                while (answer := await client.get(links["result"])).status_code == 409:
                    await asyncio.sleep(0.2)
        else:
            answer = await client.post("/v1/repair", files={"image": photo, "mask": sent["mask"]})
        self.note(answer)
        if answer.status_code == 503:
            await asyncio.sleep(0.1 * float(answer.headers["retry-after"]))


async def load(server: Running) -> Load:
    """Everybody at once. `/health` is asked from a process of its own, so that only the server is timed."""
    made = Load(server)
    watcher = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.serve_load",
        "watch",
        server.address,
        stdout=asyncio.subprocess.PIPE,
    )
    await asyncio.gather(*(made.client(number) for number in range(CLIENTS)))
    watcher.send_signal(signal.SIGTERM)
    out, _ = await watcher.communicate()
    made.health = [float(word) for word in out.split()]
    return made


def main() -> dict[str, object]:
    """Measure and print."""
    with serving("--workers", "1") as server:
        made = asyncio.run(load(server))
        last = server.memory_bytes()
    first = made.memory.get(MARKS[0], last)
    reached = made.memory.get(MARKS[1], last)
    other = [status for status in made.statuses if status not in (200, 202, 503) and not 400 <= status < 500]
    return print_line(
        "serve_load",
        what=f"{CLIENTS} clients, one worker",
        seconds=round(time.monotonic() - made.began, 1),
        answers=dict(sorted((str(status), count) for status, count in made.statuses.items())),
        other_answers=len(other),
        broken_connections=made.broken,
        memory_mb_at_200=round(first / 1e6, 1),
        memory_mb_at_2000=round(reached / 1e6, 1) if MARKS[1] in made.memory else None,
        memory_mb_at_end=round(last / 1e6, 1),
        growth_percent=round(100 * (reached / first - 1), 1),
        health_p50_ms=round(1000 * float(np.percentile(made.health, 50)), 1),
        health_p99_ms=round(1000 * float(np.percentile(made.health, 99)), 1),
        health_asked=len(made.health),
        bar="only 200, 202, 4xx, 503; growth ≤ 5 %; health p99 < 100 ms",
    )


def watch(address: str) -> None:
    """The other process: ask ten times a second until it is told to stop, and print what each took."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    spent = []
    with httpx.Client(base_url=address, timeout=60) as client:
        while not stopped:
            since = time.perf_counter()
            assert client.get("/health").status_code == 200
            spent.append(time.perf_counter() - since)
            time.sleep(0.1)
    print(*spent)


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        watch(sys.argv[2])
    else:
        main()
