import pytest

from remend import runtime


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
