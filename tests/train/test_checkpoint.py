import json

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")

from remend.errors import ModelError, WriteError  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402


def write(run, seen, value=1.0):
    weights = {"w": torch.full((2, 3, 4, 4), value).to(memory_format=torch.channels_last)}
    return checkpoint.save(run, seen, {"weights": weights, "ema": weights}, {"samples_seen": seen})


def test_what_is_read_is_what_was_saved_channels_last_or_not(tmp_path):
    found = checkpoint.read(write(tmp_path, 64, 3.0))
    assert torch.equal(found.tensors["weights"]["w"], torch.full((2, 3, 4, 4), 3.0))
    assert found.state["samples_seen"] == 64


@pytest.mark.parametrize("damage", ["truncate", "flip", "no state", "half state"])
def test_a_damaged_last_one_falls_back_with_a_message(tmp_path, damage):
    write(tmp_path, 64, 1.0)
    last = write(tmp_path, 128, 2.0)
    file = last / "weights.safetensors"
    content = bytearray(file.read_bytes())
    match damage:
        case "truncate":
            file.write_bytes(content[:-7])
        case "flip":
            content[-1] ^= 1
            file.write_bytes(content)
        case "no state":
            (last / "state.json").unlink()
        case _:
            (last / "state.json").write_text('{"version": 1, "files"')
    said = []
    found = checkpoint.newest(tmp_path, said.append)
    assert found.state["samples_seen"] == 64
    assert len(said) == 1
    assert "falling back" in said[0]


def test_none_whole_is_an_error_and_none_at_all_is_none(tmp_path):
    assert checkpoint.newest(tmp_path, print) is None
    (write(tmp_path, 64) / "state.json").unlink()
    with pytest.raises(ModelError, match="none of the 1 checkpoints"):
        checkpoint.newest(tmp_path, lambda _: None)


def test_a_save_that_dies_leaves_the_earlier_ones(tmp_path, monkeypatch):
    write(tmp_path, 64)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(WriteError, match="No space left on device"):
        write(tmp_path, 128)
    monkeypatch.undo()
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["000000064"]


def test_what_the_system_refuses_to_write_is_one_line(tmp_path):
    """Not a made error: the kernel's own, by way of safetensors, which wraps it in another."""
    resource = pytest.importorskip("resource", reason="no limits to set here")
    write(tmp_path, 64)
    large = {"weights": {"w": torch.zeros(100_000)}}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(WriteError, match="earlier ones are whole") as caught:
            checkpoint.save(tmp_path, 128, large, {"samples_seen": 128})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["000000064"]
    assert checkpoint.newest(tmp_path, print).state["samples_seen"] == 64


def test_what_killed_saves_left_is_swept(tmp_path):
    whole = write(tmp_path, 64)
    for name in (".000000128.part", ".000000064.old"):
        (whole.parent / name).mkdir()
        (whole.parent / name / "weights.safetensors").write_bytes(b"half")
    assert checkpoint.listing(tmp_path) == [whole]
    checkpoint.sweep(tmp_path)
    assert list(whole.parent.iterdir()) == [whole]


def test_pruning_spares_the_newest_and_the_best(tmp_path):
    paths = [write(tmp_path, seen) for seen in (1, 2, 3, 4)]
    checkpoint.keep_best(tmp_path, paths[0], {"w": torch.zeros(3)}, {"scores": {"psnr": 30.0}})
    checkpoint.prune(tmp_path, 2)
    assert [p.name for p in checkpoint.listing(tmp_path)] == ["000000001", "000000003", "000000004"]
    assert checkpoint.best(tmp_path) == paths[0]
    assert (tmp_path / "best.safetensors").exists()


def test_another_version_is_refused(tmp_path):
    path = write(tmp_path, 1)
    state = json.loads((path / "state.json").read_text())
    (path / "state.json").write_text(json.dumps(state | {"version": 99}))
    with pytest.raises(ModelError, match="version 99"):
        checkpoint.read(path)


def test_the_optimiser_comes_back_by_name():
    def learner():
        torch.manual_seed(0)
        net = torch.nn.Conv2d(2, 2, 3).to(memory_format=torch.channels_last)
        return net, torch.optim.AdamW(net.parameters(), lr=0.1)

    def step(net, optimizer):
        net(torch.ones(1, 2, 5, 5)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    net, optimizer = learner()
    step(net, optimizer)
    saved = {k: v.clone().contiguous() for k, v in checkpoint.optimizer_tensors(net, optimizer).items()}
    other, fresh = learner()
    other.load_state_dict({k: v.clone() for k, v in net.state_dict().items()})
    checkpoint.restore_optimizer(other, fresh, saved)
    step(net, optimizer)
    step(other, fresh)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))
