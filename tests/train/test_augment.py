import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.train.adversarial.augment import AUGMENTATIONS, diff_augment, kinds_of  # noqa: E402


def batch(count=6, height=32, width=48):
    generator = torch.Generator().manual_seed(1)
    real = torch.rand(count, 3, height, width, generator=generator)
    hole = torch.zeros(count, 1, height, width)
    hole[:, :, 8:24, 12:36] = 1
    return real, hole


def altered(real, filled, hole, **how):
    """Real, filled and hole, drawn together."""
    both, moved = diff_augment(torch.cat([real, filled]), hole, **how)
    return *both.chunk(2), moved


def drawn(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_real_and_filled_and_hole_get_the_same_draw(kind):
    real, hole = batch()
    a, b, moved = altered(real, real.clone(), hole, kinds=(kind,), generator=drawn())
    assert torch.equal(a, b)
    assert not torch.equal(a, real)
    # The hole goes where the pictures go: marked in the picture, it is found under the hole again.
    marked = torch.where(hole > 0, 1.0, 0.0).expand_as(real)
    image, _, moved = altered(marked, marked, hole, kinds=(kind,), generator=drawn())
    if kind == "colour":
        assert torch.equal(moved, hole)
    else:
        assert torch.equal((image == 1).all(dim=1, keepdim=True).float(), moved)
        assert float(moved.sum()) < float(hole.sum()) or kind == "translation"


def test_the_draw_is_the_generators_and_differs_from_picture_to_picture():
    real, hole = batch()
    same = real[:1].expand_as(real)
    first = altered(same, same, hole, kinds=AUGMENTATIONS, generator=drawn(3))
    again = altered(same, same, hole, kinds=AUGMENTATIONS, generator=drawn(3))
    other = altered(same, same, hole, kinds=AUGMENTATIONS, generator=drawn(4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0][0], first[0][1])
    state = torch.get_rng_state()
    altered(same, same, hole, kinds=AUGMENTATIONS, generator=drawn(3))
    assert torch.equal(torch.get_rng_state(), state)


def test_with_a_generator_for_each_picture_a_draw_does_not_depend_on_how_a_batch_is_split():
    real, hole = batch()
    whole = altered(real, real, hole, kinds=AUGMENTATIONS, generator=[drawn(index) for index in range(6)])
    for part, own in ((slice(0, 6, 2), (0, 2, 4)), (slice(1, 6, 2), (1, 3, 5))):
        generators = [drawn(index) for index in own]
        split = altered(real[part], real[part], hole[part], kinds=AUGMENTATIONS, generator=generators)
        assert all(torch.equal(a[part], b) for a, b in zip(whole, split, strict=True))


def test_translation_is_a_shift_of_at_most_an_eighth_with_grey_beyond():
    real, hole = batch(64)
    moved, _, _ = altered(real, real, hole, kinds=("translation",), generator=drawn())
    shifts = set()
    for before, after in zip(real, moved, strict=True):
        inside = (after != 0.5).all(dim=0)
        rows, columns = inside.any(dim=1).nonzero().flatten(), inside.any(dim=0).nonzero().flatten()
        top, left, height, width = int(rows[0]), int(columns[0]), len(rows), len(columns)
        down = top if top else height - 32
        right = left if left else width - 48
        source = before[:, max(-down, 0) :][:, :height, max(-right, 0) :][:, :, :width]
        assert torch.equal(after[:, top : top + height, left : left + width], source)
        shifts.add((down, right))
    assert len(shifts) > 20
    assert max(abs(d) for d, _ in shifts) == 4
    assert max(abs(r) for _, r in shifts) == 6


def test_cutout_is_a_box_of_half_the_sides():
    real, hole = batch(64)
    cut, _, left = altered(real, real, hole, kinds=("cutout",), generator=drawn())
    gone = (cut == 0.5).all(dim=1)
    assert float(gone.float().sum(dim=(1, 2)).max()) == 16 * 24
    assert torch.equal(cut[~gone[:, None].expand_as(cut)], real[~gone[:, None].expand_as(real)])
    assert not (left[:, 0] > 0)[gone].any()


def test_colour_stays_within_the_papers_ranges_and_a_gradient_passes():
    real, hole = batch(200, 8, 8)
    flat = torch.full_like(real, 0.5).requires_grad_()
    _, filled, _ = altered(real, flat, hole, kinds=("colour",), generator=drawn())
    means = filled.detach().mean(dim=(1, 2, 3))
    assert 0.25 <= float(means.min()) < 0.27
    assert 0.73 < float(means.max()) <= 0.75
    filled.square().sum().backward()
    assert torch.isfinite(flat.grad).all()
    assert float(flat.grad.abs().sum()) > 0


def test_names_in_a_recipe():
    assert kinds_of("") == ()
    assert kinds_of("cutout, colour") == ("colour", "cutout")
    with pytest.raises(UsageError, match=r"critic\.augment has no color: choose of colour"):
        kinds_of("color")
