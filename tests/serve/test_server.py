"""The real server in its own process: ports, signals, workers that die, clients that leave."""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import cv2
import numpy as np
import pytest

from .conftest import as_file, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc of POSIX")
TOKEN = "correct horse battery staple"


class Client:
    """A server's process and plain requests to it."""

    def __init__(self, process: subprocess.Popen[str], link: str) -> None:
        self.process, self.link = process, link
        self.port = int(re.search(r":(\d+)/", link)[1])
        self.token: str | None = None

    def open(self, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPConnection:
        """A request that was sent; the answer has not been read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        return connection

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        connection = self.open(method, path, body, **headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def form(self, **fields: str | bytes) -> tuple[bytes, str]:
        """A multipart body and its content type."""
        boundary, buffer = uuid4().hex, io.BytesIO()
        for name, value in fields.items():
            content = value if isinstance(value, bytes) else value.encode()
            file = '; filename="a.png"' if isinstance(value, bytes) else ""
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
            buffer.write(head.encode() + content + b"\r\n")
        buffer.write(f"--{boundary}--\r\n".encode())
        return buffer.getvalue(), f"multipart/form-data; boundary={boundary}"

    def post(self, path: str, **fields: str | bytes) -> tuple[int, dict[str, str], bytes]:
        """A form."""
        body, kind = self.form(**fields)
        return self.ask("POST", path, body, Content_Type=kind)

    def metric(self, name: str) -> float:
        """A figure of /metrics."""
        text = self.ask("GET", "/metrics")[2].decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found[1]) if found else 0.0

    def workers(self) -> dict[int, float]:
        """Worker processes and the processor time each has used."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                command = (path.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and b"resource_tracker" not in command:
                found[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return found


@contextmanager
def serving(*flags: str, token: str | None = None, folder: Path | None = None) -> Iterator[Client]:
    """`remend serve` on a free port."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("REMEND_TOKEN", None)
    if token is not None:
        environment["REMEND_TOKEN"] = token
    if folder is not None:
        environment["TMPDIR"] = str(folder)
    command = [sys.executable, "-m", "remend", "serve", "--port", "0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        client = Client(process, re.search(r"http://\S+", first)[0])
        client.token = token
        until(lambda: client.ask("GET", "/ready")[0] == 200)
        yield client
    finally:
        for _ in range(2):  # the second one ends it at once, and it tidies up
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        try:
            process.communicate(timeout=20)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with serving("--workers", "1", "--queue", "8") as client:
        yield client


def slow_fields() -> dict[str, str | bytes]:
    """A repair of many seconds in one step."""
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (700, 700, 3), np.uint8), (0, 0), 1.2)
    mask = np.zeros((700, 700), np.uint8)
    mask[150:550, 150:550] = 255
    return {"image": as_file(image), "mask": as_file(mask), "method": "criminisi"}


def running(client: Client, job: dict) -> bool:
    """Whether a job is filling."""
    return json.loads(client.ask("GET", job["links"]["self"])[2])["stage"] == "fill"


def begun(client: Client, before: dict[int, float]) -> int:
    """Wait until one of the workers, idle ``before``, is at work; which."""

    def spent(pid: int) -> float:
        return client.workers()[pid] - before[pid]

    until(lambda: max(map(spent, before)) > 0.2)
    return max(before, key=spent)


def test_a_worker_that_is_killed_is_reported_and_replaced(server, picture, mask):
    until(lambda: server.metric("remend_workers") == 2)
    job = json.loads(server.post("/v1/jobs", **slow_fields())[2])
    until(lambda: running(server, job))
    before = server.workers()
    assert len(before) == 2
    busy = begun(server, before)
    os.kill(busy, signal.SIGKILL)
    state = lambda: json.loads(server.ask("GET", job["links"]["self"])[2])  # noqa: E731
    assert until(lambda: state()["state"] == "failed") < 1.0
    problem = state()["problem"]
    assert (problem["status"], problem["kind"]) == (500, "worker-died")
    assert "memory" in problem["detail"] and problem["remedy"]
    status, _, content = server.ask("GET", job["links"]["result"])
    assert (status, json.loads(content)["kind"]) == (500, "worker-died")
    assert server.metric("remend_worker_deaths_total") == 1
    assert server.post("/v1/repair", image=picture, mask=mask)[0] == 200
    until(lambda: server.metric("remend_workers") == 2)
    assert busy not in server.workers()


def test_workers_that_are_killed_while_idle_are_replaced_unseen(server, picture, mask):
    until(lambda: server.metric("remend_workers") == 2)
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    assert [server.post("/v1/repair", image=picture, mask=mask)[0] for _ in range(3)] == [200] * 3
    until(lambda: server.metric("remend_workers") == 2)


def test_a_client_that_leaves_frees_its_place_within_a_second(server, picture, mask):
    body, kind = server.form(**slow_fields())
    deaths = server.metric("remend_worker_deaths_total")
    for cut in (True, False):
        until(lambda: server.metric("remend_workers") == 2)
        before = server.workers()
        connection = server.open("POST", "/v1/repair", body, Content_Type=kind)
        until(lambda: server.metric("remend_upload_bytes") > len(body) - 1)
        begun(server, before)
        if cut:  # a reset, as when a program dies
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sock.close()
        connection.close()
        # A job holds its upload until its place is free.
        assert until(lambda: server.metric("remend_upload_bytes") == 0) < 1.0
        assert server.post("/v1/repair", image=picture, mask=mask)[0] == 200
    assert server.metric("remend_worker_deaths_total") == deaths, "stopped on purpose, not dead"


def test_a_client_that_leaves_during_its_upload_leaves_nothing(server):
    body, kind = server.form(**slow_fields())
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.putrequest("POST", "/v1/repair")
    connection.putheader("Content-Type", kind)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[: len(body) // 2])
    until(lambda: server.metric("remend_upload_bytes") > 0)
    connection.close()
    assert until(lambda: server.metric("remend_upload_bytes") == 0) < 1.0
    assert server.metric("remend_queue_depth") == 0


def test_an_upload_that_is_refused_early_still_gets_its_answer(server, picture):
    body = picture + bytes(300 << 20)
    status, _, content = server.ask(
        "POST", "/v1/repair", body, Content_Type="multipart/form-data; boundary=x"
    )
    assert (status, json.loads(content)["kind"]) == (413, "too-many-bytes")


@pytest.mark.parametrize(
    "raw", [b"GET /v1/methods HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"]
)
def test_requests_that_name_no_host(server, raw):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(raw)
        assert line.recv(4096).split(b" ")[1] in (b"400", b"421")


def test_sigterm_lets_work_in_hand_finish(picture, mask):
    with serving("--workers", "1") as client:
        image = cv2.GaussianBlur(
            np.random.default_rng(0).integers(0, 255, (600, 600, 3), np.uint8), (0, 0), 1.2
        )
        hole = np.zeros((600, 600), np.uint8)
        hole[200:400, 200:400] = 255
        fields = {"image": as_file(image), "mask": as_file(hole), "method": "exemplar", "quality": "best"}
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(client.post("/v1/repair", **fields)[0]))
        job = json.loads(client.post("/v1/jobs", **fields)[2])
        waiting.start()
        until(lambda: running(client, job))
        until(lambda: client.metric("remend_queue_depth") == 1)
        workers = client.workers()
        since = time.monotonic()
        client.process.send_signal(signal.SIGTERM)
        until(lambda: client.ask("GET", "/ready")[0] == 503)
        status, headers, content = client.post("/v1/repair", image=picture, mask=mask)
        assert (status, json.loads(content)["kind"]) == (503, "draining")
        assert int(headers["retry-after"]) > 0
        assert client.ask("GET", "/health")[0] == 200
        until(lambda: json.loads(client.ask("GET", job["links"]["self"])[2])["state"] == "done")
        assert client.ask("GET", job["links"]["result"])[0] == 200
        waiting.join(20)
        assert answers == [200]
        assert client.process.wait(20) == 0
        assert time.monotonic() - since < 20
        assert client.process.stderr.read().count("\n") <= 1
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.slow
def test_sigterm_ends_within_twenty_seconds_whatever_is_in_hand(tmp_path):
    with serving("--workers", "1", folder=tmp_path) as client:
        fields = slow_fields()
        image = cv2.resize(cv2.imdecode(np.frombuffer(fields["image"], np.uint8), 1), (1400, 1400))
        hole = np.zeros((1400, 1400), np.uint8)
        hole[200:1200, 200:1200] = 255
        fields |= {"image": as_file(image), "mask": as_file(hole)}
        answers: list[tuple[int, dict[str, str], bytes]] = []
        waiting = threading.Thread(target=lambda: answers.append(client.post("/v1/repair", **fields)))
        waiting.start()
        until(lambda: client.metric("remend_upload_bytes") > 0)
        time.sleep(1)
        assert list(tmp_path.glob("remend-serve-*/*"))
        since = time.monotonic()
        client.process.send_signal(signal.SIGTERM)
        assert client.process.wait(25) == 0
        assert time.monotonic() - since < 20
        waiting.join(5)
        assert (answers[0][0], json.loads(answers[0][2])["kind"]) == (503, "draining")
        assert not list(tmp_path.glob("remend-serve-*")), "no picture stays behind"


def test_an_open_address_with_its_token_and_no_secret_in_the_log():
    with serving("--host", "0.0.0.0", token=TOKEN) as client:
        ticket = client.link.partition("token=")[2]
        assert ticket and TOKEN not in client.link
        client.token = None
        assert client.ask("GET", "/v1/methods")[0] == 401
        status, headers, _ = client.ask("GET", f"/?token={ticket}")
        assert (status, headers["location"]) == (303, "/")
        cookie = headers["set-cookie"].partition(";")[0]
        assert client.ask("GET", "/v1/methods", Cookie=cookie)[0] == 200
        assert client.ask("GET", f"/?token={ticket}")[0] == 403
        assert client.ask("GET", f"/v1/methods?token={quote(TOKEN)}")[0] == 401
        client.process.send_signal(signal.SIGINT)
        assert client.process.wait(20) == 0
        log = client.process.stderr.read()
        assert TOKEN not in log
        assert ticket not in log


def one_line(*flags: str, **environment: str) -> tuple[int, str]:
    """Exit code and the only line of a start that is refused."""
    command = [sys.executable, "-m", "remend", "serve", *flags]
    clean = {name: value for name, value in os.environ.items() if name != "REMEND_TOKEN"}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **environment}
    )
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return result.returncode, lines[0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org"])
def test_an_open_address_needs_a_token(host):
    code, line = one_line("--host", host)
    assert code == 2
    assert "--token" in line


def test_a_short_token_and_a_taken_port_are_one_line(server):
    code, line = one_line("--token", "1234")
    assert (code, "16 or more" in line) == (2, True)
    assert "1234:" not in line
    code, line = one_line("--port", str(server.port))
    assert (code, str(server.port) in line) == (2, True)


def test_without_the_extra_it_is_one_kind_line(tmp_path):
    code = (
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'fastapi' else real(name, *more)\n"
        "from remend.cli.main import main; main(['serve'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert result.stderr.strip() == "remend: serving needs its extra: pip install 'remend[serve]'"


def test_the_verb_is_listed_without_loading_the_extra():
    code = (
        "import sys\nfrom remend.cli.main import main\nimport remend.cli.serve\n"
        "assert not set(sys.modules) & {'fastapi', 'uvicorn', 'starlette', 'numpy', 'cv2'}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
