import pytest

from remend.fill import processor


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
    monkeypatch.setattr(processor, "_CPUINFO", path)
    monkeypatch.setattr(processor.platform, "system", lambda: "Linux")
    assert processor.multiplies_bytes.__wrapped__() is answer


def test_where_it_cannot_be_told_the_answer_is_no(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "none")
    monkeypatch.setattr(processor.platform, "system", lambda: "Windows")
    assert processor.multiplies_bytes.__wrapped__() is False
