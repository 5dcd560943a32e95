import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.train.config import Recipe  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402


class Look(torch.nn.Module):
    """Remembers of which type its input and its convolution's output are."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 3, 1)

    def forward(self, image):
        answer = self.conv(image)
        self.seen = image.dtype, answer.dtype
        return answer


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_convolutions_run_in_half_precision_but_pictures_arrive_whole(tmp_path, precision):
    # A picture in bf16 has eight bits at most, and a base fill reckoned in it is 2.5 dB worse than served.
    run = Run(Recipe("remend"), (), tmp_path, accelerator="cpu", precision=precision)
    net = Look()
    start(run).setup(net)(torch.rand(1, 3, 8, 8))
    assert net.seen == (torch.float32, torch.bfloat16 if precision == "bf16-mixed" else torch.float32)


def test_a_machine_of_apples_is_trained_on_its_cpu(tmp_path, monkeypatch):
    # Their GPUs have no float64, which metrics and optimiser reckon with; Lightning would take them.
    monkeypatch.setattr("lightning.fabric.accelerators.mps.MPSAccelerator.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert start(Run(Recipe("remend"), (), tmp_path)).device.type == "cpu"
