import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.critics import CriticOutput, build_critic  # noqa: E402
from remend.nets.registry import build  # noqa: E402
from remend.train.adversarial.penalties import gradient_penalty, path_penalty, r1_penalty  # noqa: E402


class Quadratic(torch.nn.Module):
    """One score a picture, half of its squared norm, times a weight: the gradient is weight × picture."""

    def __init__(self, times=1):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(3.0))
        self.times = times

    def forward(self, image, hole):
        assert image.dtype is torch.float32
        assert not torch.is_autocast_enabled("cpu")
        score = self.weight * image.square().sum(dim=(1, 2, 3)).view(-1, 1, 1, 1) / 2
        return CriticOutput([score] * self.times, [[]] * self.times)


@pytest.mark.parametrize("times", [1, 2])
def test_r1_of_a_quadratic_critic_and_its_gradient(times):
    critic = Quadratic(times)
    image = torch.rand(4, 3, 5, 5)
    with torch.autocast("cpu", torch.bfloat16):
        penalty = r1_penalty(critic, image, torch.ones(4, 1, 5, 5))
    square = image.square().sum(dim=(1, 2, 3)).mean()
    assert float(penalty.detach()) == pytest.approx(float(9 * square / 2), rel=1e-5)
    penalty.backward()
    assert float(critic.weight.grad) == pytest.approx(float(3 * square), rel=1e-5)
    assert image.grad is None


def test_r1_of_a_patch_critic_does_not_depend_on_the_size():
    torch.manual_seed(0)
    critic = build_critic("patch", {"width": 4, "layers": 1, "spectral": False})
    values = []
    for side in (64, 128):
        penalty = r1_penalty(critic, torch.full((1, 3, side, side), 0.4), torch.zeros(1, 1, side, side))
        values.append(float(penalty.detach()))
    assert values[0] == pytest.approx(values[1], rel=0.15)


class Linear(torch.nn.Module):
    """Scores that fall by ``weight`` for each unit of brightness."""

    def __init__(self, weight, scales=1):
        super().__init__()
        self.weight, self.scales = torch.nn.Parameter(torch.tensor(weight)), scales

    def forward(self, image, hole):
        score = self.weight * image.sum(dim=(1, 2, 3)).view(-1, 1, 1, 1)
        return CriticOutput([score] * self.scales, [[]] * self.scales)


@pytest.mark.parametrize("scales", [1, 2])
def test_a_slope_is_counted_in_the_hole_alone(scales):
    critic = Linear(0.5, scales)
    hole = torch.zeros(2, 1, 8, 8)
    hole[:, :, 2:5, 2:5] = 1
    with torch.autocast("cpu", torch.bfloat16):
        penalty = gradient_penalty(critic, torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8), hole)
    length = 0.5 * 27**0.5
    assert float(penalty.detach()) == pytest.approx((length - 1) ** 2, rel=1e-4)
    penalty.backward()
    assert float(critic.weight.grad) == pytest.approx(2 * (length - 1) * 27**0.5, rel=1e-4)


def test_the_slope_is_taken_between_the_twins():
    seen = []

    class Watching(Linear):
        def forward(self, image, hole):
            seen.append(image.detach())
            return super().forward(image, hole)

    torch.manual_seed(3)
    real, filled = torch.zeros(64, 3, 4, 4), torch.ones(64, 3, 4, 4)
    gradient_penalty(Watching(1.0), real, filled, torch.ones(64, 1, 4, 4))
    way = seen[0][:, 0, 0, 0]
    assert torch.equal(seen[0], way[:, None, None, None].expand_as(real))  # one way a picture
    assert float(way.min()) < 0.1 < 0.9 < float(way.max())


def test_held_to_a_slope_of_one_a_critic_learns_the_distance():
    """Of two sets that lie apart by a known distance: what Wasserstein critics are for."""

    class Weighing(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(0.01 * torch.randn(3, 8, 8))

        def forward(self, image, hole):
            return CriticOutput([(self.weight * image).sum(dim=(1, 2, 3), keepdim=True)], [[]])

    torch.manual_seed(0)
    critic = Weighing()
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    hole = torch.zeros(4, 1, 8, 8)
    hole[:, :, 2:6, 2:6] = 1
    real = torch.rand(4, 3, 8, 8)
    filled = real - 0.3 * hole
    for _ in range(150):
        apart = (critic(real, hole).scores[0] - critic(filled, hole).scores[0]).mean()
        optimizer.zero_grad()
        (10 * gradient_penalty(critic, real, filled, hole) - apart).backward()
        optimizer.step()
    # The penalty gives way by (distance / 20), in slope.
    distance = 0.3 * (3 * 16) ** 0.5
    assert float(apart.detach()) == pytest.approx(distance * (1 + distance / 20), rel=0.02)


def tiny():
    torch.manual_seed(0)
    return build(
        "comod_gan", {"widths": (8, 8, 8), "noise": 4, "code": 6, "mapping": 2, "dropout": 0.0}
    ).train()


def test_the_path_penalty_is_of_the_jacobian_of_fill_by_latent_vector():
    net = tiny()
    image, hole = torch.rand(4, 3, 16, 16), torch.zeros(4, 1, 16, 16)
    hole[:, :, 4:12, 4:12] = 1
    torch.manual_seed(7)
    with torch.autocast("cpu", torch.bfloat16):
        penalty, length = path_penalty(net, image, hole)
    penalty.backward()
    assert all(p.grad.abs().max() > 0 for p in net.body.mapping.parameters() if p.ndim > 1)
    # By hand, with the same draws: noise, then the direction in which the fill is shaken.
    torch.manual_seed(7)
    noise = torch.randn(2, 4)
    shake = torch.randn(2, 3, 16, 16) * hole[:2] / 8
    net = net.double()
    latent = net.body.mapping(noise.double()).detach()

    @torch.no_grad()
    def shaken(latent):
        handle = net.body.mapping.register_forward_hook(lambda *call: latent)
        filled = net(image[:2].double(), hole[:2].double(), noise=noise.double())[0]
        handle.remove()
        return (filled * shake).sum(dim=(1, 2, 3))

    steps = 1e-3 * torch.eye(4).double()
    slopes = torch.stack([(shaken(latent + step) - shaken(latent - step)) / 2e-3 for step in steps], dim=1)
    lengths = slopes.norm(dim=1)
    assert float(length) == pytest.approx(float(lengths.mean()), rel=5e-3)
    assert float(net.body.path_mean) == pytest.approx(0.01 * float(lengths.mean()), rel=5e-3)
    wanted = (lengths - net.body.path_mean).square().mean()
    assert float(penalty.detach()) == pytest.approx(float(wanted), rel=5e-3)


def test_a_net_without_noise_has_no_paths():
    with pytest.raises(UsageError, match="for nets whose fills follow from noise"):
        path_penalty(build("unet", {"widths": (8, 8)}), torch.rand(2, 3, 16, 16), torch.ones(2, 1, 16, 16))
