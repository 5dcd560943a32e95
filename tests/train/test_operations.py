"""How many operations a step asks for: on a GPU each is a command that the processor has to give."""

import importlib.util

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from remend.nets.squeezenet import SqueezeNet  # noqa: E402
from remend.train.config import load, override  # noqa: E402
from remend.train.data.loader import Batch  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402

BOUND = 2_210  # measured: 2,208 at batch 16, the critic in the game, a prior for every sample
COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd


class Count(TorchDispatchMode):
    """Operations that compute or copy: views cost a GPU nothing, and what is made of others is those."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        aliases = [out.alias_info for out in operation._schema.returns]
        made_of_others = torch._C._dispatch_has_kernel_for_dispatch_key(
            operation.name(), "CompositeImplicitAutograd"
        )
        view = any(alias is not None and not alias.is_write for alias in aliases)
        if made_of_others:  # without gradients they come whole: count what they are made of
            with self:
                return operation._op_dk(COMPOSITE, *args, **(kwargs or {}))
        self.number += not view
        return operation(*args, **(kwargs or {}))


def counted(learner, count, seen):
    generator = torch.Generator().manual_seed(0)
    made = torch.rand(count, 3, 64, 64, generator=generator).contiguous(memory_format=torch.channels_last)
    hole = torch.zeros(count, 1, 64, 64)
    hole[:, :, 16:48, 16:48] = 1
    for _ in range(2):  # the first makes what is kept
        batch = Batch(made * (1 - hole), made, hole, seen, seen + count)
        with Count() as counting:
            learner.step(batch, seen)
            learner.average(seen + count)
    return counting.number


def test_operations_of_a_step_are_few_and_hardly_grow_with_the_batch(tmp_path, monkeypatch):
    def backbone(name, weights):
        return SqueezeNet().eval().requires_grad_(False)

    for place in ("adversarial.step", "loss.reconstruction"):
        monkeypatch.setattr(f"remend.train.{place}.load_backbone", backbone)
    # Kernels of full width alone are Muon's; how many they are does not change what is counted.
    settings = [f"loss.backbone={__file__}", "options.widths=[16, 32, 64]", "critic.options={width = 16}"]
    recipe = override(load("remend-wide"), [*settings, "data.prior=1.0"])
    learner = Learner(recipe, start(Run(recipe, (), tmp_path, accelerator="cpu")))
    seen = recipe.critic.from_samples
    few, many = (counted(learner, count, seen) for count in (4, 16))
    assert many <= BOUND
    # Each picture brings random numbers, drawn on the processor; nothing else.
    assert (many - few) / 12 <= 6
