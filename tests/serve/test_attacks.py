"""Who is slow, greedy or guesses does not keep others from being served. The real server, over sockets."""

import asyncio
import errno
import http.client
import json
import os
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

pytest.importorskip("fastapi", reason="serving needs its extra: pip install '.[serve]'")

import httpx

from remend.serve.arrivals import client_of
from remend.serve.desk import Desk
from remend.serve.forecast import Forecast
from remend.serve.guesses import Guesses
from remend.serve.job import Job
from remend.serve.limits import Ledger, Limits
from remend.serve.metrics import Metrics
from remend.serve.problems import Problem
from remend.serve.task import Progress
from remend.serve.uploads import Upload

from .conftest import HOST, until
from .test_server import TOKEN, Client, serving

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc of POSIX")


def drip(sock: socket.socket, over: threading.Event, every: float = 0.5) -> None:
    """One byte at a time, until the other side hangs up or it is over."""
    with suppress(OSError):
        while not over.wait(every):
            sock.sendall(b"a")


@contextmanager
def slow_clients(client: Client, bodies: int, headers: int, announced: int):
    """Clients that send their bodies, or headers, a byte at a time; a new one for each that is cut off."""
    over, threads = threading.Event(), []

    def attack(start: bytes) -> None:
        while not over.is_set():
            with (
                suppress(OSError),
                socket.create_connection(("127.0.0.1", client.port), timeout=30) as sock,
            ):
                sock.sendall(start)
                drip(sock, over)
            over.wait(0.2)

    host = f"Host: 127.0.0.1:{client.port}\r\n".encode()
    body = (
        b"POST /v1/repair HTTP/1.1\r\n" + host + b"Content-Type: multipart/form-data; boundary=x\r\n"
        b"Content-Length: %d\r\n\r\n--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"
    )
    for number in range(bodies + headers):
        start = body % announced if number < bodies else b"GET / HTTP/1.1\r\n" + host + b"X: "
        threads.append(threading.Thread(target=attack, args=(start,), daemon=True))
        threads[-1].start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(10)


def honest(client: Client, count: int, **fields) -> list[tuple[int, float]]:
    """Status and seconds of so many repairs at once."""

    def ask(_: int) -> tuple[int, float]:
        since = time.monotonic()
        return client.post("/v1/repair", **fields)[0], time.monotonic() - since

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, range(count)))


@POSIX
@pytest.mark.parametrize(
    ("bodies", "headers", "announced", "count"),
    [
        (12, 20, 5000, 4),
        (12, 20, 200 << 20, 4),
        pytest.param(60, 200, 5000, 27, marks=pytest.mark.slow),
        pytest.param(60, 200, 250 << 20, 27, marks=pytest.mark.slow),
    ],
)
def test_slow_clients_starve_nobody(picture, mask, bodies, headers, announced, count):
    with serving("--workers", "1", "--queue", "32") as client:
        with slow_clients(client, bodies, headers, announced):
            time.sleep(1.0)
            answers = honest(client, count, image=picture, mask=mask)
            print(sorted(answers, key=lambda pair: pair[1]))
        served = [seconds for status, seconds in answers if status == 200 and seconds <= 10]
        assert len(served) >= count - 1, answers
        until(lambda: client.metric("remend_upload_bytes") == 0)


@POSIX
def test_headers_and_bodies_that_drip_are_cut_off():
    with serving("--workers", "1") as client:
        head = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n".encode()
        kind = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 99999\r\n\r\n--x\r\n"
        body = head.replace(b"GET /health", b"POST /v1/repair") + kind.encode()
        over, ends = threading.Event(), {}

        def wait(name: str, start: bytes) -> None:
            with socket.create_connection(("127.0.0.1", client.port), timeout=30) as sock:
                since = time.monotonic()
                sock.sendall(start)
                threading.Thread(target=drip, args=(sock, over), daemon=True).start()
                first = sock.recv(4096)
                ends[name] = (first.split(b" ")[1], time.monotonic() - since)

        threads = [
            threading.Thread(target=wait, args=pair)
            for pair in [("nothing", b""), ("headers", head + b"X-Slow: "), ("body", body)]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(25)
        over.set()
        assert {name: status for name, (status, _) in ends.items()} == dict.fromkeys(
            ("nothing", "headers", "body"), b"408"
        )
        assert all(seconds < 13 for _, seconds in ends.values()), ends


def flood(client: Client, count: int, size: int, *, chunked: bool = False) -> list[tuple[int, dict, bytes]]:
    """So many bodies of so many bytes at once; what each was answered."""
    head, tail = client.form(image=b"BM")[0].split(b"BM")
    kind = "multipart/form-data; boundary=" + head.split(b"\r\n")[0][2:].decode()
    piece = bytes(1 << 20)

    def send(_: int) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
        connection.putrequest("POST", "/v1/jobs")
        connection.putheader("Content-Type", kind)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        else:
            connection.putheader("Content-Length", str(len(head) + size + len(tail)))
        connection.endheaders()

        def put(data: bytes) -> None:
            connection.send(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)

        with suppress(OSError):  # it was answered before all was sent
            put(head)
            for at in range(0, size, len(piece)):
                put(piece[: size - at])
            put(tail)
            if chunked:
                connection.send(b"0\r\n\r\n")
        try:
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except (OSError, http.client.HTTPException):
            return 0, {}, b""
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("chunked", [False, True])
def test_at_the_quota_those_go_on_for_whom_there_is_room(chunked):
    with serving("--workers", "1") as client:
        answers = flood(client, 12, 240_000_000, chunked=chunked)
        check_flood([(status, headers, json.loads(content)) for status, headers, content in answers])


def check_flood(answers: list[tuple[int, dict, dict]]) -> None:
    statuses = sorted(status for status, _, _ in answers)
    print(statuses)
    assert statuses.count(202) >= 7
    assert set(statuses) <= {202, 503}
    for status, headers, content in answers:
        if status == 503:
            assert content["kind"] == "queue-full"
            assert 1 <= int({name.lower(): value for name, value in headers.items()}["retry-after"]) <= 600


@pytest.mark.parametrize("announced", [True, False])
def test_at_a_small_quota_too(make_home, announced):
    """Twelve bodies at once, piece by piece in turn, with room for eight and a half."""
    size = 400_000
    start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    with make_home(held_bytes=int(8.5 * size), max_bytes=size + 1000, room_seconds=0.3) as home:

        async def body():
            yield start
            for _ in range(size // 20_000):
                yield bytes(20_000)
                await asyncio.sleep(0.005)
            yield end

        async def post(client: httpx.AsyncClient) -> tuple[int, dict, dict]:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            if announced:
                headers["Content-Length"] = str(len(start) + size + len(end))
            answer = await client.post("/v1/jobs", content=body(), headers=headers)
            return answer.status_code, dict(answer.headers), answer.json()

        async def flooded() -> list[tuple[int, dict, dict]]:
            transport = httpx.ASGITransport(app=home.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=HOST, timeout=60) as client:
                return await asyncio.gather(*(post(client) for _ in range(12)))

        check_flood(home.run(flooded()))


def test_wrong_tokens_cost_time_and_a_good_one_ends_it(make_home):
    from remend.serve.security import Guard

    with make_home(guard=Guard("0.0.0.0", TOKEN, ["127.0.0.1"])) as home:
        good, wrong = ({"Authorization": f"Bearer {token}"} for token in (TOKEN, "wrong"))
        opened = home.post("/v1/session", headers=good)
        cookie = {"Cookie": opened.headers["set-cookie"].split(";")[0]}
        statuses = [home.get("/v1/methods", headers=wrong).status_code for _ in range(10)]
        assert statuses == [401] * 6 + [429] * 4
        refused = home.get("/v1/methods", headers=good)
        assert (refused.status_code, refused.json()["kind"]) == (429, "too-many-guesses")
        assert home.get("/v1/methods", headers=cookie).status_code == 200, "a page that is open stays open"
        assert home.get("/", params={"token": "guess"}).status_code == 429
        assert home.get("/v1/methods").status_code == 401, "no token is no guess"
        time.sleep(int(refused.headers["retry-after"]))
        assert home.get("/v1/methods", headers=good).status_code == 200, "Retry-After is true"
        assert home.get("/v1/methods", headers=wrong).status_code == 401


def test_guesses_double_up_to_a_minute_and_are_bounded(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("remend.serve.guesses.time.monotonic", lambda: now)
    guesses, waits = Guesses(), []
    for _ in range(16):
        try:
            guesses.check("a")
            waits.append(0)
        except Problem as problem:
            waits.append(problem.retry_after)
            now += problem.retry_after
            guesses.check("a")
        guesses.wrong("a")
    assert waits == [0] * 6 + [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    guesses.check("b")
    now += 601
    guesses.wrong("a")
    guesses.check("a")
    for number in range(5000):
        guesses.wrong(str(number))
    assert len(guesses._wrong) <= 4096


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_told_as_such(make_home, picture, mask, monkeypatch):
    files = {"image": picture, "mask": mask}
    with make_home() as home:
        (home.app.desk.folder / "1.result").symlink_to("/dev/full")
        answer = home.post("/v1/repair", files=files)
        assert (answer.status_code, answer.json()["kind"]) == (507, "disk-full")
        assert "report it" not in answer.json()["remedy"]
        assert int(answer.headers["retry-after"]) >= 1

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr("remend.serve.uploads._Form.flush", full)
            answer = home.post("/v1/repair", files=files)
            assert (answer.status_code, answer.json()["kind"]) == (507, "disk-full")
        with monkeypatch.context() as patched:
            patched.setattr("remend.serve.arrivals.SPARE_BYTES", 1 << 60)
            answer = home.post("/v1/repair", files=files)
            assert (answer.status_code, answer.json()["kind"]) == (507, "disk-full")
        assert home.post("/v1/repair", files=files).status_code == 200
        assert home.app.desk.ledger.held == 0
        assert not list(home.app.desk.folder.iterdir())


def desk_with(folder, **limits) -> Desk:
    """A desk at which nobody works."""
    desk = Desk(Limits(**limits), Metrics())
    desk.folder = desk.arrivals.folder = folder
    return desk


def test_one_address_has_its_share_and_no_more(tmp_path):
    desk = desk_with(tmp_path, queue=4)
    desk.line.waiting.extend(job("192.0.2.1") for _ in range(2))

    async def admit(client: str | None) -> bool:
        async with desk.admission(client, 10):
            return True

    with pytest.raises(Problem, match="from your address wait"):
        asyncio.run(admit("192.0.2.1"))
    assert asyncio.run(admit("192.0.2.2"))
    assert asyncio.run(admit(None)), "programs of this machine are not told apart"


def test_one_address_has_its_share_of_bytes(tmp_path):
    desk = desk_with(tmp_path, held_bytes=1000, max_bytes=1000, room_seconds=0.0)

    async def two(first: str, second: str) -> bool:
        async with desk.admission(first, 400) as one, desk.admission(second, 200) as other:
            one.upload.discard()
            other.upload.discard()
            return True

    with pytest.raises(Problem, match="fill its share"):
        asyncio.run(two("192.0.2.1", "192.0.2.1"))
    desk.ledger.held = 0
    assert asyncio.run(two("192.0.2.1", "192.0.2.2"))


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("not an address", None),
        (None, None),
    ],
)
def test_who_is_one_client(address, client):
    assert client_of(address) == client


def job(client=None, *, began=None, share=0.0, held=0) -> Job:
    """A job that is not worked on."""
    made = Job("x", None, Upload(Ledger(1 << 40), held=held), False, client=client)  # type: ignore[arg-type]
    made.began, made.share = began, share
    return made


def test_retry_after_is_when_a_place_is_free():
    forecast = Forecast(workers=1)
    for _ in range(50):
        forecast.learn(10.0)
    now = time.monotonic()
    running = [job(began=now - 6.0)]
    waiting = [job() for _ in range(3)]
    # In 4 s the one in work is over and the next begins: then there is a place, and 10 s later another.
    assert [forecast.place(running, waiting) for _ in range(6)] == [4, 14, 24, 34, 44, 54]
    forecast.learn(10.0)
    assert forecast.place(running, waiting) == 4, "each end is a new place"
    fast = [job(began=now - 6.0, share=0.5)]
    assert forecast.ends(fast, [])[0][0] == pytest.approx(6.0, abs=0.2), "how far it is says more"


def test_retry_after_of_bytes_is_when_enough_are_given_back():
    forecast = Forecast(workers=2)
    forecast.learn(10.0)
    now = time.monotonic()
    running = [job(began=now - 6.0, held=10), job(began=now - 2.0, held=100)]
    assert forecast.room(5, running, []) == 4
    assert forecast.room(50, running, []) == 8
    assert forecast.room(5, [], []) == 10


def test_a_job_that_is_late_takes_longer():
    forecast = Forecast(workers=1)
    forecast.learn(3.0)
    late = job(began=time.monotonic() - 20.0)
    assert forecast.left(late) == pytest.approx(5.0, abs=0.1), "one that is late takes longer"
    late.hear(Progress("fill", 9, 10))
    assert forecast.left(late) < 4
