"""What the README promises: nothing leaves the machine. Command, Python, server and training, each in a
namespace without a network, with empty folders for home and temporary files, and its system calls traced.

An audit hook of Python's would not see what a library in C++ opens, so the calls themselves are looked at.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

import remend

SOURCE = str(Path(remend.__file__).parents[1])
# Brings the loopback device up, which a new network namespace has down, and becomes the command.
UP = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
    fcntl.ioctl(device, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40))
os.execv(sys.argv[1], sys.argv[1:])
"""
# Starts a server under the tracer, repairs a picture through it, and ends it.
CLIENT = """
import http.client, re, signal, subprocess, sys
tracer, picture = sys.argv[1:-1], sys.argv[-1]
command = [*tracer, "serve", "--port", "0", "--workers", "1"]
server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
port = next(int(found[1]) for line in server.stderr if (found := re.search(r":(\\d+)/", line)))
body = (b'--x\\r\\nContent-Disposition: form-data; name="image"; filename="a.png"\\r\\n\\r\\n'
        + open(picture, "rb").read() + b"\\r\\n--x--\\r\\n")
try:
    for _ in range(2):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        client.request("POST", "/v1/repair", body, {"Content-Type": "multipart/form-data; boundary=x"})
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.read()[:4] == b"\\x89PNG"
finally:
    import os
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()
"""


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


pytestmark = [
    pytest.mark.skipif(not works("unshare", "-rn", "true"), reason="needs a network namespace of its own"),
    pytest.mark.skipif(not works("strace", "true"), reason="needs strace, and leave to use it"),
]


@pytest.fixture
def album(tmp_path) -> Path:
    """A picture with damage that the embedded nets find and fill, and its mask."""
    folder = tmp_path / "album"
    folder.mkdir()
    knots = np.random.default_rng(0).integers(40, 200, (5, 6, 3), np.uint8)
    image = cv2.resize(knots, (200, 160), interpolation=cv2.INTER_CUBIC)
    image[70:74, 20:180] = 255
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[68:76, 18:182] = 255
    cv2.imwrite(str(folder / "a.png"), image)
    cv2.imwrite(str(folder / "mask.png"), mask)
    return folder


@pytest.fixture
def alone(tmp_path):
    """Run a command without a network: the sockets that it opened, and files outside the output."""
    home, temporary, log = tmp_path / "home", tmp_path / "temporary", tmp_path / "calls"
    home.mkdir()
    temporary.mkdir()
    tracer = [str(shutil.which("strace")), "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(log)]

    def run(*command: object, client: bool = False) -> tuple[int, list[str]]:
        """How many sockets were opened, and the names of files that were left."""
        environment = {**os.environ, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": SOURCE}
        environment = {
            name: value
            for name, value in environment.items()
            if name not in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
            and not name.startswith("XDG_")
        }
        words = [str(word) for word in command]
        traced = [sys.executable, "-c", CLIENT, *tracer, *words] if client else [*tracer, *words]
        done = subprocess.run(
            ["unshare", "-rn", sys.executable, "-c", UP, *traced],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        opened = re.findall(r"socket\(AF_INET6?,.*", log.read_text())
        left = [str(path) for folder in (home, temporary) for path in folder.rglob("*") if path.is_file()]
        return len(opened), left

    return run


def test_the_command_opens_no_socket_and_leaves_no_file(alone, album, tmp_path):
    command = [sys.executable, "-m", "remend", "repair", album / "a.png", "-o", tmp_path / "out.png"]
    assert alone(*command) == (0, [])
    assert (tmp_path / "out.png").exists()


def test_a_batch_opens_no_socket_and_leaves_no_file(alone, album, tmp_path):
    """With workers, a manifest, records and a report."""
    shutil.copy(album / "a.png", album / "b.png")
    command = [sys.executable, "-m", "remend", "repair", album, "-m", album / "mask.png", "--jobs", "2"]
    more = ["--record", "--report", tmp_path / "page.html", "-o", tmp_path / "out"]
    assert alone(*command, *more) == (0, [])
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    assert alone(sys.executable, "-m", "remend", "audit", tmp_path / "out", "--from", album) == (0, [])


def test_python_opens_no_socket_and_leaves_no_file(alone, album):
    code = """
import sys, cv2, remend
image, mask = cv2.imread(sys.argv[1]), cv2.imread(sys.argv[2], 0)
assert (remend.repair(image, mask) != image).any()
remend.detect(image)
"""
    assert alone(sys.executable, "-c", code, album / "a.png", album / "mask.png") == (0, [])


def test_the_tracer_sees_sockets_and_files(alone):
    """The other tests could not fail if it did not."""
    code = "import socket, tempfile; socket.socket().close(); tempfile.mkstemp()"
    opened, left = alone(sys.executable, "-c", code)
    assert opened == 1
    assert len(left) == 1


def test_the_server_opens_its_own_socket_only(alone, album):
    if any(find_spec(name) is None for name in ("fastapi", "uvicorn", "multipart")):
        pytest.skip("serving needs its extra: pip install '.[serve]'")
    opened, left = alone(sys.executable, "-m", "remend", album / "a.png", client=True)
    assert (opened, left) == (1, [])


@pytest.mark.slow
def test_training_opens_no_socket_and_leaves_no_file(alone, album, tmp_path):
    if any(find_spec(name) is None for name in ("torch", "lightning")):
        pytest.skip("the training stream needs torch: pip install '.[train]'")
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for index in range(8):
        knots = rng.integers(0, 256, (5, 6, 3), np.uint8)
        picture = cv2.resize(knots, (96, 80), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "photos" / f"{index}.png"), picture)
    settings = ["loss.perceptual=0", "data.crop_px=64", "data.validation_px=64", "train.batch=2"]
    settings += ["options.widths=[8,8,16]", "options.dilations=[1]"]
    command = [sys.executable, "-m", "remend", "train", "remend", "--data", tmp_path / "photos"]
    command += ["--out", tmp_path / "run", "--fast-dev-run"]
    command += [word for setting in settings for word in ("--set", setting)]
    assert alone(*command) == (0, [])
    command = [sys.executable, "-m", "remend", "export", tmp_path / "run", "-o", tmp_path / "net.onnx"]
    assert alone(*command) == (0, [])
