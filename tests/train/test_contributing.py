"""The example of a net in CONTRIBUTING.md, as it stands: trained, exported, repaired with."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="PyTorch is not installed")

from made_package import package_with, run
from remend.errors import UsageError
from remend.nets import registry


def test_a_net_is_three_files(tmp_path, photos):
    assert package_with("A new net", tmp_path) == {
        "remend/nets/plain.py",
        "remend/nets/registry.py",
        "remend/train/recipes/plain.toml",
    }
    few = ("--fast-dev-run", "--accelerator", "cpu", "--precision", "fp32")
    few += ("--set", "data.crop_px=64", "--set", "data.validation_px=64", "--set", "train.batch=2")
    run(tmp_path, "-m", "remend", "train", "plain", "--data", str(photos), "--out", "learned", *few)
    assert "two convolutions" in run(tmp_path, "-m", "remend", "nets", "plain")
    run(tmp_path, "-m", "remend", "export", "learned", "-o", "plain.onnx")
    samples = np.random.default_rng(0).integers(60, 190, (64, 80, 3), dtype=np.uint8)
    hole = np.zeros((64, 80), bool)
    hole[30:36, 20:50] = True
    Image.fromarray(samples).save(tmp_path / "a.png")
    Image.fromarray(hole.astype(np.uint8) * 255).save(tmp_path / "hole.png")
    run(
        tmp_path, "-m", "remend", "repair", "a.png", "-m", "hole.png", "-o", "b.png", "--method", "plain.onnx"
    )
    mended = np.array(Image.open(tmp_path / "b.png"))
    np.testing.assert_array_equal(mended[~hole], samples[~hole])
    assert (mended[hole] != samples[hole]).mean() > 0.9


def test_a_net_is_registered_from_outside(monkeypatch):
    monkeypatch.setattr(registry, "NETS", dict(registry.NETS))
    monkeypatch.setattr(registry, "_BODIES", {})
    from remend.nets.unet import Unet

    @registry.register_net("thin_unet", summary="a thin U-Net", reference="none")
    class ThinUnet(Unet):
        def __init__(self):
            super().__init__(widths=(8, 8))

    net = registry.build("thin_unet")
    assert isinstance(net.body, ThinUnet)
    with pytest.raises(UsageError, match="the name is taken"):
        registry.register_net("unet", summary="another", reference="none")
