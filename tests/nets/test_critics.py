import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.nn.utils import parametrize  # noqa: E402

from remend.errors import UsageError  # noqa: E402
from remend.nets import critics  # noqa: E402
from remend.nets.critics import CRITICS, around  # noqa: E402
from remend.nets.squeezenet import SqueezeNet  # noqa: E402

NARROW = {"width": 4}
SCALES = {"multiscale": 3, "global_local": 2, "projected": 5}


def build_critic(name, options=None):
    if name != "projected":
        return critics.build_critic(name, options)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone = SqueezeNet()
    return critics.build_critic(name, options, backbone=backbone)


def batch(count=2, height=64, width=48, seed=0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(count, 3, height, width, generator=generator)
    hole = torch.zeros(count, 1, height, width)
    hole[:, :, 16:40, 8:32] = 1
    return image, hole


def norms(critic):
    """The largest singular value of each layer's weight, by LAPACK."""
    return [
        float(torch.linalg.matrix_norm(m.weight.detach().flatten(1), 2))
        for m in critic.modules()
        if parametrize.is_parametrized(m)
    ]


@pytest.mark.parametrize("name", CRITICS)
@pytest.mark.parametrize("size", [(32, 32), (64, 48), (99, 70)])
def test_any_size_gets_one_finite_score_map_a_scale(name, size):
    judgement = build_critic(name, NARROW)(*batch(2, *size))
    assert len(judgement.scores) == len(judgement.features) == SCALES.get(name, 1)
    for scores, features in zip(judgement.scores, judgement.features, strict=True):
        assert scores.shape[:2] == (2, 16 if name == "sn_patch" else 1)
        assert torch.isfinite(scores).all()
        assert all(f.shape[0] == 2 and torch.isfinite(f).all() for f in features)
    if name in ("global", "global_local", "residual"):
        assert judgement.scores[0].shape == (2, 1, 1, 1)
    if name == "patch":
        assert judgement.scores[0].shape[2:] == (size[0] // 8, size[1] // 8)


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_its_field_of_view_around_the_middle_of_its_cell(layers, field):
    critic = build_critic("patch", NARROW | {"layers": layers, "spectral": False}).double().eval()
    image, hole = torch.rand(1, 3, 160, 160, dtype=torch.float64), torch.zeros(1, 1, 160, 160).double()
    image.requires_grad_()
    cell, index = 2**layers, 80 // 2**layers
    critic(image, hole).scores[0][0, 0, index, index].backward()
    seen = image.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten().tolist()
    assert len(seen) == seen[-1] - seen[0] + 1 == field
    assert (seen[0] + seen[-1]) / 2 == cell * index + (cell - 1) / 2


@pytest.mark.parametrize("name", CRITICS)
def test_a_picture_is_judged_alone_and_with_its_hole(name):
    critic = build_critic(name, NARROW).eval()
    image, hole = batch()
    both = critic(image, hole).scores[0]
    assert torch.allclose(both[:1], critic(image[:1], hole[:1]).scores[0], atol=1e-6)
    assert not torch.equal(both, critic(image, torch.zeros_like(hole)).scores[0])


def test_spectral_norm_holds_every_layer_near_one_while_it_learns():
    torch.manual_seed(0)
    critic = build_critic("patch", NARROW)
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    image, hole = batch()
    for _ in range(20):
        optimizer.zero_grad()
        critic(image, hole).scores[0].sum().neg().backward()
        optimizer.step()
    critic(image, hole)
    critic.eval()
    assert len(norms(critic)) == 5
    assert all(0.9 < value < 1.1 for value in norms(critic))
    assert parametrize.is_parametrized(build_critic("patch", NARROW | {"spectral": False})) is False


def test_the_norm_is_taken_in_fp32_under_autocast():
    critics = []
    for enabled in (False, True):
        torch.manual_seed(0)
        critics.append(build_critic("patch", NARROW))
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            for _ in range(3):
                judgement = critics[-1](*batch())
    assert judgement.scores[0].dtype is torch.bfloat16
    for name, tensor in critics[0].state_dict().items():
        assert torch.equal(tensor, critics[1].state_dict()[name]), name


def test_a_saved_critic_goes_on_bit_for_bit():
    def learn(critic, optimizer, steps):
        for step in range(steps):
            optimizer.zero_grad()
            critic(*batch(seed=step)).scores[0].square().mean().backward()
            optimizer.step()

    def fresh(seed):
        torch.manual_seed(seed)
        critic = build_critic("multiscale", NARROW)
        return critic, torch.optim.SGD(critic.parameters(), lr=0.1)

    critic, optimizer = fresh(0)
    learn(critic, optimizer, 3)
    saved = {name: tensor.clone().contiguous() for name, tensor in critic.state_dict().items()}
    other, again = fresh(1)
    other.load_state_dict(saved)
    learn(critic, optimizer, 3)
    learn(other, again, 3)
    for name, tensor in critic.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    assert any(name.endswith("_u") for name in saved)


@pytest.mark.parametrize("name", CRITICS)
def test_channels_last_gives_the_same_scores(name):
    critic = build_critic(name, NARROW).eval()
    image, hole = batch()
    wanted = critic(image, hole).scores
    critic.to(memory_format=torch.channels_last)
    got = critic(*(x.contiguous(memory_format=torch.channels_last) for x in (image, hole))).scores
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(wanted, got, strict=True))


def test_parameters_are_those_of_the_table():
    counted = {name: sum(p.numel() for p in build_critic(name).parameters()) / 1e6 for name in CRITICS}
    table = {"global": 7.2, "patch": 2.8, "multiscale": 8.3}
    table |= {"sn_patch": 5.9, "global_local": 6.0, "residual": 15.1, "projected": 0.9}
    assert counted == pytest.approx(table, abs=0.05)


def test_the_local_critic_looks_at_the_hole():
    torch.manual_seed(0)
    critic = build_critic("global_local", NARROW).eval()
    image, hole = torch.rand(2, 3, 64, 48), torch.zeros(2, 1, 64, 48)
    hole[0, :, :8, :8] = 1  # the crop ends at the frame
    hole[1, :, 40:48, 20:28] = 1  # its middle is (44, 24)
    image.requires_grad_()
    critic(image, hole).scores[1].sum().backward()
    for index, (rows, columns) in enumerate([((0, 32), (0, 24)), ((28, 60), (12, 36))]):
        seen = image.grad[index].abs().sum(dim=0).nonzero()
        assert (int(seen[:, 0].min()), int(seen[:, 0].max()) + 1) == rows
        assert (int(seen[:, 1].min()), int(seen[:, 1].max()) + 1) == columns


def test_a_crop_is_of_the_middle_where_there_is_no_hole():
    planes = torch.zeros(1, 4, 16, 20)
    planes[:, 0] = torch.arange(320.0).view(16, 20)
    assert torch.equal(around(planes, 0.5)[0, 0], planes[0, 0, 4:12, 5:15])


def test_sn_patch_sees_253_px_and_each_channel_scores():
    critic = build_critic("sn_patch", {"width": 2, "spectral": False}).double().eval()
    image, hole = torch.rand(1, 3, 512, 512).double(), torch.zeros(1, 1, 512, 512).double()
    image.requires_grad_()
    scores = critic(image, hole).scores[0]
    assert scores.shape == (1, 8, 8, 8)
    scores[0, 5, 4, 4].backward()
    seen = image.grad.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    assert int(seen[-1] - seen[0]) + 1 == 253


def test_an_unknown_critic_or_option_is_one_clear_line():
    with pytest.raises(UsageError, match=r"no critic is called 'pixel': choose one of global, patch"):
        build_critic("pixel")
    with pytest.raises(UsageError, match="the critic patch does not take these options"):
        build_critic("patch", {"depth": 3})


def test_what_the_backbone_sees_is_judged_and_the_backbone_left_alone():
    critic = build_critic("projected", NARROW)
    learned = sum(p.numel() for p in critic.parameters())
    assert learned == sum(p.numel() for part in (critic.heads, critic.pixels) for p in part.parameters())
    assert not any("conv1" in name for name in critic.state_dict())
    critic.requires_grad_(True)
    image, hole = batch()
    image.requires_grad_()
    sum(scores.sum() for scores in critic(image, hole).scores).backward()
    # The way back to the picture leads through the backbone, which itself learns nothing.
    assert image.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in critic._backbone[0].parameters())
    critic.double()
    assert all(p.dtype is torch.float64 for p in critic._backbone[0].parameters())


@pytest.mark.parametrize("maps", [(0, 12), (-13,), ()])
def test_maps_that_the_backbone_does_not_have_are_one_clear_line(maps):
    with pytest.raises(UsageError, match=r"chooses among the .* maps of the backbone"):
        build_critic("projected", NARROW | {"maps": maps})


def test_a_critic_without_its_backbone_is_one_clear_line():
    with pytest.raises(UsageError, match="looks through a backbone: give its weights"):
        critics.build_critic("projected")
