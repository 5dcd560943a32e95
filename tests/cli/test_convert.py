import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from click.testing import CliRunner  # noqa: E402

from remend.cli.convert import convert  # noqa: E402
from remend.errors import UsageError  # noqa: E402
from remend.nets.weights.portable import load_portable  # noqa: E402


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"state_dict": {"a.weight": torch.ones(2, 2)}, "optimizer": {"m": torch.zeros(1)}}, path)
    return path


def run(*arguments):
    return CliRunner().invoke(convert, [str(a) for a in arguments], catch_exceptions=True)


def test_the_part_that_was_asked_for_is_written(tmp_path, weights):
    target = tmp_path / "net.safetensors"
    result = run(weights, "-o", target, "--key", "state_dict")
    assert result.exit_code == 0, result.output
    tensors, _ = load_portable(target)
    assert set(tensors) == {"a.weight"}
    assert torch.equal(tensors["a.weight"], torch.ones(2, 2))


def test_a_prefix_that_is_not_there_names_those_that_are(tmp_path, weights):
    result = run(weights, "-o", tmp_path / "net.safetensors", "--key", "model")
    assert isinstance(result.exception, UsageError)
    assert "optimizer, state_dict" in str(result.exception)


def test_nothing_is_overwritten_unasked(tmp_path, weights):
    target = tmp_path / "net.safetensors"
    target.write_bytes(b"mine")
    assert isinstance(run(weights, "-o", target).exception, UsageError)
    assert target.read_bytes() == b"mine"
    assert isinstance(run(weights, "-o", tmp_path / "net.onnx").exception, UsageError)
