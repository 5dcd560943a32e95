"""An application with real workers for the whole session, and pictures to send it."""

import asyncio
import io
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import PIL.Image
import pytest

import made_damage

pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")

import httpx

from remend.serve.app import Application, create_app
from remend.serve.limits import Limits
from remend.serve.security import Guard

HOST = "http://127.0.0.1:8321"
LOOK_S = 0.02  # what one look takes on a machine that has nothing else to do: a request, and the pause


def until(condition: Callable[[], bool], seconds: float = 120.0) -> float:
    """Wait until it holds.

    Returns:
        How many seconds that took, as a machine counts them that has nothing else to do: on a busy one each
        look takes longer, and so does what is waited for, so no look counts more than ``LOOK_S``.
    """
    began = since = time.monotonic()
    spent = 0.0
    while not condition():
        time.sleep(0.01)
        now = time.monotonic()
        spent, since = spent + min(now - since, LOOK_S), now
        assert now - began < seconds, "it never came to hold"
    return spent


class Home:
    """An application on an event loop of its own, in a thread; requests go to it without sockets."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._leave = asyncio.Event()

    def run(self, work: Any, seconds: float = 60.0) -> Any:
        """The answer of a coroutine, on the application's loop."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(seconds)

    def __enter__(self) -> "Home":
        self.thread.start()
        self._life = self.app.router.lifespan_context(self.app)
        self.run(self._life.__aenter__())
        self.run(self._until_ready())
        return self

    async def _until_ready(self) -> None:
        async with asyncio.timeout(60):
            while not self.app.desk.ready:
                await asyncio.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        self.run(self._life.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, **more)

        answer: httpx.Response = self.run(ask())
        return answer

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **more)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    with Home(create_app(limits=Limits(queue=4, max_pixels=2_000_000, max_bytes=4 << 20))) as made:
        yield made


@pytest.fixture(scope="session")
def make_home() -> Callable[..., Home]:
    """An application with other limits or another guard, to be used with ``with``."""

    def make(*, guard: Guard | None = None, **limits: Any) -> Home:
        return Home(create_app(limits=Limits(**limits), guard=guard))

    return make


def scratched(size: tuple[int, int] = (60, 80)) -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) with a white scratch, and the scratch's mask (H, W) uint8."""
    y, x = np.mgrid[: size[0], : size[1]]
    image = np.stack([100 + x // 2 % 80, 80 + y % 90, 120 + 0 * x], axis=2).astype(np.uint8)
    mask = np.zeros(size, np.uint8)
    mask[20:23, 10 : size[1] - 10] = 255
    image[mask > 0] = 255
    return image, mask


def as_file(array: np.ndarray, format: str = "PNG", **more: Any) -> bytes:
    """An array as a file's bytes."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, format, **more)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def picture() -> bytes:
    return as_file(scratched()[0])


@pytest.fixture(scope="session")
def mask() -> bytes:
    return as_file(scratched()[1])


@pytest.fixture(scope="session")
def worn() -> bytes:
    """A photograph with damage that is found: strokes in white, and a few in black."""
    return as_file(made_damage.strokes(made_damage.worn()[0], 4, 5, seed=9)[0])
