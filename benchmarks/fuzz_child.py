"""The process in which `benchmarks.fuzz` tries a file, and the server to which it posts one."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import PIL.Image

__all__ = ["Attempt", "Verdict", "posted", "tried_in"]


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    Attributes:
        kind: ``done``, ``refused`` in one line, ``fault``, ``partial``, ``crash`` or ``hung``.
        seconds: processor time.
        mib: peak memory while it was tried.
        said: the line.
    """

    kind: str
    seconds: float
    mib: float
    said: str = ""


Attempt = Callable[[Path, str], Verdict]


def plain_png(size: tuple[int, int], *, hole: bool) -> bytes:
    """A picture, or a mask with a hole that stays small on files that claim to be large."""
    width, height = size
    pixels = np.zeros((height, width), np.uint8)
    if hole:
        pixels[height // 3 : height // 3 + 3, width // 3 : width // 3 + 3] = 255
    else:
        pixels[:] = np.add.outer(np.arange(height) * 3, np.arange(width) * 2) % 200
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def attempted(path: Path, role: str, out: Path) -> tuple[str, str]:
    """Try a file in this process: what became of it, and the line."""
    from remend.batch import BatchOptions, Failure, attempt
    from remend.io import read_picture
    from remend.io.pages import open_document
    from remend.options import MaskOptions, Settings

    given = MaskOptions(
        resize_mask=role != "found", yes=role == "mask", pages="all" if role == "pages" else ""
    )
    shared = BatchOptions(settings=Settings(method="telea"), options=given, overwrite=True)
    source, mask = path, out / "m.png"
    if role == "mask":
        source, mask = out / "p.png", path
    elif role == "found":
        mask = None
    target = out / "results" / (path.name if role != "mask" else "p.png")
    try:
        outcome = attempt(source, target, shared, mask=mask, place=Path(path.name))
        left = {p.name for p in target.parent.iterdir()} if target.parent.is_dir() else set()
        if isinstance(outcome, Failure):
            if left:
                return "partial", f"left {sorted(left)}: {outcome.message}"
            fault = "\n" in outcome.message or "a fault of Remend's own" in outcome.message
            return ("fault" if fault else "refused"), outcome.message
        if left != {target.name}:
            return "partial", f"left {sorted(left)}"
        if role == "pages":
            for page in open_document(target).pages:
                page.samples  # noqa: B018 - decoded
        elif target.read_bytes() != source.read_bytes():  # a clean file may be too large to be read at once
            read_picture(target)
    except Exception as error:
        return "fault", f"{type(error).__name__}: {error}"
    finally:
        for path in target.parent.glob("*") if target.parent.is_dir() else ():
            path.unlink()
    return "done", ""


def peak_mib(process: int | str = "self") -> float:
    """The most memory that a process has held since it was last reset; 0 where /proc does not say."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def reset_peak(process: int | str = "self") -> None:
    """Let the peak begin anew."""
    with suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")


@contextmanager
def tried_in(child: Attempt) -> Iterator[Attempt]:
    """Attempts by a child process."""
    yield child


@contextmanager
def posted(folder: Path) -> Iterator[Attempt]:
    """Attempts by a server of one worker, started here."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "remend", "serve", "--port", "0", "--workers", "1"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert server.stderr is not None
    port = int(re.search(r"http://\S+?:(\d+)", server.stderr.readline())[1])  # type: ignore[index]
    picture, hole = plain_png((64, 48), hole=False), plain_png((64, 48), hole=True)

    def post(path: Path, role: str) -> Verdict:
        content = path.read_bytes()
        parts = {"image": content, "mask": hole} if role == "picture" else {"image": picture, "mask": content}
        boundary, body = uuid4().hex, io.BytesIO()
        for name, value in parts.items():
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="a"\r\n\r\n'
            body.write(head.encode() + value + b"\r\n")
        for name, word in {"method": "telea", "resize_mask": "true", "yes": "true"}.items():
            body.write(
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{word}\r\n'.encode()
            )
        body.write(f"--{boundary}--\r\n".encode())
        workers = _children(server.pid)
        before = sum(workers.values())
        for worker in workers:
            reset_peak(worker)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
            kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
            connection.request("POST", "/v1/repair", body.getvalue(), kind)
            answer = connection.getresponse()
            status, said = answer.status, answer.read()
            connection.close()
        except OSError as error:
            return Verdict("crash", 0.0, 0.0, f"{type(error).__name__}: {error}")
        workers_after = _children(server.pid)
        spent = max(0.0, sum(workers_after.values()) - before)
        mib = max((peak_mib(worker) for worker in workers_after), default=0.0)
        if status == 200:
            return Verdict("done", spent, mib)
        refused = 400 <= status < 500 and b"fault of Remend" not in said
        died = set(workers) - set(workers_after)
        return Verdict(
            "crash" if died else "refused" if refused else "fault", spent, mib, f"{status} {said[:300]!r}"
        )

    try:
        _until_ready(port)
        yield post
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _until_ready(port: int) -> None:
    for _ in range(1200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server does not become ready")


def _children(parent: int) -> dict[int, float]:
    """Processes of a server and their processor time."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"resource_tracker" not in command:
            found[int(stat.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def main() -> None:
    """Answer a line for each line that names a file and its role."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "m.png").write_bytes(plain_png((64, 48), hole=True))
    (out / "p.png").write_bytes(plain_png((64, 48), hole=False))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    for line in sys.stdin:
        path, role = json.loads(line)
        reset_peak()
        since = time.process_time()
        kind, said = attempted(Path(path), role, out)
        verdict = Verdict(kind, time.process_time() - since, peak_mib(), said[:300])
        answers.write(json.dumps(asdict(verdict)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
