"""One step of every net: finite, and a run that was stopped goes on bit for bit."""

import importlib.util
from importlib import resources

import pytest

from tiny_nets import TINY

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
if importlib.util.find_spec("lightning") is None:
    pytest.skip("Lightning is not installed", allow_module_level=True)

from remend.errors import UsageError  # noqa: E402
from remend.nets.critics import build_critic, needs_backbone  # noqa: E402
from remend.nets.registry import NETS, build  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402
from remend.nets.weights import checkpoint  # noqa: E402
from remend.train.config import as_dict, from_dict, load  # noqa: E402
from remend.train.data.loader import Batch  # noqa: E402
from remend.train.machine.devices import start  # noqa: E402
from remend.train.request import Run  # noqa: E402
from remend.train.run.state import Counters, put_back, state_of, tensors_of  # noqa: E402
from remend.train.run.step import Learner  # noqa: E402

SHIPPED = sorted(
    path.name.removesuffix(".toml")
    for path in (resources.files("remend.train") / "recipes").iterdir()
    if path.name.endswith(".toml")
)
# What brings forward passes of its own, or state of its own, into a step.
CRITIC = {
    "name": "patch",
    "options": {"width": 4, "layers": 2},
    "feature_matching": 1.0,
    "r1": 1.0,
    "r1_every": 2,
    "soft_px": 1.5,
    "augment": "translation",
}


def recipe_of(net, **sections):
    return from_dict(
        {
            "net": net,
            "options": sections.pop("options", TINY[net]),
            "data": {"crop_px": 32, "validation_px": 32},
            "loss": {"perceptual": 0.0, "stages": 0.5, **sections.pop("loss", {})},
            "transfer": {"weights": "a/run"},  # not read here; some nets learn on from another's
            "train": {"samples": 100, "batch": 2, "warmup": 0, "ema_half_life": 10},
            **sections,
        }
    )


@pytest.fixture
def learner_of(tmp_path):
    def make(recipe):
        torch.manual_seed(0)
        run = Run(recipe, (tmp_path,), tmp_path, precision="32-true", accelerator="cpu", say=lambda _: None)
        return Learner(recipe, start(run))

    return make


def batch(first):
    generator = torch.Generator().manual_seed(first)
    target = torch.rand(2, 3, 32, 32, generator=generator)
    hole = torch.zeros(2, 1, 32, 32)
    hole[:, :, 8:24, 4:20] = 1
    return Batch(target * (1 - hole), target, hole, first, first + 2)


@pytest.mark.parametrize("net", [*NETS, "partial_conv, second stage"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(net, learner_of, tmp_path):
    net, _, second = net.partition(", ")
    options = TINY[net] | ({"freeze_norms": True} if second else {})
    recipe = recipe_of(net, options=options, critic=CRITIC)
    learner = learner_of(recipe)

    def go(learner, first):
        values = learner.step(batch(first), first)
        learner.average(first + 2)
        return values

    go(learner, 0)
    counters = Counters()
    path = checkpoint.save(tmp_path, 2, tensors_of(learner), state_of(learner, counters, {}))
    values = [go(learner, first) for first in (2, 4)]
    assert all(torch.isfinite(v).all() for step in values for v in step.values())
    other = learner_of(recipe)
    put_back(other, Counters(), checkpoint.read(path), print)
    torch.manual_seed(77)
    again = [go(other, first) for first in (2, 4)]
    assert [{k: float(v) for k, v in step.items()} for step in values] == [
        {k: float(v) for k, v in step.items()} for step in again
    ]
    first, second = tensors_of(learner), tensors_of(other)
    for part in first.keys() - {"rng"}:
        assert first[part].keys() == second[part].keys()
        assert [n for n, t in first[part].items() if not torch.equal(t, second[part][n])] == []


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["", "small"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_names_a_net_and_a_critic_that_take_its_crops(name, preset):
    recipe = load(name, preset=preset)
    rules, critic = recipe.critic, None
    with torch.device("meta"):
        net = build(recipe.net, recipe.options)
        if rules.name and not needs_backbone(rules.name):
            critic = build_critic(rules.name, rules.options)
    if rules.name and critic is None:  # it looks through its backbone once when it is made
        critic = build_critic(rules.name, rules.options, backbone=SqueezeNet())
    for side in (recipe.data.crop_px, recipe.data.validation_px):
        assert side % net.size_multiple == 0
    assert recipe.loss.weights() or critic
    if critic is not None and net.draws is None:
        side = recipe.data.crop_px
        with torch.no_grad():
            judged = critic.to("meta").eval()(
                torch.empty(2, 3, side, side, device="meta"), torch.empty(2, 1, side, side, device="meta")
            )
        assert all(score.shape[0] == 2 for score in judged.scores)


def test_a_step_follows_its_teacher(learner_of, tmp_path):
    from remend.nets.onnx_file import to_onnx
    from remend.nets.weights.portable import save_portable

    pytest.importorskip("onnx", reason="onnx is not installed")
    torch.manual_seed(3)
    taught = recipe_of("unet")
    teacher = build("unet", TINY["unet"]).eval()
    with torch.no_grad():
        teacher.body.head.bias.fill_(0.2)
    file = tmp_path / "best.safetensors"
    save_portable(file, teacher.state_dict(), {"net": "unet", "recipe": as_dict(taught), "samples_seen": 1})
    (tmp_path / "teacher.onnx").write_bytes(to_onnx(teacher))
    (tmp_path / "teacher.json").write_text('{"name": "teacher", "size_multiple": 16}')
    shown = batch(0)
    wanted = teacher(shown.image, shown.hole)[0].detach().clamp(0, 1)
    losses = {"hole": 0.0, "ring": 0.0, "valid": 0.0, "distill": 2.0}
    for source in (file, tmp_path / "teacher.onnx"):
        learner = learner_of(recipe_of("migan", loss=losses | {"teacher": str(source)}))
        lesson = learner.teacher.fill(shown.image, shown.hole)
        assert torch.allclose(lesson, wanted, atol=1e-5)
        values = learner.step(shown, 0)
        assert float(values["total"]) == pytest.approx(2 * float(values["distill"]), rel=1e-5)
        assert float(values["gradient"]) > 0
        # It is nobody's weight: neither learned, nor saved, nor averaged.
        assert not any("teacher" in name for part in tensors_of(learner).values() for name in part)
    first = float(values["distill"])
    for start_ in range(2, 42, 2):
        values = learner.step(shown, start_)
    assert float(values["distill"]) < 0.8 * first


def test_a_teacher_that_is_not_told_or_cannot_fill_the_crops_is_one_clear_line(learner_of, tmp_path):
    with pytest.raises(UsageError, match=r"needs a teacher: give --set loss\.teacher"):
        learner_of(recipe_of("migan", loss={"distill": 1.0}))
    from remend.nets.weights.portable import save_portable

    wide = {"widths": [8] * 7, "branches": 1}
    recipe = {"net": "migan", "options": wide}
    save_portable(
        tmp_path / "best.safetensors", build("migan", wide).state_dict(), {"net": "migan", "recipe": recipe}
    )
    taught = {"distill": 1.0, "teacher": str(tmp_path / "best.safetensors")}
    with pytest.raises(UsageError, match=r"data\.crop_px must be a multiple of 64 for the teacher best"):
        learner_of(recipe_of("migan", loss=taught))
