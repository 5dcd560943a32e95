import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.critics import CriticOutput, build_critic  # noqa: E402
from remend.train.adversarial.losses import (  # noqa: E402
    KINDS,
    balance,
    critic_loss,
    feature_matching,
    generator_loss,
    target_of,
)

HOLE = torch.ones(1, 1, 8, 8)


def of(*scores, features=()):
    return CriticOutput([torch.tensor(scores).view(1, 1, 1, -1)], [list(features)])


def softplus(x):
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("kind", "critic", "net"),
    [
        # real 0.5, filled -0.25
        ("hinge", 0.5 + 0.75, 0.25),
        ("non-saturating", softplus(-0.5) + softplus(-0.25), softplus(0.25)),
        ("least-squares", 0.125 + 0.03125, 0.78125),
        ("bce", 0.9 * softplus(-0.5) + 0.1 * softplus(0.5) + softplus(-0.25), softplus(0.25)),
        ("wasserstein", -0.5 - 0.25, 0.25),
    ],
)
def test_values_by_hand(kind, critic, net):
    real, filled = of(0.5), of(-0.25)
    assert float(critic_loss(kind, real, filled, HOLE)) == pytest.approx(critic)
    assert float(generator_loss(kind, filled, HOLE)) == pytest.approx(net)


def test_bce_is_torchs_with_one_sided_smoothing():
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    real, filled = torch.randn(5), torch.randn(5)
    hole = torch.ones(1, 1, 8, 40)
    wanted = bce(real, torch.full_like(real, 0.9)) + bce(filled, torch.zeros_like(filled))
    assert torch.allclose(critic_loss("bce", of(*real.tolist()), of(*filled.tolist()), hole), wanted)


def test_beyond_the_margin_hinge_asks_for_no_more():
    assert float(critic_loss("hinge", of(1.5), of(-3.0), HOLE)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_pull_the_scores_apart_and_the_net_pulls_back(kind):
    real, filled = (torch.zeros(1, 1, 1, 1, requires_grad=True) for _ in range(2))
    even = 0.5 if kind == "least-squares" else 0.0
    judged = [CriticOutput([score + even], [[]]) for score in (real, filled)]
    critic_loss(kind, *judged, HOLE).backward()
    assert float(real.grad) < 0 < float(filled.grad)
    # At the boundary real and filled pull alike, smoothing apart.
    if kind != "bce":
        assert float(real.grad) == pytest.approx(-float(filled.grad))
    filled.grad = None
    generator_loss(kind, CriticOutput([filled + even], [[]]), HOLE).backward()
    assert float(filled.grad) < 0


@pytest.mark.parametrize("kind", KINDS)
def test_known_patches_of_a_fill_count_as_real(kind):
    hole = torch.zeros(1, 1, 8, 16)
    hole[..., :8] = 1
    hole[..., 8:10] = 1  # a quarter of the second cell
    assert target_of(hole, of(0.0, 0.0).scores[0]).flatten().tolist() == [1, 0.25]
    real, filled = (0.8, 0.1), (0.3, -0.7)
    none, one = 0 * HOLE, HOLE
    fake, genuine = {}, {}
    for score in (*real, *filled):
        # Off the mask a fill is a fake throughout; a "fill" of nothing is real throughout.
        genuine[score] = float(critic_loss(kind, of(0.0), of(score), none))
        fake[score] = float(critic_loss(kind, of(0.0), of(score), one))
        fake[score] -= float(critic_loss(kind, of(0.0), of(0.0), none))
    in_hole = [genuine[r] + fake[f] for r, f in zip(real, filled, strict=True)]
    wanted = (in_hole[0] + 0.25 * in_hole[1]) / 1.25 + genuine[-0.7]
    assert float(critic_loss(kind, of(*real), of(*filled), hole)) == pytest.approx(wanted, rel=1e-5)
    plain = float(critic_loss(kind, of(*real), of(*filled), hole, mask_as_target=False))
    assert plain == pytest.approx(sum(in_hole) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_critic_of_scratches_cannot_win_by_calling_everything_real(kind):
    hole = torch.zeros(1, 1, 64, 64)
    hole[:, :, 20, 8:24] = 1
    even = 0.5 if kind == "least-squares" else 0.0
    level = torch.full((1, 1, 8, 8), even, requires_grad=True)
    judgement = CriticOutput([level], [[]])
    (gradient,) = torch.autograd.grad(critic_loss(kind, judgement, judgement, hole), level)
    crossed = target_of(hole, level) > 0
    assert int(crossed.sum()) == 2
    # Where it was filled each side pulls by 0.25 or more: alike, as nearly as the known part of a cell and
    # smoothing let them. Elsewhere all pull towards real.
    assert float(gradient[crossed].abs().max()) < 0.05
    assert float(gradient[~crossed].max()) < 0


def test_the_net_answers_for_its_fills_alone_and_a_scratch_counts_as_much():
    scores = CriticOutput([torch.tensor([[1.0, 5.0], [1.0, 5.0]]).view(2, 1, 1, 2).requires_grad_()], [[]])
    hole = torch.zeros(2, 1, 8, 16)
    hole[0, ..., :8] = 1  # the first cell, whole
    hole[1, :, 0, 0] = 1  # one pixel of it
    loss = generator_loss("hinge", scores, hole)
    assert float(loss.detach()) == pytest.approx(-1)
    (gradient,) = torch.autograd.grad(loss, scores.scores[0])
    assert gradient.flatten().tolist() == pytest.approx([-0.5, 0, -0.5, 0])
    assert float(generator_loss("hinge", scores, hole, mask_as_target=False).detach()) == pytest.approx(-3)


def test_channels_of_a_score_map_count_alike():
    torch.manual_seed(0)
    real, filled = (torch.randn(2, 3, 2, 2) for _ in range(2))
    hole = torch.zeros(2, 1, 8, 8)
    hole[:, :, :3] = 1
    for mask_as_target in (True, False):
        whole = critic_loss(
            "hinge", *(CriticOutput([s], [[]]) for s in (real, filled)), hole, mask_as_target=mask_as_target
        )
        each = [
            critic_loss(
                "hinge",
                *(CriticOutput([s[:, c : c + 1]], [[]]) for s in (real, filled)),
                hole,
                mask_as_target=mask_as_target,
            )
            for c in range(3)
        ]
        assert torch.allclose(whole, torch.stack(each).mean())


def test_scales_count_alike():
    two = CriticOutput([torch.full((1, 1, 4, 4), 2.0), torch.full((1, 1, 1, 1), -1.0)], [[], []])
    assert float(generator_loss("hinge", two, HOLE)) == pytest.approx(-0.5)


def test_feature_matching_by_a_loop_and_its_gradient_goes_to_the_fill_alone():
    rng = np.random.default_rng(0)
    ours = [rng.random((2, 3, 4, 4), np.float32), rng.random((2, 5, 2, 2), np.float32)]
    theirs = [rng.random((2, 3, 4, 4), np.float32) * 100, rng.random((2, 5, 2, 2), np.float32)]
    wanted = np.mean(
        [
            np.abs(a[n] - b[n]).mean() / np.abs(b[n]).mean()
            for a, b in zip(ours, theirs, strict=True)
            for n in (0, 1)
        ]
    )
    got, real = ([torch.from_numpy(x).requires_grad_() for x in layers] for layers in (ours, theirs))
    loss = feature_matching(of(0.0, features=got), of(0.0, features=real))
    assert float(loss.detach()) == pytest.approx(float(wanted), rel=1e-5)
    loss.backward()
    assert all(x.grad is not None for x in got)
    assert all(x.grad is None for x in real)


def test_the_balanced_gradient_is_the_wanted_share_in_the_hole():
    torch.manual_seed(0)
    towards, against = torch.randn(2, 3, 8, 8), 0.001 * torch.randn(2, 3, 8, 8)
    hole = torch.zeros(2, 1, 8, 8)
    hole[:, :, 2:6, 2:6] = 1
    weight, ratio = balance(towards + 100 * (1 - hole), against, hole, 0.5)  # what is known must not count
    assert float((weight * against * hole).norm()) == pytest.approx(0.5 * float((towards * hole).norm()))
    assert float(ratio * weight) == pytest.approx(0.5)


def test_two_processes_agree_on_the_weight_of_one():
    torch.manual_seed(0)
    towards, against, hole = torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8), torch.ones(4, 1, 8, 8)
    alone, _ = balance(towards, against, hole, 1.0)
    squares = []
    for part in (slice(0, 2), slice(2, 4)):
        balance(towards[part], against[part], hole[part], 1.0, add_up=lambda own: squares.append(own) or own)
    for total in (sum(squares), sum(squares) / 2):
        weight, _ = balance(towards[:2], against[:2], hole[:2], 1.0, add_up=lambda _, total=total: total)
        assert float(weight) == pytest.approx(float(alone), rel=1e-5)


def test_a_critic_without_gradient_gives_a_finite_weight():
    one = torch.ones(1, 3, 4, 4)
    weight, ratio = balance(one, 0 * one, one[:, :1], 1.0)
    assert math.isfinite(float(weight))
    assert float(ratio) == 0


def test_an_unknown_kind_is_one_clear_line():
    with pytest.raises(
        UsageError, match=r"no adversarial loss is called 'relativistic': choose one of hinge"
    ):
        generator_loss("relativistic", of(0.0), HOLE)


@pytest.mark.parametrize("kind", KINDS)
def test_the_game_moves_a_net_towards_what_is_real(kind):
    """Real pictures are stripes; a net of one picture starts flat, and the critic alone tells it of them."""
    torch.manual_seed(0)
    stripes = (torch.arange(32) // 2 % 2).float().expand(4, 3, 32, 32).contiguous()
    hole = torch.zeros(4, 1, 32, 32)
    hole[:, :, 4:28, 4:28] = 1
    critic = build_critic("patch", {"width": 8, "layers": 2})
    logits = torch.zeros(1, 3, 32, 32, requires_grad=True)
    teach = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.99))
    learn = torch.optim.Adam([logits], lr=0.1, betas=(0.0, 0.99))

    def error():
        return float(((logits.detach().sigmoid() - stripes).abs() * hole).sum() / (3 * hole.sum()))

    assert error() == pytest.approx(0.5)
    for _ in range(40):
        filled = torch.where(hole > 0, logits.sigmoid(), stripes)
        with torch.autocast("cpu", torch.bfloat16):
            real, made = critic(stripes, hole), critic(filled.detach(), hole)
        teach.zero_grad()
        critic_loss(kind, real, made, hole).backward()
        teach.step()
        critic.requires_grad_(False)
        learn.zero_grad()
        generator_loss(kind, critic(filled, hole), hole).backward()
        learn.step()
        critic.requires_grad_(True)
    assert error() < 0.3


def test_a_soft_mask_is_least_squares_against_a_blurred_target():
    """The critic's gradient is that of (score - blurred known share)² and (real - 1)², weighed by area."""
    from remend.train.adversarial.losses import soften

    hole = torch.zeros(1, 1, 64, 64)
    hole[:, :, 20:44, 24:48] = 1
    soft = soften(hole, 3.0)
    offset = torch.arange(-9, 10, dtype=torch.float64)
    weight = torch.exp(-(offset**2) / 18)
    weight = weight / weight.sum()
    wanted = sum(
        weight[i] * weight[j] * hole[0, 0, 30 + offset[i].long(), 22 + offset[j].long()]
        for i in range(19)
        for j in range(19)
    )
    assert float(soft[0, 0, 30, 22]) == pytest.approx(float(wanted), abs=1e-5)
    assert torch.allclose(soften(torch.ones_like(hole), 10.0), torch.ones_like(hole), atol=1e-5)
    share = torch.nn.functional.avg_pool2d(soft, 8)
    score, real = torch.randn(2, 1, 1, 8, 8).unbind()
    loss = critic_loss(
        "least-squares", CriticOutput([real], []), CriticOutput([score], []), hole, soft_px=3.0
    )
    inside = (share * ((real - 1) ** 2 + score**2)).sum() / share.sum() / 2
    outside = ((1 - share) * (score - 1) ** 2).sum() / (1 - share).sum() / 2
    assert float(loss) == pytest.approx(float(inside + outside), rel=1e-4)
