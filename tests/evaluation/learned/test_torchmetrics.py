"""The same figures as torchmetrics, which gets random nets and features of ours."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("safetensors")

from remend.nets.torchvision_schema import mend_torchvision  # noqa: E402

mend_torchvision()
pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")

from safetensors.torch import save_file  # noqa: E402

from remend.errors import EvaluationError, ModelError  # noqa: E402
from remend.evaluation.distributions import fid, kid  # noqa: E402
from remend.evaluation.learned import judges  # noqa: E402
from remend.evaluation.learned.lpips import Lpips  # noqa: E402


class Given(torch.nn.Module):
    """A feature net that answers what it is given."""

    num_features = 6

    def forward(self, x):
        return x


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return np.abs(rng.normal(size=(40, 6))), np.abs(rng.normal(0.3, 1.2, size=(35, 6)))


def test_fid(features):
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, fake = features
    metric = FrechetInceptionDistance(feature=Given(), normalize=True, input_img_size=(1, 6))
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(fake), real=False)
    assert fid(real, fake) == pytest.approx(float(metric.compute()), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Metric `Kernel:UserWarning")
def test_kid(features):
    from torchmetrics.image.kid import KernelInceptionDistance

    real, fake = (rows[:35] for rows in features)
    metric = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=35, normalize=True)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(fake), real=False)
    assert kid(real, fake) == pytest.approx(float(metric.compute()[0]), rel=1e-5)


@pytest.fixture(params=["squeeze", "alex"])
def net(request, tmp_path):
    """torchmetrics' LPIPS with a random backbone and random linear weights, and the files of both."""
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(3)
    theirs = _LPIPS(pretrained=False, net=request.param, pnet_rand=True).eval()
    linear = {f"lin{i}.model.1.weight": lin.model[1].weight.data.abs() for i, lin in enumerate(theirs.lins)}
    for (name, weight), lin in zip(linear.items(), theirs.lins, strict=True):
        assert name
        lin.model[1].weight.data = weight
    state = {}
    for name, tensor in theirs.net.state_dict().items():
        # Their slices keep torchvision's numbers: slices.1.3.squeeze.weight, slice2.3.weight.
        _, _, rest = name.partition("." if name.startswith("slice") and name[5] != "s" else "s.")
        state[f"features.{rest.split('.', 1)[1] if name.startswith('slices') else rest}"] = tensor.clone()
    save_file(state, tmp_path / "backbone.safetensors")
    save_file(linear, tmp_path / "linear.safetensors")
    return request.param, theirs, tmp_path / "backbone.safetensors", tmp_path / "linear.safetensors"


def test_lpips(net):
    kind, theirs, backbone, linear = net
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 256, (2, 75, 90, 3), np.uint8)
    hole = np.ones((75, 90), bool)
    ours = Lpips(backbone, linear)
    assert ours.names == (f"lpips_{kind}",)
    batches = [torch.from_numpy(x).permute(2, 0, 1)[None].float() / 127.5 - 1 for x in (a, b)]
    with torch.inference_mode():
        wanted = float(theirs(*batches))
    assert wanted > 0.01
    assert ours.measure(a, b, hole)[f"lpips_{kind}"] == pytest.approx(wanted, rel=1e-4)
    assert ours.measure(b, b, hole)[f"lpips_{kind}"] == 0
    assert np.isnan(ours.measure(a[:60], b[:60], hole[:60])[f"lpips_{kind}"])
    with pytest.raises(EvaluationError):
        ours.measure(a[:70], b, hole)


def test_files_that_do_not_belong_together(tmp_path, net):
    kind, _, backbone, linear = net
    with pytest.raises(ModelError, match="expected lin0"):
        Lpips(backbone, backbone)
    with pytest.raises(ModelError, match="holds none of torchvision's"):
        Lpips(linear, linear)
    save_file({"lin0.model.1.weight": torch.ones(1, 64, 1, 1)}, tmp_path / "short.safetensors")
    with pytest.raises(ModelError, match=f"is a backbone {kind}, but"):
        Lpips(backbone, tmp_path / "short.safetensors")
    (tmp_path / "x.pth").write_bytes(b"pickle")
    with pytest.raises(ModelError, match="no safetensors file"):
        Lpips(tmp_path / "x.pth", linear)
    metrics, nets = judges(lpips=(backbone, linear))
    assert "backbone sha256" in metrics[0].rules[f"lpips_{kind}"]
    assert nets == ()
