import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.train.config import Loss  # noqa: E402
from remend.train.losses import Criterion, feature_distance, grow, l1  # noqa: E402


def test_l1_counts_each_picture_the_same_however_small_its_hole():
    output, target = torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    area = torch.zeros(2, 1, 8, 8)
    area[0, :, :1, :1], area[1] = 1, 1
    target[0, :, 0, 0] = 0.5
    assert float(l1(output, target, area)) == pytest.approx(0.25)
    assert float(l1(output, target, torch.zeros_like(area))) == 0


def test_hole_ring_and_valid_share_the_frame():
    hole = torch.zeros(1, 1, 64, 64)
    hole[:, :, 30:34, 30:34] = 1
    ring = grow(hole, 16) - hole
    assert int((hole + ring).sum()) == 36 * 36
    raw, target = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    target[:, :, 0, 0] = 1  # far away: only "valid" may see it
    parts = Criterion(Loss(perceptual=0, valid=0.2))(raw, raw, target, hole)
    assert parts["hole"] == parts["ring"] == 0
    assert float(parts["total"]) == pytest.approx(0.2 * float(parts["valid"]))


def test_features_are_compared_as_directions_and_gradients_stay_finite():
    a = torch.rand(1, 4, 5, 5)
    a[..., 0, 0] = 0
    a.requires_grad_()
    area = torch.ones(1, 1, 40, 40)
    assert float(feature_distance([a.detach()], [3 * a.detach()], area)) < 1e-4
    opposite = float(
        feature_distance([torch.eye(2)[None, :, :1, None]], [torch.eye(2)[None, :, 1:, None]], area)
    )
    assert opposite == pytest.approx(2, rel=1e-3)
    feature_distance([a], [torch.rand(1, 4, 5, 5)], area).backward()
    assert torch.isfinite(a.grad).all()


def test_a_perceptual_loss_without_trunk_says_what_to_do():
    with pytest.raises(UsageError, match=r"--set loss.trunk=FILE.h5, or .* --set loss.perceptual=0"):
        Criterion.of(Loss(perceptual=0.7))
