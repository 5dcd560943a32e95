"""Learned metrics cost nothing until somebody asks for them."""

import subprocess
import sys

import pytest

from remend.errors import UsageError
from remend.evaluation.learned import judges


def test_measuring_and_comparing_load_no_torch():
    code = """
import sys, remend.evaluation, remend.evaluation.learned, remend.evaluation.report
assert remend.evaluation.learned.judges() == ((), ())
assert not set(sys.modules) & {"torch", "onnxruntime", "safetensors", "h5py"}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_it_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("perceptual", "lpips"):
        monkeypatch.delitem(sys.modules, f"remend.evaluation.learned.{name}", raising=False)
    with pytest.raises(UsageError, match=r"PD needs torch, which is not installed: pip install"):
        judges(features=[tmp_path / "x.h5"])
    with pytest.raises(UsageError, match="LPIPS needs torch"):
        judges(lpips=(tmp_path / "a", tmp_path / "b"))
