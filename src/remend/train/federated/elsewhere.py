"""A federation of processes, on machines of their own: Flower's SuperLink, a SuperNode a member, and a run.

Flower does the network, the encryption and the accounts of who is there; this starts its programs with what
they need to find our apps, and ends them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from remend.errors import ResourceError, UsageError
from remend.train.federated.member import beginning
from remend.train.federated.shares import KINDS
from remend.train.federated.terms import Terms

__all__ = ["join", "lead"]

_APP = """from remend.train.federated.flower import app_of_leader, app_of_node

client_app = app_of_node()
server_app = app_of_leader()
"""
_PATIENCE_S = 120.0
_PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "remend-federation"
version = "1.0.0"
description = "Members run Remend as they have it installed; this names it."
license = "Apache-2.0"
dependencies = []

[tool.hatch.build.targets.wheel]
packages = ["."]

[tool.flwr.app]
publisher = "remend"

[tool.flwr.app.components]
serverapp = "remend_federation:server_app"
clientapp = "remend_federation:client_app"

[tool.flwr.app.config]
terms = {terms}
members = {members}
out = {out}
"""


def lead(
    terms: Terms,
    members: int,
    out: Path,
    *,
    address: str = "127.0.0.1:9092",
    certificates: Sequence[Path] = (),
    say: Callable[[str], None] = print,
) -> Path:
    """Wait for members, let them learn, and keep the common weights after each round.

    Args:
        terms: of the federation.
        members: that each round waits for.
        out: the run's folder; ``best.safetensors`` in it is replaced after each round.
        address: ``HOST:PORT`` where members find it.
        certificates: of the authority, of this server, and its key, PEM; none = what crosses is not
            encrypted, for one machine or a tunnel.
        say: told what happens.

    Returns:
        The weights' file.

    Raises:
        UsageError: Flower is missing, or a run is there already.
        ModelError: the weights to begin with are missing, or nothing in them fits.
        ResourceError: Flower ends before the last round.
    """
    best, told = out / "best.safetensors", out / "best.jsonl"
    if best.exists():
        raise UsageError(f"{best} exists: give another --out")
    beginning(terms)  # or what is wrong with it would be told when all have come
    out.mkdir(parents=True, exist_ok=True)
    told.unlink(missing_ok=True)  # of a run that failed
    with tempfile.TemporaryDirectory() as folder, _programs() as start:
        home = Path(folder)
        secure = ["--insecure"]
        if certificates:
            certificates = [path.resolve() for path in certificates]
            flags = ("--ssl-ca-certfile", "--ssl-certfile", "--ssl-keyfile")
            secure = [word for pair in zip(flags, map(str, certificates), strict=True) for word in pair]
        host, _, port = address.rpartition(":")
        where = ("--host", host, "--port", port)
        link = start(home, "flower-superlink", *secure, *where, "--disable-runtime-dependency-installation")
        control = f"127.0.0.1:{port}" if host in ("", "0.0.0.0") else address
        _listening(control, link, home)
        app = home / "app"
        app.mkdir()
        (app / "pyproject.toml").write_text(
            _PROJECT.format(
                terms=json.dumps(terms.with_own_files().as_json()),
                members=members,
                out=json.dumps(str(best.resolve())),
            ),
            encoding="utf-8",
        )
        (app / "remend_federation.py").write_text(_APP, encoding="utf-8")
        (app / "README.md").write_text("Remend, as members have it.\n", encoding="utf-8")
        kind = (
            "insecure = true"
            if not certificates
            else f"root-certificates = {json.dumps(str(certificates[0]))}"
        )
        (home / "config.toml").write_text(
            f'[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "{control}"\n{kind}\n', "utf-8"
        )
        say(f"members join with: remend federate join --data FOLDER --address {address}")
        handed_in = subprocess.run(
            [_program("flwr"), "run", str(app), "here"],
            env=_environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
        if handed_in.returncode:
            raise ResourceError(
                f"Flower does not take the run: {_plain(handed_in.stdout + handed_in.stderr)}"
            )
        number = 0
        while number < terms.rounds:
            time.sleep(0.3)
            if link.poll() is not None:
                raise ResourceError(f"Flower's SuperLink has ended: {_log_of(home, 'flower-superlink')}")
            over = "Finished task" in _read(home, "flower-superlink")  # before looking: then nothing comes
            lines = told.read_text("utf-8").splitlines() if told.exists() else []
            for line in lines[number:]:
                said = json.loads(line)
                if "failed" in said:
                    raise ResourceError(f"the run has failed: {said['failed']}")
                spent = [member["epsilon"] for member in said["members"] if "epsilon" in member]
                say(
                    f"round {said['round']} of {terms.rounds}"
                    + (f", ε at most {max(spent):.2f}" if spent else "")
                )
            number = len(lines)
            if over and number < terms.rounds:
                raise ResourceError(f"the run ended after {number} of {terms.rounds} rounds: start it again")
        time.sleep(1.0)  # the last answers are on their way
    return best


def join(
    data: Path,
    *,
    address: str = "127.0.0.1:9092",
    seed: int = 0,
    certificate: Path | None = None,
    kind: str = "",
    secagg: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Take part with the pictures of a folder until stopped, or until the leader goes.

    Flower gives a member the leader's app; ours names Remend's as it is installed here. A leader whom nobody
    trusts could send another program: join leaders that you know, over TLS.

    Args:
        data: whatever ``remend train --data`` takes; it never leaves this machine.
        address: of the leader.
        seed: of what this member draws; another for each.
        certificate: of the authority that vouches for the leader, PEM; None = not encrypted.
        kind: of damage that this member knows, one of `remend.train.federated.shares.KINDS`; "" = the
            recipe's own mix.
        secagg: refuse rounds in which the leader would see this member's own weights.
        say: told what happens.

    Returns:
        The exit code of Flower's SuperNode.

    Raises:
        UsageError: Flower is missing, or there is no such folder or kind of damage.
    """
    if not data.exists():
        raise UsageError(f"--data {data} is not there")
    if kind and kind not in KINDS:
        raise UsageError(f"--kind {kind} is none: {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory() as folder, _programs() as start:
        secure = ["--insecure"] if certificate is None else ["--root-certificates", str(certificate)]
        config = f"data={json.dumps(str(data.resolve()))} seed={seed} kind={json.dumps(kind)}"
        config += f" secagg={json.dumps(secagg)}"
        port = str(_free_port())
        node = start(
            Path(folder),
            "flower-supernode",
            *secure,
            "--superlink",
            address,
            "--port",
            port,
            "--max-retries",
            "60",
            "--node-config",
            config,
        )
        say(f"taking part in {address} with {data}; Ctrl-C ends it")
        return node.wait()


@contextmanager
def _programs() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs of Flower, and ends them all, with what they started."""
    running: list[subprocess.Popen[bytes]] = []
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # or they would stay

    def start(home: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (home / f"{name}.log").open("ab") as log:
            running.append(
                subprocess.Popen(
                    [_program(name), *arguments],
                    env=_environment(home),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
        return running[-1]

    try:
        yield start
    finally:
        signal.signal(signal.SIGTERM, before)
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _program(name: str) -> str:
    """A program that was installed beside this Python."""
    path = Path(sys.executable).with_name(name)
    if not path.is_file():
        raise UsageError("federating needs flwr, which is not installed: pip install 'remend[federated]'")
    return str(path)


def _environment(home: Path) -> dict[str, str]:
    """That of a program: Flower's own folder in a place that goes away with it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "FLWR_HOME": str(home), "PATH": path}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listening(address: str, process: subprocess.Popen[bytes], home: Path) -> None:
    """Wait until somebody listens there."""
    host, _, port = address.rpartition(":")
    began = time.monotonic()
    while time.monotonic() - began < _PATIENCE_S:
        if process.poll() is not None:
            break
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise ResourceError(f"Flower's SuperLink does not start: {_log_of(home, 'flower-superlink')}")


def _read(home: Path, name: str) -> str:
    path = home / f"{name}.log"
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _log_of(home: Path, name: str) -> str:
    """What a program said last."""
    return _last_line(_read(home, name))


def _last_line(text: str) -> str:
    lines = [line for line in map(_plain, text.splitlines()) if line]
    return lines[-1] if lines else "it said nothing"


def _plain(text: str) -> str:
    """What a program says, without colours and frames, on one line."""
    plain = " ".join(re.sub(r"\x1b\[[0-9;]*m|[╭╮╰╯│─]", " ", text).split())
    return shlex.quote(plain[:300]) if plain else ""
