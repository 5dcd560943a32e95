import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

from remend.errors import ModelError, WriteError  # noqa: E402
from remend.nets.weights.portable import load_portable, save_portable  # noqa: E402

STATE = {"net": "unet", "recipe": {"net": "unet"}, "scores": {"psnr": 20.5}, "note": "ü"}


def test_tensors_and_state_come_back_as_they_were(tmp_path):
    image = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    save_portable(tmp_path / "best.safetensors", {"a.weight": image, "n": torch.tensor(7)}, STATE)
    tensors, state = load_portable(tmp_path / "best.safetensors")
    assert state == STATE
    assert torch.equal(tensors["a.weight"], image)
    assert tensors["a.weight"].is_contiguous()
    assert int(tensors["n"]) == 7
    assert [p.name for p in tmp_path.iterdir()] == ["best.safetensors"]


def test_a_file_of_others_a_damaged_one_and_none_are_one_line(tmp_path):
    safetensors.save_file({"a": torch.zeros(3)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelError, match="not what they are of"):
        load_portable(tmp_path / "foreign.safetensors")
    save_portable(tmp_path / "best.safetensors", {"a": torch.zeros(300)}, STATE)
    whole = (tmp_path / "best.safetensors").read_bytes()
    for name, content in {"cut": whole[:-100], "empty": b"", "text": b"hello, this is no tensor"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="damaged or no safetensors file"):
            load_portable(tmp_path / name)
    with pytest.raises(ModelError, match="cannot be read"):
        load_portable(tmp_path / "missing")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "best.safetensors"
    save_portable(path, {"a": torch.zeros(3)}, STATE)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        save_portable(path, {"a": torch.ones(3)}, STATE)
    assert torch.equal(load_portable(path)[0]["a"], torch.zeros(3))
    assert [p.name for p in tmp_path.iterdir()] == ["best.safetensors"]
