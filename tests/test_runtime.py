import cv2
import numpy as np
import pytest

from remend import runtime
from remend.fill.neural import WEIGHTS


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("processor : 0\nflags\t\t: fpu avx2 avx512_vnni\n", True),
        ("flags : fpu avx2 avx_vnni\n", True),
        ("flags : fpu avx2 avx512f\nbugs : avx_vnni\n", False),
        ("Features\t: fp asimd asimddp\n", True),
        ("", False),
    ],
)
def test_what_cpuinfo_says(tmp_path, monkeypatch, text, answer):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(runtime, "_CPUINFO", path)
    monkeypatch.setattr(runtime.platform, "system", lambda: "Linux")
    assert runtime.multiplies_bytes.__wrapped__() is answer


def test_where_it_cannot_be_told_the_answer_is_no(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(runtime.platform, "system", lambda: "Windows")
    assert runtime.multiplies_bytes.__wrapped__() is False


@pytest.mark.parametrize("path", sorted(WEIGHTS.glob("*.onnx")), ids=lambda path: path.stem)
def test_files_in_8_bits_answer_alike_where_no_bytes_are_multiplied(path):
    rng = np.random.default_rng(0)
    rough = cv2.resize(rng.random((8, 8, 3), np.float32), (96, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    planes = rough.transpose(2, 0, 1)[None]
    hole = np.zeros((1, 1, 96, 96), np.float32)
    hole[..., 40:44] = 1
    named = {"image": planes, "hole": hole, "prior": planes}
    answers = []
    for exact in (False, True):
        session = runtime.open_session(path.read_bytes(), name=path.name, threads=1, exact=exact)
        wanted = {entry.name: entry.type for entry in session.get_inputs()}
        feed = {name: named[name] for name in wanted}
        if wanted["image"] == "tensor(uint8)":
            feed = {"image": np.rint(255 * rough[None]).astype(np.uint8)}
        answers.append(session.run(None, feed)[0].astype(np.float32))
    unit = 255 if answers[0].max() > 2 else 1
    assert 0 < np.abs(answers[0] - answers[1]).mean() / unit < 0.005
