"""Models and cards from outside: one line each, at little cost, and nothing of ours is left running."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the models of these tests are made with onnx")

from made_hostile_models import HOSTILE_CARDS, HOSTILE_MODELS, SOUND_CARD, hostile_files
from made_models import write_mean_filler
from process_costs import measured
from remend.errors import ModelError
from remend.fill.model_card import Card
from remend.fill.neural import Neural
from remend.fill.registry import filler_named
from remend.repairing import repair_file

LIMITED = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")
IMAGE = np.random.default_rng(0).random((64, 64, 3), np.float32)
HOLE = np.zeros((64, 64), bool)
HOLE[20:30, 20:40] = True


def fill(path):
    return filler_named(str(path)).fill(IMAGE, HOLE, usable=~HOLE)


@pytest.mark.parametrize("content", HOSTILE_CARDS.values(), ids=HOSTILE_CARDS)
def test_a_card_beyond_its_schema_is_one_line(tmp_path, content):
    path = write_mean_filler(tmp_path / "net.onnx")
    path.with_suffix(".json").write_bytes(content)
    with pytest.raises(ModelError) as raised:
        Neural.load(path, trusted=True)
    assert_one_line(raised.value)


def assert_one_line(error):
    text = str(error)
    assert text.isprintable(), repr(text)
    assert len(text) < 400


def test_a_sound_card_is_taken_at_its_word(tmp_path):
    path = write_mean_filler(tmp_path / "net.onnx", card=SOUND_CARD | {"reach_px": None})
    card = Card.beside(path)
    assert (card.name, card.size_multiple, card.window_px) == ("net", 8, 256)
    assert card.reach_px is None and card.licence == "not stated"


def test_an_answer_from_outside_is_the_one_from_inside(tmp_path):
    path = write_mean_filler(tmp_path / "net.onnx", prior=True, guide=True)
    prior = np.full_like(IMAGE, 0.25)
    answers = [
        Neural.load(path, trusted=trusted).fill(IMAGE, HOLE, usable=~HOLE, prior=prior).pixels
        for trusted in (True, False)
    ]
    assert np.array_equal(*answers)


def until(holds, seconds=5.0):
    since = time.monotonic()
    while not holds():
        assert time.monotonic() - since < seconds
        time.sleep(0.02)


def state(pid):
    """A process's letter in /proc; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


# Each costs a process; all of them run as `slow`.
QUICK = ["a loop without end", "a constant of 400 GB", "noise of a thousand million numbers"]


@LIMITED
@pytest.mark.parametrize("name", QUICK)
def test_a_hostile_model_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setenv("REMEND_MODEL_SECONDS", "1.5")
    with pytest.raises(ModelError) as raised:
        fill(HOSTILE_MODELS[name](tmp_path / "net.onnx"))
    assert_one_line(raised.value)


def test_a_model_that_ended_its_process_can_be_asked_again(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx"))
    process = net.model.session._process
    process.kill()
    process.wait()
    with pytest.raises(ModelError, match="ended the process"):
        net.fill(IMAGE, HOLE, usable=~HOLE)
    assert np.isfinite(net.fill(IMAGE, HOLE, usable=~HOLE).pixels).all()


def test_a_model_that_nobody_asks_any_more_is_gone(tmp_path):
    net = Neural.load(write_mean_filler(tmp_path / "net.onnx"))
    process = net.model.session._process
    assert process.poll() is None
    del net
    until(lambda: process.poll() is not None)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_model_does_not_outlive_who_started_it(tmp_path):
    path = HOSTILE_MODELS["a loop without end"](tmp_path / "net.onnx")
    code = (
        "import sys, threading, time, os; from pathlib import Path\n"
        "from remend.fill import outside\n"
        "def tell():\n"
        "    while not (found := list(made)): time.sleep(0.05)\n"
        "    time.sleep(1.0); print(found[0].pid, flush=True); os.kill(os.getpid(), 9)\n"
        "made, real = [], outside.subprocess.Popen\n"
        "def popen(*a, **k): made.append(real(*a, **k)); return made[-1]\n"
        "outside.subprocess.Popen = popen\n"
        "threading.Thread(target=tell).start()\n"
        "from remend.fill.model_file import ModelFile; ModelFile.open(Path(sys.argv[1]))\n"
    )
    told = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60)
    pid = int(told.stdout)
    until(lambda: state(pid) in ("", "Z"))


@pytest.mark.parametrize("said", ["much", "-1", "nan"])
def test_a_budget_that_is_no_number_is_told(tmp_path, monkeypatch, said):
    monkeypatch.setenv("REMEND_MODEL_GIB", said)
    with pytest.raises(ModelError, match="REMEND_MODEL_GIB"):
        Neural.load(write_mean_filler(tmp_path / "net.onnx"))


def test_a_model_without_a_hash_is_told(tmp_path):
    image, mask = (IMAGE * 255).astype(np.uint8), HOLE
    path = write_mean_filler(tmp_path / "net.onnx")
    settings = {"method": str(path)}
    assert any("SHA-256" in note for note in notes(image, mask, settings))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps({"sha256": digest.upper()}))
    filler_named.cache_clear()
    assert not any("SHA-256" in note for note in notes(image, mask, settings))


def notes(image, mask, settings):
    import io

    from remend.options import Settings

    target = io.BytesIO()
    target.name = "x.png"
    return repair_file(image, target, mask=mask, settings=Settings(**settings), format="png").notes


@LIMITED
@pytest.mark.slow
def test_all_hostile_models_and_cards_are_one_line_within_ten_seconds_and_two_gigabytes(tmp_path):
    """The whole command: exit code 3, one line, at its usual budget."""
    import PIL.Image

    from made_damage import worn  # any picture does

    PIL.Image.fromarray(worn()[0]).save(tmp_path / "p.png")
    mask = np.zeros(worn()[0].shape[:2], np.uint8)
    mask[40:60, 40:70] = 255
    PIL.Image.fromarray(mask).save(tmp_path / "m.png")
    wrong = []
    for name, path in hostile_files(tmp_path):
        flags = ["-m", "m.png", "-o", "o.png", "--overwrite", "--method", path]
        command = [sys.executable, "-m", "remend", "repair", "p.png", *flags]
        code, lines, seconds, peak = measured(command, tmp_path)
        print(f"{name}: {code} {seconds:.1f} s {peak:.0f} MB {lines}")
        if code != 3 or len(lines) != 1 or seconds > 10 or peak > 2000:
            wrong.append((name, code, lines, seconds, peak))
    assert not wrong
