import io
import pickle
import sys
import time
import zipfile
from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from process_costs import busy_seconds, measured  # noqa: E402
from remend.errors import ModelError  # noqa: E402
from remend.nets.weights.foreign import read_foreign  # noqa: E402


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
    found = read_foreign(tmp_path / "net.pth").tensors
    assert set(found) == {f"state_dict.{name}" for name in net.state_dict()}
    for name, tensor in net.state_dict().items():
        assert torch.equal(found[f"state_dict.{name}"], tensor)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.bool])
def test_other_kinds_of_numbers(tmp_path, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    torch.save({"t": tensor}, tmp_path / "t.pt")
    assert torch.equal(read_foreign(tmp_path / "t.pt").tensors["t"], tensor)


def test_views_and_parameters_and_empty_tensors(tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    saved = OrderedDict(part=base[1:, ::2].t(), own=torch.nn.Parameter(base), none=torch.empty(0, 3))
    torch.save(saved, tmp_path / "v.pth")
    found = read_foreign(tmp_path / "v.pth").tensors
    assert torch.equal(found["part"], base[1:, ::2].t())
    assert torch.equal(found["own"], base)
    assert found["none"].shape == (0, 3)


def test_nothing_in_the_file_is_run(tmp_path, capsys):
    torch.save({"weight": torch.ones(2), "payload": Evil()}, tmp_path / "evil.pth")
    found = read_foreign(tmp_path / "evil.pth")
    assert set(found.tensors) == {"weight"}
    assert [name.rpartition(".")[2] for name in found.dropped] == ["print"], "left out, and told"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "torch.load", "numpy.load"])
def test_a_name_that_is_no_tensor_is_told_and_not_looked_up(tmp_path, name):
    module, _, attribute = name.rpartition(".")
    program = b"\x80\x02c" + f"{module}\n{attribute}\n".encode() + b"U\x04true\x85R."
    with pytest.raises(ModelError, match=rf"holds no tensors outside of objects of {name}"):
        read_foreign(write(tmp_path / "x.pth", program))


def test_a_tensor_of_another_kind_is_not_left_out_without_a_word(tmp_path):
    torch.save({"a": torch.ones(2), "s": torch.eye(3).to_sparse()}, tmp_path / "s.pth")
    with pytest.raises(ModelError, match="not read"):
        read_foreign(tmp_path / "s.pth")


class Logger:
    """What frameworks keep beside the weights: of a class that a reader does not have."""

    def __init__(self):
        self.best = torch.zeros(1)


class Namespace(dict):
    """A dict of a class of its own."""


def test_checkpoints_of_frameworks_give_their_weights(tmp_path):
    np = pytest.importorskip("numpy")
    saved = {
        "state_dict": OrderedDict({"a.weight": torch.ones(2, 2), "a.bias": torch.zeros(2)}),
        "callbacks": {Logger: {"best": torch.zeros(1)}},
        "hparams": Namespace(lr=1.0),
        "hub": Logger(),
        "loss": np.float64(0.5),
        "history": np.arange(3),
        "where": [torch.device("cpu"), torch.float32, torch.Size([1, 2])],
    }
    torch.save(saved, tmp_path / "pl.ckpt")
    found = read_foreign(tmp_path / "pl.ckpt")
    assert set(found.tensors) == {"state_dict.a.weight", "state_dict.a.bias"}
    assert torch.equal(found.tensors["state_dict.a.weight"], torch.ones(2, 2))
    assert any("Logger" in name for name in found.dropped)


class Deep(torch.nn.Module):
    """A net whose names are deeper than those of a state dict."""

    def __init__(self, depth: int):
        super().__init__()
        self.inner = Deep(depth - 1) if depth else torch.nn.Conv2d(3, 2, 1)

    def forward(self, x):
        return self.inner(x)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_torchscript_gives_its_state_dict(tmp_path):
    net = Deep(6)
    torch.jit.save(torch.jit.trace(net, torch.zeros(1, 3, 4, 4)), tmp_path / "net.pt")
    found = read_foreign(tmp_path / "net.pt").tensors
    assert set(found) == set(net.state_dict())
    for name, tensor in net.state_dict().items():
        assert torch.equal(found[name], tensor)


def test_tied_weights_come_twice(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    torch.save({"enc": shared, "dec": shared, "half": shared[0]}, tmp_path / "tied.pth")
    found = read_foreign(tmp_path / "tied.pth").tensors
    assert torch.equal(found["enc"], shared) and torch.equal(found["dec"], shared)
    assert torch.equal(found["half"], shared[0])
    assert len({tensor.untyped_storage().data_ptr() for tensor in found.values()}) == 3


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
    found = read_foreign(write(tmp_path / "x.pth", tensor_program((2, 2), (2, 1)), **{"0": data})).tensors
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
    with pytest.raises(ModelError, match="unpack to"):
        read_foreign(write(tmp_path / "z.pth", pickle.dumps({}, protocol=2)), limit_gib=0)
    with pytest.raises(ModelError):
        read_foreign(tmp_path / "nowhere.pth")


STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE + b"K\x00K\x01\x85K\x01\x85\x89}tR"
NAMED = b"}X\x01\x00\x00\x00t" + TENSOR  # the s that ends it is the reader's
HOSTILE = {
    "a memo index that reserves 8 GB": b"\x80\x02Nr\xff\xff\xff\x1f.",
    "a memo index in letters": b"\x80\x02Np999999999\n.",
    "a negative memo index": b"\x80\x02Np-1\n.",
    "tuples so deep that hashing one ends the process": b"\x80\x02}N" + b"\x85" * 1_000_000 + b"Ns.",
    "tuples of three, nested": b"\x80\x02}N" + b"NN\x87" * 600_000 + b"Ns.",
    "lists so deep": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "millions of sets": b"\x80\x04" + b"\x8f0" * 1_000_000 + b"N.",
    "a length of 8 exbibytes": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",
    "a bytearray of a tebibyte": b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b".",
    "a frame of a tebibyte": b"\x80\x04\x95" + (1 << 40).to_bytes(8, "little") + b"N.",
    "a number of a million digits": b"\x80\x02I" + b"9" * 1_000_000 + b"\n.",
    "nothing on the stack": b"\x80\x020.",
    "no mark": b"\x80\x02t.",
    "an end too early": b"\x80\x02}",
    "a program of shell": b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
    "a key of a storage with a path": b"\x80\x02"
    + TENSOR.replace(b"\x01\x00\x00\x000X", b"\x03\x00\x00\x00../X")
    + b".",
    "an answer that is no tensor": b"\x80\x02K\x01.",
    "names one below another without end": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
}


@pytest.mark.parametrize("program", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles_are_one_line_at_little_cost(tmp_path, program):
    path = write(tmp_path / "x.pth", program, **{"0": b"\0" * 4})
    since, before = time.monotonic(), peak_mib()
    with pytest.raises(ModelError) as raised:
        read_foreign(path)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600
    assert time.monotonic() - since < 10
    assert peak_mib() - before < 600


def peak_mib() -> float:
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


def test_a_pickle_cannot_change_a_tensor(tmp_path):
    program = b"\x80\x02}X\x01\x00\x00\x00t" + TENSOR + b"(" + TENSOR + b"K\x00\x89}tbs."
    assert read_foreign(write(tmp_path / "x.pth", program, **{"0": b"\0" * 4})).tensors["t"].item() == 0


def test_names_that_multiply_are_refused(tmp_path):
    def mapping(inner: bytes, memo: bytes, size: int) -> bytes:
        keys = b"".join(b"X\x05\x00\x00\x00%05dh%b" % (k, inner) for k in range(size))
        return b"}q" + memo + b"(" + keys + b"u0"

    # Three levels of 2,000 names each, all of one mapping: 8 thousand million tensors of 90 kB.
    program = b"\x80\x02" + TENSOR + b"q\x010"
    for level in range(1, 4):
        program += mapping(bytes([level]), bytes([level + 1]), 2000)
    with pytest.raises(ModelError, match="names more than"):
        read_foreign(write(tmp_path / "x.pth", program + b"h\x04.", **{"0": b"\0" * 4}))


def test_long_names_are_refused(tmp_path):
    long = b"X" + (500_000).to_bytes(4, "little") + b"a" * 500_000
    program = b"\x80\x02}" + long + b"}" + long + b"}" + long + TENSOR + b"sss."
    with pytest.raises(ModelError, match="characters"):
        read_foreign(write(tmp_path / "x.pth", program, **{"0": b"\0" * 4}))


def test_one_storage_under_many_names_is_bounded(tmp_path):
    count = 1 << 20
    one = TENSOR.replace(b"K\x01tQ", b"J" + count.to_bytes(4, "little") + b"tQ").replace(
        b"K\x00K\x01\x85", b"K\x00J" + count.to_bytes(4, "little") + b"\x85"
    )
    items = b"".join(b"X\x03\x00\x00\x00%03d" % k + one for k in range(200))
    path = write(tmp_path / "x.pth", b"\x80\x02}(" + items + b"u.", **{"0": bytes(4 * count)})
    with pytest.raises(ModelError, match="share memory"):
        read_foreign(path)


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + NAMED + b"s.")
        archive.writestr("archive/data/0", bytes(80 << 20))
    before = peak_mib()
    with pytest.raises(ModelError, match="unpack to"):
        read_foreign(tmp_path / "x.pth")
    assert peak_mib() - before < 50


def test_weights_that_were_zipped_again_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + NAMED + b"s.")
        archive.writestr("archive/data/0", torch.tensor([2.5]).numpy().tobytes())
    assert read_foreign(tmp_path / "x.pth").tensors["t"].item() == 2.5


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_command_refuses_all_of_them_within_ten_seconds_and_two_gigabytes(tmp_path):
    wrong = []
    for number, (name, program) in enumerate(HOSTILE.items()):
        path = write(tmp_path / f"{number}.pth", program, **{"0": b"\0" * 4})
        flags = [path, "-o", f"{number}.safetensors"]
        before = busy_seconds()
        code, lines, _, peak = measured([sys.executable, "-m", "remend", "convert", *flags], tmp_path)
        seconds = busy_seconds() - before
        print(f"{name}: {code} {seconds:.1f} s {peak:.0f} MB {lines}")
        if code != 3 or len(lines) != 1 or seconds > 10 or peak > 2000:
            wrong.append((name, code, lines, seconds, peak))
        assert not (tmp_path / f"{number}.safetensors").exists()
    assert not wrong
