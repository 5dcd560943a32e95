"""The examples of docs/api.md, run as they stand there against a real server."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from .test_server import Client, serving

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```(sh|python|js)\n(.*?)^```$", PAGE.partition("## Examples")[2], re.M | re.S))
ADDRESS = "http://127.0.0.1:8321"


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with serving("--workers", "1") as client:
        yield client


@pytest.fixture
def folder(tmp_path, worn) -> Path:
    """A folder with photo.jpg and mask.png."""
    image = cv2.imdecode(np.frombuffer(worn, np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(tmp_path / "photo.jpg"), image)
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[100:110, 100:200] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def example(language: str, server: Client) -> str:
    assert ADDRESS in EXAMPLES[language]
    return EXAMPLES[language].replace(ADDRESS, f"http://127.0.0.1:{server.port}")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl(server, folder):
    said = run(["sh", "-e", "-c", example("sh", server)], folder)
    assert json.loads(said.partition(":")[2])
    with PIL.Image.open(folder / "repaired.jpg") as repaired, PIL.Image.open(folder / "damage.png") as mask:
        assert (repaired.format, mask.mode) == ("JPEG", "L")


def test_python(server, folder):
    said = run([sys.executable, "-c", example("python", server)], folder)
    assert "done write 100%" in said
    before, after = (cv2.imread(str(folder / name)) for name in ("photo.jpg", "repaired.jpg"))
    assert (before[100:110, 100:200] != after[100:110, 100:200]).any()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_javascript(server, folder):
    (folder / "example.mjs").write_text(example("js", server), encoding="utf-8")
    regions, marked = map(int, run(["node", "example.mjs"], folder).split())
    assert regions > 0
    assert 0 < marked < 400 * 300


def test_every_kind_of_problem_is_in_the_table():
    from remend.serve.problems import KINDS

    table = PAGE.partition("### Errors")[2].partition("###")[0]
    for name, kind in KINDS.items():
        assert re.search(rf"^\| {kind.status} \|.*`{name}`", table, re.M), name
