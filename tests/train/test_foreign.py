import io
import pickle
import zipfile
from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import ModelError  # noqa: E402
from remend.train.foreign import read_foreign  # noqa: E402


class Evil:
    def __reduce__(self):
        return (print, ("this must never run",))


def write(path, pickled: bytes, **storages: bytes):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return path


def test_a_state_dict_comes_back_as_torch_saved_it(tmp_path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Linear(4, 2))
    torch.save({"state_dict": net.state_dict(), "epoch": 3, "note": "x"}, tmp_path / "net.pth")
    found = read_foreign(tmp_path / "net.pth")
    assert set(found) == {f"state_dict.{name}" for name in net.state_dict()}
    for name, tensor in net.state_dict().items():
        assert torch.equal(found[f"state_dict.{name}"], tensor)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool])
def test_other_kinds_of_numbers(tmp_path, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    torch.save({"t": tensor}, tmp_path / "t.pt")
    assert torch.equal(read_foreign(tmp_path / "t.pt")["t"], tensor)


def test_views_and_parameters_and_empty_tensors(tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    saved = OrderedDict(part=base[1:, ::2].t(), own=torch.nn.Parameter(base), none=torch.empty(0, 3))
    torch.save(saved, tmp_path / "v.pth")
    found = read_foreign(tmp_path / "v.pth")
    assert torch.equal(found["part"], base[1:, ::2].t())
    assert torch.equal(found["own"], base)
    assert found["none"].shape == (0, 3)


def test_nothing_in_the_file_is_run(tmp_path, capsys):
    torch.save({"weight": torch.ones(2), "payload": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ModelError, match=r"print, which no file of weights needs"):
        read_foreign(tmp_path / "evil.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "torch.load", "torch._utils._rebuild_sparse_tensor"]
)
def test_any_other_name_ends_the_reading(tmp_path, name):
    module, _, attribute = name.rpartition(".")
    program = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"."
    with pytest.raises(ModelError, match="not read"):
        read_foreign(write(tmp_path / "x.pth", program))


def tensor_program(size, stride, *, count=4, offset=0) -> bytes:
    """A pickle that asks for a float tensor over storage 0."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", torch.FloatStorage, "0", "cpu", count) if obj == "STORAGE" else None

    class Rebuilt:
        def __reduce__(self):
            return (torch._utils._rebuild_tensor_v2, ("STORAGE", offset, size, stride, False, OrderedDict()))

    file = io.BytesIO()
    Pickler(file, protocol=2).dump({"t": Rebuilt()})
    return file.getvalue()


def test_a_tensor_within_its_storage_is_read(tmp_path):
    data = torch.arange(4.0).numpy().tobytes()
    found = read_foreign(write(tmp_path / "x.pth", tensor_program((2, 2), (2, 1)), **{"0": data}))
    assert torch.equal(found["t"], torch.arange(4.0).reshape(2, 2))


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [((8,), (1,), 0), ((2,), (1,), 3), ((10**6, 4), (0, 1), 0), ((2,), (-1,), 1), ((2, 2), (1,), 0)],
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, size, stride, offset):
    data = torch.arange(4.0).numpy().tobytes()
    path = write(tmp_path / "x.pth", tensor_program(size, stride, offset=offset), **{"0": data})
    with pytest.raises(ModelError):
        read_foreign(path)


def test_a_storage_that_is_cut_short(tmp_path):
    path = write(tmp_path / "x.pth", tensor_program((4,), (1,)), **{"0": b"\0" * 8})
    with pytest.raises(ModelError, match="cut short"):
        read_foreign(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x80\x02}q\x00."])
def test_files_that_are_no_weights(tmp_path, content):
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"PyTorch 1\.6"):
        read_foreign(path)


def test_damaged_and_empty_ones(tmp_path):
    with pytest.raises(ModelError, match="damaged"):
        read_foreign(write(tmp_path / "x.pth", b"\x80\x02]q"))
    with pytest.raises(ModelError, match="no tensors"):
        read_foreign(write(tmp_path / "y.pth", pickle.dumps({"a": 1}, protocol=2)))
    with pytest.raises(ModelError, match="unpacks"):
        read_foreign(write(tmp_path / "z.pth", pickle.dumps({}, protocol=2)), limit_gib=0)
    with pytest.raises(ModelError):
        read_foreign(tmp_path / "nowhere.pth")
