import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_torchvision_can_be_imported_afterwards_and_twice_is_no_harm():
    if run("import importlib.util as u, sys; sys.exit(u.find_spec('torchvision') is None)").returncode:
        pytest.skip("torchvision is not installed")
    script = """
from remend.nets.torchvision_schema import mend_torchvision
mend_torchvision()
mend_torchvision()
import torchvision
"""
    done = run(script)
    assert done.returncode == 0, done.stderr


def test_without_torchvision_nothing_happens(monkeypatch):
    from remend.nets import torchvision_schema

    monkeypatch.setattr(torchvision_schema, "_library", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    torchvision_schema.mend_torchvision()
    assert torchvision_schema._library is None
